"""Names of chunks: the moment at which each begins, so that they sort by time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

SUFFIX = ".mp4"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAME = "%Y%m%dT%H%M%S.%fZ"


def chunk_name(start_us: int) -> str:
    """The name of a chunk that begins at this moment; names sort by time."""
    return (_EPOCH + timedelta(microseconds=start_us)).strftime(_NAME) + SUFFIX


def chunk_start(name: str) -> int:
    """When a chunk begins, microseconds since 1970.

    Raises:
        ValueError: it is no chunk's name.
    """
    at = datetime.strptime(name.removesuffix(SUFFIX), _NAME).replace(tzinfo=UTC)
    return (at - _EPOCH) // timedelta(microseconds=1)
