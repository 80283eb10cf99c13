"""Times that people type."""

from __future__ import annotations

from datetime import UTC, datetime

from tenpo.errors import InputError


def aware(text: str | None) -> datetime | None:
    """A time with its offset, in UTC; nothing gives nothing.

    Raises:
        InputError: it is no ISO 8601 time with an offset.
    """
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise InputError(
            "that is no time with an offset",
            where="--start",
            remedy="Write it as 2026-11-02T10:00:00+09:00.",
        )
    return found.astimezone(UTC)
