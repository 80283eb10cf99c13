"""The secrets that vendors sign webhooks with: kept in the lake, sealed with the tenant's key.

Unlike a token, such a secret must be known to check a signature, so its hash is not enough.
Not for checking signatures: that is the gateways' work.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import cast

from tenpo.errors import InputError, UnknownReference
from tenpo.identifiers import checked_name
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from tenpo.masters import MasterBook, Webhook
from tenpo.settings import Settings


def seal_webhook(
    keys: TenantKeys, vendor: str, secret: str, url: str | None = None, store_id: str | None = None
) -> Webhook:
    """A secret as the lake keeps it; it opens with these keys and under this vendor only."""
    sealed = keys.seal(secret.encode(), _name(vendor))
    return Webhook(
        vendor=vendor, sealed=b64encode(sealed).decode("ascii"), url=url, store_id=store_id
    )


def open_webhook(keys: TenantKeys, row: Webhook) -> bytes:
    """The secret.

    Raises:
        IntegrityError: it was sealed by another key or for another vendor, or is damaged.
    """
    return keys.open(b64decode(row.sealed), _name(row.vendor))


def keep_webhook(
    settings: Settings, tenant_id: str, vendor: str, secret: str,
    url: str | None = None, store_id: str | None = None,
) -> None:  # fmt: skip
    """Keep a vendor's secret; one kept before stops working.

    Raises:
        InputError: the secret is empty or not plain ASCII.
        UnknownReference: no such tenant or store.
    """
    checked_name("vendor", vendor)
    if not secret or not secret.isascii():
        raise InputError(
            "the secret is empty or not plain text",
            where="--secret-file",
            remedy="Put the vendor's signing secret into the file, and nothing else.",
        )
    book = MasterBook(Lake(settings.lake_url))
    if store_id is not None and store_id not in book.get(tenant_id).stores:
        raise UnknownReference(
            f"{tenant_id} has no store {store_id!r}", where="--store", remedy="Name one of its own."
        )
    keys = TenantKeys(settings.root_secret(), tenant_id)
    _put(book, tenant_id, seal_webhook(keys, vendor, secret, url, store_id))


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
    _put(book, tenant_id, row.model_copy(update={"revoked": True, "sealed": ""}))


def _put(book: MasterBook, tenant_id: str, row: Webhook) -> None:
    book.get(tenant_id)  # there must be such a tenant
    kept = cast("list[Webhook]", book.own(tenant_id, "webhook"))
    book.put(tenant_id, "webhook", [*(one for one in kept if one.vendor != row.vendor), row])


def _name(vendor: str) -> str:
    return f"webhook/{vendor}"
