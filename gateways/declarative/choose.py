"""Which adapter a spec describes: one of JSON where it has the key `json`, else one of CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from gateways.declarative.adapter import DeclarativeAdapter
from gateways.declarative.json_mapping import JsonMapping
from gateways.declarative.json_spec import JsonSpec
from gateways.declarative.load import located, parse_spec, spec_bytes

SpecAdapter: TypeAlias = DeclarativeAdapter | JsonMapping


def adapter_of(body: bytes, name: str) -> SpecAdapter:
    """The adapter of a spec's bytes.

    Raises:
        ConfigError: the spec is wrong; names line and key.
    """
    document = located(body, name)
    if isinstance(document.value, dict) and "json" in document.value:
        return JsonMapping(document.model(JsonSpec), body)
    return DeclarativeAdapter(parse_spec(body, name), body)


def load_adapter(path: Path) -> SpecAdapter:
    """The adapter of a spec's file.

    Raises:
        ConfigError: not there, or wrong; names line and key.
    """
    return adapter_of(spec_bytes(path), path.name)
