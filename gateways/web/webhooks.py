"""Webhooks that vendors sign: whose they are, that they are genuine, and not sent before.

Square signs the address it was given and the body, and its body holds the event's time;
Shopify signs the body alone, and nothing signed says when it was sent. Smaregi signs nothing:
it sends a header with the secret that the app's settings name, and the event's id in another.
So an event is refused by its age where a signed time exists, beyond the time for which
the vendor itself tries again, and what was taken is remembered for that time, by its
signature: headers that name the event are not signed and prove nothing.

The memory is bounded and this process's own. What slips through it is harmless: the same
payload makes the same ids and the same document version, and an old version of an order
never outranks a newer one.

https://developer.squareup.com/docs/webhooks/step3validate
https://shopify.dev/docs/apps/build/webhooks/subscribe/https
https://developers.smaregi.dev/platform-api-reference/common
"""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import orjson

from tenpo.errors import AuthError
from tenpo.masters import Webhook

#: What nobody can have signed with: unknown tenants and vendors cost the same work as known ones.
_NOBODY = b"\x00" * 32
REMEMBERED = 100_000


@dataclass(frozen=True)
class Scheme:
    """How a vendor signs.

    Args:
        header: the header with the signature, in base64.
        window: for how long the vendor sends an event again that was not acknowledged.
        sent_at: when the event was made, by what is signed; None where that is not told.
        signs_url: whether the address it was given comes before the body.
        event_header: names the event, of a vendor that signs nothing and shows the secret
            itself; whoever has that could make up the rest, too.
    """

    header: str
    window: timedelta
    sent_at: Callable[[bytes], datetime | None]
    signs_url: bool = False
    event_header: str | None = None

    def expected(self, row: Webhook | None, secret: bytes, body: bytes) -> bytes:
        """What the header of a genuine webhook holds."""
        if self.event_header is not None:
            return secret
        url = (row.url or "") if row is not None and self.signs_url else ""
        return b64encode(hmac.digest(secret, url.encode() + body, "sha256"))

    def mark(self, signature: str, headers: Mapping[str, str]) -> str | None:
        """What tells one event of a tenant from all others; None where nothing does."""
        return signature if self.event_header is None else headers.get(self.event_header)


def _square_time(body: bytes) -> datetime | None:
    try:
        made = orjson.loads(body)["created_at"]
        moment = datetime.fromisoformat(made)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
    return moment if moment.tzinfo else None


def _untold(body: bytes) -> datetime | None:
    del body
    return None


SCHEMES: Mapping[str, Scheme] = {
    # 24 hours by the newer, 72 by the older page of Square's own documentation (2026-11).
    "square": Scheme(
        "x-square-hmacsha256-signature", timedelta(hours=72), _square_time, signs_url=True
    ),
    "shopify": Scheme("x-shopify-hmac-sha256", timedelta(hours=48), _untold),
    # How long it tries again is not documented; the app names a header of its own (2026-11).
    "smaregi": Scheme(
        "x-tenpo-secret", timedelta(hours=24), _untold, event_header="smaregi-event-id"
    ),
}


def check_signature(
    scheme: Scheme, row: Webhook | None, secret: bytes | None, given: str | None, body: bytes
) -> str:
    """Whether a body is the vendor's, in constant time; returns the signature.

    Args:
        scheme: the vendor's.
        row: the tenant's own; None where it has none, which no signature fits.
        secret: what `row` seals; None likewise.
        given: the header's value.
        body: as it came.

    Raises:
        AuthError: it is not; the same answer whatever is wrong.
    """
    expected = scheme.expected(row, secret or _NOBODY, body)
    fits = hmac.compare_digest(expected, (given or "").encode("utf-8", "replace"))
    if not fits or secret is None:
        raise _not_signed(scheme)
    return expected.decode("ascii")


def shown_signature(scheme: Scheme, headers: Mapping[str, str]) -> str:
    """The signature that a request shows, before its body is read.

    Raises:
        AuthError: it shows none; the same answer as to a wrong one.
    """
    given = headers.get(scheme.header)
    if not given:
        raise _not_signed(scheme)
    return given


def _not_signed(scheme: Scheme) -> AuthError:
    return AuthError(
        "the webhook is not signed with this tenant's secret",
        where=scheme.header,
        remedy="Keep the vendor's secret with: tenpo tenant webhook TENANT VENDOR "
        "--secret-file FILE (and for Square its --url, exactly as the vendor has it).",
    )


def check_age(scheme: Scheme, body: bytes, now: datetime | None = None) -> None:
    """Whether an event is one that its vendor may still send.

    Raises:
        AuthError: it is older than that (403).
    """
    made = scheme.sent_at(body)
    if made is not None and made < (now or datetime.now(UTC)) - scheme.window:
        raise AuthError(
            "the webhook is older than its vendor sends any",
            where=scheme.header,
            remedy="Fetch the order from the vendor and send it to POST /v1/pos/VENDOR.",
            forbidden=True,
        )


class Memory:
    """What was taken, for its vendor's window; the oldest is forgotten first.

    Args:
        limit: how many are remembered at most.
        clock: seconds that only rise.
    """

    def __init__(
        self, limit: int = REMEMBERED, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._limit = limit
        self._clock = clock

    def __len__(self) -> int:
        return len(self._until)

    def knows(self, tenant_id: str, vendor: str, signature: str) -> bool:
        """Whether it was taken before."""
        return self._until.get(_key(tenant_id, vendor, signature), 0.0) > self._clock()

    def remember(self, tenant_id: str, vendor: str, signature: str, window: timedelta) -> None:
        """It is durable now: sent again it needs no more work."""
        key = _key(tenant_id, vendor, signature)
        self._until.pop(key, None)
        self._until[key] = self._clock() + window.total_seconds()
        while len(self._until) > self._limit:
            self._until.popitem(last=False)


def _key(tenant_id: str, vendor: str, signature: str) -> bytes:
    return sha256(f"{tenant_id}\x1f{vendor}\x1f{signature}".encode()).digest()
