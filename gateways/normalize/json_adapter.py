"""The base of adapters of JSON: small payloads, read many at a time.

One pass of the rules over a table costs nearly the same for one row and for a
hundred, so payloads that are committed together are normalised together.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gateways.normalize.adapter import Adapter, check_filled
from gateways.normalize.context import Context
from gateways.normalize.faults import Faults, Reason
from gateways.normalize.normalized import Normalized
from gateways.normalize.records import Records
from tenpo.errors import PayloadError


@dataclass
class Rows:
    """The records of one payload of JSON, not yet columns.

    Args:
        values: the fields of each record.
        positions: where in the payload each of them came from, as its sender would say it.
        faults: position, reason, field and, where it has to be registered, code of what never
            became a row.
        ignored: records that are none of our business.
        readings: the fields of running totals, for `JsonAdapter.readings`.
        reading_positions: where each of those came from.
    """

    values: list[Mapping[str, Any]] = field(default_factory=list)
    positions: list[str] = field(default_factory=list)
    faults: list[tuple[str, Reason, str] | tuple[str, Reason, str, str]] = field(
        default_factory=list
    )
    ignored: int = 0
    readings: list[Mapping[str, Any]] = field(default_factory=list)
    reading_positions: list[str] = field(default_factory=list)


class JsonAdapter(Adapter):
    """One vendor of JSON.

    Implement `rows` (or `rows_under`) and `records`, and `readings` if there are running totals.
    """

    media_type = "application/json"

    def rows(self, body: bytes) -> Rows:
        """The records of one payload.

        Raises:
            PayloadError: the bytes as a whole cannot be read; says where.
        """
        raise NotImplementedError(f"{self.name} has neither rows nor rows_under")

    def rows_under(self, body: bytes, context: Context) -> Rows:
        """`rows`, for adapters that need the tenant's devices or the time of receiving.

        Raises:
            PayloadError: the bytes as a whole cannot be read; says where.
        """
        del context
        return self.rows(body)

    @abstractmethod
    def records(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """The rows as columns; what is wrong with them is marked in the faults."""

    def readings(self, rows: Sequence[Mapping[str, Any]], faults: Faults) -> Records:
        """The running totals as columns of `count_reading`."""
        raise NotImplementedError(f"{self.name} reads no running totals")

    def read(self, body: bytes, context: Context) -> Records:
        """The records of one payload, faults included."""
        return self._gather([self.rows_under(body, context)])

    def normalize_many(self, deliveries: Sequence[tuple[bytes, Context]]) -> Normalized:
        """Canonical events and rejections of payloads of one tenant under the same masters.

        A payload that cannot be read is one rejection, and its result says why.
        """
        found: list[Rows] = []
        refusals: dict[int, PayloadError] = {}
        for place, (body, context) in enumerate(deliveries):
            try:
                check_filled(body)
                found.append(self.rows_under(body, context))
            except PayloadError as error:
                refusals[place] = error
                found.append(Rows())
        return self.finish(self._gather(found), deliveries, refusals)

    def _gather(self, payloads: Sequence[Rows]) -> Records:
        faults = _faults([one.positions for one in payloads])
        for place, one in enumerate(payloads):
            for fault in one.faults:
                faults.add(*fault, delivery=place)
        records = self.records([row for one in payloads for row in one.values], faults)
        records.ignored = [one.ignored for one in payloads]
        readings = [row for one in payloads for row in one.readings]
        if readings:
            places = _faults([one.reading_positions for one in payloads])
            records.others = [self.readings(readings, places)]
        return records


def _faults(positions: Sequence[Sequence[str]]) -> Faults:
    """Rows of deliveries, none of them rejected yet."""
    deliveries = np.repeat(np.arange(len(positions)), [len(one) for one in positions])
    return Faults([position for one in positions for position in one], deliveries)
