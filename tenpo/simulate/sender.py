"""Sending a simulation's payloads as its real senders would: in order, until acknowledged.

Stops and starts of gateway and broker are outlived; when `send` returns, every
payload was acknowledged. A `Journal` lets an interrupted run go on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass

from tenpo.cli.progress import Advance
from tenpo.settings import Settings
from tenpo.simulate.http_intake import Counted, HttpIntake
from tenpo.simulate.journal import Journal
from tenpo.simulate.mqtt_intake import MqttIntake
from tenpo.simulate.patience import Patience
from tenpo.simulate.payload import Payload
from tenpo.simulate.simulation import Simulation
from tenpo.tenants import TenantTokens

CONCURRENCY = 32
SILENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class SendReport:
    """How the sending went.

    Args:
        payloads: acknowledged now; those of an earlier run are not among them.
        skipped: acknowledged in an earlier run.
        size: bytes acknowledged now.
        repeated: how often something had to be sent again.
        counted: the gateway's counts, of what was sent over HTTP.
        seconds: how long it took.
    """

    payloads: int
    skipped: int
    size: int
    repeated: int
    counted: Counted
    seconds: float


def send(
    simulation: Simulation,
    settings: Settings,
    tokens: TenantTokens,
    progress: Advance | None = None,
    journal: Journal | None = None,
    *,
    silence_s: float = SILENCE_S,
) -> SendReport:
    """Send every payload that the journal does not know to be acknowledged.

    Args:
        simulation: what to send.
        settings: where gateway and broker are.
        tokens: the tenant's.
        progress: told of every acknowledged payload.
        journal: remembers what was acknowledged; none sends everything.
        silence_s: give up when nothing is acknowledged for so long.

    Raises:
        ServiceError: gateway or broker stayed away too long.
        InputError, AuthError: a payload or the token was refused.
    """
    delivery = _Delivery(settings, tokens, progress or _nobody, journal, silence_s)
    return asyncio.run(delivery.run(simulation.payloads))


def _nobody(count: int = 1, *, detail: str = "") -> None:
    del count, detail


class _Delivery:
    def __init__(
        self,
        settings: Settings,
        tokens: TenantTokens,
        advance: Advance,
        journal: Journal | None,
        silence_s: float,
    ) -> None:
        self._http = HttpIntake(settings.gateway_url, tokens, CONCURRENCY)
        self._mqtt = MqttIntake(settings.mqtt_url, tokens)
        self._advance = advance
        self._journal = journal
        self._patience = Patience(silence_s, lambda why: advance(0, detail=why))
        self._free = asyncio.Semaphore(CONCURRENCY)
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._sent = self._skipped = self._size = 0

    async def run(self, payloads: Iterable[Payload]) -> SendReport:
        begun = time.monotonic()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._http.close)
            stack.push_async_callback(self._mqtt.close)
            try:
                await self._send_all(payloads)
            except ExceptionGroup as group:
                raise group.exceptions[0] from group
            await self._mqtt.linger()
            await self._patience.insist(self._mqtt.repeat_lost)
        return SendReport(
            payloads=self._sent,
            skipped=self._skipped,
            size=self._size,
            repeated=self._patience.repeated,
            counted=self._http.counted,
            seconds=time.monotonic() - begun,
        )

    async def _send_all(self, payloads: Iterable[Payload]) -> None:
        known = self._journal.names if self._journal else frozenset()
        async with asyncio.TaskGroup() as group:
            for payload in payloads:
                if payload.name in known:
                    self._skipped += 1
                    self._advance()
                    continue
                await self._free.acquire()
                before = self._lanes.get(payload.lane) if payload.lane else None
                task = group.create_task(self._send_one(payload, before))
                if payload.lane:
                    self._lanes[payload.lane] = task
                if payload.first:
                    await task

    async def _send_one(self, payload: Payload, before: asyncio.Task[None] | None) -> None:
        try:
            if before is not None:
                await asyncio.wait([before])
            await self._patience.insist(lambda: self._once(payload))
        finally:
            self._free.release()
        self._sent += 1
        self._size += len(payload.body)
        if self._journal:
            self._journal.acknowledge(payload.name)
        self._advance(detail=f"{payload.due_at:%Y-%m-%d}")

    async def _once(self, payload: Payload) -> None:
        if payload.device is None:
            await self._http.deliver(payload)
        else:
            await self._mqtt.repeat_lost()
            await self._mqtt.deliver(payload)
