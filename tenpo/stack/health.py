"""Is a service doing its work? One small probe a kind of service."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from urllib.parse import urlsplit

from tenpo.stack.process import Health

PROBE_TIMEOUT_S = 2.0


def is_healthy(health: Health, *, uptime_s: float) -> bool:
    """Whether the probe succeeds now; never raises."""
    if health.probe == "running":
        return uptime_s >= health.settle_s
    probe = _PROBES[health.probe]
    try:
        return probe(health.target)
    except Exception:  # whatever a half-started service answers means: not yet
        return False


def _http(url: str) -> bool:
    if urlsplit(url).scheme != "http":
        raise ValueError(url)
    # No proxy: these are loopback addresses.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=PROBE_TIMEOUT_S) as answer:
        return bool(answer.status == 200)


def _tcp(target: str) -> bool:
    host, _, port = target.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PROBE_TIMEOUT_S):
        return True


def _postgres(dsn: str) -> bool:
    import psycopg

    with psycopg.connect(dsn, connect_timeout=2) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


_PROBES: dict[str, Callable[[str], bool]] = {"http": _http, "tcp": _tcp, "postgres": _postgres}
