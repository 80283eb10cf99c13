"""What holds for every adapter: each check replays the payloads and says what it saw."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from gateways.conformance.card import Finding
from gateways.conformance.clock import clock_changes, device_clocks, zones
from gateways.conformance.corpus import Subject
from gateways.conformance.corrected import corrections
from gateways.conformance.versions import current, rows, tables
from gateways.declarative.adapter import DeclarativeAdapter
from gateways.normalize.faults import Reason
from gateways.normalize.json_adapter import JsonAdapter
from gateways.normalize.normalized import Normalized
from tenpo.contracts import SaleKind
from tenpo.contracts.events import EVENTS, canonical_schema
from tenpo.errors import PayloadError

_COUNTS = ("received", "accepted", "rejected", "ignored")
_MOST_ORDERS = 12


def readable(subject: Subject) -> Finding:
    """Every recorded payload is read, and something of all of them is accepted."""
    faults, accepted = [], 0
    for one in subject.payloads:
        try:
            accepted += subject.adapter.normalize(one.body, subject.context()).accepted
        except PayloadError as error:
            faults.append(f"{one.name}: {error}")
    if not accepted and not faults:
        faults.append("no record is accepted: are its stores and devices in the stores file?")
    return Finding.of("payloads are read", faults, f"{accepted} records accepted")


def sums(subject: Subject) -> Finding:
    """Received = accepted + rejected, and every rejection is kept as a row."""
    faults, received = [], 0
    for one, result in subject.results:
        received += result.received
        kept = result.events["rejection"].num_rows
        if result.received != result.accepted + len(result.rejected):
            faults.append(f"{one.name}: {result.received} received do not add up")
        if kept != len(result.rejected) or result.accepted != len(rows(result)):
            faults.append(f"{one.name}: rows do not agree with the counts")
    return Finding.of("received = accepted + rejected", faults, f"{received} records received")


def totals(subject: Subject) -> Finding:
    """The totals that the corpus states."""
    faults, checked = [], 0
    for one, result in subject.results:
        found: dict[str, Any] = {
            "received": result.received, "accepted": result.accepted,
            "rejected": len(result.rejected), "ignored": result.ignored,
        }  # fmt: skip
        for name in _COUNTS:
            wanted = getattr(one.expected, name)
            checked += wanted is not None
            if wanted is not None and wanted != found[name]:
                faults.append(f"{one.name}: {found[name]} {name}, {wanted} expected")
        for name, total in one.expected.sums.items():
            checked += 1
            mine = sum(Decimal(row.get(name) or 0) for row in rows(result))
            if mine != total:
                faults.append(f"{one.name}: {name} sums to {mine}, {total} expected")
    return Finding.of("the vendor's own totals", faults, f"{checked} totals stated", checked)


def explained(subject: Subject) -> Finding:
    """No document's own total differs from its lines by more than rounding."""
    faults, sold = [], 0
    for one, result in subject.results:
        sold += len({row["document_key"] for row in rows(result) if "receipt_id" in row})
        faults += [
            f"{one.name}: the total of record {found.position}"
            for found in result.rejected if found.reason is Reason.TOTAL_MISMATCH
        ]  # fmt: skip
    return Finding.of("lines explain totals", faults, f"{sold} receipts, none is off", sold)


def schema(subject: Subject) -> Finding:
    """Tables have the canonical schemas, no required field is missing, ids differ."""
    faults, fields = [], 0
    for one, result in subject.results:
        for name, table in result.events.items():
            if table.schema != canonical_schema(name):
                faults.append(f"{one.name}: {name} has another schema")
            needed = [f.name for f in EVENTS[name].fields if f.required]
            gone = [f for f in needed if f in table.column_names and table[f].null_count]
            faults += [f"{one.name}: {name}.{field} is missing" for field in gone]
            fields += len(needed)
        for table in tables(result):
            if len(set(table["event_id"].to_pylist())) != table.num_rows:
                faults.append(f"{one.name}: two lines have one id")
    return Finding.of("canonical schema", faults, f"{fields} required fields filled")


