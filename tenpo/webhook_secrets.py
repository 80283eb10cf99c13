"""The secrets that vendors sign webhooks with: kept in the lake, sealed with the tenant's key.

Unlike a token, such a secret must be known to check a signature, so its hash is not enough.
Not for checking signatures: that is the gateways' work.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import cast

from tenpo.errors import InputError, UnknownReference
from tenpo.identifiers import checked_name
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from tenpo.masters import MasterBook, Webhook
from tenpo.settings import Settings


@dataclass(frozen=True)
class Fetching:
    """What fetches documents that a vendor's webhooks only name.

    Args:
        token: opens the vendor's API: Square's access token, Smaregi's `CLIENT_ID:SECRET`.
        account: the tenant's name there; Smaregi's contract.
    """

    token: str = field(repr=False)
    account: str | None = None


def seal_webhook(
    keys: TenantKeys, vendor: str, secret: str, url: str | None = None,
    store_id: str | None = None, fetching: Fetching | None = None,
) -> Webhook:  # fmt: skip
    """A secret as the lake keeps it; it opens with these keys and under this vendor only."""
    return Webhook(
        vendor=vendor,
        sealed=_sealed(keys, secret, _name(vendor)),
        url=url,
        store_id=store_id,
        token_sealed=_sealed(keys, fetching.token, _token_name(vendor)) if fetching else "",
        account=fetching.account if fetching else None,
    )


def open_webhook(keys: TenantKeys, row: Webhook) -> bytes:
    """The secret.

    Raises:
        IntegrityError: it was sealed by another key or for another vendor, or is damaged.
    """
    return keys.open(b64decode(row.sealed), _name(row.vendor))


def open_token(keys: TenantKeys, row: Webhook) -> bytes:
    """What opens the vendor's API.

    Raises:
        IntegrityError: as `open_webhook`.
    """
    return keys.open(b64decode(row.token_sealed), _token_name(row.vendor))


def keep_webhook(
    settings: Settings, tenant_id: str, vendor: str, secret: str, url: str | None = None,
    store_id: str | None = None, fetching: Fetching | None = None,
) -> None:  # fmt: skip
    """Keep a vendor's secret, and the token to fetch with; those kept before stop working.

    Raises:
        InputError: secret or token is empty or not plain ASCII.
        UnknownReference: no such tenant or store.
    """
    checked_name("vendor", vendor)
    _check_plain(secret, "--secret-file")
    if fetching is not None:
        _check_plain(fetching.token, "--token-file")
    book = MasterBook(Lake(settings.lake_url))
    if store_id is not None and store_id not in book.get(tenant_id).stores:
        raise UnknownReference(
            f"{tenant_id} has no store {store_id!r}", where="--store", remedy="Name one of its own."
        )
    keys = TenantKeys(settings.root_secret(), tenant_id)
    _put(book, tenant_id, seal_webhook(keys, vendor, secret, url, store_id, fetching))


def revoke_webhook(settings: Settings, tenant_id: str, vendor: str) -> None:
    """Take no more webhooks of a vendor; the secret is forgotten.

    Raises:
        UnknownReference: no such tenant, or it has none of that vendor.
    """
    book = MasterBook(Lake(settings.lake_url))
    row = next((one for one in book.get(tenant_id).webhook if one.vendor == vendor), None)
    if row is None:
        raise UnknownReference(
            f"{tenant_id} takes no webhooks of {vendor!r}",
            remedy="Keep its secret first: tenpo tenant webhook TENANT VENDOR --secret-file FILE",
        )
    _put(
        book, tenant_id, row.model_copy(update={"revoked": True, "sealed": "", "token_sealed": ""})
    )


def _put(book: MasterBook, tenant_id: str, row: Webhook) -> None:
    book.get(tenant_id)  # there must be such a tenant
    kept = cast("list[Webhook]", book.own(tenant_id, "webhook"))
    book.put(tenant_id, "webhook", [*(one for one in kept if one.vendor != row.vendor), row])


def _check_plain(secret: str, where: str) -> None:
    if not secret or not secret.isascii():
        raise InputError(
            "the secret is empty or not plain text",
            where=where,
            remedy="Put the vendor's own into the file, and nothing else.",
        )


def _sealed(keys: TenantKeys, secret: str, name: str) -> str:
    return b64encode(keys.seal(secret.encode(), name)).decode("ascii")


def _name(vendor: str) -> str:
    return f"webhook/{vendor}"


def _token_name(vendor: str) -> str:
    return f"webhook/{vendor}/token"
