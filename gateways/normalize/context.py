"""What the base needs to know about deliveries besides their bytes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from gateways.normalize.columns import Column
from gateways.normalize.faults import Places
from gateways.normalize.instants import MOMENT
from tenpo.keys import TenantKeys
from tenpo.masters import TenantMasters


@dataclass(frozen=True)
class Context:
    """Who sent a delivery, when, and for which store.

    Args:
        masters: the tenant's masters.
        keys: the tenant's keys, for pseudonyms.
        received_at: unique and rising within this process; the document version
            of vendors that have none.
        store_hint: the store named with the delivery, for payloads that name none.
        allowed_store: the only store the sender's token may speak for.
    """

    masters: TenantMasters
    keys: TenantKeys
    received_at: datetime
    store_hint: str | None = None
    allowed_store: str | None = None

    @property
    def tenant_id(self) -> str:
        """The tenant."""
        return self.masters.tenant_id


@dataclass(frozen=True)
class Batch:
    """Deliveries of one tenant, under the same masters, whose records are one table.

    What a rule needs of a delivery is a column here, so that the rules are the same for
    one delivery and for many.

    Args:
        contexts: of the deliveries, in their order; at least one.
        deliveries: which of them each row came with.
    """

    contexts: Sequence[Context]
    deliveries: Places

    @property
    def tenant_id(self) -> str:
        """The tenant."""
        return self.contexts[0].tenant_id

    @property
    def masters(self) -> TenantMasters:
        """The tenant's masters."""
        return self.contexts[0].masters

    @property
    def keys(self) -> TenantKeys:
        """The tenant's keys."""
        return self.contexts[0].keys

    @property
    def received_at(self) -> Column:
        """When each row was received."""
        return self._spread([one.received_at for one in self.contexts], MOMENT)

    @property
    def store_hint(self) -> Column:
        """The store named with each row's delivery."""
        return self._spread([one.store_hint for one in self.contexts], pa.string())

    @property
    def allowed_store(self) -> Column:
        """The only store that each row may be of; null means all."""
        return self._spread([one.allowed_store for one in self.contexts], pa.string())

    def slices(self) -> list[slice]:
        """The rows of each delivery; they lie together, in the order of the deliveries."""
        ends = np.searchsorted(self.deliveries, np.arange(len(self.contexts) + 1))
        return [slice(int(a), int(b)) for a, b in pairwise(ends)]

    def _spread(self, values: Sequence[Any], type_: Any) -> Column:
        if len(values) == 1:
            return pa.repeat(pa.scalar(values[0], type_), len(self.deliveries))
        return pa.array(values, type_).take(pa.array(self.deliveries))


class ReceivingClock:
    """Moments that never repeat and never go back, whatever the system's clock does."""

    def __init__(self) -> None:
        self._last = datetime(1970, 1, 1, tzinfo=UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The present moment, at least a microsecond after the one before."""
        with self._lock:
            self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
            return self._last
