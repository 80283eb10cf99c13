"""A hint arrives when PostgreSQL is there, and nobody is hurt when it is not."""

from __future__ import annotations

import threading
import time

from sqlalchemy import Engine, text

from tenpo.datamart.hints import Announcer, Listener

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


def test_a_listener_hears_an_announcement(datamart_dsn: str) -> None:
    listener, announcer = Listener(datamart_dsn), Announcer(datamart_dsn)
    assert not listener.wait(0.1)
    assert announcer.announce(["canonical/acme/sale_line/2026-03-29/1.parquet"])
    assert listener.wait(10)
    assert not listener.wait(0.1)
    listener.close()
    announcer.close()


def test_a_waiting_listener_wakes_at_once(datamart_dsn: str) -> None:
    listener, announcer = Listener(datamart_dsn), Announcer(datamart_dsn)
    threading.Timer(0.5, announcer.announce, (["x" * 20_000],)).start()
    begun = time.monotonic()
    assert listener.wait(60)
    assert time.monotonic() - begun < 30
    listener.close()
    announcer.close()


def test_postgresql_down_costs_an_announcer_nothing() -> None:
    announcer = Announcer(NOWHERE)
    assert not announcer.announce(["x"])
    assert not announcer.announce(["x"])  # within the pause: not even tried


def test_postgresql_down_costs_a_listener_only_its_wait() -> None:
    begun = time.monotonic()
    assert not Listener(NOWHERE).wait(0.3)
    assert time.monotonic() - begun >= 0.3


def test_both_come_back_after_their_connections_are_cut(
    datamart: Engine, datamart_dsn: str
) -> None:
    listener, announcer = Listener(datamart_dsn), Announcer(datamart_dsn)
    listener.wait(0.05)
    assert announcer.announce(["x"])
    with datamart.begin() as connection:
        connection.execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE application_name = 'tenpo hints' AND datname = current_database()")
        )  # fmt: skip
    announcer.announce(["lost"])
    announcer._not_before = 0
    for _ in range(3):  # the hint from before, the cut, the new connection
        listener.wait(0.05)
    assert announcer.announce(["heard"])
    assert listener.wait(10)
    listener.close()
    announcer.close()
