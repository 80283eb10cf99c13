"""What names a BigQuery job: its id, its labels, its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

from google.cloud.bigquery import ArrayQueryParameter, ScalarQueryParameter

from tenpo.errors import InputError

_UNFIT_FOR_ID = re.compile(r"[^A-Za-z0-9_-]+")
_UNFIT_FOR_LABEL = re.compile(r"[^a-z0-9_-]+")
_LABEL_LENGTH = 63
_BAD_BOUND = "Give a value of type str, int, float, bool, Decimal, date or aware datetime."

Parameter = ScalarQueryParameter | ArrayQueryParameter


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work whose statements become BigQuery jobs.

    The same work has the same ids wherever it is run again, so that a successor
    finds what a dead process left running and waits for it.

    Args:
        name: what is done, e.g. `conform`.
        run_id: which run does it.
        tenant_id: for whom; none where it is for all.
        part: which statement of the run; set by `step`.
    """

    name: str
    run_id: str
    tenant_id: str | None = None
    part: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.part}".rstrip()

    def step(self, part: str) -> Job:
        """The same job at one of its statements."""
        return replace(self, part=f"{self.part}-{part}" if self.part else part)

    def job_id(self, statement: str, attempt: int) -> str:
        """A BigQuery job id: letters, digits, `_` and `-`, at most 1,024 of them."""
        mark = blake2b(statement.encode(), digest_size=5).hexdigest()
        words = ("tenpo", self.name, self.run_id, self.part, mark, str(attempt))
        return "-".join(_UNFIT_FOR_ID.sub("_", word)[:200] for word in words if word)

    def table_name(self, purpose: str) -> str:
        """A name for a staging table of this run; the same when it is run again."""
        words = (purpose, self.name, self.run_id, self.tenant_id or "", self.part)
        return re.sub(r"[^A-Za-z0-9_]+", "_", "_".join(word for word in words if word))[:300]

    @property
    def labels(self) -> dict[str, str]:
        """Labels of the BigQuery job, for cost reports."""
        labels = {"app": "tenpo", "job": self.name}
        if self.tenant_id:
            labels["tenant"] = self.tenant_id
        return {k: _UNFIT_FOR_LABEL.sub("_", v.lower())[:_LABEL_LENGTH] for k, v in labels.items()}


@dataclass(frozen=True, slots=True)
class Typed:
    """A parameter whose type cannot be told from its value: null, or an empty list.

    Args:
        type: GoogleSQL type of the value, or of the list's elements.
        value: None, or a list.
    """

    type: str
    value: Any


def parameters(values: Mapping[str, object]) -> list[Parameter]:
    """Python values as typed query parameters."""
    return [_parameter(name, value) for name, value in values.items()]


def _parameter(name: str, value: Any) -> Parameter:
    if isinstance(value, Typed):
        if isinstance(value.value, list | tuple):
            return ArrayQueryParameter(name, value.type, list(value.value))
        return ScalarQueryParameter(name, value.type, value.value)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        if not value:
            raise InputError(
                "the type of an empty list is unknown",
                where=f"@{name}",
                remedy='Give Typed("STRING", []).',
            )
        return ArrayQueryParameter(name, _type_of(name, value[0]), list(value))
    return ScalarQueryParameter(name, _type_of(name, value), value)


def _type_of(name: str, value: object) -> str:
    match value:
        case bool():
            return "BOOL"
        case str():
            return "STRING"
        case int():
            return "INT64"
        case float():
            return "FLOAT64"
        case Decimal():
            return "NUMERIC"
        case datetime() if value.tzinfo is not None:
            return "TIMESTAMP"
        case date() if not isinstance(value, datetime):
            return "DATE"
    raise InputError(f"{value!r} cannot be a parameter", where=f"@{name}", remedy=_BAD_BOUND)
