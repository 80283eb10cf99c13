"""Columns of text to figures: what cannot be read is refused with file, line and column.

Messages never show a value: it may be confidential.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kedro_project.panel.panel import FloatArray
from tenpo.errors import InputError

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-"})
_NO = frozenset({"0", "0.0", "false", "no", "n", "f", "closed", *MISSING})
_YES = frozenset({"1", "1.0", "true", "yes", "y", "t", "open"})


@dataclass(frozen=True)
class Text:
    """A column of a file as text, blanks trimmed.

    Args:
        values: one a line.
        file: the file's name.
        name: the column's.
    """

    values: pd.Series
    file: str
    name: str

    def refuse(self, bad: pd.Series, what: str, remedy: str) -> None:
        """Refuse the file for the first bad line, counting the others.

        Raises:
            InputError: unless no line is bad.
        """
        if not bad.any():
            return
        first, more = int(np.flatnonzero(bad)[0]), int(bad.sum()) - 1
        raise InputError(
            what + (f", and so are {more:,} more lines" if more else ""),
            where=f"{self.file}, line {first + 2}, column {self.name}",
            remedy=remedy,
        )

    def is_missing(self) -> pd.Series:
        """Where nothing is said."""
        return self.values.str.lower().isin(MISSING)

    def numbers(self, decimal: str) -> FloatArray:
        """Numbers, NaN where nothing is said.

        Raises:
            InputError: a value is no finite number.
        """
        text = self.values
        if decimal == ",":
            text = text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        numbers = pd.to_numeric(text, errors="coerce").astype("float64")
        bad = ~pd.Series(np.isfinite(numbers.to_numpy())) & ~self.is_missing()
        self.refuse(
            bad,
            "this is no number",
            "Write plain numbers, empty where unknown; `decimal` of the mapping says whether "
            "a point or a comma parts the fraction.",
        )
        return np.asarray(numbers.to_numpy(dtype=np.float64, copy=True))

    def days(self, form: str) -> pd.DatetimeIndex:
        """Dates.

        Raises:
            InputError: a value is no date of that form.
        """
        days = pd.to_datetime(self.values, format=form, errors="coerce")
        self.refuse(
            days.isna(),
            f"this is no date of the form {form}",
            "Correct the line, or set `date_format` of the mapping.",
        )
        return pd.DatetimeIndex(days).normalize()

    def choices(self) -> FloatArray:
        """1 where the value says yes, 0 where it says no.

        Raises:
            InputError: a value says neither.
        """
        lower = self.values.str.lower()
        yes, no = lower.isin(_YES), lower.isin(_NO)
        self.refuse(~(yes | no), "this is neither yes nor no", "Write 1 or 0.")
        return np.asarray(yes.to_numpy(dtype=np.float64))

    def kinds(self) -> FloatArray:
        """0 where there is nothing, else a number for each kind, by alphabet from 1 on.

        Numbers above 1 stay numbers, as a discount of 20.
        """
        lower = self.values.str.lower()
        nothing = lower.isin(_NO)
        numbers = pd.to_numeric(lower, errors="coerce")
        if (nothing | np.isfinite(numbers)).all():
            return np.where(nothing, 0.0, numbers.to_numpy(dtype=np.float64))
        names = {name: n for n, name in enumerate(sorted(set(lower[~nothing])), start=1)}
        return np.asarray(lower.map(names).fillna(0).to_numpy(dtype=np.float64))
