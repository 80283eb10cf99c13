"""Stands for an adapter where nothing can be read, whatever the payload holds.

A body that cannot be opened (a gzip that is cut off, a form without an end), or a kept spec that is
refused by now, since more is asked of specs than when it was kept. The payload is kept
all the same, with one rejection that gives the reason.
"""

from __future__ import annotations

from typing import NoReturn

from gateways.normalize.adapter import Adapter, Kind
from gateways.normalize.context import Context
from gateways.normalize.normalized import Normalized
from tenpo.errors import PayloadError


class Refusing(Adapter):
    """Reads nothing.

    Args:
        name: of the vendor or spec that it stands for.
        kind: of what is sent.
        error: why nothing is read.
        version: of the adapter that it stands for, where there is one.
        media_type: of the bytes as they came.
    """

    described = True

    def __init__(
        self, name: str, kind: Kind, error: PayloadError, version: str = "refused",
        media_type: str = "application/octet-stream",
    ) -> None:  # fmt: skip
        self.name = name
        self.kind = kind
        self.version = version
        self.media_type = media_type
        self._error = error

    def read(self, body: bytes, context: Context) -> NoReturn:
        """Say why not."""
        del body, context
        raise self._error

    def refuse(self, body: bytes, context: Context) -> Normalized:
        """The payload as one rejection."""
        return self.refusal(body, self._error, context)
