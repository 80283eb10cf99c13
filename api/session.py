"""Browser sessions: a signed cookie that names a read token by its digest, nothing on the server.

The signature keeps others from naming a token they have never shown; revoking the
token ends its sessions. Not for API clients: they send the token itself.
"""

from __future__ import annotations

import base64
import hmac
import time
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

COOKIE = "tenpo_session"
LIFETIME_S = 30 * 86_400


class Sessions:
    """Makes and reads session cookies.

    Args:
        root: the platform's root secret; the signing key derives from it.
    """

    def __init__(self, root: bytes) -> None:
        kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"tenpo/api-session")
        self._key = kdf.derive(root)

    def issue(self, digest: str, now: float | None = None) -> str:
        """A cookie for the token with this digest."""
        expires = int((time.time() if now is None else now) + LIFETIME_S)
        body = f"{digest}.{expires}"
        return f"{body}.{self._signature(body)}"

    def digest(self, cookie: str, now: float | None = None) -> str | None:
        """The token's digest; None if the cookie is forged, damaged or expired."""
        body, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(self._signature(body).encode(), signature.encode()):
            return None
        digest, _, expires = body.partition(".")
        alive = int(expires) > (time.time() if now is None else now)
        return digest if alive else None

    def _signature(self, body: str) -> str:
        mac = hmac.new(self._key, body.encode(), sha256).digest()
        return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
