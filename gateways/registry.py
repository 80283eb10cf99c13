"""The vendors there are. A new adapter is one more line here."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from gateways.iot.axis import Axis
from gateways.iot.hikvision import Hikvision
from gateways.iot.lorawan.adapter import Lorawan
from gateways.iot.milesight import Milesight
from gateways.iot.terabee import Terabee
from gateways.iot.visits import Visits
from gateways.iot.xovis import Xovis
from gateways.normalize.adapter import Adapter, Kind
from gateways.pos.posa import PosA
from gateways.pos.posb import PosB
from gateways.pos.poslog import PosLog
from gateways.pos.shopify import Shopify
from gateways.pos.smaregi import Smaregi
from gateways.pos.square import Square
from tenpo.errors import UnknownReference

ADAPTERS: tuple[type[Adapter], ...] = (
    PosA,
    PosB,
    PosLog,
    Square,
    Shopify,
    Smaregi,
    Milesight,
    Lorawan,
    Xovis,
    Axis,
    Hikvision,
    Terabee,
    Visits,
)


@cache
def vendors() -> Mapping[str, Adapter]:
    """One adapter of each vendor, by name."""
    made = [adapter() for adapter in ADAPTERS]
    return MappingProxyType({adapter.name: adapter for adapter in made})


def adapter_for(kind: Kind, vendor: str) -> Adapter:
    """The adapter of a vendor.

    Raises:
        UnknownReference: there is none of that name and kind.
    """
    found = vendors().get(vendor)
    if found is None or found.kind != kind:
        known = ", ".join(name for name, adapter in vendors().items() if adapter.kind == kind)
        raise UnknownReference(
            f"there is no {kind} vendor of that name",
            where=f"/v1/{kind}/{vendor[:64]}",
            remedy=f"Use one of {known}, or a spec under /v1/{kind}/spec/NAME.",
        )
    return found
