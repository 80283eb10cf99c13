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
    try:
        if health.probe == "running":
            return uptime_s >= health.settle_s
        if health.probe == "airflow-job":
            return _airflow_job(health.target, health.job_type, uptime_s)
        return _PROBES[health.probe](health.target)
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


def _airflow_job(dsn: str, job_type: str, uptime_s: float) -> bool:
    """A heartbeat of this very process: the row of its predecessor is older than it."""
    import psycopg

    query = """
        SELECT count(*) FROM job
        WHERE job_type = %s AND state = 'running'
          AND latest_heartbeat > now() - interval '10 seconds'
          AND start_date > now() - make_interval(secs => %s)
    """
    with psycopg.connect(dsn, connect_timeout=2) as connection:
        row = connection.execute(query, (job_type, uptime_s + 2.0)).fetchone()
    return row is not None and int(row[0]) > 0


_PROBES: dict[str, Callable[[str], bool]] = {"http": _http, "tcp": _tcp, "postgres": _postgres}
