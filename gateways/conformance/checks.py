"""What holds for every adapter: each check replays the payloads and says what it saw."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice, permutations
from typing import Any
from zoneinfo import ZoneInfo

from gateways.conformance.card import Finding
from gateways.conformance.corpus import Payload, Subject
from gateways.conformance.versions import current, rows, tables
from gateways.json_adapter import JsonAdapter
from gateways.normalized import Normalized
from tenpo.contracts.events import EVENTS, canonical_schema
from tenpo.errors import PayloadError

_COUNTS = ("received", "accepted", "rejected", "ignored")
#: Whole, half and quarter hours, both hemispheres, and an island that shifts by half an hour.
_ZONES = ("Asia/Tokyo", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
_MOST_ORDERS = 24
_MOST_SHORTENED = 20


def _finding(check: str, faults: Sequence[str], seen: str, checked: int = 1) -> Finding:
    if faults:
        return Finding(check, "failed", "; ".join(faults[:3]))
    return Finding(check, "passed" if checked else "not checked", seen)


def _each(subject: Subject) -> list[tuple[Payload, Normalized]]:
    return [(one, subject.adapter.normalize(one.body, subject.context()))
            for one in subject.payloads]  # fmt: skip


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
    return _finding("payloads are read", faults, f"{accepted} records accepted")


def sums(subject: Subject) -> Finding:
    """Received = accepted + rejected, and every rejection is kept as a row."""
    faults, received = [], 0
    for one, result in _each(subject):
        received += result.received
        kept = result.events["rejection"].num_rows
        if result.received != result.accepted + len(result.rejected):
            faults.append(f"{one.name}: {result.received} received do not add up")
        if kept != len(result.rejected) or result.accepted != len(rows(result)):
            faults.append(f"{one.name}: rows do not agree with the counts")
    return _finding("received = accepted + rejected", faults, f"{received} records received")


def totals(subject: Subject) -> Finding:
    """The totals that the corpus states."""
    faults, checked = [], 0
    for one, result in _each(subject):
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
    return _finding("the vendor's own totals", faults, f"{checked} totals stated", checked)


def schema(subject: Subject) -> Finding:
    """Tables have the canonical schemas, no required field is missing, ids differ."""
    faults, fields = [], 0
    for one, result in _each(subject):
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
    return _finding("canonical schema", faults, f"{fields} required fields filled")


def idempotence(subject: Subject) -> Finding:
    """Sent twice is sent once: the same ids, and nothing added."""
    faults, lines = [], 0
    for one, first in _each(subject):
        again = subject.adapter.normalize(one.body, subject.context(later=1))
        once = current([first])
        lines += len(once)
        if current([first, again]) != once:
            faults.append(f"{one.name}: sent again, it comes to something else")
    return _finding("twice is once", faults, f"{lines} lines keep their ids", lines)


def order(subject: Subject) -> Finding:
    """Deliveries in any order, alone or together, come to the same lines."""
    sent = [(one, subject.context(later)) for later, one in enumerate([*subject.payloads] * 2)]
    found = [subject.adapter.normalize(one.body, context) for one, context in sent]
    wanted = current(found)
    orders = islice(permutations(found), _MOST_ORDERS)
    faults = ["another order leaves other lines" for one in orders if current(one) != wanted]
    if isinstance(subject.adapter, JsonAdapter):
        together = subject.adapter.normalize_many([(one.body, context) for one, context in sent])
        if current([together]) != wanted:
            faults.append("read together they come to other lines than alone")
    return _finding("order does not matter", faults, f"{len(found)} deliveries in other orders")


def zones(subject: Subject) -> Finding:
    """Under stores elsewhere a moment stays itself, or the same hour on the clock there."""
    faults, moments = [], 0
    for one, here in _each(subject):
        home = {row["source_position"]: row for row in rows(here)}
        for zone in _ZONES:
            there = subject.adapter.normalize(one.body, _moved(subject, zone))
            if there.received != here.received:
                faults.append(f"{one.name}: other records under {zone}")
            for row in rows(there):
                moments += 1
                if row["source_position"] in home and not _agree(
                    home[row["source_position"]], row, subject, zone
                ):
                    faults.append(f"{one.name}: record {row['source_position']} under {zone}")
    return _finding("time zones", faults, f"{moments} moments in {len(_ZONES)} zones", moments)


def _moved(subject: Subject, zone: str) -> Any:
    stores = [one.model_copy(update={"timezone": zone}) for one in subject.masters.store]
    masters = subject.masters.model_copy(update={"store": stores})
    # Three days on, so that no zone makes a record lie in the future.
    return subject.context(3 * 86_400_000_000, masters)


def _agree(home: dict[str, Any], row: dict[str, Any], subject: Subject, zone: str) -> bool:
    mine = ZoneInfo(subject.masters.stores[home["store_id"]].timezone)
    before, after = home["occurred_at"], row["occurred_at"]
    if before == after:
        return True
    local = before.astimezone(mine).replace(tzinfo=None)
    # Both ways: a time that the clock skips or repeats is one or the other.
    passes = (local.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    return any(one.timestamp() == after.timestamp() for one in passes)


def corrections(subject: Subject) -> Finding:
    """A document that comes again with fewer lines leaves nothing of the former behind."""
    faults, checked = [], 0
    for one, first in _each(subject):
        for shorter in islice(_shortened(one.body), _MOST_SHORTENED):
            try:
                second = subject.adapter.normalize(shorter, subject.context(later=1))
            except PayloadError:
                continue
            versions = {row["document_key"]: row["document_version"] for row in rows(first)}
            newer = {row["document_key"]: row["document_version"] for row in rows(second)}
            moved = all(version > versions.get(key, -1) for key, version in newer.items())
            if second.rejected or second.accepted >= first.accepted or not moved:
                continue  # damaged, not shortened; or a revision that only the vendor raises
            checked += 1
            left = {key: row for key, row in current([first]).items()
                    if row["document_key"] not in newer}  # fmt: skip
            # Only a document that is gone whole stays: no other has a reason to keep its lines.
            stays = len(left) in (0, first.accepted - second.accepted)
            if not stays or current([first, second]) != left | current([second]):
                faults.append(f"{one.name}: a shortened document leaves a ghost")
    return _finding("corrections leave no ghosts", faults, f"{checked} shortened", checked)


def _shortened(body: bytes) -> Iterator[bytes]:
    """The payload with one record less: an object of a list, or a line."""
    try:
        document = json.loads(body)
    except ValueError:
        lines = body.split(b"\n")
        for place in range(1, len(lines)):
            if lines[place].strip():
                yield b"\n".join(lines[:place] + lines[place + 1 :])
        return
    text = json.dumps(document)
    count = sum(1 for _ in _long_lists(document))
    for which in range(count):
        for place in range(_MOST_SHORTENED):
            copy = json.loads(text)
            found = list(_long_lists(copy))[which]
            if place >= len(found):
                break
            del found[place]
            yield json.dumps(copy).encode()


def _long_lists(document: Any) -> Iterator[list[Any]]:
    """Lists of at least two objects, the outer first."""
    objects = isinstance(document, list) and all(isinstance(item, dict) for item in document)
    if objects and len(document) > 1:
        yield document
    values = document.values() if isinstance(document, dict) else document
    for value in values if isinstance(document, dict | list) else ():
        yield from _long_lists(value)


def rounding(subject: Subject) -> Finding:
    """Net and tax are gross, on every line that has all three."""
    faults, lines = [], 0
    for one, result in _each(subject):
        for row in rows(result):
            net, tax, gross = (row.get(f"{name}_amount") for name in ("net", "tax", "gross"))
            if net is not None and tax is not None and gross is not None:
                lines += 1
                if net + tax != gross:
                    faults.append(f"{one.name}: record {row['source_position']}")
    return _finding("net + tax = gross", faults, f"{lines} lines", lines)


def personal(subject: Subject) -> Finding:
    """Personal values that the corpus names get out as pseudonyms only."""
    faults, checked = [], 0
    for one, result in _each(subject):
        shown = json.dumps([table.to_pylist() for table in result.events.values()], default=str,
                           ensure_ascii=False)  # fmt: skip
        for place, value in enumerate(one.expected.personal, start=1):
            checked += 1
            if value in shown:
                faults.append(f"{one.name}: personal value {place} gets out")
    return _finding("only pseudonyms get out", faults, f"{checked} values searched", checked)


CHECKS = (
    readable, sums, totals, schema, idempotence, order, zones, corrections, rounding, personal,
)  # fmt: skip
