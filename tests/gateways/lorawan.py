"""Uplinks as the network servers send them, made after their documentation. No test of its own."""

from __future__ import annotations

import base64
from typing import Any

EUI = "24E124538B223213"
AT = "2026-11-01T03:15:04.417Z"


def things(payload: str, eui: str = EUI, port: int = 85, **message: Any) -> dict[str, Any]:
    """The Things Stack v3; fields that are zero are left out, as it does."""
    return {
        "end_device_ids": {
            "device_id": "door-east", "application_ids": {"application_id": "shops"},
            "dev_eui": eui, "join_eui": "24E124C0002A0001", "dev_addr": "260B1F2A",
        },
        "correlation_ids": ["gs:uplink:01J"],
        "received_at": "2026-11-01T03:15:04.620Z",
        "uplink_message": {
            "session_key_id": "AY6j0uqsS0Gm5Q==", "f_port": port, "f_cnt": 4711,
            "frm_payload": base64.b64encode(bytes.fromhex(payload)).decode(),
            "rx_metadata": [{"gateway_ids": {"gateway_id": "roof"}, "rssi": -71}],
            "received_at": AT,
            "version_ids": {"brand_id": "milesight-iot", "model_id": "vs133"},
        } | message,
    }  # fmt: skip


def chirpstack(payload: str, eui: str = EUI, port: int = 85, **event: Any) -> dict[str, Any]:
    """ChirpStack v4, event `up`."""
    return {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "time": AT,
        "deviceInfo": {
            "tenantName": "shops", "applicationName": "counters",
            "deviceProfileName": "Milesight VS133", "deviceName": "door-east",
            "devEui": eui.lower(), "tags": {},
        },
        "devAddr": "00189440", "adr": True, "dr": 1, "fCnt": 4711, "fPort": port,
        "confirmed": False, "data": base64.b64encode(bytes.fromhex(payload)).decode(),
        "rxInfo": [{"gatewayId": "0016c001f153a14c", "rssi": -36}],
    } | event  # fmt: skip
