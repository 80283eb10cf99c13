"""A spec as an adapter, like any other."""

from __future__ import annotations

from gateways.declarative.engine import SpecReader
from gateways.declarative.load import parse_spec
from gateways.declarative.spec import Spec
from gateways.normalize.adapter import Adapter, Kind
from gateways.normalize.context import Context
from gateways.normalize.records import Records
from tenpo.identifiers import digest

_VERSION_DIGITS = 12
#: Raised when the same bytes by the same spec give other rows.
_READING = "3"


class DeclarativeAdapter(Adapter):
    """The adapter that a spec describes. Its version is a digest of the spec and its reading."""

    described = True

    def __init__(self, spec: Spec, body: bytes) -> None:
        self.spec = spec
        self.body = body
        self.name = spec.name
        self.version = digest(_READING, body.hex())[:_VERSION_DIGITS]
        self.kind: Kind = "pos" if spec.event == "sale_line" else "iot"

    @classmethod
    def of(cls, body: bytes, name: str) -> DeclarativeAdapter:
        """The adapter of a spec's bytes.

        Raises:
            ConfigError: the spec is wrong; names line and key.
        """
        return cls(parse_spec(body, name), body)

    def read(self, body: bytes, context: Context) -> Records:
        """Rows as the spec says."""
        return SpecReader(self.spec, body, context.received_at).records()
