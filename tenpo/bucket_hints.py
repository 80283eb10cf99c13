"""Hints that objects were registered, from a bucket's own Pub/Sub notifications.

The counterpart of `tenpo.datamart.hints.Listener` where the lake is on Cloud Storage.
Only a hint, too: messages are acknowledged as they are read, for ingest sweeps.

Attributes of such messages: https://cloud.google.com/storage/docs/pubsub-notifications
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tenpo.errors import ConfigError
from tenpo.telemetry import get_logger

if TYPE_CHECKING:
    from google.cloud.pubsub_v1 import SubscriberClient

log = get_logger(__name__)

SCHEME = "pubsub://"
#: Canonical objects are what ingest looks for; those of the raw archive come with them.
PART = "canonical/"
_MESSAGES = 1_000
_PAUSE_S = 0.2  # an answer without messages may come at once


class BucketListener:
    """Waits for notifications of new canonical objects.

    Args:
        url: `pubsub://projects/PROJECT/subscriptions/SUBSCRIPTION`.

    Raises:
        ConfigError: it is no such URL, or there are no credentials.
    """

    def __init__(self, url: str) -> None:
        words = url.removeprefix(SCHEME).split("/")
        if (
            not url.startswith(SCHEME)
            or words[::2] != ["projects", "subscriptions"]
            or not all(words)
        ):
            raise ConfigError(
                f"{url!r} names no subscription",
                where="TENPO_HINTS_URL",
                remedy=f"Write {SCHEME}projects/PROJECT/subscriptions/SUBSCRIPTION.",
            )
        self._subscription = url.removeprefix(SCHEME)
        self._client = _client()

    def wait(self, timeout_s: float) -> bool:
        """Wait for a notification; Pub/Sub being away only means waiting in full.

        Returns:
            True on a notification (several count as one), False when the time is up.
        """
        from google.api_core.exceptions import DeadlineExceeded, GoogleAPICallError, RetryError

        until = time.monotonic() + timeout_s
        while (left := until - time.monotonic()) > 0:
            try:
                if self._take(left):
                    return True
            except DeadlineExceeded:
                return False
            except (GoogleAPICallError, RetryError) as error:
                log.warning("hints are not heard", reason=str(error).strip().split("\n")[0])
                time.sleep(max(until - time.monotonic(), 0))
                return False
            time.sleep(min(_PAUSE_S, max(until - time.monotonic(), 0)))
        return False

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def _take(self, timeout_s: float) -> bool:
        """Take what waits; whether any of it is of a canonical object."""
        answer = self._client.pull(
            subscription=self._subscription,
            max_messages=_MESSAGES,
            timeout=timeout_s,
            retry=None,
        )
        received = answer.received_messages
        if received:
            self._client.acknowledge(
                subscription=self._subscription, ack_ids=[one.ack_id for one in received]
            )
        return any(PART in one.message.attributes.get("objectId", "") for one in received)


def _client() -> SubscriberClient:
    from google.auth.exceptions import DefaultCredentialsError
    from google.cloud.pubsub_v1 import SubscriberClient

    try:
        return SubscriberClient()
    except DefaultCredentialsError as error:
        raise ConfigError(
            "there are no credentials for Pub/Sub",
            where="TENPO_HINTS_URL",
            remedy="Give the process a service account, or set GOOGLE_APPLICATION_CREDENTIALS.",
        ) from error
