"""Recorded payloads of every adapter, and the masters they refer to. No test of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import orjson

from gateways.adapter import Adapter
from gateways.context import Context
from gateways.declarative.adapter import DeclarativeAdapter
from gateways.declarative.choose import adapter_of
from gateways.iot.axis import Axis
from gateways.iot.hikvision import Hikvision
from gateways.iot.lorawan.adapter import Lorawan
from gateways.iot.milesight import Milesight
from gateways.iot.terabee import Terabee
from gateways.iot.xovis import Xovis
from gateways.pos.posa import FIELDS, PosA
from gateways.pos.posb import PosB
from gateways.pos.poslog import PosLog
from gateways.pos.shopify import Shopify
from gateways.pos.smaregi import Smaregi
from gateways.pos.square import Square
from tenpo.keys import TenantKeys
from tenpo.masters import Device, Store, StoreCode, TenantMasters
from tests.gateways import poslog_payloads
from tests.gateways.counters import (
    DEVICES,
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
from tests.gateways.lorawan import things
from tests.gateways.register_payloads import PLANTED, SHOPIFY, SMAREGI, SQUARE

ROOT = bytes(range(32))
TENANT = "acme"
RECEIVED_AT = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
SERIAL = "6384E16179950009"
#: Personal values that the payloads below hold and that must not get out.
PERSONAL = ("C-90817263", "山田太郎", "C-11223344", "clerk-hanako", "Mr Smith", PASSWORD,
            "receiver-user", *PLANTED, *poslog_payloads.PLANTED)  # fmt: skip

MASTERS = TenantMasters(
    tenant_id=TENANT,
    store=[
        Store(store_id="shibuya", name="Shibuya", timezone="Asia/Tokyo", currency="JPY"),
        Store(store_id="ginza", name="Ginza", timezone="Asia/Tokyo", currency="JPY"),
        Store(store_id="soho", name="Soho", timezone="Europe/London", currency="GBP"),
    ],
    store_code=[
        StoreCode(source="posa", code="0001", store_id="shibuya", valid_to=date(2026, 10, 31)),
        StoreCode(source="posa", code="0001", store_id="ginza", valid_from=date(2026, 11, 1)),
        StoreCode(source="posb", code="B001", store_id="shibuya"),
        StoreCode(source="square", code="L-SOHO", store_id="soho"),
        StoreCode(source="shopify", code="77", store_id="soho"),
        StoreCode(source="poslog", code="9", store_id="soho"),
        StoreCode(source="smaregi", code="7", store_id="shibuya"),
        StoreCode(source="till", code="London Soho", store_id="soho"),
    ],
    device=[
        Device(device_id=SERIAL, store_id="shibuya", source="milesight"),
        Device(device_id="door-1", store_id="soho", source="door"),
        *DEVICES,
    ],
)


def context(received_at: datetime = RECEIVED_AT, **options: str) -> Context:
    """A delivery's context with a frozen clock."""
    return Context(MASTERS, TenantKeys(ROOT, TENANT), received_at, **options)


def posa(*lines: str) -> bytes:
    """A file of vendor A with these data lines."""
    return "".join(line + "\r\n" for line in (",".join(FIELDS.values()), *lines)).encode("cp932")


POSA_LINES = (
    "0001,2026/10/31,25:30:00,2,0007,1,1,4901001,食品,"
    '"おにぎり, 鮭",2,108,216,8,C-90817263,山田太郎,',
    "0001,2026/10/31,25:30:00,2,0007,2,3,,,クーポン,0,,-16,8,C-90817263,山田太郎,",
    "0001,2026/11/01,10:05:30,1,0001,1,2,4901002,雑貨,傘,1,1100,1100,10,,山田太郎,20261031-2-0003",
    "0001,2026/11/01,10:07:00,1,0002,1,9,4901003,雑貨,鋏,1,550,550,10,,,",
)
POSA = posa(*POSA_LINES)

POSB = orjson.dumps(
    {
        "receipts": [
            {
                "shop": "B001", "terminal": "2", "number": "B-20261101-00012",
                "updated_at": "2026-11-01T03:12:45Z", "issued_at": "2026-11-01T12:12:40+09:00",
                "status": "completed", "currency": "JPY", "customer_id": "C-11223344",
                "clerk": "clerk-hanako", "refund_of": None,
                "lines": [
                    {"no": 1, "type": "item", "sku": "A1", "dept": "tea", "qty": "2",
                     "unit_price": "480", "amount": "960", "tax_rate": "0.10", "tax": "96"},
                    {"no": 2, "type": "discount", "sku": "", "dept": None, "qty": 1,
                     "unit_price": "-60", "amount": -60, "tax_rate": 0.10, "tax": -6},
                ],
            },
            {
                "shop": "shibuya", "terminal": "2", "number": "B-20261101-00013",
                "issued_at": "2026-11-01T12:30:00+09:00", "status": "completed",
                "refund_of": "B-20261031-00001",
                "lines": [
                    {"no": 1, "type": "item", "sku": "A2", "qty": "-1", "unit_price": "300",
                     "amount": "-300", "tax_rate": "0.08", "tax": "-24"},
                ],
            },
            {
                "shop": "B001", "number": "B-20261101-00014", "status": "voided",
                "issued_at": "2026-11-01T13:00:00+09:00", "currency": "JPY",
                "lines": [{"no": 1, "type": "item", "sku": "A3", "qty": 1, "unit_price": 100,
                           "amount": 100, "tax_rate": "0.10", "tax": 10}],
            },
        ]
    }
)  # fmt: skip

MILESIGHT = orjson.dumps(
    {
        "device_info": {"device_sn": SERIAL, "device_mac": "24:E1:24:FA:0C:6C"},
        "time_info": {
            "dst_status": False, "enable_dst": False,
            "start_time": "2026-11-01T10:00:00+09:00", "end_time": "2026-11-01T10:15:00+09:00",
            "time_zone": "UTC+9:00 Japan Standard Time (JST)",
        },
        "line_periodic_data": [
            {"line": 1, "line_name": "Line1", "line_uuid": "9a0440de",
             "total": {"in": 12, "out": 9}, "children": {"in": 1, "out": 1},
             "staff": {"in": 0, "out": 1}, "group": {"in": 3, "out": 2}},
            {"line": 2, "line_name": "Line2", "line_uuid": "b138b9a1", "in": 4, "out": 5},
        ],
        "line_total_data": [{"line": 1, "total": {"in_counted": 412, "out_counted": 399}}],
    }
)  # fmt: skip

#: Two lines of a VS133, with children and a total.
LORAWAN = orjson.dumps(things("05cc0c00090013cc0100000008cc0400050003d2d9150000"))

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
