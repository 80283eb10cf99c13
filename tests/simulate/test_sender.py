"""Sending: everything is acknowledged in the end, in order where order counts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tenpo.errors import InputError, PayloadError, ServiceError
from tenpo.settings import Settings
from tenpo.simulate import Payload, Simulation, simulate_chain
from tenpo.simulate.journal import Journal, read_plan
from tenpo.simulate.sender import send
from tenpo.tenants import TenantTokens
from tests.simulate.conftest import END
from tests.simulate.intake_services import FailingGateway

TOKENS = TenantTokens("demo", "send-secret", "read-secret")


@pytest.fixture(scope="module")
def small() -> Simulation:
    """Two shops and two days, without what goes over MQTT."""
    made = simulate_chain(seed=2, stores=2, days=2, end=END)
    return replace(made, payloads=tuple(p for p in made.payloads if p.device is None))


def _settings(home: Path, url: str) -> Settings:
    return Settings(home=home, gateway_url=url)


def test_every_payload_is_acknowledged_by_a_failing_gateway(
    small: Simulation, tmp_path: Path
) -> None:
    gateway = FailingGateway(fails_every=3)
    advanced: list[int] = []

    def advance(count: int = 1, *, detail: str = "") -> None:
        del detail
        advanced.append(count)

    with gateway.serving() as url:
        report = send(small, _settings(tmp_path, url), TOKENS, advance)
    assert sorted(gateway.acknowledged) == sorted(p.body for p in small.payloads)
    assert report.payloads == len(small.payloads) == sum(advanced)
    assert report.repeated == gateway.requests - len(small.payloads) > 0
    assert report.counted.accepted == len(small.payloads)


def test_a_lane_keeps_its_order_and_the_store_master_goes_first(
    small: Simulation, tmp_path: Path
) -> None:
    gateway = FailingGateway(fails_every=4)
    with gateway.serving() as url:
        send(small, _settings(tmp_path, url), TOKENS)
    assert gateway.received[0] == "/v1/pos/posa/stores"
    assert gateway.received[1:].count("/v1/pos/posa/stores") == 0
    for store in {p.lane for p in small.payloads if p.lane}:
        sent = [p.body for p in small.payloads if p.lane == store]
        assert [body for body in gateway.acknowledged if body in sent] == sent


def test_a_run_that_was_cut_off_goes_on_where_it_was(small: Simulation, tmp_path: Path) -> None:
    class CutOffError(Exception):
        pass

    def cut_after(count: int) -> Callable[..., None]:
        left = [count]

        def advance(count: int = 1, *, detail: str = "") -> None:
            del detail
            left[0] -= count
            if left[0] <= 0:
                raise CutOffError

        return advance

    gateway = FailingGateway(fails_every=10**6)
    with gateway.serving() as url:
        settings = _settings(tmp_path, url)
        with pytest.raises(CutOffError):
            send(small, settings, TOKENS, cut_after(40), Journal(tmp_path, "demo", small))
        with (tmp_path / "acknowledged.txt").open("a") as torn:
            torn.write("pos/posa/0001_")
        report = send(small, settings, TOKENS, None, Journal(tmp_path, "demo", small))
    assert report.skipped >= 40
    assert report.payloads + report.skipped == len(small.payloads)
    assert set(gateway.times) == {payload.body for payload in small.payloads}


def test_a_refused_payload_ends_the_sending_and_is_named(small: Simulation, tmp_path: Path) -> None:
    gateway = FailingGateway(fails_every=10**6, refuse=True)
    with gateway.serving() as url, pytest.raises(PayloadError) as caught:
        send(small, _settings(tmp_path, url), TOKENS)
    assert caught.value.what == "the file has no header"
    assert caught.value.where == small.payloads[0].name


def test_a_gateway_that_stays_away_is_given_up(small: Simulation, tmp_path: Path) -> None:
    settings = _settings(tmp_path, "http://127.0.0.1:9")
    with pytest.raises(ServiceError, match="nothing was acknowledged"):
        send(small, settings, TOKENS, silence_s=0.5)


def test_a_tenant_takes_one_simulation_only(small: Simulation, tmp_path: Path) -> None:
    journal = Journal(tmp_path, "demo", small)
    journal.acknowledge(small.payloads[0].name)
    journal.close()
    assert read_plan(tmp_path) == {"seed": 2, "stores": 2, "days": 2, "end": END.isoformat()}
    with pytest.raises(InputError, match="another simulation"):
        Journal(tmp_path, "demo", replace(small, seed=3))


def test_a_journal_that_forgets_sends_everything(small: Simulation, tmp_path: Path) -> None:
    journal = Journal(tmp_path, "demo", small)
    journal.acknowledge("one")
    journal.forget()
    journal.acknowledge("two")
    journal.close()
    assert (tmp_path / "acknowledged.txt").read_text() == "two\n"


def test_payloads_of_one_lane_exist(small: Simulation) -> None:
    lanes: list[Payload] = [p for p in small.payloads if p.lane]
    assert len(lanes) > 10
