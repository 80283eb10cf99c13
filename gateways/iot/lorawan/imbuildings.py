"""Bytes of the IMBuildings People Counter: counts of the last interval, totals, or both.

The first two bytes are type (2) and variant. Variant 5 has counts, 6 counts and totals,
7 totals, 8 neither. On ports 26 and 27 type, variant and device may be left out; then the port
tells the variant (6, 7). Numbers have the highest byte first; places are told from the end, where
all forms agree. Counter A is in, B is out; turn the sensor, or its setting, where it is not.

Table: https://github.com/TheThingsNetwork/lorawan-devices (vendor/imbuildings)
"""

from __future__ import annotations

from gateways.iot.lorawan.decoded import Count, Decoded, big

_PEOPLE = 0x02
_BY_PORT = {26: 6, 27: 7}
_HEAD = 10
#: Length of each variant, its head included.
_LENGTHS = {5: 19, 6: 23, 7: 18, 8: 14}


def decode(payload: bytes, port: int) -> Decoded:
    """The counts of one payload."""
    variant = _BY_PORT.get(port)
    if variant is not None and len(payload) == _LENGTHS[variant] - _HEAD:
        return _counts(payload, variant)
    if len(payload) < 2:
        return Decoded(unread=0)
    if payload[0] != _PEOPLE:
        return Decoded(ignored=1) if variant is None else Decoded(unread=0)
    if _LENGTHS.get(payload[1]) != len(payload):
        return Decoded(unread=0)
    return _counts(payload, payload[1])


def _counts(payload: bytes, variant: int) -> Decoded:
    if variant == 5:
        return Decoded(periods=[_pair(payload[-6:-2])])
    if variant == 6:
        return Decoded(periods=[_pair(payload[-10:-6])], totals=[_pair(payload[-5:-1])])
    if variant == 7:
        return Decoded(totals=[_pair(payload[-4:])])
    return Decoded(ignored=1)


def _pair(data: bytes) -> Count:
    return Count("1", big(data[:2]), big(data[2:4]))
