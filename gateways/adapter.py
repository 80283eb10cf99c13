"""The base of every adapter: one vendor's bytes in, canonical events and rejections out.

An adapter is one file with one class that reads its vendor's bytes into `Records`.
Everything that must be the same for all vendors happens here and in `assembly`:
ids, versions, stores, timezones, tax, pseudonyms, limits, and the sum
received = accepted + rejected.

Not for transport: how bytes arrive and where they are kept is `intake` and `commit`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from gateways.assembly import assemble
from gateways.context import Batch, Context
from gateways.faults import Reason, Rejected
from gateways.normalized import Events, Normalized, Result, rejection_rows
from gateways.records import Records
from tenpo.errors import IntegrityError, PayloadError

Kind = Literal["pos", "iot"]
MAX_RECORDS = 5_000_000


class Adapter(ABC):
    """One vendor. Subclass it, name it, implement `read`, register it in `registry`."""

    name: str
    version: str
    kind: Kind
    media_type: str = "text/csv"

    @abstractmethod
    def read(self, body: bytes, context: Context) -> Records:
        """The records of one payload, faults included.

        Raises:
            PayloadError: the bytes as a whole cannot be read; says where.
        """

    def normalize(self, body: bytes, context: Context) -> Normalized:
        """Canonical events and rejections of one payload.

        Raises:
            PayloadError: the bytes as a whole cannot be read.
        """
        check_filled(body)
        records = self.read(body, context)
        if len(records) > MAX_RECORDS:
            raise PayloadError(
                f"the payload has more than {MAX_RECORDS:,} records",
                remedy="Send it in parts, each document whole.",
            )
        return self.finish(records, [(body, context)], {})

    def refusal(self, body: bytes, error: PayloadError, context: Context) -> Normalized:
        """A payload that cannot be read at all, as one rejection."""
        rejected = refused(error)
        rows = rejection_rows(self.name, self.version, [(body, context)], [rejected])
        return Normalized([Result(1, 0, 0, [rejected], error)], {"rejection": rows})

    def finish(
        self,
        records: Records,
        deliveries: Sequence[tuple[bytes, Context]],
        refusals: Mapping[int, PayloadError],
    ) -> Normalized:
        """Canonical events and rejections of the records of some deliveries.

        Args:
            records: of all deliveries that could be read.
            deliveries: payloads with their contexts, the unreadable ones among them.
            refusals: why a delivery could not be read, by its place.
        """
        count = len(deliveries)
        faults = records.faults
        batch = Batch([context for _, context in deliveries], faults.deliveries)
        table = assemble(records, self.name, self.version, batch)
        places = faults.deliveries[~faults.bad]
        accepted: list[int] = np.bincount(places, minlength=count).tolist()
        rejected = faults.rejected(count)
        counts = zip(faults.received(count), accepted, records.ignored, rejected, strict=True)
        results = [Result(*numbers) for numbers in counts]
        self._check_sums(results)
        for place, error in refusals.items():
            results[place] = Result(1, 0, 0, [refused(error, place)], error)
        told = [one for result in results for one in result.rejected]
        rows = rejection_rows(self.name, self.version, deliveries, told)
        return Normalized(results, {records.event: Events(table, places), "rejection": rows})

    def _check_sums(self, results: Sequence[Result]) -> None:
        for one in results:
            if one.received != one.accepted + len(one.rejected):
                raise IntegrityError(
                    f"received {one.received}, accepted {one.accepted}, "
                    f"rejected {len(one.rejected)}: these do not add up",
                    where=self.name,
                )


def check_filled(body: bytes) -> None:
    """Whether there is anything to read.

    Raises:
        PayloadError: there is not.
    """
    if not body.strip():
        raise PayloadError("the payload is empty", where="byte 0", remedy="Send its contents.")


def refused(error: PayloadError, delivery: int = 0) -> Rejected:
    """A payload that cannot be read at all, as if it were one record."""
    reason = Reason.UNREADABLE_PAYLOAD
    return Rejected("payload", reason, error.where, str(error), delivery=delivery)
