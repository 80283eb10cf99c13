"""A run of the models over one tenant: what it is called, what it knew, where its results lie.

Below `artifact/<tenant>/models/` of the lake:

    key/<key>/<stamp>.json                       which run a key means; the newest counts
    run/<run_id>/record.json                     the run's record
    run/<run_id>/<currency>/<name>/<stamp>.<ext>  results of its pipelines; the newest counts

A key is what the caller knows the run by (Airflow's own id), so that the tasks of one DAG run
share one run.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any, Self

import orjson
from pydantic import BaseModel, ConfigDict

from kedro_project.registry.recipe import code_version, recipe_of
from tenpo.errors import InputError, IntegrityError
from tenpo.identifiers import micros
from tenpo.lake import Lake

_UNFIT = re.compile(r"[^A-Za-z0-9_-]+")
NEWEST = "newest"


class RunRecord(BaseModel):
    """One run: everything that its pipelines must agree on.

    `as_of` is the last business date that it knows, `code` the version of the models' sources,
    `repeats` the run that it makes again.
    """

    model_config = ConfigDict(frozen=True)

    run_id: str
    tenant_id: str
    as_of: date
    first: date
    currencies: tuple[str, ...]
    started_at: datetime
    parameters: dict[str, Any]
    code: str = ""
    repeats: str = ""

    @property
    def recipe(self) -> str:
        """What tells runs apart that differ by more than their data."""
        return recipe_of(self.code, self.parameters)

    @classmethod
    def new(
        cls,
        tenant_id: str,
        span: tuple[date, date],
        currencies: tuple[str, ...],
        parameters: dict[str, Any],
    ) -> Self:
        """A run that begins now."""
        now = datetime.now(UTC)
        return cls(
            run_id=f"{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}",
            tenant_id=tenant_id,
            first=span[0],
            as_of=span[1],
            currencies=currencies,
            started_at=now,
            parameters=parameters,
            code=code_version(),
        )


@dataclass(frozen=True)
class Shelf:
    """Where results of a tenant's runs lie.

    Args:
        lake: the lake.
        tenant_id: whose.
        run_id: of which run; none for the keys alone.
        currency: of which chain.
    """

    lake: Lake
    tenant_id: str
    run_id: str = ""
    currency: str = ""

    def keep_record(self, record: RunRecord) -> None:
        """Keep a run's record; it is found by its id alone."""
        self.lake.put(self._record_of(record.run_id), record.model_dump_json().encode())

    def keep(self, record: RunRecord, key: str) -> None:
        """Keep a run's record, and note which run a key means and that it is the newest."""
        stamp = _stamp()
        self.keep_record(record)
        for name in dict.fromkeys((key, NEWEST)):
            self.lake.put(f"{self._root}/key/{_safe(name)}/{stamp}.json",
                          record.model_dump_json().encode())  # fmt: skip

    def find(self, key: str) -> RunRecord:
        """The run that a key means, or that has this very id.

        Raises:
            InputError: there is none yet.
        """
        if key and not _UNFIT.search(key) and self.lake.exists(self._record_of(key)):
            return self.record(key)
        names = self.lake.names(f"{self._root}/key/{_safe(key)}")
        if not names:
            raise InputError(
                "there is no such run of the models yet", where=self.tenant_id,
                remedy="Begin one: tenpo models run --pipeline features.",
            )  # fmt: skip
        return RunRecord.model_validate(orjson.loads(self.lake.get(names[-1])))

    def record(self, run_id: str) -> RunRecord:
        """The record of a run.

        Raises:
            InputError: there is no such run.
        """
        name = self._record_of(run_id)
        if _UNFIT.search(run_id) or not self.lake.exists(name):
            raise InputError(
                "there is no such run of the models", where=self.tenant_id,
                remedy="Choose from: tenpo models runs.",
            )  # fmt: skip
        return RunRecord.model_validate(orjson.loads(self.lake.get(name)))

    def of(self, record: RunRecord, currency: str) -> Shelf:
        """The shelf of one chain of a run."""
        return replace(self, run_id=record.run_id, currency=currency)

    def put(self, name: str, data: bytes, extension: str = "zip") -> None:
        """Store a result; what was there under the name stays, and counts no more."""
        self.lake.put(f"{self._folder(name)}/{_stamp()}.{extension}", data)

    def get(self, name: str) -> bytes:
        """The newest result of a name.

        Raises:
            IntegrityError: there is none: the pipeline that makes it has not run.
        """
        names = self.lake.names(self._folder(name))
        if not names:
            raise IntegrityError(
                f"the run has no {name} yet", where=f"{self.run_id} {self.currency}",
                remedy="Run the pipelines in order: features, clustering, forecast, targets, "
                "judge, publish.",
            )  # fmt: skip
        return self.lake.get(names[-1])

    def has(self, name: str) -> bool:
        """Whether there is one."""
        return bool(self.lake.names(self._folder(name)))

    @property
    def _root(self) -> str:
        return f"artifact/{self.tenant_id}/models"

    def _record_of(self, run_id: str) -> str:
        return f"{self._root}/run/{run_id}/record.json"

    def _folder(self, name: str) -> str:
        return f"{self._root}/run/{self.run_id}/{self.currency}/{name}"


def _stamp() -> str:
    return f"{micros(datetime.now(UTC)):020d}-{secrets.token_hex(2)}"


def _safe(key: str) -> str:
    return _UNFIT.sub("_", key)[:200] or NEWEST
