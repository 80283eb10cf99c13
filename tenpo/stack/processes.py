"""The processes of the local stack, as a list. To add a service, add an entry here."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from tenpo.settings import Settings
from tenpo.stack.addresses import AIRFLOW_DATABASE, postgres_dsn
from tenpo.stack.airflow_config import airflow_env
from tenpo.stack.layout import Environments, Layout, postgres_bin
from tenpo.stack.leftovers import MARKER, marker
from tenpo.stack.ports import HOST
from tenpo.stack.postgres import postgres_command, postgres_user
from tenpo.stack.process import Health, Process

NAMES = (
    "postgres",
    "bigquery",
    "mqtt",
    "gateway",
    "api",
    "ingest",
    "airflow-api-server",
    "airflow-scheduler",
    "airflow-dag-processor",
)


@dataclass(frozen=True)
class Plan:
    """What every definition is made from."""

    settings: Settings
    layout: Layout
    environments: Environments
    ports: dict[str, int]

    def url(self, name: str, path: str = "") -> str:
        """The loopback URL of a service."""
        return f"http://{HOST}:{self.ports[name]}{path}"


def processes(plan: Plan, names: Iterable[str], *, digest: str) -> list[Process]:
    """The definitions of the named processes, with what all of them need in the environment.

    Args:
        plan: where things lie and on which ports they listen.
        names: which ones, from `NAMES`.
        digest: of the addresses: a process that holds old ones is restarted.
    """
    home = {
        "TENPO_HOME": str(plan.layout.home),
        "TMPDIR": str(plan.layout.temporary),
        "PYTHONUNBUFFERED": "1",
    }
    common = home | _settings_env(digest)
    made = []
    for name in names:
        process = _DEFINITIONS[name](plan)
        shared = common if process.uses_others else home
        env = shared | process.env | {MARKER: marker(plan.layout.home, name)}
        made.append(replace(process, env=env))
    return made


def _settings_env(digest: str) -> dict[str, str]:
    given = {
        key: value
        for key, value in os.environ.items()
        if key.startswith("TENPO_") and key not in (MARKER, "TENPO_HOME")
    }
    file = Path(os.environ.get("TENPO_SETTINGS_FILE", "tenpo.toml"))
    # Without such a file a constant: whoever says `up` next stands in another folder.
    settings = file.absolute() if file.exists() else os.devnull
    return given | {"TENPO_SETTINGS_FILE": str(settings), "TENPO_STACK_ADDRESSES": digest}


def _postgres(plan: Plan) -> Process:
    dsn = postgres_dsn(plan.layout, "postgres")
    return Process(
        name="postgres",
        command=postgres_command(postgres_bin(), plan.layout),
        health=Health("postgres", dsn),
        address=str(plan.layout.postgres_socket),
        stop_signal="INT",  # fast shutdown: TERM would wait for clients to leave
        death_signal=signal.SIGINT,
        user=postgres_user(),
        uses_others=False,
    )


def _bigquery(plan: Plan) -> Process:
    data = plan.layout.bigquery_data
    script = Path(__file__).with_name("bigquery_server.py")
    return Process(
        name="bigquery",
        # -P: the script's own folder must not shadow installed packages.
        command=(
            plan.environments.python("bigquery"),
            "-P",
            str(script),
            "start",
            "--persistent",
            "--data-dir",
            str(data),
            "--project",
            plan.settings.project,
            "--rest-host",
            HOST,
            "--rest-port",
            str(plan.ports["bigquery"]),
            "--grpc-host",
            HOST,
            "--grpc-port",
            str(plan.ports["bigquery_grpc"]),
            "--log-format",
            "console",
            "--log-level",
            "warning",
        ),
        env={
            "HOME": str(data),
            "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",  # would be downloaded; we need none
            "BQEMU_UPLOAD_STAGING_DIR": str(data / "uploads"),
        },
        health=Health("http", plan.url("bigquery", "/readyz")),
        uses_others=False,
        address=plan.url("bigquery"),
    )


def _mqtt(plan: Plan) -> Process:
    return Process(
        name="mqtt",
        command=(
            plan.environments.python("platform"),
            "-m",
            "tenpo.stack.mqtt_broker",
            str(plan.ports["mqtt"]),
        ),
        health=Health("tcp", f"{HOST}:{plan.ports['mqtt']}"),
        uses_others=False,
        address=f"mqtt://{HOST}:{plan.ports['mqtt']}",
    )


def _gateway(plan: Plan) -> Process:
    return Process(
        name="gateway",
        command=(plan.environments.python("platform"), "-m", "gateways.serve"),
        health=Health("http", plan.url("gateway", "/healthz")),
        depends_on=("datamart", "mqtt"),
        address=plan.url("gateway"),
    )


def _api(plan: Plan) -> Process:
    return Process(
        name="api",
        command=(plan.environments.python("platform"), "-m", "api.serve"),
        health=Health("http", plan.url("api", "/healthz")),
        depends_on=("datamart",),
        address=plan.url("api"),
    )


def _ingest(plan: Plan) -> Process:
    python = plan.environments.python("platform")
    return Process(
        name="ingest",
        command=(python, "-m", "tenpo.cli", "ingest", "--follow"),
        health=Health("running", settle_s=3.0),
        depends_on=("datamart", "warehouse"),
    )


def _airflow(plan: Plan, part: str, *arguments: str, job_type: str = "") -> Process:
    dsn = postgres_dsn(plan.layout, AIRFLOW_DATABASE)
    env = airflow_env(plan.settings, plan.layout, plan.ports["airflow"])
    return Process(
        name=f"airflow-{part}",
        command=(plan.environments.python("airflow"), "-m", "airflow", part, *arguments),
        # Tasks start our command line: the runtime and where to find it.
        env=env
        | {
            "TENPO_PYTHON": plan.environments.python("platform"),
            "TENPO_TASK_RUNTIME": plan.settings.task_runtime,
        },
        health=Health("airflow-job", dsn, job_type=job_type),
        depends_on=("airflow-database",),
    )


def _airflow_api_server(plan: Plan) -> Process:
    server = _airflow(plan, "api-server")
    health = Health("http", plan.url("airflow", "/api/v2/version"))
    return replace(server, health=health, address=plan.url("airflow"))


_DEFINITIONS: dict[str, Callable[[Plan], Process]] = {
    "postgres": _postgres,
    "bigquery": _bigquery,
    "mqtt": _mqtt,
    "gateway": _gateway,
    "api": _api,
    "ingest": _ingest,
    "airflow-api-server": _airflow_api_server,
    # The log server is for remote workers; ours share the folder with the API server.
    "airflow-scheduler": lambda plan: _airflow(
        plan, "scheduler", "--skip-serve-logs", job_type="SchedulerJob"
    ),
    "airflow-dag-processor": lambda plan: _airflow(
        plan, "dag-processor", job_type="DagProcessorJob"
    ),
}
