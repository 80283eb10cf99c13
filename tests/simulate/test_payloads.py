"""The payloads: the same for a seed, in order, and of every kind that senders send."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime

import pytest

from tenpo.simulate import Payload, Simulation, latest_end, make_chain, simulate_chain
from tests.simulate.conftest import END


def _bodies(simulation: Simulation, part: str) -> list[Payload]:
    found = [payload for payload in simulation.payloads if part in payload.name]
    assert found, part
    return found


def test_a_seed_makes_the_same_bytes() -> None:
    first, second = (simulate_chain(3, 3, 4, END) for _ in range(2))
    assert first.payloads == second.payloads
    assert first.truth.hours.equals(second.truth.hours)


def test_another_seed_makes_other_bytes() -> None:
    first, second = (simulate_chain(seed, 1, 2, END) for seed in (3, 4))
    assert {p.body for p in first.payloads} & {p.body for p in second.payloads} <= {
        first.payloads[0].body
    }


def test_payloads_are_in_order_and_named_once(simulation: Simulation) -> None:
    payloads = simulation.payloads
    assert [p.due_at for p in payloads] == sorted(p.due_at for p in payloads)
    assert len({p.name for p in payloads}) == len(payloads)
    assert payloads[0].first
    assert payloads[0].route == "/v1/pos/posa/stores"


def test_nothing_happens_after_the_last_day_is_over(simulation: Simulation) -> None:
    over = datetime.combine(END, datetime.min.time(), UTC).replace(hour=21)  # 06:00 in Tokyo
    assert max(payload.due_at for payload in simulation.payloads) < over


def test_half_of_the_shops_are_of_each_vendor(simulation: Simulation) -> None:
    vendors = Counter(shop.vendor for shop in simulation.chain.shops)
    assert vendors == {"posa": 2, "posb": 2}
    routes = Counter(payload.route for payload in simulation.payloads)
    assert routes["/v1/pos/posa"] >= 2 * 21
    assert routes["/v1/pos/posb"] > 21 * 10  # one shop by the hour
    assert any(p.device for p in _bodies(simulation, "milesight"))
    assert any(not p.device for p in _bodies(simulation, "milesight"))


def test_vendor_a_writes_windows_31j_and_the_thirty_hour_clock(simulation: Simulation) -> None:
    late = b"".join(p.body for p in _bodies(simulation, "pos/posa/0001_"))
    text = late.decode("cp932")
    assert '"25:' in text
    assert "髙原牛乳" in text
    with pytest.raises(UnicodeDecodeError):
        late.decode("shift_jis")
    assert '"マグカップ ""白"", 大"' in text


def test_vendor_a_returns_exchanges_discounts_and_voids(simulation: Simulation) -> None:
    rows = [
        row.split('","')
        for payload in _bodies(simulation, "pos/posa/000")
        for row in payload.body.decode("cp932").splitlines()[1:]
    ]
    kinds = Counter(row[6] for row in rows)
    assert set(kinds) == {"1", "2", "3", "9"}
    assert all(row[-1].strip('"') for row in rows if row[6] == "2")
    by_receipt = {tuple(row[:2] + row[3:5]) for row in rows if row[6] == "2"}
    assert any(row[6] == "1" and tuple(row[:2] + row[3:5]) in by_receipt for row in rows)
    void_files = _bodies(simulation, "_void_")
    assert all({r.split('","')[6] for r in p.body.decode("cp932").splitlines()[1:]} == {"9"}
               for p in void_files)  # fmt: skip


def test_vendor_b_corrects_voids_refunds_and_repeats(simulation: Simulation) -> None:
    receipts = [
        receipt
        for payload in _bodies(simulation, "pos/posb/")
        for content in [json.loads(payload.body)]
        for receipt in content.get("receipts", [content])
    ]
    versions: dict[tuple[str, str], list[dict[str, object]]] = {}
    for receipt in receipts:
        versions.setdefault((receipt["shop"], receipt["number"]), []).append(receipt)
    assert {receipt["status"] for receipt in receipts} == {"completed", "voided"}
    shrunk = [v for v in versions.values() if len(v[-1]["lines"]) < len(v[0]["lines"])]  # type: ignore[arg-type]
    assert shrunk
    assert all(str(v[0]["updated_at"]) < str(v[-1]["updated_at"]) for v in shrunk)
    refunds = [receipt for receipt in receipts if receipt["refund_of"]]
    assert refunds
    for refund in refunds:
        original = versions[refund["shop"], refund["refund_of"]][0]
        assert original["issued_at"] < refund["issued_at"]
        assert all(line["qty"].startswith("-") for line in refund["lines"])
    assert {line["type"] for receipt in receipts for line in receipt["lines"]} == {
        "item", "discount", "shipping", "gift_card",
    }  # fmt: skip
    assert _bodies(simulation, "_old.json")


def test_counters_fall_silent_send_late_and_send_twice(simulation: Simulation) -> None:
    backlog = _bodies(simulation, "_backlog")
    assert all(len(json.loads(payload.body)) == payload.records > 1 for payload in backlog)
    twice = _bodies(simulation, "_again.json")
    by_name = {payload.name: payload for payload in simulation.payloads}
    for payload in twice:
        first = by_name[payload.name.replace("_again", "")]
        assert first.body == payload.body
        assert first.due_at < payload.due_at
    assert simulation.truth.events["count_intervals_lost"]


def test_prices_are_whole_yen_with_both_tax_rates(simulation: Simulation) -> None:
    posb = b"".join(p.body for p in _bodies(simulation, "pos/posb/"))
    assert posb.count(b'"tax_rate":"0.08"') > 1000
    assert posb.count(b'"tax_rate":"0.10"') > 1000
    assert b"." not in posb.replace(b"0.08", b"").replace(b"0.10", b"")


def test_weekends_and_holidays_are_busier_in_the_suburbs() -> None:
    long = simulate_chain(seed=1, stores=2, days=56, end=date(2026, 10, 31))
    days = [row for row in long.truth.days.to_pylist() if row["store_id"] == "kichijoji"]
    rest = [r["footfall"] for r in days if r["business_date"].weekday() >= 5]
    work = [r["footfall"] for r in days if r["business_date"].weekday() in (0, 1, 2)]
    holiday = [r["footfall"] for r in days if r["business_date"] == date(2026, 9, 22)]
    assert sum(rest) / len(rest) > 1.4 * sum(work) / len(work)
    assert holiday[0] > 1.2 * sum(work) / len(work)


def test_a_longer_chain_begins_with_the_shorter_ones_shops() -> None:
    assert make_chain(2, 30).shops[:5] == make_chain(2, 5).shops
    assert len({store.store_id for store in make_chain(2, 100).stores}) == 100
    devices = [device.device_id for device in make_chain(2, 100).devices]
    assert len(set(devices)) == len(devices) >= 100


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (datetime(2026, 11, 21, 3, 0, tzinfo=UTC), date(2026, 11, 20)),  # noon in Tokyo
        (datetime(2026, 11, 20, 20, 0, tzinfo=UTC), date(2026, 11, 19)),  # 05:00: not yet over
    ],
)
def test_the_latest_end_is_a_day_that_is_over(now: datetime, end: date) -> None:
    assert latest_end(now) == end


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="stores"):
        simulate_chain(1, 0, 1)
