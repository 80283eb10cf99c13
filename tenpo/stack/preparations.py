"""What must be done once a service is up and before others use it: databases, schemas."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable

from tenpo.errors import StackError
from tenpo.settings import get_settings
from tenpo.stack.addresses import AIRFLOW_DATABASE, DATAMART, postgres_dsn
from tenpo.stack.airflow_config import airflow_env
from tenpo.stack.files import write_private
from tenpo.stack.logs import last_lines
from tenpo.stack.order import Node
from tenpo.stack.postgres import ensure_databases
from tenpo.stack.processes import Plan

Say = Callable[[str], None]


def preparations(plan: Plan, names: set[str], say: Say) -> list[Node]:
    """The preparations that the wanted processes need; each is cheap when already done."""
    nodes = []
    if "postgres" in names:
        nodes += [
            Node("databases", ("postgres",), lambda: _databases(plan)),
            Node("datamart", ("databases",), _timed("datamart migrated", say, _datamart)),
        ]
    if "bigquery" in names:
        nodes.append(
            Node("warehouse", ("bigquery",), _timed("warehouse tables made", say, _warehouse))
        )
    if any(name.startswith("airflow-") for name in names):
        migrate = _timed("Airflow's database migrated", say, lambda: _airflow_database(plan))
        nodes.append(Node("airflow-database", ("databases",), migrate))
    return nodes


def _timed(title: str, say: Say, action: Callable[[], None]) -> Callable[[], None]:
    def timed() -> None:
        begun = time.monotonic()
        action()
        took = time.monotonic() - begun
        if took >= 0.5:
            say(f"{title} ({took:.1f} s)")

    return timed


def _databases(plan: Plan) -> None:
    ensure_databases(postgres_dsn(plan.layout, "postgres"), (DATAMART, AIRFLOW_DATABASE))


def _datamart() -> None:
    from tenpo.datamart import upgrade

    upgrade(get_settings().datamart_dsn)


def _warehouse() -> None:
    from tenpo.warehouse import connect, ensure_tables

    with connect(get_settings()) as warehouse:
        ensure_tables(warehouse)


def _airflow_database(plan: Plan) -> None:
    """`airflow db migrate` takes seconds even when there is nothing to do: remember the version."""
    env = airflow_env(plan.settings, plan.layout, plan.ports["airflow"])
    python = plan.environments.python("airflow")
    done_for = plan.layout.airflow_home / "migrated.json"
    wanted = json.dumps({"installed": _installed(plan), "cluster": _cluster(plan)})
    if done_for.exists() and done_for.read_text("utf-8") == wanted:
        return
    log = plan.layout.logs / "airflow-migrate.log"
    with log.open("ab") as output:
        code = subprocess.call(
            [python, "-m", "airflow", "db", "migrate"],
            env=os.environ | env,
            stdout=output,
            stderr=output,
        )
    if code != 0:
        raise StackError(
            f"Airflow's database cannot be migrated\n{last_lines(log)}",
            where=str(log),
            remedy="Mend what the log says, then run `tenpo up` again.",
        )
    write_private(done_for, wanted)


def _installed(plan: Plan) -> list[str]:
    packages = plan.environments.airflow.glob("lib/python*/site-packages/apache_airflow*.dist-info")
    return sorted(folder.name for folder in packages)


def _cluster(plan: Plan) -> int:
    import psycopg

    with psycopg.connect(postgres_dsn(plan.layout, AIRFLOW_DATABASE)) as connection:
        row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    return int(row[0]) if row else 0
