"""What webhooks only name is fetched from its vendor: by real HTTP, a real lake and PostgreSQL."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy import Engine

from gateways.fetch.apis import VendorApis
from gateways.fetch.calls import Calls
from gateways.intake.acceptance import Acceptance
from gateways.intake.fetching import Fetching
from gateways.intake.keyring import KeyRing
from gateways.intake.side_by_side import OF_TENANT
from gateways.normalize.context import Context
from gateways.registry import adapter_for
from tenpo.datamart.lease import lease
from tenpo.errors import LakeError, LeaseLost, VendorError
from tenpo.masters import TenantMasters
from tenpo.receipt_view import view
from tenpo.receipts import Accepted, Settled
from tenpo.settings import Settings
from tests.gateways.payloads import MASTERS, RECEIVED_AT, ROOT, TENANT
from tests.gateways.register_payloads import SMAREGI_SALE, SQUARE_EVENT, SQUARE_SALE
from tests.gateways.signed import webhook_secrets
from tests.gateways.vendor_server import VendorServer, vendor_server
from tests.gateways.workplace import Place

KNOWN = MASTERS.model_copy(update={"webhook": webhook_secrets()})
SMAREGI_EVENT = {"contractId": "sb_1", "event": "pos:transactions", "action": "created",
                 "transactionHeadIds": ["301", "302", "../x", 7, "301"]}  # fmt: skip
ID = SQUARE_SALE["id"]


@pytest.fixture
def vendors() -> Iterator[VendorServer]:
    with vendor_server() as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, datamart: Engine, vendors: VendorServer) -> Place:
    made = Place(tmp_path, datamart, square_api_url=vendors.url, smaregi_api_url=vendors.url,
                 smaregi_id_url=vendors.url, fetch_attempts=4)  # fmt: skip
    made.masters.put(TENANT, "webhook", webhook_secrets())
    return made


def asked_for(place: Place, vendor: str, *ids: str) -> Accepted:
    masters = place.masters.get(TENANT)
    return Acceptance(place.lake, KeyRing(ROOT)).accept_fetch(masters, vendor, ids)


def worked(place: Place, job: Accepted) -> Settled:
    """What becomes of a job, which rests between its tries."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        place.worker.look()
        found = place.book.find(TENANT, job.receipt)
        if isinstance(found, Settled):
            return found
        time.sleep(0.02)
    pytest.fail("never settled")


@pytest.mark.parametrize(
    ("vendor", "event", "ids"),
    [
        ("square", SQUARE_EVENT, ("SQ-1",)),
        ("square", {"type": "payment.updated", "event_id": "e", "data": {"type": "payment",
                    "object": {"payment": {"id": "P", "order_id": "SQ-9"}}}}, ("SQ-9",)),
        ("square", {"event_id": "e", "data": {"object": {"order": SQUARE_SALE}}}, ()),
        ("square", {"event_id": "e", "data": {"object": {"payment": {"order_id": "a/../b"}}}}, ()),
        ("square", {"data": []}, ()),
        ("smaregi", SMAREGI_EVENT, ("301", "302")),
        ("smaregi", SMAREGI_EVENT | {"contractId": "sb_2"}, ()),
        ("smaregi", SMAREGI_EVENT | {"event": "pos:products"}, ()),
        ("smaregi", [], ()),
        ("shopify", SQUARE_EVENT, ()),
    ],
)  # fmt: skip
def test_what_a_webhook_names(vendor: str, event: Any, ids: tuple[str, ...]) -> None:
    body, apis = orjson.dumps(event), VendorApis(Settings())
    assert apis.named(KNOWN, vendor, body) == ids
    without = [row.model_copy(update={"token_sealed": ""}) for row in KNOWN.webhook]
    assert apis.named(KNOWN.model_copy(update={"webhook": without}), vendor, body) == ()
    assert apis.named(KNOWN, vendor, body[:-1]) == ()


@pytest.mark.stack
def test_an_order_of_square_lands_as_if_it_had_been_sent(
    place: Place, vendors: VendorServer
) -> None:
    vendors.orders[ID] = SQUARE_SALE
    settled = worked(place, asked_for(place, "square", ID, "SQ-NONE"))
    assert (settled.state, settled.rejected, settled.attempts) == ("done", 1, 1)
    rows = place.rows("sale_line")
    assert settled.accepted == len(rows) > 0
    assert {row["document_key"] for row in rows} == {ID}
    total = Decimal(SQUARE_SALE["total_money"]["amount"]) / 100
    assert sum(row["gross_amount"] for row in rows) == total
    assert vendors.calls == ["POST /v2/orders/batch-retrieve", "GET /v2/orders/SQ-NONE"]
    sealed = place.lake.get(settled.accepted_as.raw_object)
    assert ID.encode() not in sealed
    context = Context(place.masters.get(TENANT), KeyRing(ROOT).of(TENANT), place.clock.now())
    sent = adapter_for("pos", "square").normalize(orjson.dumps({"order": SQUARE_SALE}), context)
    ids = sent.events["sale_line"]["event_id"].to_pylist()
    assert sorted(row["event_id"] for row in rows) == sorted(ids)


