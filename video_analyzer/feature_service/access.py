"""Who may ask: tokens of scope `features`, of one store for its device, of a tenant for a person.

A device may recognise who is before its camera, and nothing else; what is held, found, merged
or erased is for people. No token of another scope opens anything here.
"""

from __future__ import annotations

from dataclasses import dataclass

from tenpo import bearer
from tenpo.errors import AuthError, InputError, UnknownReference
from tenpo.masters import MasterBook, Store, TenantMasters

SCOPE = "features"
_REMEDY = "Send X-Tenpo-Tenant and 'Authorization: Bearer TOKEN' of a token of scope features."


@dataclass(frozen=True)
class Caller:
    """Someone who has shown a token.

    Args:
        masters: of the only tenant that the token opens.
        store_id: the only store that it speaks for; None is a person's, of the whole tenant.
    """

    masters: TenantMasters
    store_id: str | None

    @property
    def tenant_id(self) -> str:
        """The tenant."""
        return self.masters.tenant_id

    def require_person(self) -> None:
        """Refuse devices.

        Raises:
            AuthError: the token is of one store (403).
        """
        if self.store_id is not None:
            raise AuthError(
                "the token of a device may only identify",
                where="Authorization",
                remedy="Use a token of the whole tenant.",
                forbidden=True,
            )

    def store_with_faces(self, store_id: str) -> Store:
        """The store that a feature is from.

        Raises:
            AuthError: the token is of another store (403).
            UnknownReference: there is no such store.
            InputError: it runs without faces.
        """
        if self.store_id not in (None, store_id):
            raise AuthError(
                "the token is of another store",
                where="store_id",
                remedy="Use the store's own token.",
                forbidden=True,
            )
        store = self.masters.stores.get(store_id)
        if store is None:
            raise UnknownReference(
                "there is no such store", where="store_id", remedy="Use one of the store master."
            )
        if not store.has_faces:
            raise InputError(
                "the store runs without faces",
                where="store_id",
                remedy="Set has_faces in its master first, if that is lawful there.",
            )
        return store


def not_valid() -> AuthError:
    """The one answer to a wrong token and to an unknown tenant."""
    return bearer.not_valid(_REMEDY)


def caller_of(book: MasterBook, tenant_id: str | None, authorization: str | None) -> Caller:
    """Who asks.

    An unknown tenant and a wrong token get the same answer, so that nobody learns which
    tenants there are.

    Raises:
        AuthError: no tenant or token named, or wrong (401), or of another scope (403).
    """
    tenant, secret = bearer.shown_secret(tenant_id, authorization, _REMEDY)
    try:
        masters = book.get(tenant)
    except UnknownReference:
        masters = TenantMasters(tenant_id=tenant)
    token = bearer.valid_token(masters, secret, _REMEDY)
    if token.scope != SCOPE:
        raise AuthError(
            "the token is not for features", where="Authorization", remedy=_REMEDY, forbidden=True
        )
    return Caller(masters, token.store_id)
