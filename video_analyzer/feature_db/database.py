"""All tenants' features under one folder; each tenant has a folder, a key and a writer of its own.

<tenant>/key.sealed                the data key (`keyring`)
         manifest                  which files count (`manifest`)
         log-… part-… identity-…   (`log`, `part`, `identity`)
         proof/ export/            what was erased, and what was taken out
"""

from __future__ import annotations

import os
from pathlib import Path

from tenpo.errors import IntegrityError, UnknownReference
from tenpo.identifiers import checked_name
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.erasure import finish_erasures
from video_analyzer.feature_db.indexes import Tuning
from video_analyzer.feature_db.keyring import KEY_FILE, data_key, rewrap
from video_analyzer.feature_db.manifest import MANIFEST_FILE
from video_analyzer.feature_db.recovery import begin, recover
from video_analyzer.feature_db.store import FeatureStore
from video_analyzer.feature_db.writer import Writer, take_lock

MERGE_ROWS = 1_024


class FeatureDatabase:
    """Opens tenants.

    Args:
        root: the folder.
        secret: the platform's root secret, at least 32 bytes.
        tuning: of the indexes.
        merge_rows: length of a delta from which on it becomes a part.
        disk: where to; another one in tests.
    """

    def __init__(
        self,
        root: Path,
        secret: bytes,
        *,
        tuning: Tuning | None = None,
        merge_rows: int = MERGE_ROWS,
        disk: Disk | None = None,
    ) -> None:
        self._root, self._secret, self._merge_rows = root, secret, merge_rows
        self._tuning, self._disk = tuning or Tuning(), disk or Disk()

    def open_store(self, tenant_id: str) -> FeatureStore:
        """A tenant's features, to read and write; a new tenant has none.

        Raises:
            InputError: no tenant's name.
            ServiceError: another process writes them.
            IntegrityError: its files are damaged, or its key is missing.
        """
        folder = self._folder(tenant_id)
        self._disk.make_folder(folder)
        lock = take_lock(folder)
        try:
            fresh = not (folder / MANIFEST_FILE).exists() and not any(folder.glob("log-*"))
            key = data_key(self._disk, folder, self._secret, tenant_id, make=fresh)
            begin(self._disk, folder, key)
            recovered = recover(folder, key, self._tuning)
        except BaseException:
            os.close(lock)
            raise
        writer = Writer(folder, key, self._disk, self._tuning, recovered, self._merge_rows, lock)
        store = FeatureStore(tenant_id, folder, key, recovered.state, writer)
        try:
            writer.clear()
            finish_erasures(store)
        except BaseException:
            store.close()
            raise
        return store

    def read_store(self, tenant_id: str) -> FeatureStore:
        """A tenant's features as its files are now, beside the process that writes them.

        Raises:
            UnknownReference: the tenant has none.
            IntegrityError: its files are damaged, or its key is missing.
        """
        folder, key = self.sealed_folder(tenant_id)
        state = recover(folder, key, self._tuning).state
        return FeatureStore(tenant_id, folder, key, state, writer=None)

    def sealed_folder(self, tenant_id: str) -> tuple[Path, bytes]:
        """A tenant's folder and the key that opens its files.

        Raises:
            UnknownReference: the tenant has no features.
            IntegrityError: the key is missing or does not open.
        """
        folder = self._folder(tenant_id)
        if not (folder / KEY_FILE).exists() and not (folder / MANIFEST_FILE).exists():
            raise _no_features(tenant_id)
        return folder, data_key(self._disk, folder, self._secret, tenant_id, make=False)

    def rewrap(self, tenant_id: str, old_secret: bytes) -> bool:
        """Seal a tenant's data key under this root secret, where it is under the old one still.

        Returns:
            Whether it had to be done.

        Raises:
            UnknownReference: the tenant has no features.
            ServiceError: another process writes them.
            IntegrityError: the key opens with neither secret.
        """
        folder = self._folder(tenant_id)
        if not (folder / KEY_FILE).exists():
            raise _no_features(tenant_id)
        lock = take_lock(folder)
        try:
            try:
                data_key(self._disk, folder, self._secret, tenant_id, make=False)
            except IntegrityError:
                rewrap(self._disk, folder, old_secret, self._secret, tenant_id)
                return True
            return False
        finally:
            os.close(lock)

    def tenants(self) -> list[str]:
        """The tenants that have features."""
        return sorted(path.parent.name for path in self._root.glob(f"*/{KEY_FILE}"))

    def forget_tenant(self, tenant_id: str) -> None:
        """Delete a tenant's key first, which makes every copy unreadable, then its files."""
        folder = self._folder(tenant_id)
        lock = take_lock(folder)
        try:
            self._disk.remove([folder / KEY_FILE])
            self._disk.remove_tree(folder)
        finally:
            os.close(lock)

    def _folder(self, tenant_id: str) -> Path:
        return self._root / checked_name("tenant", tenant_id)


def _no_features(tenant_id: str) -> UnknownReference:
    """The error of a tenant that has none."""
    return UnknownReference(
        f"the tenant {tenant_id} has no features", remedy="Check the tenant's name."
    )