@pytest.mark.stack
def test_transactions_of_smaregi_are_fetched_with_their_details(
    place: Place, vendors: VendorServer
) -> None:
    vendors.transactions["301"] = SMAREGI_SALE
    settled = worked(place, asked_for(place, "smaregi", "301", "999"))
    assert (settled.state, settled.rejected) == ("done", 1)
    rows = place.rows("sale_line")
    assert sum(row["gross_amount"] for row in rows) == Decimal(SMAREGI_SALE["total"])
    assert vendors.calls[0] == "POST /app/sb_1/token"


@pytest.mark.stack
def test_whatever_the_order_of_webhooks_the_newest_version_is_the_truth(
    place: Place, vendors: VendorServer
) -> None:
    newer = deepcopy(SQUARE_SALE) | {"updated_at": "2026-11-02T00:00:00Z", "state": "CANCELED"}
    for order in (SQUARE_SALE, newer, newer, SQUARE_SALE):  # the last is a copy that lags behind
        vendors.orders[ID] = order
        assert worked(place, asked_for(place, "square", ID)).state == "done"
    rows = place.rows("sale_line")
    newest = max(row["document_version"] for row in rows)
    current = [row for row in rows if row["document_version"] == newest]
    assert {row["kind"] for row in current} == {"void"}
    assert len({row["event_id"] for row in current}) == len(current) / 2  # it came twice
    assert len({row["document_version"] for row in rows}) == 2


@pytest.mark.stack
def test_a_vendor_in_trouble_is_asked_again_and_how_it_stands_can_be_seen(
    place: Place, vendors: VendorServer
) -> None:
    vendors.orders[ID] = SQUARE_SALE
    vendors.troubles = [(503, {}), (429, {"Retry-After": "0"}), (500, {})]
    job = asked_for(place, "square", ID)
    place.worker.look()
    (shown,) = view(place.engine, [place.book.find(TENANT, job.receipt)])
    assert (shown.state, shown.attempts, shown.source) == ("queued", 1, "square")
    settled = worked(place, job)
    assert (settled.state, settled.attempts) == ("done", 4)
    assert settled.accepted == len(place.rows("sale_line"))


@pytest.mark.stack
def test_a_vendor_that_asks_for_a_rest_gets_it(place: Place, vendors: VendorServer) -> None:
    vendors.troubles = [(429, {"Retry-After": "3600"})]
    job = asked_for(place, "square", ID)
    for _ in range(3):
        place.worker.look()
    assert len(vendors.calls) == 1
    with (
        pytest.raises(LeaseLost),
        lease(place.engine, job.lease_name, holder="test", seconds=1),
    ):
        pytest.fail("it does not rest")


@pytest.mark.stack
def test_a_token_that_is_not_accepted_can_be_mended_and_the_job_retried(
    place: Place, vendors: VendorServer
) -> None:
    vendors.orders[ID] = SQUARE_SALE
    vendors.troubles = [(401, {})] * 4
    job = asked_for(place, "square", ID)
    settled = worked(place, job)
    assert (settled.state, settled.attempts) == ("failed", 4)
    assert settled.error is not None
    assert "401" in settled.error.error
    assert "tenpo tenant webhook" in settled.error.remedy
    assert "retry" in settled.error.remedy
    assert "sq-access-token" not in settled.model_dump_json()
    place.book.retry(TENANT, job.receipt)
    place.worker.look()
    assert place.settled(job).state == "done"


@pytest.mark.stack
def test_a_fetch_that_was_begun_is_ended_with_what_was_fetched(
    place: Place, vendors: VendorServer
) -> None:
    vendors.orders[ID] = SQUARE_SALE
    job = asked_for(place, "square", ID)
    place.room.failures = [OSError("after the answer was kept")]
    assert worked(place, job).attempts == 2
    assert len(vendors.calls) == 1


@pytest.mark.stack
def test_who_fetches_and_who_reads_files_hold_each_other_up_no_more(
    place: Place, vendors: VendorServer
) -> None:
    vendors.orders[ID] = SQUARE_SALE
    fetch, file = asked_for(place, "square", ID), place.accept()
    files, fetches = (place.new_worker(place.engine, fetches=one) for one in (False, True))
    files.look()
    assert (place.settled(file).state, vendors.calls) == ("done", [])
    (shown,) = view(place.engine, [place.book.find(TENANT, fetch.receipt)])
    assert (shown.state, shown.attempts) == ("queued", 0)  # nobody has tried
    fetches.look()
    fetches.join()
    assert place.settled(fetch).state == "done"


