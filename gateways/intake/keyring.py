"""The tenants' keys of this process, derived once each, since every request needs them.

Not for children that open files: they derive what they need themselves.
"""

from __future__ import annotations

from functools import lru_cache

from tenpo.keys import TenantKeys

_TENANTS = 1_000


class KeyRing:
    """Keys by tenant, the ones used last.

    Args:
        root: the root secret.
    """

    def __init__(self, root: bytes) -> None:
        self._made = lru_cache(_TENANTS)(lambda tenant_id: TenantKeys(root, tenant_id))

    def of(self, tenant_id: str) -> TenantKeys:
        """The keys of one tenant."""
        return self._made(tenant_id)
