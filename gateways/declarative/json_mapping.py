"""Carrying out a spec of JSON: any counter's push as intervals or readings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateways.declarative.json_path import records_of, text_of, value_at
from gateways.declarative.json_spec import JsonSpec
from gateways.formats.json_text import read_objects, text_columns
from gateways.iot.intervals import interval_records, unix_time
from gateways.iot.readings import reading_records
from gateways.normalize import columns
from gateways.normalize.adapter import Kind
from gateways.normalize.context import Context
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.instants import read_stamp
from gateways.normalize.json_adapter import JsonAdapter, Rows
from gateways.normalize.records import Records
from tenpo.identifiers import digest

_VERSION_DIGITS = 12
#: Raised when the same bytes by the same spec give other rows.
_READING = "2"
_PER_SECOND = {"s": 1, "ms": 1000}
_LINE = "1"


class JsonMapping(JsonAdapter):
    """The adapter of a spec of JSON. Its version is a digest of the spec and its reading."""

    kind: Kind = "iot"
    described = True

    def __init__(self, spec: JsonSpec, body: bytes) -> None:
        self.spec = spec
        self.body = body
        self.name = spec.name
        self.version = digest(_READING, body.hex())[:_VERSION_DIGITS]
        self._ending = "_count" if spec.event == "count_interval" else "_total"

    def rows_under(self, body: bytes, context: Context) -> Rows:
        """One row a record of the payload; records that `only` bars are ignored."""
        found = Rows()
        spec = self.spec
        path = spec.parsed(spec.form.records) if spec.form.records else None
        for number, root in enumerate(read_objects(body, "push"), start=1):
            before = len(found.values) + len(found.readings) + len(found.faults) + found.ignored
            for place, scopes in enumerate(records_of(root, path), start=1):
                self._take(found, f"{number}.{place}", scopes, context)
            after = len(found.values) + len(found.readings) + len(found.faults) + found.ignored
            found.ignored += before == after
        return found

    def _take(self, found: Rows, position: str, scopes: Sequence[Any], context: Context) -> None:
        if not self._says(scopes, self.spec.form.only):
            found.ignored += 1
            return
        counts = {
            name + self._ending: value_at(scopes, self.spec.parsed(one.path))
            for name, one in self.spec.counts.items()
            if self._says(scopes, one.when)
        }
        if not counts:
            told = sorted({path for one in self.spec.counts.values() for path in one.when})
            found.faults.append((position, Reason.BAD_VALUE, ", ".join(told)))
            return
        row = self._head(scopes) | self._times(scopes, context) | counts
        if self.spec.event == "count_interval":
            found.values.append(row)
            found.positions.append(position)
        else:
            found.readings.append(row)
            found.reading_positions.append(position)

    def _head(self, scopes: Sequence[Any]) -> dict[str, Any]:
        spec = self.spec
        row: dict[str, Any] = {"line_id": _LINE}
        row.update((key, text) for key, text in spec.constants.items())
        row.update((key, value_at(scopes, spec.parsed(p))) for key, p in spec.columns.items())
        parts = [row.get("device_id"), row["line_id"]]
        parts += [value_at(scopes, spec.parsed(path)) for path in spec.document]
        # Lines come together or apart as the device likes, so each is a document.
        return row | {"document": "|".join(text_of(part) or "" for part in parts)}

    def _times(self, scopes: Sequence[Any], context: Context) -> dict[str, Any]:
        time = self.spec.time
        if time.received:
            return {"occurred_at": context.received_at.isoformat()}
        told = {"occurred_at": time.start or time.at, "interval_end_at": time.end}
        row: dict[str, Any] = {
            key: self._time(value_at(scopes, self.spec.parsed(path)))
            for key, path in told.items()
            if path
        }
        length = self.spec.interval_s
        return row | {"length_s": str(length) if length else None}

    def _time(self, value: Any) -> Any:
        time = self.spec.time
        if time.unix is not None:
            return unix_time(value, _PER_SECOND[time.unix])
        if not time.formats or not isinstance(value, str):
            return value
        for form in time.formats:
            found = read_stamp(value.strip(), form)
            if found is not None:
                return found[1].isoformat()
        return f"{value} fits no format"  # no ISO 8601 text, so its fault is told

    def _says(self, scopes: Sequence[Any], wanted: Mapping[str, Sequence[str]]) -> bool:
        return all(
            text_of(value_at(scopes, self.spec.parsed(path))) in texts
            for path, texts in wanted.items()
        )

    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Intervals in canonical names."""
        return self._versioned(
            interval_records(rows, faults, self._fields(), self._required("_count")), rows
        )

    def readings(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """Running totals in canonical names."""
        return self._versioned(
            reading_records(rows, faults, self._fields(), self._required("_total")), rows
        )

    def _versioned(self, records: Records, rows: Sequence[Mapping[str, Any]]) -> Records:
        if "version" in self.spec.columns:
            text = text_columns(rows, ("version",))["version"]
            records.columns["version"], bad = columns.integers(text)
            records.faults.mark(bad, Reason.BAD_NUMBER, self.spec.columns["version"])
        return records

    def _required(self, ending: str) -> tuple[str, ...]:
        """Counts that every record must have; of the other event there are none."""
        if ending != self._ending:
            return ()
        return tuple(key + ending for key, one in self.spec.counts.items() if not one.when)

    def _fields(self) -> dict[str, str]:
        time = self.spec.time
        named = {key + self._ending: one.path for key, one in self.spec.counts.items()}
        named |= {"occurred_at": time.start or time.at or "", "interval_end_at": time.end or ""}
        named.update((key, path) for key, path in self.spec.columns.items())
        return {key: path for key, path in named.items() if path}
