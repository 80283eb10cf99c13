"""Specs in the lake: `spec/<tenant>/<name>/<stamp>.yaml`, append-only, the newest counts."""

from __future__ import annotations

import time

from gateways.declarative.choose import SpecAdapter, adapter_of
from gateways.normalize.adapter import Adapter, Kind
from gateways.normalize.context import ReceivingClock
from gateways.normalize.refusing import Refusing
from gateways.registry import vendors
from tenpo.errors import ConfigError, InputError, PayloadError, UnknownReference
from tenpo.identifiers import checked_name, micros
from tenpo.lake import Lake

#: Names that were asked for and are not there; of any sender's making.
_MOST_MISSING = 1_000


class SpecShelf:
    """The tenants' specs.

    Args:
        lake: where they lie.
        max_age_s: how long the newest is served from memory.
    """

    def __init__(self, lake: Lake, max_age_s: float = 2.0) -> None:
        self._lake = lake
        self._max_age_s = max_age_s
        self._clock = ReceivingClock()
        self._kept: dict[tuple[str, str], tuple[float, str, SpecAdapter | PayloadError]] = {}
        self._missing: dict[tuple[str, str], float] = {}

    def put(self, tenant_id: str, name: str, body: bytes) -> str:
        """Keep a spec, unless the newest is the same; returns its object.

        Raises:
            PayloadError: the spec is wrong; says line and key.
        """
        checked_name("spec", name)
        adapter = _checked(name, body)
        newest = self._newest(tenant_id, name)
        if newest is not None and self._lake.get(newest) == body:
            return newest
        stored = f"spec/{tenant_id}/{name}/{micros(self._clock.now()):020d}.yaml"
        self._lake.put(stored, body)
        self._kept[(tenant_id, name)] = (time.monotonic(), stored, adapter)
        self._missing.pop((tenant_id, name), None)
        return stored

    def get(self, tenant_id: str, name: str) -> tuple[str, SpecAdapter]:
        """The newest spec of a name: its object, and its adapter.

        Raises:
            UnknownReference: the tenant has none of that name.
            PayloadError: it was kept when less was asked of specs; says line and key.
        """
        stored, found = self._found(tenant_id, name)
        if isinstance(found, PayloadError):
            raise found
        return stored, found

    def _found(self, tenant_id: str, name: str) -> tuple[str, SpecAdapter | PayloadError]:
        """The newest spec of a name, or why it is refused."""
        checked_name("spec", name)
        key, now = (tenant_id, name), time.monotonic()
        kept = self._kept.get(key)
        if kept and now - kept[0] < self._max_age_s:
            return kept[1], kept[2]
        if now - self._missing.get(key, -self._max_age_s) < self._max_age_s:
            raise _no_such(name)
        newest = self._newest(tenant_id, name)
        if newest is None:
            self._miss(key, now)
            raise _no_such(name)
        found = kept[2] if kept and kept[1] == newest else _tried(name, self._lake.get(newest))
        self._kept[key] = (now, newest, found)
        return newest, found

    def _miss(self, key: tuple[str, str], now: float) -> None:
        if len(self._missing) >= _MOST_MISSING:
            self._missing.clear()
        self._missing[key] = now

    def stored(self, stored: str, name: str) -> SpecAdapter:
        """The spec that one object holds, be there newer ones or not.

        Raises:
            PayloadError: it was kept when less was asked of specs; says line and key.
        """
        return _loaded(name, self._lake.get(stored))

    def of_kind(self, tenant_id: str, name: str, kind: Kind) -> tuple[str, Adapter]:
        """The newest spec of a name for payloads of one kind: its object, and its adapter.

        One that is refused by now gives an adapter that refuses: the payload is kept all the same.

        Raises:
            UnknownReference: there is none, or it is of the other kind.
        """
        stored, adapter = self._found(tenant_id, name)
        if isinstance(adapter, PayloadError):
            return stored, Refusing(name, kind, adapter)
        if adapter.kind != kind:
            raise UnknownReference(
                f"the spec makes {adapter.spec.event}",
                where=f"/v1/{kind}/spec/{name}",
                remedy=f"Send to /v1/{adapter.kind}/spec/{name}.",
            )
        return stored, adapter

    def _newest(self, tenant_id: str, name: str) -> str | None:
        names = self._lake.names(f"spec/{tenant_id}/{name}")
        return names[-1] if names else None


def _no_such(name: str) -> UnknownReference:
    return UnknownReference(
        "the tenant has no spec of that name",
        where=f"spec/{name}",
        remedy=f"Put it first: PUT /v1/specs/{name}, or tenpo send --spec FILE.",
    )


def _tried(name: str, body: bytes) -> SpecAdapter | PayloadError:
    try:
        return _loaded(name, body)
    except PayloadError as error:
        return error


def _loaded(name: str, body: bytes) -> SpecAdapter:
    try:
        return adapter_of(body, name)
    except (ConfigError, InputError) as error:
        raise PayloadError(error.what, where=error.where, remedy=error.remedy) from error


def _checked(name: str, body: bytes) -> SpecAdapter:
    adapter = _loaded(name, body)
    if adapter.name != name or name in vendors():
        raise PayloadError(
            f"the spec calls itself {adapter.name!r}",
            where="name",
            remedy="Put it under its own name, one that no vendor has.",
        )
    return adapter
