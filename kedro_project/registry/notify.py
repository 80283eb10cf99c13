"""Telling a chat channel what became of runs: one JSON a change, `{"text": …}`.

The form is what Slack's incoming webhooks take
(https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks) and Mattermost's too.
The history in the datamart is the outbox: what could not be told now is told with the next run,
for a week. A channel that is away fails no run.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import httpx

from tenpo.datamart import connect, model_event, transaction
from tenpo.datamart.model_event import ModelEvent
from tenpo.errors import ServiceError
from tenpo.settings import Settings
from tenpo.telemetry import get_logger

_TRIES, _BACKOFF_S, _TIMEOUT_S = 3, 0.5, 5.0
log = get_logger(__name__)


def tell(settings: Settings, tenant_id: str, sleep: Callable[[float], None] = time.sleep) -> int:
    """Send what was not yet told, oldest first. Returns how many changes were told.

    Args:
        settings: `models_webhook_url`; without one nothing is sent.
        tenant_id: whose runs.
        sleep: between tries.
    """
    if settings.models_webhook_url is None:
        return 0
    url = settings.models_webhook_url.get_secret_value()
    engine = connect(settings)
    try:
        with transaction(engine) as connection, httpx.Client(timeout=_TIMEOUT_S) as client:
            done: list[int] = []
            for event in model_event.untold(connection, tenant_id):
                if not _posted(client, url, message(event), sleep):
                    log.warning("the models' channel does not take messages; the next run tries "
                                "again", tenant=tenant_id, event_id=event.event_id)  # fmt: skip
                    break
                done.append(event.event_id)
            model_event.told(connection, done)
            return len(done)
    except ServiceError as error:
        log.warning("what became of runs is told with the next one", error=error.what)
        return 0
    finally:
        engine.dispose()


def message(event: ModelEvent) -> str:
    """An event in one line. No figure of a store is in it."""
    when = f"{event.happened_at:%Y-%m-%d %H:%M} UTC"
    note = f": {event.note}" if event.note else ""
    return f"Tenpo models, {event.tenant_id}: run {event.run_id} is {event.state}{note} ({when})"


def _posted(client: httpx.Client, url: str, text: str, sleep: Callable[[float], None]) -> bool:
    """Whether the channel took it; what it refuses for good is not tried again now."""
    for turn in range(_TRIES):
        if turn:
            sleep(_BACKOFF_S * 2 ** (turn - 1))
        try:
            status = client.post(url, json={"text": text}).status_code
        except httpx.HTTPError:
            continue
        except httpx.InvalidURL:
            return False
        if httpx.codes.is_success(status):
            return True
        if status < httpx.codes.INTERNAL_SERVER_ERROR and status != httpx.codes.TOO_MANY_REQUESTS:
            return False
    return False
