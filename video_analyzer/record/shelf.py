"""Finished chunks in the lake, sealed with the tenant's key, until their time is over.

    video/<tenant>/<store>/<camera>/<date>/<begin>.mp4.sealed     what the camera sent
    artifact/<tenant>/video/<store>/<camera>/<begin>.json         what was found in it (`bulk`)

A chunk lies in the clear only in the recorder's own folder, while it is being written.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from tenpo.identifiers import micros
from tenpo.keys import TenantKeys
from tenpo.lake import Lake
from video_analyzer.camera import Camera
from video_analyzer.record.names import chunk_start

_SEALED = ".sealed"


class ChunkShelf:
    """The chunks of one camera.

    Args:
        lake: where they are kept.
        root: the root secret.
        camera: whose.
    """

    def __init__(self, lake: Lake, root: bytes, camera: Camera) -> None:
        self._lake, self._keys = lake, TenantKeys(root, camera.tenant_id)
        self._place = f"{camera.tenant_id}/{camera.store_id}/{camera.camera_id}"
        self._prefix = f"video/{self._place}"

    def take_in(self, path: Path) -> str:
        """Move a finished chunk of the recorder's folder into the lake; its object's name.

        Done twice it makes the same object; the file goes once the object is durable.
        """
        name = self._object(path.name)
        self._lake.put(name, self._keys.seal(path.read_bytes(), name))
        path.unlink()
        return name

    def chunks(self) -> list[str]:
        """Names of the chunks, oldest first."""
        objects = self._lake.names(self._prefix)
        return sorted(one.rsplit("/", 1)[-1].removesuffix(_SEALED) for one in objects)

    def read(self, chunk: str) -> bytes:
        """A chunk in the clear.

        Raises:
            IntegrityError: it is damaged, or was sealed with another key.
        """
        name = self._object(chunk)
        return self._keys.open(self._lake.get(name), name)

    def expire(self, before: datetime) -> list[str]:
        """Delete chunks that began before a moment, and what was found in such; the chunks' names.

        What was found last stays: the next chunk begins with it.
        """
        gone = [one for one in self.chunks() if chunk_start(one) < micros(before)]
        for chunk in gone:
            self._lake.delete(self._object(chunk))
        for chunk in self.results()[:-1]:
            if chunk_start(chunk) < micros(before):
                self._lake.delete(self.result_name(chunk))
        return gone

    def result_name(self, chunk: str) -> str:
        """The object of what was found in a chunk."""
        return f"{self._results}/{Path(chunk).stem}.json"

    def results(self) -> list[str]:
        """Names of the chunks in which has been looked, oldest first."""
        return [f"{Path(one).stem}.mp4" for one in self._lake.names(self._results)]

    @property
    def lake(self) -> Lake:
        """The lake."""
        return self._lake

    @property
    def _results(self) -> str:
        tenant, rest = self._place.split("/", 1)
        return f"artifact/{tenant}/video/{rest}"

    def _object(self, chunk: str) -> str:
        date = f"{chunk[:4]}-{chunk[4:6]}-{chunk[6:8]}"
        return f"{self._prefix}/{date}/{chunk}{_SEALED}"
