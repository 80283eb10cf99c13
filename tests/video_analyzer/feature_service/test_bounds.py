"""What somebody without a token costs, and somebody who sends too slowly."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.settings import Settings
from tests.video_analyzer.feature_service.conftest import Tokens
from video_analyzer.feature_service.bounds import Bounds
from video_analyzer.feature_service.doors import Doors
from video_analyzer.feature_service.serve import serve


def _status(app: Bounds, headers: dict[str, str], receive: Receive) -> int:
    """Ask, and give the answer's status."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    shown = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
    scope: Scope = {"type": "http", "method": "POST", "path": "/v1/identify", "headers": shown,
                    "query_string": b""}  # fmt: skip
    asyncio.run(app(scope, receive, send))
    status: int = sent[0]["status"]
    return status


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    del scope, receive, send
    raise AssertionError("reached the call")


class _CountingLake(Lake):
    looks = 0

    def names(self, prefix: str) -> list[str]:
        self.looks += 1
        return super().names(prefix)

    def folders(self, prefix: str) -> list[str]:
        self.looks += 1
        return super().folders(prefix)


def test_nobody_known_costs_neither_a_body_nor_a_look_of_their_own(tmp_path: Path) -> None:
    lake = _CountingLake(f"file://{tmp_path}/lake")
    doors = Doors(MasterBook(lake), refusal_s=0, max_age_s=3_600)

    async def receive() -> Message:
        raise AssertionError("read the body")

    app = Bounds(_nothing, doors, idle_s=1)
    assert _status(app, {}, receive) == 401
    assert lake.looks == 0
    for number in range(20):
        headers = {"X-Tenpo-Tenant": f"nobody{number % 15}", "Authorization": "Bearer x"}
        assert _status(app, headers, receive) == 401
    assert lake.looks == 1


def test_a_body_that_never_ends_is_not_waited_for(settings: Settings, tokens: Tokens) -> None:
    async def drip() -> Message:
        await asyncio.sleep(0.001)
        return {"type": "http.request", "body": b" ", "more_body": True}

    doors = Doors(MasterBook(Lake(settings.lake_url)), refusal_s=0)
    app = Bounds(_nothing, doors, idle_s=30, total_s=0.05)
    headers = {"X-Tenpo-Tenant": "a", "Authorization": f"Bearer {tokens['a', None]}"}
    assert _status(app, headers, drip) == 408


def test_connections_are_bounded(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: seen.update(options))
    monkeypatch.setattr("sys.setswitchinterval", lambda _: None)
    serve(settings)
    assert 0 < seen["limit_concurrency"] <= 10_000
