"""Carrying out a spec: columns of text of one CSV form made into records."""

from __future__ import annotations

import re
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gateways import columns
from gateways.columns import NUMERIC, Column, flags, for_distinct, joined, missing, ranks, spread
from gateways.csv_text import read_csv
from gateways.declarative.spec import Condition, Conditions, Spec
from gateways.faults import Faults, Mask, Reason
from gateways.instants import locals_of
from gateways.records import VENDOR_COLUMNS, Records, type_of

_COUNT_NAMES = {"in": "in_count", "out": "out_count", "pass": "pass_count"}


class SpecReader:
    """One payload read by one spec."""

    def __init__(self, spec: Spec, body: bytes) -> None:
        self._spec = spec
        found = read_csv(body, spec.file.csv, spec.source_columns)
        self._faults: Faults = found.faults
        self._length = len(found.faults.bad)
        self._blank_lines = found.blank_lines
        self._text = {
            name: columns.text(column, spec.missing) for name, column in found.columns.items()
        }

    def records(self) -> Records:
        """The records, faults included."""
        spec = self._spec
        values = self._store() | self._time() | self._mapped()
        values |= self._sale(values) if spec.event == "sale_line" else self._counts(values)
        names = {**spec.columns, "occurred_at": " ".join(spec.time.columns)}
        names |= {"store_code": spec.store.column or "X-Tenpo-Store"}
        names |= {_COUNT_NAMES[key]: rule.column for key, rule in spec.counts.items()}
        return Records(spec.event, values, self._faults, names, spec.tax.mode, (self._blank_lines,))

    def _store(self) -> dict[str, Column]:
        store = self._spec.store
        if store.column is not None:
            return {"store_code": self._text[store.column]}
        if store.constant is not None:
            return {"store_code": pa.repeat(store.constant, self._length)}
        by_device = self._spec.event == "count_interval"
        return {} if by_device else {"store_code": pa.nulls(self._length, pa.string())}

    def _time(self) -> dict[str, Column]:
        form = self._spec.time
        parts = [self._text[name] for name in form.columns]
        local, bad = locals_of(parts, form.formats)
        self._faults.mark(bad, Reason.BAD_TIME, " ".join(form.columns))
        return {"local": local}

    def _mapped(self) -> dict[str, Column]:
        """Mapped columns and constants, each in its type."""
        values: dict[str, Column] = {}
        for name, source in self._spec.columns.items():
            values[name] = self._typed(name, self._text[source], source)
        for name, constant in self._spec.constants.items():
            values[name] = self._typed(name, pa.repeat(constant, self._length), name)
        return values

    def _typed(self, name: str, text: Column, source: str) -> Column:
        wanted = VENDOR_COLUMNS.get(name)
        wanted = wanted if wanted is not None else type_of(self._spec.event, name)
        if pa.types.is_integer(wanted):
            value, bad = columns.integers(text)
        elif pa.types.is_decimal(wanted):
            value, bad = columns.decimals(text, self._spec.thousands)
        else:
            return text
        self._faults.mark(bad, Reason.BAD_NUMBER, source)
        return value

    def _sale(self, values: dict[str, Column]) -> dict[str, Column]:
        spec = self._spec
        document = joined([self._text[name] for name in spec.document])
        sale = {"document": document, "kind": self._kinds(), **self._line(document, values)}
        for rule in spec.negate:
            mask = self._all(rule.when)
            for name in rule.columns:
                if name in values:
                    sale[name] = columns.negated(values[name], mask)
        if spec.currency is not None:
            sale["currency"] = pa.repeat(spec.currency, self._length)
        return sale | self._rate(values)

    def _line(self, document: Column, values: dict[str, Column]) -> dict[str, Column]:
        """Line number (the order within the document unless mapped) and line key."""
        number = values.get("line_number")
        if number is None:
            number = pa.array(ranks(document) + 1, pa.int64())
        key = joined([self._text[name] for name in self._spec.line]) if self._spec.line else None
        return {
            "line_number": number,
            "line_key": key if key is not None else number.cast(pa.string()),
        }

    def _rate(self, values: dict[str, Column]) -> dict[str, Column]:
        tax = self._spec.tax
        if tax.rate is not None:
            return {"tax_rate": pa.repeat(pa.scalar(tax.rate).cast(NUMERIC), self._length)}
        rate = values.get("tax_rate")
        if rate is None or not tax.rate_is_percent:
            return {}
        hundredth = pa.repeat(pa.scalar("0.01").cast(NUMERIC), self._length)
        return {"tax_rate": columns.times(rate, hundredth)}

    def _kinds(self) -> Column:
        """The kind of each row: the first rule that holds, else the default."""
        kind = np.full(self._length, self._spec.default_kind.value, dtype=object)
        free = np.ones(self._length, np.bool_)
        for rule in self._spec.kinds:
            held = self._all(rule.when) & free
            kind[held] = rule.kind.value
            free &= ~held
        return pa.array(kind, pa.string())

    def _counts(self, values: dict[str, Column]) -> dict[str, Column]:
        spec = self._spec
        counts: dict[str, Column] = {}
        told = np.zeros(self._length, np.bool_)
        for key, rule in spec.counts.items():
            held = self._all(rule.when)
            value, bad = columns.integers(self._text[rule.column])
            self._faults.mark(bad & held, Reason.BAD_NUMBER, rule.column)
            self._faults.mark(missing(value) & held & ~bad, Reason.MISSING_FIELD, rule.column)
            counts[_COUNT_NAMES[key]] = pc.if_else(pa.array(held), value, None)
            told |= held
        self._faults.mark(~told, Reason.BAD_VALUE, ", ".join(self._condition_columns()))
        document = joined([values["device_id"], *(self._text[name] for name in spec.document)])
        line = [self._text[name] for name in spec.line] or [values["line_id"]]
        length = pa.scalar((spec.interval_s or 0) * 1_000_000, pa.duration("us"))
        return counts | {
            "document": document,
            "line_key": joined(line),
            "length": pa.repeat(length, self._length),
        }

    def _condition_columns(self) -> list[str]:
        return sorted({name for rule in self._spec.counts.values() for name in rule.when})

    def _all(self, conditions: Conditions) -> Mask:
        held = [self._holds(self._text[name], one) for name, one in conditions.items()]
        return reduce(np.logical_and, held, np.ones(self._length, np.bool_))

    def _holds(self, column: Column, condition: Condition) -> Mask:
        if condition.one_of is not None:
            return flags(pc.is_in(column, value_set=pa.array(condition.one_of, pa.string())))
        if condition.matches is not None:
            pattern = re.compile(condition.matches)
            values, inverse = for_distinct(
                [column], lambda value: value is not None and pattern.search(value) is not None
            )
            return flags(spread(values, inverse, pa.bool_()))
        number, _ = columns.decimals(column, self._spec.thousands)
        for compare, limit in (
            (pc.equal, condition.equals),
            (pc.less, condition.below),
            (pc.greater, condition.above),
        ):
            if limit is not None:
                return flags(compare(number, pa.scalar(limit).cast(NUMERIC)))
        return np.zeros(self._length, np.bool_)
