"""POS vendor A's store master: which store its codes mean, and from when to when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from gateways.formats.csv_text import read_csv
from gateways.normalize import columns
from gateways.normalize.columns import missing
from gateways.normalize.faults import Reason, Rejected
from gateways.normalize.instants import dates
from gateways.pos.posa import CSV, PosA
from tenpo.masters import MasterBook, StoreCode, TenantMasters

CODE, NAME, STORE, START, END = "店舗コード", "店舗名", "店舗ID", "適用開始日", "適用終了日"
_FORMATS = ["%Y/%m/%d"]


@dataclass(frozen=True)
class StoreFile:
    """The codes of one file, and its rejected rows."""

    codes: list[StoreCode]
    rejected: list[Rejected]
    received: int
    rejected_codes: frozenset[str]


def take_store_file(book: MasterBook, masters: TenantMasters, body: bytes) -> StoreFile:
    """Put a file in the place of the one before it.

    A code whose row is rejected keeps what it meant before: a typing mistake must
    not make a store unknown.

    Raises:
        PayloadError: the file as a whole cannot be read.
    """
    found = read_store_file(body, masters)
    tenant = masters.tenant_id
    before = book.own(tenant, "store_code", PosA.name)
    kept = [
        row for row in before if isinstance(row, StoreCode) and row.code in found.rejected_codes
    ]
    if found.codes:
        book.put(tenant, "store_code", [*found.codes, *kept], PosA.name)
    return found


def read_store_file(body: bytes, masters: TenantMasters) -> StoreFile:
    """The store codes of one file.

    Raises:
        PayloadError: the file as a whole cannot be read.
    """
    found = read_csv(body, CSV, [CODE, NAME, STORE, START, END])
    text = {name: columns.text(column) for name, column in found.columns.items()}
    mark = found.faults.mark
    mark(missing(text[CODE]), Reason.MISSING_FIELD, CODE)
    mark(missing(text[STORE]), Reason.MISSING_FIELD, STORE)
    spans: dict[str, list[date | None]] = {}
    for name in (START, END):
        read, bad = dates(text[name], _FORMATS)
        mark(bad, Reason.BAD_TIME, name)
        spans[name] = read.to_pylist()
    stores = text[STORE].to_pylist()
    known = masters.stores
    unknown = columns.flags(pa.array([store not in known for store in stores]))
    mark(unknown, Reason.UNKNOWN_STORE, STORE, stores)
    names, bad = text[CODE].to_pylist(), found.faults.bad
    rows = zip(names, stores, spans[START], spans[END], bad, strict=True)
    codes = [
        StoreCode(source=PosA.name, code=code, store_id=store, valid_from=start, valid_to=end)
        for code, store, start, end, wrong in rows
        if not wrong
    ]
    good = {row.code for row in codes}
    return StoreFile(
        codes,
        found.faults.rejected(1)[0],
        found.faults.received(1)[0],
        frozenset(code for code in names if code and code not in good),
    )
