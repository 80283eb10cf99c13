"""A store-day CSV file becomes a panel: bounded, nothing dropped in silence.

Every line is taken or the file is refused. What the models leave out (negative figures, days
that are not there) is counted as findings. Not for judging stores: the pipelines do.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv

from kedro_project.panel.columns import Text
from kedro_project.panel.mapping import LocatedMapping
from kedro_project.panel.panel import MEASURES, BoolArray, FloatArray, IntArray, Panel
from tenpo.errors import ConfigError, InputError, PayloadTooLarge

MAX_BYTES = 2 * 1024**3
MAX_CELLS = 20_000_000
_SPLIT = "Give fewer stores or a shorter time."


@dataclass(frozen=True)
class Finding:
    """Something a person should know of the input.

    Args:
        code: for machines.
        message: for people, without values.
        count: how many store-days (or stores) it concerns.
    """

    code: str
    message: str
    count: int

    def as_document(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class ReadPanel:
    """A panel with what was found while reading it."""

    panel: Panel
    findings: tuple[Finding, ...]
    lines: int


@dataclass(frozen=True)
class _Grid:
    """Where each line goes: its row (day) and column (store)."""

    dates: pd.DatetimeIndex
    stores: tuple[str, ...]
    row: IntArray
    column: IntArray

    def spread(self, values: FloatArray, fill: float = np.nan) -> FloatArray:
        """Values of lines as (T, S)."""
        wide = np.full((len(self.dates), len(self.stores)), fill)
        wide[self.row, self.column] = values
        return wide


def read_panel(path: Path, mapping: LocatedMapping) -> ReadPanel:
    """The panel of a CSV file.

    Raises:
        InputError: a line cannot be used; says which, in which column, and what to do.
        ConfigError: the mapping names a column that the file does not have.
        PayloadTooLarge: the file is beyond the limits.
    """
    table = _table(path, mapping)
    columns = mapping.columns

    def text(name: str) -> Text:
        return Text(table[name], path.name, name)

    grid = _grid(text(columns.store), text(columns.date), columns.date_format)
    findings: list[Finding] = []
    measures = {}
    for name in MEASURES:
        if column := getattr(columns, name):
            numbers = text(column).numbers(columns.decimal)
            measures[name] = grid.spread(_without_negatives(numbers, name, findings))
    inputs = {name: grid.spread(text(name).kinds(), 0.0) for name in columns.promo}
    inputs |= {name: grid.spread(text(name).kinds(), 0.0) for name in columns.holidays}
    panel = Panel(
        dates=grid.dates,
        stores=grid.stores,
        measures=measures,
        inputs=inputs,
        planned=_planned(grid, text(columns.open)) if columns.open else None,
        attributes=_attributes(grid, table, columns.attributes),
        size=columns.size,
    )
    gaps = grid.dates.size * len(grid.stores) - len(table)
    if gaps:
        findings.append(Finding("missing_days", "store-days have no line: unknown", gaps))
    return ReadPanel(panel, tuple(findings), len(table))


def _table(path: Path, mapping: LocatedMapping) -> pd.DataFrame:
    columns = mapping.columns
    ragged: list[csv.InvalidRow] = []

    def refuse(row: csv.InvalidRow) -> str:
        ragged.append(row)
        return "skip"  # noted here, refused below: an error of pyarrow would show the line

    try:
        if path.stat().st_size > MAX_BYTES:
            raise PayloadTooLarge("the panel is too large", where=str(path), remedy=_SPLIT)
        names = _header(path, mapping)
        table = csv.read_csv(
            path,
            read_options=csv.ReadOptions(use_threads=False, encoding=columns.encoding),
            parse_options=csv.ParseOptions(
                delimiter=columns.delimiter, invalid_row_handler=refuse, newlines_in_values=False
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=list(dict.fromkeys(name for _, name in columns.keyed())),
                strings_can_be_null=False,
            ),
        )
    except (OSError, pa.ArrowInvalid, UnicodeError, LookupError) as error:
        raise InputError(
            "the panel cannot be read as CSV",
            where=str(path),
            remedy="Check the file, and `delimiter` and `encoding` of the mapping.",
        ) from error
    if ragged:
        first = ragged[0]
        raise InputError(
            f"the line has {first.actual_columns} columns where {first.expected_columns} are"
            f" expected{f', and so have {len(ragged) - 1:,} more lines' if ragged[1:] else ''}",
            where=f"{path.name}, line {first.number}",
            remedy="Correct the line, or set `delimiter` of the mapping.",
        )
    if not table.num_rows:
        raise InputError("the panel has no lines", where=path.name, remedy="Give store-days.")
    frame: pd.DataFrame = table.to_pandas()
    return pd.DataFrame({name: frame[name].str.strip() for name in frame})


def _header(path: Path, mapping: LocatedMapping) -> list[str]:
    columns = mapping.columns
    with path.open(encoding=columns.encoding, newline="") as file:
        first = file.readline(1_000_000).lstrip("\ufeff").rstrip("\r\n")
    names = [name.strip('"') for name in first.split(columns.delimiter)]
    twice = sorted({name for name in names if names.count(name) > 1})
    for key, name in columns.keyed():
        if name not in names:
            raise ConfigError(
                f"{path.name} has no column {name!r}",
                where=mapping.where(*key),
                remedy=f"Choose from: {', '.join(names[:50])}.",
            )
        if name in twice:
            raise InputError(
                f"the column {name!r} comes twice", where=f"{path.name}, line 1",
                remedy="Rename one of them.",
            )  # fmt: skip
    return names


def _grid(store: Text, day: Text, form: str) -> _Grid:
    store.refuse(store.is_missing(), "the store is missing", "Name the store in every line.")
    days = day.days(form)
    dates = pd.date_range(days.min(), days.max(), freq="D")
    codes, names = pd.factorize(store.values, sort=True)
    if len(dates) * len(names) > MAX_CELLS:
        raise PayloadTooLarge(
            f"{len(names):,} stores times {len(dates):,} days are too many",
            where=f"{store.file}, columns {store.name} and {day.name}",
            remedy=f"{_SPLIT} Dates far apart may also be a wrong `date_format`.",
        )
    row = np.asarray((days - dates[0]).days, dtype=np.int64)
    twice = pd.Series(row * len(names) + codes).duplicated()
    store.refuse(twice, "this store and date came before", "Keep one line a store and day.")
    return _Grid(dates, tuple(names), row, np.asarray(codes, dtype=np.int64))


def _without_negatives(numbers: FloatArray, name: str, findings: list[Finding]) -> FloatArray:
    negative = numbers < 0
    if count := int(negative.sum()):
        message = f"{name} below zero: taken as unknown, neither learnt from nor scored"
        findings.append(Finding(f"negative_{name}", message, count))
    return np.where(negative, np.nan, numbers)


def _planned(grid: _Grid, is_open: Text) -> BoolArray:
    return np.asarray(grid.spread(is_open.choices(), 1.0) > 0)


def _attributes(grid: _Grid, table: pd.DataFrame, names: tuple[str, ...]) -> pd.DataFrame:
    """Of each store the value of its last line."""
    if not names:
        return pd.DataFrame(index=list(grid.stores))
    order = np.lexsort((grid.row, grid.column))
    last = pd.Series(order).groupby(grid.column[order]).last().to_numpy()
    return table[list(names)].iloc[last].set_axis(list(grid.stores))
