"""Talking to Airflow's REST API: asset events, runs. Orchestration itself lives in `dags/`.

An asset exists for Airflow once a DAG that names it was parsed, a few seconds after the
tenant's creation; an event for it before that is refused (https://airflow.apache.org/
docs/apache-airflow/3.3.2/stable-rest-api-ref.html).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import httpx

from tenpo.errors import StackError, UnknownReference
from tenpo.settings import Settings
from tenpo.stack.airflow_config import admin_password

FINISHED = ("success", "failed")
POLL_S = 0.5


class AirflowClient:
    """One client a process; not shared between threads. Use as a context manager or close it.

    All methods raise `StackError` (retryable) when Airflow does not answer or refuses,
    and `UnknownReference` for an asset or DAG that it does not know.
    """

    def __init__(self, settings: Settings, *, timeout_s: float = 10.0) -> None:
        self._settings = settings
        self._http = httpx.Client(base_url=settings.airflow_url, timeout=timeout_s, trust_env=False)
        self._token = ""
        self._asset_ids: dict[str, int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def create_asset_event(self, name: str, extra: Mapping[str, Any] | None = None) -> int:
        """Tell Airflow that an asset was updated; returns the event's id.

        Args:
            name: of the asset, as `tenpo://uci/dwh`.
            extra: JSON values that are shown with the event.
        """
        body = {"asset_id": self._asset_id(name), "extra": dict(extra or {})}
        try:
            return int(self._call("POST", "/api/v2/assets/events", body)["id"])
        except UnknownReference:  # Airflow's database was made anew: ids have changed
            self._asset_ids.pop(name, None)
            raise

    def trigger_dag(self, dag_id: str, conf: Mapping[str, Any] | None = None) -> str:
        """Start a run by hand, `conf` being its params; returns the run id."""
        body = {"logical_date": None, "conf": dict(conf or {})}
        return str(self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def dag_runs(self, dag_id: str, limit: int = 20) -> list[dict[str, Any]]:
        """The latest runs, newest first, as Airflow describes them."""
        query = f"?limit={limit}&order_by=-run_after"
        found = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns{query}")["dag_runs"]
        return list(found)

    def task_instances(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """The tasks of a run with their state and number of tries, as Airflow describes them."""
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        return list(self._call("GET", path)["task_instances"])

    def wait_for_run(self, dag_id: str, run_id: str, timeout_s: float = 120.0) -> str:
        """Wait until a run has ended, Airflow restarting or not; returns `success` or `failed`."""
        deadline = time.monotonic() + timeout_s
        path = f"/api/v2/dags/{dag_id}/dagRuns/{run_id}"
        while time.monotonic() < deadline:
            state = str(self._answer_by(deadline, path, StackError)["state"])
            if state in FINISHED:
                return state
            time.sleep(POLL_S)
        raise StackError(
            f"the run has not ended within {timeout_s:.0f} s",
            where=f"{dag_id} {run_id}",
            remedy=f"Look at it in Airflow: {self._settings.airflow_url}/dags/{dag_id}",
        )

    def wait_for_dag(self, dag_id: str, timeout_s: float = 60.0) -> None:
        """Wait until Airflow has parsed a DAG, as after a tenant was created."""
        deadline = time.monotonic() + timeout_s
        self._answer_by(deadline, f"/api/v2/dags/{dag_id}", StackError, UnknownReference)

    def _answer_by(
        self, deadline: float, path: str, *passing: type[StackError] | type[UnknownReference]
    ) -> dict[str, Any]:
        """What a GET answers once it does without one of the errors that may pass."""
        while True:
            try:
                return self._call("GET", path)
            except passing:
                if time.monotonic() > deadline:
                    raise
                time.sleep(POLL_S)

    def _asset_id(self, name: str) -> int:
        if name not in self._asset_ids:
            query = httpx.QueryParams({"name_pattern": name, "limit": 100})
            found = self._call("GET", f"/api/v2/assets?{query}")["assets"]
            self._asset_ids |= {asset["name"]: int(asset["id"]) for asset in found}
        if name not in self._asset_ids:
            raise UnknownReference(
                "Airflow does not know the asset",
                where=name,
                remedy="Its DAG appears some seconds after the tenant is created; try again.",
            )
        return self._asset_ids[name]

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = self._send(method, path, body)
        if answer.status_code == httpx.codes.UNAUTHORIZED:  # expired, or the key has changed
            self._token = ""
            answer = self._send(method, path, body)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise UnknownReference(
                f"Airflow does not know it: {answer.text[:200]}",
                where=path,
                remedy="DAGs appear some seconds after a tenant is created; try again.",
            )
        if answer.is_error:
            raise self._refused(answer)
        return dict(answer.json())

    def _send(self, method: str, path: str, body: object) -> httpx.Response:
        try:
            headers = {"Authorization": f"Bearer {self._token or self._log_in()}"}
            return self._http.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            raise StackError(
                f"Airflow does not answer: {error}",
                where=self._settings.airflow_url,
                remedy="See `tenpo status`; `tenpo up` starts it.",
            ) from error

    def _log_in(self) -> str:
        given = self._settings.airflow_password
        password = given.get_secret_value() if given else admin_password(self._settings)
        account = {"username": self._settings.airflow_username, "password": password}
        answer = self._http.post("/auth/token", json=account)
        if answer.is_error:
            raise self._refused(answer)
        self._token = str(answer.json()["access_token"])
        return self._token

    def _refused(self, answer: httpx.Response) -> StackError:
        return StackError(
            f"Airflow refuses with status {answer.status_code}: {answer.text[:300]}",
            where=str(answer.request.url),
            remedy="See the log airflow-api-server.log in the logs folder.",
        )
