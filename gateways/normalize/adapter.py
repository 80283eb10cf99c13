"""The base of every adapter: one vendor's bytes in, canonical events and rejections out.

An adapter is one file with one class that reads its vendor's bytes into `Records`.
Everything that must be the same for all vendors happens here and in `assembly`:
ids, versions, stores, timezones, tax, pseudonyms, limits, and the sum
received = accepted + rejected.

Not for transport: how bytes arrive and where they are kept is `intake` and `commit`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from gateways.normalize.assembly import assemble
from gateways.normalize.context import Batch, Context
from gateways.normalize.faults import Reason, Rejected
from gateways.normalize.normalized import Events, Normalized, Result, rejection_rows
from gateways.normalize.records import Records
from tenpo.errors import IntegrityError, PayloadError

Kind = Literal["pos", "iot"]
MAX_RECORDS = 5_000_000


class Adapter(ABC):
    """One vendor. Subclass it, name it, implement `read`, register it in `registry`."""

    name: str
    version: str
    kind: Kind
    media_type: str = "text/csv"
    described: bool = False  # by a spec of the tenant's, not by us

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
        if sum(map(len, records.parts)) > MAX_RECORDS:
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

    def broke(self) -> PayloadError:
        """What the sender is told when a spec breaks on a payload, which is a defect of ours."""
        return PayloadError(
            "reading the payload by this spec broke",
            where=f"spec/{self.name}",
            remedy="The payload is kept. Report it with the spec; sending it again does not help.",
        )

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
        contexts = [context for _, context in deliveries]
        located: dict[str, Events] = {
            part.event: self._events(part, contexts) for part in records.parts
        }
        results = _results(records, len(deliveries), located.values())
        self._check_sums(results)
        for place, error in refusals.items():
            results[place] = Result(1, 0, 0, [refused(error, place)], error)
        told = [one for result in results for one in result.rejected]
        rows = rejection_rows(self.name, self.version, deliveries, told)
        return Normalized(results, {**located, "rejection": rows})

    def _events(self, records: Records, contexts: Sequence[Context]) -> Events:
        faults = records.faults
        batch = Batch(contexts, faults.deliveries)
        table = assemble(records, self.name, self.version, batch)
        return Events(table, faults.deliveries[~faults.bad])

    def _check_sums(self, results: Sequence[Result]) -> None:
        for one in results:
            if one.received != one.accepted + len(one.rejected):
                raise IntegrityError(
                    f"received {one.received}, accepted {one.accepted}, "
                    f"rejected {len(one.rejected)}: these do not add up",
                    where=self.name,
                )


def _results(records: Records, count: int, events: Iterable[Events]) -> list[Result]:
    """What became of each of so many deliveries, over all events."""
    faults = [one.faults for one in (records, *records.others)]
    received = np.sum([one.received(count) for one in faults], axis=0).tolist()
    counted = [np.bincount(one.deliveries, minlength=count) for one in events]
    accepted = np.sum(counted, axis=0).tolist()
    rejected = [
        [one for found in of_delivery for one in found]
        for of_delivery in zip(*(one.rejected(count) for one in faults), strict=True)
    ]
    columns = zip(received, accepted, records.ignored, rejected, strict=True)
    return [Result(*numbers) for numbers in columns]


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
