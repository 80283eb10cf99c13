"""Bytes of Milesight counters: VS121, VS132, VS133, VS135 and VS350.

A payload is a row of parts, each one byte of channel, one byte of type, and data of
a length that both together tell, numbers lowest byte first. VS132 sends line 1 of what
VS133 and VS135 send. VS125 has no LoRaWAN: it sends JSON (`gateways.iot.milesight`). Answers
to settings are parts like others; after one of unknown length the payload is not read on,
and that is told.

Tables: https://github.com/Milesight-IoT/SensorDecoders (vs-series).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gateways.iot.lorawan.decoded import Count, Decoded, Decoder, little
from gateways.iot.lorawan.milesight_answers import (
    VS121_ANSWERS,
    VS133_ANSWERS,
    VS350_ANSWERS,
    Lengths,
)

_HISTORY = (0x20, 0xCE)
#: 2000-01-01: what a clock tells before, it tells because it was never set.
_CLOCK_SET = 946_684_800
_SERIAL, _LONG_SERIAL = (0xFF, 0x08), 8
_FIRST_TOTAL, _FIRST_CHILD = 0x03, 0x11
_LINES = 4


@dataclass
class _Parts:
    """Parts as they are found, joined by line at the end."""

    found: Decoded = field(default_factory=Decoded)
    periods: dict[tuple[str, int | None], dict[str, int]] = field(default_factory=dict)
    totals: dict[tuple[str, int | None], dict[str, int]] = field(default_factory=dict)
    at: int | None = None

    def decoded(self) -> Decoded:
        """All parts; a period without its own time has that of the payload."""
        for (line, at), values in self.periods.items():
            when = self.at if at is None else at
            if "entered" in values:
                self.found.periods.append(Count(line, at=when, **values))
            else:  # children alone: the part with everybody comes in a payload of its own
                self.found.ignored += 1
        for (line, at), values in self.totals.items():
            when = self.at if at is None else at
            self.found.totals.append(Count(line, at=when, **values))
        return self.found


Reader = Callable[[_Parts, bytes, int | None], None]


def _period(line: int) -> Reader:
    def read(parts: _Parts, data: bytes, at: int | None) -> None:
        values = parts.periods.setdefault((str(line), at), {})
        values |= {"entered": little(data[:2]), "left": little(data[2:4])}

    return read


def _children(line: int) -> Reader:
    def read(parts: _Parts, data: bytes, at: int | None) -> None:
        parts.periods.setdefault((str(line), at), {})["children"] = little(data[:2])

    return read


def _total(line: int, side: str) -> Reader:
    def read(parts: _Parts, data: bytes, at: int | None) -> None:
        parts.totals.setdefault((str(line), at), {})[side] = little(data)

    return read


def _totals(parts: _Parts, data: bytes, at: int | None) -> None:
    values = parts.totals.setdefault(("1", at), {})
    values |= {"entered": little(data[:2]), "left": little(data[2:4])}


def _time(parts: _Parts, data: bytes, at: int | None) -> None:
    del at
    told = little(data)
    parts.at = told if told >= _CLOCK_SET else None


def _other(parts: _Parts, data: bytes, at: int | None) -> None:
    del data, at
    parts.found.ignored += 1


#: (channel, type) to length of the data and its reader.
Table = dict[tuple[int, int], tuple[int, Reader]]

_DEVICE: Table = {
    (0xFF, kind): (length, _other)
    for kind, length in {0x01: 1, 0x08: 6, 0x09: 2, 0x0A: 2, 0x0B: 1, 0x0F: 1, 0x16: 8, 0x1F: 4,
                         0xFE: 1, 0xFF: 2}.items()
}  # fmt: skip
_VS121: Table = {
    (0x04, 0xC9): (4, _other),  # people in view, and which regions are occupied
    (0x05, 0xCC): (4, _period(1)),
    (0x06, 0xCD): (1, _other),
    (0x07, 0xD5): (8, _other),
    (0x08, 0xD5): (8, _other),
    (0x09, 0xDA): (8, _other),  # flows between regions
    (0x0A, 0xDA): (8, _other),
    (0x0B, 0xDA): (8, _other),
    (0x0C, 0xDA): (8, _other),
    (0x0D, 0xCC): (4, _totals),
    (0x0E, 0xE4): (5, _other),
    (0x0F, 0x85): (4, _time),
    (0x10, 0xF7): (4, _other),  # since 7.0.85, beside 05 CC; adding both would count twice
}
_VS350: Table = {
    (0x01, 0x75): (1, _other),
    (0x03, 0x67): (2, _other),
    (0x04, 0xCC): (4, _totals),
    (0x05, 0xCC): (4, _period(1)),
    (0x0A, 0xEF): (4, _time),
    (0x81, 0xEE): (1, _other),
    (0x83, 0x67): (3, _other),
    (0x84, 0xCC): (5, _totals),  # with an alarm
    (0x85, 0xCC): (5, _period(1)),
    (0xFF, 0xAC): (5, _other),
    (0xFF, 0xAD): (1, _other),
}


def _by_line() -> Table:
    """VS132, VS133, VS135: per line total in, total out, period; then the same for children."""
    table: Table = {
        (0x0F, 0xE3): (4, _other),
        (0x10, 0xE4): (5, _other),
        (0x1D, 0xE3): (4, _other),
        (0x1E, 0xE4): (5, _other),
        (0x50, 0xFC): (3, _other),
    }
    for line in range(1, _LINES + 1):
        total, child = (first + 3 * (line - 1) for first in (_FIRST_TOTAL, _FIRST_CHILD))
        table[total, 0xD2] = (4, _total(line, "entered"))
        table[total + 1, 0xD2] = (4, _total(line, "left"))
        table[total + 2, 0xCC] = (4, _period(line))
        table[child, 0xD2] = (4, _other)
        table[child + 1, 0xD2] = (4, _other)
        table[child + 2, 0xCC] = (4, _children(line))
    return table


_VS133 = _by_line()

#: Type of a history record to length of its data and its reader, after time and type.
History = Mapping[int, tuple[int, Reader]]

_VS121_HISTORY: History = {
    kind: (1 if kind == 0x03 else 5 if kind == 0x11 else 4, _other) for kind in range(0x01, 0x13)
} | {0x02: (4, _period(1)), 0x10: (4, _totals)}
_VS133_HISTORY: History = {
    channel: (length, reader) for (channel, _), (length, reader) in _VS133.items() if length == 4
} | dict.fromkeys((0x10, 0x20, 0x1E, 0x3C), (3, _other))


def _period_and_totals(parts: _Parts, data: bytes, at: int | None) -> None:
    _period(1)(parts, data[:4], at)
    _totals(parts, data[4:], at)


_VS350_HISTORY: History = {0: (4, _period(1)), 1: (8, _period_and_totals)}


def _decoder(table: Table, history: History, answers: Lengths) -> Decoder:
    answered: Table = {head: (length, _other) for head, length in answers.items()}
    known = answered | _DEVICE | table

    def decode(payload: bytes, port: int) -> Decoded:
        """The parts of one payload; the port (85) says nothing."""
        del port
        parts, offset = _Parts(), 0
        while offset < len(payload):
            after = _part(parts, payload, offset, known, history)
            if after is None:
                parts.found.unread = offset
                break
            offset = after
        return parts.decoded()

    return decode


def _part(parts: _Parts, payload: bytes, offset: int, known: Table, history: History) -> int | None:
    """Read one part; where the next one starts, or None when this one cannot be read."""
    head = (payload[offset], payload[offset + 1]) if offset + 2 <= len(payload) else None
    if head is None:
        return None
    if head == _HISTORY:
        return _past(parts, payload, offset + 2, history)
    if head in known:
        length, reader = known[head]
        if head == _SERIAL and _is_long(payload, offset + 2 + length, known):
            length = _LONG_SERIAL
        end = offset + 2 + length
        if end > len(payload):
            return None
        reader(parts, payload[offset + 2 : end], None)
        return end
    return None


def _is_long(payload: bytes, end: int, known: Table) -> bool:
    """Whether a serial number has 8 bytes, as newer ones have: no part begins after the sixth.

    Its bytes are pairs of decimal digits, which no part begins with.
    """
    following = (payload[end], payload[end + 1]) if end + 2 <= len(payload) else None
    return end < len(payload) and following != _HISTORY and following not in known


def _past(parts: _Parts, payload: bytes, offset: int, history: History) -> int | None:
    """A record of the device's memory: its time, its type, its data."""
    if offset + 5 > len(payload) or payload[offset + 4] not in history:
        return None
    length, reader = history[payload[offset + 4]]
    end = offset + 5 + length
    if end > len(payload):
        return None
    reader(parts, payload[offset + 5 : end], little(payload[offset : offset + 4]))
    return end


decode_vs121 = _decoder(_VS121, _VS121_HISTORY, VS121_ANSWERS)
decode_vs133 = _decoder(_VS133, _VS133_HISTORY, VS133_ANSWERS)
decode_vs350 = _decoder(_VS350, _VS350_HISTORY, VS350_ANSWERS)
