"""Uplinks as the network servers send them, from the kit's corpus. No test of its own."""

from __future__ import annotations

import base64
from typing import Any

from tests.gateways.recordings import document

EUI = "24E124538B223213"
AT = "2026-11-01T03:15:04.417Z"


def things(payload: str, eui: str = EUI, port: int = 85, **message: Any) -> dict[str, Any]:
    """The Things Stack v3; fields that are zero are left out, as it does."""
    push: dict[str, Any] = document("lorawan", "things-stack.json")
    push["end_device_ids"]["dev_eui"] = eui
    push["uplink_message"] |= {"f_port": port, "frm_payload": _base64(payload)} | message
    return push


def chirpstack(payload: str, eui: str = EUI, port: int = 85, **event: Any) -> dict[str, Any]:
    """ChirpStack v4, event `up`."""
    push: dict[str, Any] = document("lorawan", "chirpstack.json")
    push["deviceInfo"]["devEui"] = eui.lower()
    return push | {"time": AT, "fPort": port, "data": _base64(payload)} | event


def _base64(payload: str) -> str:
    return base64.b64encode(bytes.fromhex(payload)).decode()
