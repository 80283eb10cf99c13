"""Waiting for word of new objects: from PostgreSQL, or from the bucket's notifications."""

from __future__ import annotations

from typing import Protocol

from tenpo.settings import Settings


class HintListener(Protocol):
    """What ingest waits on; one suite of tests runs against both kinds."""

    def wait(self, timeout_s: float) -> bool:
        """Wait for a hint: True on one, False when the time is up. Never raises for a service."""

    def close(self) -> None:
        """Give the connection back."""


def listen(settings: Settings) -> HintListener:
    """The listener that the settings ask for.

    Raises:
        ConfigError: `TENPO_HINTS_URL` cannot be used.
    """
    if settings.hints_url:
        from tenpo.bucket_hints import BucketListener

        return BucketListener(settings.hints_url)
    from tenpo.datamart.hints import Listener

    return Listener(settings.datamart_dsn)
