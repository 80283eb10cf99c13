"""The base of vendors' APIs: what a webhook names, and how it is fetched."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from gateways.fetch.calls import Calls, Login

#: What ids look like; nothing else gets into an address.
_ID = re.compile(r"[A-Za-z0-9_-]{1,192}")


class VendorApi(ABC):
    """One vendor's API. Implement `ids` and `fetch`."""

    name: str

    def named(self, body: bytes, account: str | None) -> tuple[str, ...]:
        """Ids of documents that a webhook names and does not hold; none where it names none.

        Args:
            body: of the webhook, genuine.
            account: the tenant's there; a webhook of another one names nothing.
        """
        try:
            event = orjson.loads(body)
        except orjson.JSONDecodeError:
            return ()
        found = self.ids(event, account) if isinstance(event, dict) else ()
        return tuple(dict.fromkeys(one for one in found if is_id(one)))

    @abstractmethod
    def ids(self, event: dict[str, Any], account: str | None) -> Iterable[Any]:
        """What may be ids, as the event has them."""

    @abstractmethod
    def fetch(self, calls: Calls, ids: Sequence[str], login: Login) -> bytes:
        """The documents as they are now, as one payload for the vendor's adapter.

        What the vendor does not know is in it, too, as its own answer; the adapter rejects that.

        Raises:
            VendorError: not now.
        """


def is_id(value: Any) -> bool:
    """Whether a value can be a vendor's id."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None
