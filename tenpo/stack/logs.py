"""The end of a process's log, for people who must see why it does not run."""

from __future__ import annotations

from pathlib import Path

READ_BYTES = 16_384


def last_lines(path: Path, count: int = 8) -> str:
    """The last lines of a log, empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - READ_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-count:])
