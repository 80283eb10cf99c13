"""Choosing loopback ports: the preferred one, else the next free one, said clearly."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass

from tenpo.errors import StackError

HOST = "127.0.0.1"
SEARCH = 200

# Which process listens on which port of `Settings.ports`.
OWNER = {
    "api": "api",
    "gateway": "gateway",
    "airflow": "airflow-api-server",
    "bigquery": "bigquery",
    "bigquery_grpc": "bigquery",
    "mqtt": "mqtt",
}


@dataclass(frozen=True)
class Chosen:
    """The ports by name, and a sentence for each that is not the preferred one."""

    ports: dict[str, int]
    notes: list[str]


def choose_ports(
    preferred: Mapping[str, int],
    previous: Mapping[str, int],
    *,
    alive: frozenset[str],
    wanted: frozenset[str],
) -> Chosen:
    """Keep the ports of living processes, find free ones for the rest.

    Args:
        preferred: from the settings.
        previous: of the last start; kept as long as any process of it lives,
            because others hold those addresses.
        alive: names of the processes that run now.
        wanted: names of the processes to be started; the ports of others are only noted.
    """
    chosen = {
        name: previous.get(name, wished)
        for name, wished in preferred.items()
        if (OWNER[name] in alive and name in previous) or OWNER[name] not in wanted
    }
    notes = []
    for name, wished in preferred.items():
        if name in chosen:
            continue
        first = previous.get(name, wished) if alive else wished
        chosen[name] = _next_free(name, first, set(chosen.values()))
        if chosen[name] != wished:
            notes.append(
                f"port {wished} is taken: {OWNER[name]} listens on {chosen[name]} "
                f"(prefer another with TENPO_PORTS__{name.upper()})"
            )
    return Chosen({name: chosen[name] for name in preferred}, notes)


def _next_free(name: str, first: int, used: set[int]) -> int:
    for port in range(first, min(first + SEARCH, 65536)):
        if port not in used and is_free(port):
            return port
    raise StackError(
        f"no free port for {OWNER[name]}",
        where=f"{HOST}:{first} to {first + SEARCH - 1}",
        remedy=f"Choose another with TENPO_PORTS__{name.upper()}.",
    )


def is_free(port: int) -> bool:
    """Whether a server could listen on the loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
