"""The stack up and down, and after the death of any of its processes: real ones, killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tenpo.datamart import connect, ledger, transaction
from tenpo.settings import Settings
from tenpo.stack.layout import Layout
from tenpo.stack.leftovers import is_alive
from tenpo.stack.ports import HOST, is_free
from tests.machine import Machine, free_ports

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

NAMES = ("postgres", "bigquery", "mqtt")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    stack = Machine(tmp_path_factory.mktemp("stack") / "home", free_ports(), NAMES)
    stack.up()
    try:
        yield stack
    finally:
        stack.down()


def test_up_again_starts_nothing_from_whatever_folder(stack: Machine, tmp_path: Path) -> None:
    before = [stack.pid(name) for name in NAMES]
    assert stack.up(cwd=tmp_path) == []
    assert [stack.pid(name) for name in NAMES] == before


def test_both_databases_and_the_datamart_are_there(stack: Machine) -> None:
    dsn = stack.addresses()["datamart_dsn"]
    with psycopg.connect(dsn) as connection:
        databases = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
        tables = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema NOT IN "
            "('pg_catalog', 'information_schema')"
        ).fetchone()
    assert {"tenpo", "airflow"} <= databases
    assert tables is not None
    assert tables[0] > 0


def test_nothing_listens_beyond_loopback(stack: Machine) -> None:
    tables = [Path("/proc/net/tcp"), Path("/proc/net/tcp6")]
    listening = [line for table in tables for line in table.read_text().splitlines()[1:]]
    wanted = {f"{port:04X}" for port in stack.addresses()["stack_ports"].values()}
    found = {tuple(words[1].split(":")) for line in listening if (words := line.split())[3] == "0A"}
    ours = {(host, port) for host, port in found if port in wanted}
    assert len(ours) == 3
    assert {host[-8:] for host, _ in ours} == {"0100007F"}  # also mapped into IPv6


@pytest.mark.parametrize("name", [*NAMES, "supervisord"])
def test_up_brings_back_what_was_killed_and_loses_nothing(stack: Machine, name: str) -> None:
    dsn = stack.addresses()["datamart_dsn"]
    with psycopg.connect(dsn) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (name text)")
        connection.execute("INSERT INTO kept VALUES (%s)", (name,))
    victim = stack.pid(name)
    os.kill(victim, signal.SIGKILL)
    deadline = time.monotonic() + 60
    while is_alive(victim):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stack.up()
    assert stack.pid(name) != victim
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("SELECT count(*) FROM kept WHERE name = %s", (name,)).fetchone()
    assert rows == (1,)
    owners = [pid for pid in stack.left() if pid != stack.pid("supervisord")]
    assert len(owners) <= len(NAMES)  # PostgreSQL's own marker may be unreadable


def test_doctor_finds_nothing_wrong_with_healthy_services(stack: Machine) -> None:
    checks = {check["name"]: check for check in stack.json("doctor", check=False)["checks"]}
    assert {checks[name]["verdict"] for name in NAMES} == {"ok"}


def test_doctor_names_what_ingest_set_aside(stack: Machine) -> None:
    name = "canonical/acme/sale_line/x.parquet"

    def told() -> dict[str, str]:
        checks: list[dict[str, str]] = stack.json("doctor", check=False)["checks"]
        return next(check for check in checks if check["name"] == "lake objects")

    assert told()["verdict"] == "ok"
    engine = connect(Settings(datamart_dsn=stack.addresses()["datamart_dsn"]))
    with transaction(engine) as connection:
        ledger.set_aside(connection, {name: "it is cut off"})
    found = told()
    with transaction(engine) as connection:
        ledger.forget(connection, [name])
    engine.dispose()
    assert found["verdict"] == "wrong"
    assert f"{name}: it is cut off" in found["finding"]
    assert "backup" in found["remedy"]


def test_doctor_shows_no_secret(stack: Machine) -> None:
    shown = json.dumps(stack.json("doctor", check=False))
    for file in (stack.home / "secrets").iterdir():
        assert file.read_text().strip() not in shown


def test_down_stops_everything_and_a_taken_port_is_replaced(stack: Machine) -> None:
    layout = Layout(stack.home)
    (layout.temporary / "half-written").touch()
    stack.down()
    assert not layout.sockets.exists()
    port = int(stack.env["TENPO_PORTS__MQTT"])
    assert is_free(port)
    with socket.socket() as squatter:
        squatter.bind((HOST, port))
        squatter.listen()
        stack.up()
        assert stack.addresses()["stack_ports"]["mqtt"] != port


def test_a_process_that_cannot_start_is_reported_with_its_log(stack: Machine) -> None:
    stack.down()
    data = stack.home / "bigquery" / "bqemulator.duckdb"
    kept = data.rename(data.with_suffix(".kept"))
    data.write_text("this is no database")
    try:
        done = stack.run("up", "--only", "bigquery", check=False)
        assert done.returncode == 4
        assert "bigquery does not become healthy" in done.stderr
        assert "bqemulator.duckdb" in done.stderr
        report = stack.json("doctor", check=False)
        assert report["well"] is False
        wrong = {c["name"]: c for c in report["checks"] if c["verdict"] == "wrong"}
        assert "tenpo up" in wrong["bigquery"]["remedy"]
    finally:
        data.unlink()
        kept.rename(data)
