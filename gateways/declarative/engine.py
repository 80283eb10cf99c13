"""Carrying out a spec: columns of text of one form made into records."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateways.declarative.conditions import Rows
from gateways.declarative.sales import SaleReader
from gateways.declarative.spec import Spec
from gateways.declarative.typed import typed
from gateways.formats.csv_text import CsvText, read_csv
from gateways.formats.ndjson_text import read_ndjson
from gateways.normalize import columns
from gateways.normalize.columns import Column, joined, missing
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.instants import locals_of
from gateways.normalize.records import Records

_ENDINGS = {"count_interval": "_count", "count_reading": "_total"}


class SpecReader:
    """One payload, received at some moment, read by one spec."""

    def __init__(self, spec: Spec, body: bytes, received_at: datetime) -> None:
        self._spec = spec
        self._received_at = received_at
        style = spec.number_style
        self._plain = None if style.is_plain else style.plain
        found = _read(spec, body)
        self._faults: Faults = found.faults
        self._ignored = found.blank_lines
        self._text = {name: self._cleaned(name, one) for name, one in found.columns.items()}
        self._length = len(found.faults.bad)
        self._rows = Rows(self._text, self._length, self._plain)
        if spec.skip:
            self._leave_out()

    def _cleaned(self, name: str, column: Column) -> Column:
        if name in self._spec.nfkc:
            column = pc.utf8_normalize(column, form="NFKC")
        return columns.text(column, self._spec.missing)

    def _leave_out(self) -> None:
        """Rows that the spec says are no records are counted and gone."""
        gone = self._rows.any(rule.when for rule in self._spec.skip)
        self._ignored += int(gone.sum())
        kept = pa.array(~gone)
        self._text = {name: column.filter(kept) for name, column in self._text.items()}
        self._faults = self._faults.kept(~gone)
        self._length = len(self._faults.bad)
        self._rows = Rows(self._text, self._length, self._plain)

    def records(self) -> Records:
        """The records, faults included."""
        spec = self._spec
        values = self._store() | self._time() | self._mapped()
        if spec.event == "sale_line":
            reader = SaleReader(spec, self._text, self._rows, self._received_at)
            values |= reader.columns(values)
            reader.check(values, self._faults)
        else:
            values |= self._counts(values)
        names = {**spec.columns, "occurred_at": " ".join(spec.time.columns)}
        names |= {"store_code": spec.store.column or "X-Tenpo-Store"}
        names |= {self._counted(key): rule.column for key, rule in spec.counts.items()}
        return Records(
            spec.event, values, self._faults, names, spec.tax.mode,
            tax_rounding=spec.tax.rounding, tax_per=spec.tax.per, ignored=(self._ignored,),
        )  # fmt: skip

    def _store(self) -> dict[str, Column]:
        store = self._spec.store
        if store.column is not None:
            return {"store_code": self._text[store.column]}
        if store.constant is not None:
            return {"store_code": pa.repeat(store.constant, self._length)}
        by_device = self._spec.event in _ENDINGS
        return {} if by_device else {"store_code": pa.nulls(self._length, pa.string())}

    def _time(self) -> dict[str, Column]:
        form = self._spec.time
        parts = [self._text[name] for name in form.columns]
        local, day, bad = locals_of(parts, form.formats)
        self._faults.mark(bad, Reason.BAD_TIME, " ".join(form.columns))
        return {"local": local, "day": day}

    def _mapped(self) -> dict[str, Column]:
        """Mapped columns and constants, each in its type."""
        values: dict[str, Column] = {}
        for name, source in self._spec.columns.items():
            values[name] = self._typed(name, self._text[source], source)
        for name, constant in self._spec.constants.items():
            values[name] = self._typed(name, pa.repeat(constant, self._length), name)
        return values

    def _typed(self, name: str, text: Column, source: str) -> Column:
        value, bad = typed(self._spec.event, name, text, self._plain)
        if bad is not None:
            self._faults.mark(bad, Reason.BAD_NUMBER, source)
        return value

    def _counts(self, values: dict[str, Column]) -> dict[str, Column]:
        spec = self._spec
        counts: dict[str, Column] = {}
        told = np.zeros(self._length, np.bool_)
        for key, rule in spec.counts.items():
            held = self._rows.all(rule.when)
            value, bad = columns.integers(self._text[rule.column], self._plain)
            self._faults.mark(bad & held, Reason.BAD_NUMBER, rule.column)
            self._faults.mark(missing(value) & held & ~bad, Reason.MISSING_FIELD, rule.column)
            counts[self._counted(key)] = pc.if_else(pa.array(held), value, None)
            told |= held
        self._faults.mark(~told, Reason.BAD_VALUE, ", ".join(self._condition_columns()))
        document = joined([values["device_id"], *(self._text[name] for name in spec.document)])
        line = [self._text[name] for name in spec.line] or [values["line_id"]]
        counts |= {"document": document, "line_key": joined(line)}
        if spec.interval_s is not None:
            length = pa.scalar(spec.interval_s * 1_000_000, pa.duration("us"))
            counts["length"] = pa.repeat(length, self._length)
        return counts

    def _counted(self, key: str) -> str:
        """The canonical name of a count, or of a running total."""
        return key + _ENDINGS[self._spec.event]

    def _condition_columns(self) -> list[str]:
        return sorted({name for rule in self._spec.counts.values() for name in rule.when})


def _read(spec: Spec, body: bytes) -> CsvText:
    if spec.file.format == "ndjson":
        return read_ndjson(body, spec.file.encoding, spec.source_columns)
    return read_csv(body, spec.file.csv, spec.source_columns)
