"""Named places where a test may kill the process, to prove that nothing is lost there.

`TENPO_FAILPOINT=intake.after_raw` kills this process (SIGKILL, as a crash would)
when it comes by that place; `name:3` at the third time. Off unless set, and never
in production.
"""

from __future__ import annotations

import os
import signal

_hits: dict[str, int] = {}


def failpoint(name: str) -> None:
    """Die here if `TENPO_FAILPOINT` names this place."""
    wanted = os.environ.get("TENPO_FAILPOINT")
    if not wanted or os.environ.get("TENPO_ENVIRONMENT") == "production":
        return
    place, _, count = wanted.partition(":")
    if place != name:
        return
    _hits[name] = _hits.get(name, 0) + 1
    if _hits[name] >= int(count or 1):
        os.kill(os.getpid(), signal.SIGKILL)
