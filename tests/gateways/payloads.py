"""Recorded payloads of every adapter, and the masters they refer to. No test of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from gateways.conformance.corpus import load_corpus
from gateways.conformance.shipped import corpus_of
from gateways.declarative.adapter import DeclarativeAdapter
from gateways.declarative.choose import adapter_of
from gateways.iot.axis import Axis
from gateways.iot.hikvision import Hikvision
from gateways.iot.lorawan.adapter import Lorawan
from gateways.iot.milesight import Milesight
from gateways.iot.terabee import Terabee
from gateways.iot.xovis import Xovis
from gateways.normalize.adapter import Adapter
from gateways.normalize.context import Context
from gateways.pos.posa import FIELDS, PosA
from gateways.pos.posb import PosB
from gateways.pos.poslog import PosLog
from gateways.pos.shopify import Shopify
from gateways.pos.smaregi import Smaregi
from gateways.pos.square import Square
from gateways.registry import vendors
from tenpo.keys import TenantKeys
from tenpo.masters import Device, StoreCode, TenantMasters
from tests.gateways import poslog_payloads
from tests.gateways.counters import (
    PASSWORD,
    VIVOTEK_PUSH,
    VIVOTEK_SPEC,
    axis_retail,
    hikvision,
    terabee,
    xovis_counts,
    xovis_event,
    xovis_live,
    xovis_logics,
)  # fmt: skip
from tests.gateways.recordings import document, recording
from tests.gateways.register_payloads import PLANTED, SHOPIFY, SMAREGI, SQUARE

ROOT = bytes(range(32))
TENANT = "acme"
RECEIVED_AT = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
SERIAL = "6384E16179950009"
#: Personal values that the payloads below hold and that must not get out.
PERSONAL = ("C-90817263", "山田太郎", "C-11223344", "clerk-hanako", "Mr Smith", PASSWORD,
            "receiver-user", *PLANTED, *poslog_payloads.PLANTED)  # fmt: skip


def _masters() -> TenantMasters:
    """What the corpora need, and the specs below."""
    found = [load_corpus(adapter, corpus_of(name)).masters for name, adapter in vendors().items()]
    stores = {one.store_id: one for masters in found for one in masters.store}
    codes = [one for masters in found for one in masters.store_code]
    devices = [one for masters in found for one in masters.device]
    return TenantMasters(
        tenant_id=TENANT,
        store=[stores[name] for name in ("shibuya", "ginza", "soho")],
        store_code=[*codes, StoreCode(source="till", code="London Soho", store_id="soho")],
        device=[*devices, Device(device_id="door-1", store_id="soho", source="door")],
    )


MASTERS = _masters()


def context(received_at: datetime = RECEIVED_AT, **options: str) -> Context:
    """A delivery's context with a frozen clock."""
    return Context(MASTERS, TenantKeys(ROOT, TENANT), received_at, **options)


def posa(*lines: str) -> bytes:
    """A file of vendor A with these data lines."""
    return "".join(line + "\r\n" for line in (",".join(FIELDS.values()), *lines)).encode("cp932")


POSA = recording("posa", "sales.csv")
POSA_LINES = tuple(POSA.decode("cp932").splitlines()[1:])
POSB = orjson.dumps(document("posb", "receipts.json"))
MILESIGHT = orjson.dumps(document("milesight", "report.json"))
#: Two lines of a VS133, with children and a total.
LORAWAN = orjson.dumps(document("lorawan", "things-stack.json"))

XOVIS = orjson.dumps(
    [xovis_counts(), xovis_logics(), {"values": [xovis_event()]}, xovis_live("LINE_CROSS_FORWARD")]
)
AXIS = orjson.dumps(axis_retail())

SALES_SPEC = b"""
name: till
event: sale_line
file: {encoding: cp1252, delimiter: ";"}
thousands: ","
store: {column: Shop}
time: {columns: [Day, Clock], formats: ["%d/%m/%Y %H:%M"]}
document: [Shop, Ticket]
columns: {receipt_id: Ticket, sku: Article, quantity: Pieces, unit_price: Price, customer: Member}
tax: {mode: included, rate: "0.20"}
kinds:
  - {kind: void, when: {Type: {one_of: [V]}}}
  - {kind: return, when: {Type: {one_of: [R]}}}
negate:
  - {columns: [quantity], when: {Type: {one_of: [R]}}}
"""
SALES_CSV = (
    "Shop;Day;Clock;Ticket;Type;Article;Pieces;Price;Member\n"
    "London Soho;01/11/2026;09:30;1;S;K\xe4se;2;1,200.50;Mr Smith\n"
    "London Soho;01/11/2026;09:30;1;S;K\xe4se;2;1,200.50;Mr Smith\n"
    "London Soho;01/11/2026;09:45;2;R;Tea;1;12;\n"
).encode("cp1252")

COUNTS_SPEC = b"""
name: door
event: count_interval
file: {header: false, names: [id, date, clock, n]}
time: {columns: [date, clock], formats: ["%m/%d/%y %H:%M:%S"]}
interval_s: 1800
constants: {device_id: door-1, line_id: door}
document: [id]
counts:
  in: {column: n, when: {id: {one_of: ["9"]}}}
  out: {column: n, when: {id: {one_of: ["7"]}}}
"""
COUNTS_CSV = b"7,10/24/26,10:00:00,3\n9,10/24/26,10:00:00,4\n\n"


@dataclass(frozen=True)
class Recorded:
    """An adapter with a good payload of its own."""

    adapter: Adapter
    body: bytes
    records: int


def recorded() -> dict[str, Recorded]:
    """One good payload of every adapter, specs included."""
    sales = DeclarativeAdapter.of(SALES_SPEC, "till")
    counts = DeclarativeAdapter.of(COUNTS_SPEC, "door")
    return {
        "posa": Recorded(PosA(), POSA, 4),
        "posb": Recorded(PosB(), POSB, 4),
        "poslog": Recorded(PosLog(), poslog_payloads.V6, 3),
        "square": Recorded(Square(), SQUARE, 7),
        "shopify": Recorded(Shopify(), SHOPIFY, 7),
        "smaregi": Recorded(Smaregi(), SMAREGI, 6),
        "milesight": Recorded(Milesight(), MILESIGHT, 2),
        "lorawan": Recorded(Lorawan(), LORAWAN, 2),
        "xovis": Recorded(Xovis(), XOVIS, 5),
        "axis": Recorded(Axis(), AXIS, 1),
        "hikvision": Recorded(Hikvision(), hikvision(), 1),
        "terabee": Recorded(Terabee(), orjson.dumps(terabee()), 1),
        "till": Recorded(sales, SALES_CSV, 3),
        "door": Recorded(counts, COUNTS_CSV, 2),
        "vivotek": Recorded(adapter_of(VIVOTEK_SPEC, "vivotek"), orjson.dumps(VIVOTEK_PUSH), 2),
    }
