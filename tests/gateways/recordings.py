"""The payloads that the conformance kit ships, for tests to read and to change. No test here."""

from __future__ import annotations

from typing import Any

import orjson

from gateways.conformance.shipped import corpus_of


def recording(vendor: str, name: str) -> bytes:
    """A payload as it is."""
    return (corpus_of(vendor) / name).read_bytes()


def document(vendor: str, name: str) -> Any:
    """A payload of JSON, a new copy each time."""
    return orjson.loads(recording(vendor, name))
