"""Uplinks as network servers wrap them: The Things Stack v3 and ChirpStack v4.

Both put the device's bytes, its port, its frame counter and the time of reception into
JSON, whether they post it or publish it. What the bytes say is the decoders' business.

* https://www.thethingsindustries.com/docs/the-things-stack/concepts/data-formats/ (fields that
  are zero or false are left out)
* https://www.chirpstack.io/docs/chirpstack/integrations/events.html
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gateways.formats.json_text import member


@dataclass(frozen=True)
class Uplink:
    """One uplink.

    Args:
        device: its DevEUI as sent; None where the envelope lacks it.
        session: what tells frame counters of one session from those of the next.
        frame: frame counter, as text.
        port: application port; 0 where there is none.
        payload: bytes of the device; None where they are no base64.
        at: when the network server had it, as text.
        profile: what the envelope says of the kind of device, in lower case.
        field: the envelope's name of the payload, for messages.
    """

    device: Any
    session: str
    frame: str
    port: int
    payload: bytes | None
    at: Any
    profile: str
    field: str


def uplink_of(envelope: Mapping[str, Any]) -> Uplink | None:
    """The uplink of an envelope; None for joins, acknowledgements, simulations and the like."""
    things = envelope.get("uplink_message")
    if isinstance(things, dict):
        return None if envelope.get("simulated") is True else _things(envelope, things)
    if isinstance(envelope.get("deviceInfo"), dict) and "data" in envelope:
        return _chirpstack(envelope)
    return None


def _things(envelope: Mapping[str, Any], message: Mapping[str, Any]) -> Uplink | None:
    ids = envelope.get("end_device_ids")
    if message.get("frm_payload") is None:
        return None
    profile = (member(message, "version_ids", key) for key in ("brand_id", "model_id"))
    return Uplink(
        device=member(ids, "dev_eui"),
        session=_text(message.get("session_key_id") or member(ids, "dev_addr")),
        frame=_text(message.get("f_cnt", "0")),
        port=_port(message.get("f_port")),
        payload=_bytes(message["frm_payload"]),
        at=message.get("received_at") or envelope.get("received_at"),
        profile=" ".join(_text(part) for part in profile).lower(),
        field="uplink_message.frm_payload",
    )


def _chirpstack(envelope: Mapping[str, Any]) -> Uplink:
    info = envelope["deviceInfo"]
    tags = info.get("tags")
    parts = [info.get("deviceProfileName"), member(tags, "model"), member(tags, "brand")]
    return Uplink(
        device=info.get("devEui"),
        session=_text(envelope.get("devAddr")),
        frame=_text(envelope.get("fCnt", "0")),
        port=_port(envelope.get("fPort")),
        payload=_bytes(envelope["data"]),
        at=envelope.get("time"),
        profile=" ".join(_text(part) for part in parts).lower(),
        field="data",
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _port(value: Any) -> int:
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else 0


def _bytes(value: Any) -> bytes | None:
    if not isinstance(value, str):
        return None
    try:
        return base64.b64decode(value, validate=True)
    except ValueError:  # no base64, or not even ASCII
        return None