def idempotence(subject: Subject) -> Finding:
    """Sent twice is sent once: the same ids, and nothing added."""
    faults, lines = [], 0
    for one, first in subject.results:
        again = subject.adapter.normalize(one.body, subject.context(later=1))
        once = current([first])
        lines += len(once)
        if current([first, again]) != once:
            faults.append(f"{one.name}: sent again, it comes to something else")
    return Finding.of("twice is once", faults, f"{lines} lines keep their ids", lines)


def order(subject: Subject) -> Finding:
    """Deliveries in any order, alone or together, come to the same lines.

    What is cancelled stays so, whatever arrives last.
    """
    sent = [(one, subject.context(later)) for later, one in enumerate([*subject.payloads] * 2)]
    found = [subject.adapter.normalize(one.body, context) for one, context in sent]
    wanted = current(found)
    orders = [found[::-1], *_shuffled(found)]
    faults = ["another order leaves other lines" for one in orders if current(one) != wanted]
    if isinstance(subject.adapter, JsonAdapter):
        together = subject.adapter.normalize_many([(one.body, context) for one, context in sent])
        if current([together]) != wanted:
            faults.append("read together they come to other lines than alone")
    faults += _revived(subject)
    return Finding.of("order does not matter", faults, f"{len(found)} deliveries in other orders")


def _revived(subject: Subject) -> Iterator[str]:
    """Faults of documents that the spec cancels and that another order of arrival revives."""
    adapter = subject.adapter
    if not isinstance(adapter, DeclarativeAdapter) or adapter.spec.cancel is None:
        return
    void = {row["document_key"] for one in subject.results for row in rows(one[1]) if _is_void(row)}
    for arrivals in ([*subject.payloads] * 2, [*subject.payloads][::-1] * 2):
        found = [
            adapter.normalize(one.body, subject.context(later))
            for later, one in enumerate(arrivals)
        ]
        alive = {row["document_key"] for row in current(found).values() if not _is_void(row)}
        if alive & void:
            yield f"{len(alive & void)} cancelled documents come back when they are sent again"


def _is_void(row: dict[str, Any]) -> bool:
    return bool(row.get("kind") == SaleKind.VOID.value)


def _shuffled(found: Sequence[Normalized]) -> Iterator[list[Normalized]]:
    chance = random.Random(0)  # noqa: S311 - repeatable, not secret
    for _ in range(_MOST_ORDERS):
        yield chance.sample(found, len(found))


def rounding(subject: Subject) -> Finding:
    """Net and tax are gross, on every line that has all three."""
    faults, lines = [], 0
    for one, result in subject.results:
        for row in rows(result):
            net, tax, gross = (row.get(f"{name}_amount") for name in ("net", "tax", "gross"))
            if net is not None and tax is not None and gross is not None:
                lines += 1
                if net + tax != gross:
                    faults.append(f"{one.name}: record {row['source_position']}")
    return Finding.of("net + tax = gross", faults, f"{lines} lines", lines)


def personal(subject: Subject) -> Finding:
    """Personal values that the corpus names get out as pseudonyms only."""
    faults, checked = [], 0
    for one, result in subject.results:
        shown = json.dumps([table.to_pylist() for table in result.events.values()], default=str,
                           ensure_ascii=False)  # fmt: skip
        for place, value in enumerate(one.expected.personal, start=1):
            checked += 1
            if value in shown:
                faults.append(f"{one.name}: personal value {place} gets out")
    return Finding.of("only pseudonyms get out", faults, f"{checked} values searched", checked)


CHECKS = (
    readable, sums, totals, explained, schema, idempotence, order, zones, clock_changes,
    device_clocks, corrections, rounding, personal,
)  # fmt: skip
