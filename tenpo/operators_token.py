"""The operator's token, which opens `/metrics` of every service: their numbers name each tenant.

Not for tenants' tokens (`tenpo.masters`).
"""

from __future__ import annotations

import hmac

from tenpo.errors import AuthError


def require_operator(secret: str, authorization: str | None) -> None:
    """Refuse everybody who does not show the operator's token.

    Args:
        secret: the token; empty opens to nobody.
        authorization: the request's header.

    Raises:
        AuthError: another token, or none (401).
    """
    shown = (authorization or "").encode()
    if not secret or not hmac.compare_digest(shown, f"Bearer {secret}".encode()):
        raise AuthError(
            "the metrics are the operator's",
            where="Authorization",
            remedy="Send the token of TENPO_METRICS_TOKEN, or of secrets/metrics_token.",
        )
