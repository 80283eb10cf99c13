"""How long the answers of Milesight counters to settings are.

An answer may come in one frame with counts, so its length must be known for what follows
it to be read. What a setting says is of no interest here. Answers of channels FE and FF
have the same lengths; those of F9 are one byte shorter than those of F8, which end with
the result.

Tables: https://github.com/Milesight-IoT/SensorDecoders (vs-series).
"""

from __future__ import annotations

from collections.abc import Mapping

#: (channel, type) to length of the data.
Lengths = Mapping[tuple[int, int], int]

_PLAIN, _EXTENDED, _WITH_RESULT = (0xFE, 0xFF), 0xF9, 0xF8
_RESULT = 1


def _lengths(plain: Mapping[int, int], extended: Mapping[int, int]) -> Lengths:
    """Lengths by channel and type, of lengths by type."""
    return (
        {(channel, kind): length for channel in _PLAIN for kind, length in plain.items()}
        | {(_EXTENDED, kind): length for kind, length in extended.items()}
        | {(_WITH_RESULT, kind): length + _RESULT for kind, length in extended.items()}
    )


VS121_ANSWERS = _lengths(
    {0x03: 2, 0x04: 1, 0x10: 1, 0x35: 8, 0x40: 1, 0x43: 1, 0x44: 1, 0x45: 1, 0x46: 3, 0x48: 1,
     0x50: 1, 0x51: 1, 0x84: 1},
    {0x10: 1, 0x11: 1, 0x3D: 1, 0x85: 2, 0x86: 1, 0x87: 1, 0x88: 1, 0x8B: 1, 0x8C: 1, 0x8D: 4,
     0x8E: 4, 0x90: 6, 0x91: 5, 0x92: 3, 0x93: 1, 0x94: 1, 0x95: 6, 0x96: 3, 0x97: 2, 0x98: 1,
     0x99: 7},
)  # fmt: skip
#: Of VS135, too; VS132 knows a part of them.
VS133_ANSWERS = _lengths(
    {0x03: 2, 0x04: 1, 0x10: 1, 0x11: 4, 0x27: 1, 0x40: 1, 0x42: 1, 0x43: 1, 0x44: 1, 0x51: 1,
     0x68: 1, 0x69: 1, 0x6A: 3, 0x6D: 1},
    {0x84: 3, 0x85: 2, 0x86: 1, 0x87: 1, 0x88: 2},
)  # fmt: skip
VS350_ANSWERS = _lengths(
    {0x06: 9, 0x10: 1, 0x28: 1, 0x35: 8, 0x4A: 1, 0x68: 1, 0x69: 1, 0x6A: 3, 0x6B: 1, 0x6D: 1,
     0x84: 1, 0x8E: 3, 0x96: 8, 0xA6: 1, 0xA7: 2, 0xA8: 1, 0xA9: 1, 0xAA: 1, 0xAB: 3, 0xBD: 2,
     0xEF: 3},
    {0x10: 1},
)  # fmt: skip
