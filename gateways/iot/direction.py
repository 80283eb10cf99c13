"""Which way a line counts that a device tells of by its name alone."""

from __future__ import annotations

import re
from typing import Any

_OUTWARD = re.compile(r"(?:^|[\s_\-.])(?:out|exit)$", re.IGNORECASE)


def is_outward(name: Any) -> bool:
    """Whether a line is named for people going out: its name ends in "out" or "exit"."""
    return isinstance(name, str) and _OUTWARD.search(name.strip()) is not None
