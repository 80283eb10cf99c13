"""A stack without Airflow for the tests of the spine, started once."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.machine import Machine

PORTS = ("API", "GATEWAY", "AIRFLOW", "BIGQUERY", "BIGQUERY_GRPC", "MQTT")


def free_ports() -> dict[str, str]:
    """Ports of its own for a machine, so that a running stack is left alone."""
    with_sockets = []
    for _ in PORTS:
        one = socket.socket()
        one.bind(("127.0.0.1", 0))
        with_sockets.append(one)
    ports = {}
    for name, one in zip(PORTS, with_sockets, strict=True):
        with closing(one):
            ports[f"TENPO_PORTS__{name}"] = str(one.getsockname()[1])
    return ports


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Everything but Airflow and the follower, with a data folder of its own."""
    home: Path = tmp_path_factory.mktemp("machine") / "home"
    made = Machine(home, free_ports())
    made.run("up", "--only", "postgres,bigquery,mqtt,gateway,api")
    try:
        yield made
    finally:
        made.run("down")
