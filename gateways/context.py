"""What the base needs to know about a delivery besides its bytes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tenpo.keys import TenantKeys
from tenpo.masters import TenantMasters


@dataclass(frozen=True)
class Context:
    """Who sent it, when, and for which store.

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
