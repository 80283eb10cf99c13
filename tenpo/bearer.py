"""Bearer tokens (RFC 6750) of requests, against the masters of the tenant that is named.

Not for what a token may do: each service says that. An unknown tenant and a wrong token get the
same answer, so that nobody learns which tenants there are.
"""

from __future__ import annotations

from tenpo.errors import AuthError
from tenpo.masters import TenantMasters, Token, token_digest


def shown_secret(tenant_id: str | None, authorization: str | None, remedy: str) -> tuple[str, str]:
    """Tenant and secret that a request shows.

    Raises:
        AuthError: it lacks one of them (401).
    """
    scheme, _, secret = (authorization or "").partition(" ")
    if not tenant_id or scheme.lower() != "bearer" or not secret.strip():
        raise AuthError("tenant or token is missing", where="Authorization", remedy=remedy)
    return tenant_id, secret.strip()


def valid_token(masters: TenantMasters, secret: str, remedy: str) -> Token:
    """The token of a secret.

    Args:
        masters: of the tenant; empty where there is no such tenant.
        secret: what was shown.
        remedy: what is said of any other.

    Raises:
        AuthError: there is no such token, or it opens nothing any more (401).
    """
    token = masters.tokens.get(token_digest(secret))
    if token is None or not token.is_valid():
        raise not_valid(remedy)
    return token


def not_valid(remedy: str) -> AuthError:
    """The one answer to a wrong token and to an unknown tenant."""
    return AuthError("the token is not valid", where="Authorization", remedy=remedy)
