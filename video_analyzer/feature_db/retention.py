"""How long each store keeps features, from its master. Not for letting them die (`store`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from tenpo.errors import UnknownReference
from tenpo.masters import MasterBook


def retention_of(book: MasterBook, tenant_id: str) -> Mapping[str, timedelta]:
    """The retention of a tenant's stores, by store; none where it has no masters.

    Raises:
        ConfigError: a master cannot be read.
    """
    try:
        stores = book.get(tenant_id).stores
    except UnknownReference:
        return {}
    return {name: timedelta(days=store.retention_days) for name, store in stores.items()}