@pytest.mark.stack
def test_a_vendor_that_hangs_holds_up_no_other_and_little_of_its_own(
    place: Place, vendors: VendorServer
) -> None:
    vendors.orders = {f"SQ-{n}": SQUARE_SALE | {"id": f"SQ-{n}"} for n in range(5)}
    vendors.transactions["301"] = SMAREGI_SALE
    vendors.held["/v2/"] = released = threading.Event()
    slow = [asked_for(place, "square", one) for one in vendors.orders]
    quick = asked_for(place, "smaregi", "301")  # the last in line
    fetches = place.new_worker(place.engine, fetches=True)
    fetches.start()
    try:
        until = time.monotonic() + 30
        while not isinstance(place.book.find(TENANT, quick.receipt), Settled):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert place.settled(quick).state == "done"
        assert len([one for one in vendors.calls if one.startswith("POST /v2/")]) <= OF_TENANT
        assert {type(place.book.find(TENANT, one.receipt)) for one in slow} == {Accepted}
        released.set()
        while place.lake.names("job"):
            assert time.monotonic() < until
            time.sleep(0.02)
        assert {place.settled(one).state for one in slow} == {"done"}
        assert {place.settled(one).attempts for one in slow} == {1}
    finally:
        released.set()
        fetches.stop()
        fetches.join()


def test_answers_are_bounded_and_no_answer_is_an_error_that_says_where() -> None:
    def huge(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"[" + b" " * 2_000)

    def elsewhere(request: httpx.Request) -> httpx.Response:
        return httpx.Response(302, headers={"location": "https://elsewhere.example/"})

    def drops() -> Iterator[bytes]:
        for _ in range(100):
            time.sleep(0.02)
            yield b" "

    def dripping(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=drops())

    for answer, what in ((huge, "too large"), (elsewhere, "302")):
        with httpx.Client(transport=httpx.MockTransport(answer)) as client:
            with pytest.raises(VendorError, match=what) as told:
                Calls(client, 1_000).call("GET", "https://vendor.example/orders/1?token=x")
            assert told.value.where == "https://vendor.example/orders/1"
    slow = httpx.MockTransport(lambda _: httpx.Response(200, content=b"{}"))
    with httpx.Client(transport=slow) as client, pytest.raises(VendorError, match="too slowly"):
        Calls(client, 1_000, all_s=-1).call("GET", "https://vendor.example/")
    with httpx.Client(transport=httpx.MockTransport(dripping)) as client:
        calls = Calls(client, 1_000, all_s=0.05)
        with pytest.raises(VendorError, match="too slowly"):
            calls.call("GET", "https://vendor.example/")
    with httpx.Client() as client, pytest.raises(VendorError, match="ConnectError"):
        Calls(client, 1_000).call("GET", "http://127.0.0.1:1/")


class Book:
    """Stands for the acceptance: remembers what it was asked for, or fails."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.full = False

    def accept_fetch(self, masters: TenantMasters, vendor: str, ids: tuple[str, ...]) -> Accepted:
        if self.full:
            raise LakeError("no space")
        self.asked.append((vendor, ids))
        return Accepted(
            receipt=f"r{len(self.asked)}", tenant_id=TENANT, kind="pos", source=vendor,
            received_at=RECEIVED_AT, size_bytes=0, raw_object="raw/x", fetch=ids,
        )  # fmt: skip


async def test_what_is_named_within_a_moment_is_one_job_and_durable_before_the_answer() -> None:
    book, woken = Book(), []
    fetching = Fetching(book, lambda: woken.append(1), gather_s=0.05)  # type: ignore[arg-type]
    asked = [fetching.ask_for(KNOWN, "square", [one]) for one in ("a", "b", "a")]
    asked.append(fetching.ask_for(KNOWN, "smaregi", ["a"]))
    assert await asyncio.gather(*asked) == ["r1", "r1", "r1", "r2"]
    assert sorted(book.asked) == [("smaregi", ("a",)), ("square", ("a", "b"))]
    assert len(woken) == 2
    assert await fetching.ask_for(KNOWN, "square", ["a"]) == "r3"
    book.full = True
    failed = [fetching.ask_for(KNOWN, "square", [one]) for one in ("a", "b")]
    assert [type(one) for one in await asyncio.gather(*failed, return_exceptions=True)] == [
        LakeError
    ] * 2
