"""Keys of a tenant: sealing of raw payloads and pseudonyms of people.

Every key derives from the root secret by HKDF-SHA256 (RFC 5869) with purpose and
tenant as its info, so no key is stored and tenants share none.
"""

from __future__ import annotations

import hmac
import os
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tenpo.errors import ConfigError, IntegrityError

_MAGIC = b"TENPO1"
_NONCE_BYTES = 12
_ROOT_BYTES = 32


class TenantKeys:
    """The keys of one tenant.

    Args:
        root: the platform's root secret, at least 32 bytes.
        tenant_id: the tenant.
    """

    def __init__(self, root: bytes, tenant_id: str) -> None:
        if len(root) < _ROOT_BYTES:
            raise ConfigError(
                f"the root secret has {len(root)} bytes",
                where="TENPO_SECRET_KEY",
                remedy="Make one of 32 with: openssl rand -hex 32",
            )
        self._seal = AESGCM(_derive(root, "raw-archive", tenant_id))
        self._pseudonym = _derive(root, "pseudonym", tenant_id)
        self._cached = lru_cache(maxsize=65_536)(self._compute)

    def seal(self, plain: bytes, name: str) -> bytes:
        """Encrypt (AES-256-GCM), bound to the object's name.

        Returns:
            magic, 12-byte nonce, ciphertext with tag.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return _MAGIC + nonce + self._seal.encrypt(nonce, plain, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """Decrypt what `seal` made under the same name.

        Raises:
            IntegrityError: not sealed by this tenant's key, renamed, or damaged.
        """
        start = len(_MAGIC)
        if sealed[:start] != _MAGIC or len(sealed) < start + _NONCE_BYTES:
            raise IntegrityError("the object is not sealed", where=name)
        nonce, body = sealed[start : start + _NONCE_BYTES], sealed[start + _NONCE_BYTES :]
        try:
            return self._seal.decrypt(nonce, body, name.encode())
        except InvalidTag as error:
            raise IntegrityError(
                "the sealed object does not open",
                where=name,
                remedy="Check that TENPO_SECRET_KEY is the one it was written with.",
            ) from error

    def pseudonym(self, kind: str, value: str) -> str:
        """The pseudonym of a customer or member of staff: keyed, not reversible.

        Args:
            kind: `customer` or `staff`; the same number in both gives two pseudonyms.
            value: the vendor's identifier.
        """
        return self._cached(kind, value)

    def _compute(self, kind: str, value: str) -> str:
        message = f"{kind}\x1f{value}".encode()
        found = hmac.digest(self._pseudonym, message, "sha256").hex()
        return f"{kind[0]}_{found[:24]}"


def wrapping_key(root: bytes, purpose: str, tenant_id: str) -> bytes:
    """A 32-byte key of a tenant that seals keys of a room's own, e.g. `features`."""
    return _derive(root, f"wrapping/{purpose}", tenant_id)


def _derive(root: bytes, purpose: str, tenant_id: str) -> bytes:
    info = f"tenpo/{purpose}/{tenant_id}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(root)
