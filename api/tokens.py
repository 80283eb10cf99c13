"""Read tokens: who may see which tenant's figures. Not for gateways' send tokens."""

from __future__ import annotations

import hmac
import time
from dataclasses import dataclass

from tenpo.errors import TenpoError
from tenpo.masters import MasterBook, Token, token_digest
from tenpo.telemetry import get_logger

RESCAN_S = 2.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reader:
    """Someone who has shown a read token.

    Args:
        tenant_id: the only tenant they see.
        tenant_name: its name for people.
        token_name: the token's name, for logs.
        digest: the token's SHA-256.
        store_id: the only store they see; None is all of the tenant's.
    """

    tenant_id: str
    tenant_name: str
    token_name: str
    digest: str
    store_id: str | None = None


class ReadTokens:
    """Finds the reader behind a token.

    A known token costs one look at its own tenant's masters, so that revoking it acts
    within seconds; only an unknown one makes all tenants be read, at most every two seconds.

    Args:
        book: masters of all tenants.
    """

    def __init__(self, book: MasterBook) -> None:
        self._book = book
        self._tenant_of: dict[str, str] = {}
        self._scanned_at = -RESCAN_S

    def by_secret(self, secret: str) -> Reader | None:
        """The reader whose token this is; None for anything else."""
        return self.by_digest(token_digest(secret))

    def by_digest(self, digest: str) -> Reader | None:
        """The same, by the token's SHA-256."""
        if digest not in self._tenant_of:
            self._scan()
        tenant_id = self._tenant_of.get(digest)
        return None if tenant_id is None else self._of_tenant(tenant_id, digest)

    def _of_tenant(self, tenant_id: str, digest: str) -> Reader | None:
        masters = self._book.get(tenant_id)
        for token in masters.token:
            if _opens(token, digest):
                name = masters.tenant[0].name if masters.tenant else tenant_id
                return Reader(tenant_id, name, token.name, digest, token.store_id)
        return None

    def _scan(self) -> None:
        if time.monotonic() - self._scanned_at < RESCAN_S:
            return
        self._scanned_at = time.monotonic()
        found: dict[str, str] = {}
        for tenant_id in self._book.tenants():
            try:
                tokens = self._book.get(tenant_id).token
            except TenpoError as error:  # one tenant's broken master must not lock the others out
                log.error("masters_unreadable", tenant_id=tenant_id, error=str(error))
                continue
            found |= {t.sha256: tenant_id for t in tokens if t.scope == "read" and t.is_valid()}
        self._tenant_of = found


def _opens(token: Token, digest: str) -> bool:
    return token.scope == "read" and token.is_valid() and hmac.compare_digest(token.sha256, digest)
