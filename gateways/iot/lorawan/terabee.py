"""Bytes of Terabee People Counting L and XL: running totals only, highest byte first.

On port 1: people in (4 bytes), people out (4 bytes), a byte of flags. Port 2 answers a
question for the same totals; all other ports answer settings.

Table: https://github.com/TheThingsNetwork/lorawan-devices (vendor/terabee)
"""

from __future__ import annotations

from gateways.iot.lorawan.decoded import Count, Decoded, big

_COUNTING_PORT, _COUNTS_PORT = 1, 2
_COUNTS_ANSWER = 0x02
_LENGTH = 9


def decode(payload: bytes, port: int) -> Decoded:
    """The totals of one payload."""
    if port == _COUNTING_PORT:
        if len(payload) != _LENGTH:
            return Decoded(unread=0)
        return Decoded(totals=[_count(payload[:8])], ignored=int(payload[8] != 0))
    if port == _COUNTS_PORT and len(payload) == _LENGTH and payload[0] == _COUNTS_ANSWER:
        return Decoded(totals=[_count(payload[1:])])
    return Decoded(ignored=1)


def _count(data: bytes) -> Count:
    return Count("1", big(data[:4]), big(data[4:8]))
