"""The data key of a tenant: random, kept sealed under the key that derives from the root secret.

One small file a tenant. Rotating the root secret seals it anew and leaves the data as they
are; deleting it makes all of the tenant's features unreadable at once, in every copy.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from tenpo.errors import IntegrityError
from tenpo.keys import wrapping_key
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.sealed import SealedReader, SealedWriter

KEY_FILE = "key.sealed"
_CONTEXT = "key"
_KEY_BYTES = 32


def data_key(disk: Disk, folder: Path, root: bytes, tenant_id: str, *, make: bool) -> bytes:
    """The tenant's data key.

    Args:
        disk: where it lies.
        folder: the tenant's.
        root: the platform's root secret.
        tenant_id: the tenant.
        make: whether a new one may be made where there is none.

    Raises:
        IntegrityError: there is none, or it does not open with this root secret.
    """
    path = folder / KEY_FILE
    wrapping = wrapping_key(root, "features", tenant_id)
    if make and not path.exists():
        _write(disk, path, wrapping, secrets.token_bytes(32))
    try:
        frames = list(SealedReader(path, wrapping, _CONTEXT, whole=True))
    except FileNotFoundError:
        raise IntegrityError(
            "the tenant's data key is missing",
            where=str(path),
            remedy="Restore this file from a backup; without it nothing can be read.",
        ) from None
    if len(frames) != 1 or len(frames[0].plain) != _KEY_BYTES:
        raise IntegrityError("the tenant's data key is not readable", where=str(path))
    return frames[0].plain


def rewrap(disk: Disk, folder: Path, old_root: bytes, new_root: bytes, tenant_id: str) -> None:
    """Seal the data key under a new root secret, in one step."""
    key = data_key(disk, folder, old_root, tenant_id, make=False)
    _write(disk, folder / KEY_FILE, wrapping_key(new_root, "features", tenant_id), key)


def _write(disk: Disk, path: Path, wrapping: bytes, key: bytes) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    writer = SealedWriter(disk, draft, wrapping, _CONTEXT)
    try:
        writer.append(key, final=True)
        writer.sync()
    finally:
        writer.close()
    disk.replace(draft, path)
