"""Free-port fallback, with real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tenpo.errors import StackError
from tenpo.stack import ports
from tenpo.stack.ports import HOST, OWNER, choose_ports, is_free

EVERYBODY = frozenset(OWNER.values())
NOBODY: frozenset[str] = frozenset()


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind((HOST, 0))
        server.listen()
        yield server.getsockname()[1]


def test_taken_port_gives_way_to_the_next_free_one_and_is_named(taken: int) -> None:
    chosen = choose_ports({"api": taken}, {}, alive=NOBODY, wanted=EVERYBODY)
    assert chosen.ports["api"] > taken
    assert is_free(chosen.ports["api"])
    assert str(taken) in chosen.notes[0]
    assert "TENPO_PORTS__API" in chosen.notes[0]


def test_living_process_keeps_its_port_though_it_is_taken(taken: int) -> None:
    chosen = choose_ports({"api": 8080}, {"api": taken}, alive=frozenset({"api"}), wanted=EVERYBODY)
    assert chosen.ports == {"api": taken}
    assert chosen.notes == []


def test_dead_process_gets_its_old_port_while_others_know_it(taken: int) -> None:
    old = choose_ports({"api": taken}, {}, alive=NOBODY, wanted=EVERYBODY).ports["api"]
    chosen = choose_ports({"api": 1}, {"api": old}, alive=frozenset({"gateway"}), wanted=EVERYBODY)
    assert chosen.ports == {"api": old}


def test_two_services_never_share_a_port(taken: int) -> None:
    chosen = choose_ports(
        {"api": taken, "gateway": taken}, {}, alive=NOBODY, wanted=EVERYBODY
    ).ports
    assert len({taken, *chosen.values()}) == 3


def test_ports_of_processes_not_wanted_are_left_alone(taken: int) -> None:
    chosen = choose_ports({"api": taken}, {}, alive=NOBODY, wanted=frozenset({"gateway"}))
    assert chosen.ports == {"api": taken}
    assert chosen.notes == []


def test_no_free_port_says_how_to_choose(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "SEARCH", 1)
    with pytest.raises(StackError, match="TENPO_PORTS__API"):
        choose_ports({"api": taken}, {}, alive=NOBODY, wanted=EVERYBODY)
