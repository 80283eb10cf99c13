"""Memory that was freed goes back to the machine. Not for what is held (`space`).

The GNU C library keeps what was freed in small pieces, such as the cells of a part, for its own
process (https://man7.org/linux/man-pages/man3/malloc_trim.3.html); elsewhere nothing is done.
"""

from __future__ import annotations

import ctypes

#: Less than this is not worth the walk through all that is free.
WORTH_BYTES = 32 * 1024**2


def give_back() -> None:
    """Give whole free pages back."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
