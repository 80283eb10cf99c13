"""Finding a device of the stores file by the id that it sends of itself."""

from __future__ import annotations

from collections.abc import Mapping

from tenpo.masters import Device


def registered(name: str, devices: Mapping[str, Device]) -> Device | None:
    """The device of an id of hex digits, in whichever case either side writes them."""
    found = (devices.get(spelling) for spelling in (name, name.upper(), name.lower()))
    return next((device for device in found if device is not None), None)
