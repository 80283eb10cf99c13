"""One holder at a time, over real processes and connections, and the dead cannot write."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import Connection as Pipe

import pytest
from sqlalchemy import Engine, text

from tenpo.datamart import connect, transaction
from tenpo.datamart.lease import lease
from tenpo.errors import LeaseLost
from tenpo.settings import Settings

SHORT_S = 1.0


def hold_and_report(dsn: str, name: str, pipe: Pipe) -> None:
    """A process that holds the lease until it is killed."""
    engine = connect(Settings(datamart_dsn=dsn))
    with lease(engine, name, holder="child", seconds=SHORT_S) as held:
        pipe.send(held.token)
        time.sleep(600)


def test_a_second_asker_is_refused_by_name_of_the_holder(datamart: Engine) -> None:
    with (
        lease(datamart, "refused", holder="first", seconds=30),
        pytest.raises(LeaseLost, match="first"),
        lease(datamart, "refused", holder="second", seconds=30),
    ):
        pytest.fail("two holders")


def test_the_token_grows_and_release_frees_at_once(datamart: Engine) -> None:
    tokens = []
    for _ in range(3):
        with lease(datamart, "grows", holder="me", seconds=600) as held:
            tokens.append(held.token)
    assert tokens == sorted(set(tokens))


def test_a_waiting_asker_gets_it_when_it_is_released(datamart: Engine) -> None:
    order: list[str] = []

    def second() -> None:
        with lease(datamart, "waits", holder="second", seconds=30, wait_s=30):
            order.append("second")

    with lease(datamart, "waits", holder="first", seconds=30):
        waiter = threading.Thread(target=second)
        waiter.start()
        time.sleep(0.5)
        order.append("first")
    waiter.join()
    assert order == ["first", "second"]


def test_a_living_holder_keeps_it_beyond_its_first_term(datamart: Engine) -> None:
    with lease(datamart, "beats", holder="first", seconds=SHORT_S) as held:
        time.sleep(SHORT_S * 2.5)
        with (
            pytest.raises(LeaseLost),
            lease(datamart, "beats", holder="second", seconds=SHORT_S),
        ):
            pytest.fail("two holders")
        with transaction(datamart) as connection:
            held.check(connection)


def test_a_killed_process_is_succeeded(datamart: Engine, datamart_dsn: str) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=hold_and_report, args=(datamart_dsn, "killed", theirs))
    child.start()
    assert child.pid is not None
    token = ours.recv()
    os.kill(child.pid, signal.SIGKILL)
    child.join()
    with lease(datamart, "killed", holder="heir", seconds=SHORT_S, wait_s=30) as held:
        assert held.token == token + 1


def test_one_believed_dead_that_comes_back_cannot_write(
    datamart: Engine, datamart_dsn: str
) -> None:
    """Its heartbeats stopped (as under SIGSTOP); its successor is done before it wakes."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=write_when_told, args=(datamart_dsn, theirs))
    child.start()
    assert child.pid is not None
    assert ours.recv() == "held"
    os.kill(child.pid, signal.SIGSTOP)
    with lease(datamart, "stopped", holder="heir", seconds=SHORT_S, wait_s=30):
        os.kill(child.pid, signal.SIGCONT)
        ours.send("write")
        assert ours.recv() == "LeaseLost"
    child.join()
    with transaction(datamart) as connection:
        count = connection.execute(text("SELECT count(*) FROM store WHERE store_id = 'ghost'"))
        assert count.scalar_one() == 0


def write_when_told(dsn: str, pipe: Pipe) -> None:
    """Holds the lease, writes on command in a transaction that checks it."""
    engine = connect(Settings(datamart_dsn=dsn))
    with lease(engine, "stopped", holder="ghost", seconds=SHORT_S) as held:
        pipe.send("held")
        pipe.recv()
        try:
            with transaction(engine) as connection:
                connection.execute(
                    text("INSERT INTO store (tenant_id, store_id, name, timezone, currency)"
                         " VALUES ('acme', 'ghost', 'Ghost', 'UTC', 'JPY')")
                )  # fmt: skip
                held.check(connection)
            pipe.send("written")
        except LeaseLost as error:
            pipe.send(type(error).__name__)


def test_nobody_takes_it_between_check_and_commit(datamart: Engine) -> None:
    """Even an expired holder is safe from `check` to the end of its transaction."""
    with lease(datamart, "checked", holder="first", seconds=600) as held:
        with transaction(datamart) as connection:
            held.check(connection)
            connection.execute(text("UPDATE lease SET expires_at = '-infinity'"))
            taker = threading.Thread(target=take_briefly, args=(datamart, "checked"))
            taker.start()
            time.sleep(0.5)
            assert taker.is_alive()
        taker.join()
        with pytest.raises(LeaseLost), transaction(datamart) as connection:
            held.check(connection)


def take_briefly(engine: Engine, name: str) -> None:
    with lease(engine, name, holder="taker", seconds=30):
        pass
