"""Publishing payloads over MQTT (QoS 1) until the broker has confirmed them.

Some brokers, killed, lose what they confirmed but had not passed on. So, like the
devices' own retransmission, a sender that lost its connection publishes the last
minute again; the platform knows a repeated interval by its document.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from tenpo.errors import AuthError
from tenpo.simulate.patience import NotYet
from tenpo.simulate.payload import Payload
from tenpo.tenants import TenantTokens

_QOS = 1
_IN_FLIGHT = 32
_REPEATED_S = 60.0
_LINGER_S = 1.0
_CONFIRMED_WITHIN_S = 20.0
_REFUSED = frozenset({"Not authorized", "Bad user name or password"})


class MqttIntake:
    """One tenant's connection to the broker.

    Args:
        url: `mqtt://user:password@host:port` or `mqtts://…`; without a user, the tenant
            and its token are used.
        tokens: the tenant and its token.
    """

    def __init__(self, url: str, tokens: TenantTokens) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 1883)
        self._tenant = tokens.tenant_id
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.username_pw_set(
            parts.username or tokens.tenant_id, parts.password or tokens.send
        )
        self._client.max_inflight_messages_set(_IN_FLIGHT)
        self._client.reconnect_delay_set(1, 4)
        if parts.scheme == "mqtts":
            self._client.tls_set()
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._disconnected
        self._client.on_publish = self._confirmed
        self._waiting: dict[int, asyncio.Future[None]] = {}
        self._recent: deque[tuple[float, Payload]] = deque()
        self._refused = ""
        self._lost = False
        self._loop: asyncio.AbstractEventLoop | None = None

    async def deliver(self, payload: Payload) -> None:
        """Publish once and wait for the confirmation.

        Raises:
            NotYet: there is no connection, or no confirmation came.
            AuthError: the broker refuses the token.
        """
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._client.connect_async(*self._address, keepalive=10)
            self._client.loop_start()
        if self._refused:
            raise AuthError(f"the broker refuses {self._tenant}: {self._refused}")
        if not self._client.is_connected():
            raise NotYet("there is no connection to the broker")
        await self._publish(payload)
        self._remember(payload)

    async def linger(self) -> None:
        """Stay connected for a moment, so that a broker's death just now is noticed."""
        if self._loop is not None:
            await asyncio.sleep(_LINGER_S)

    async def close(self) -> None:
        """Disconnect."""
        if self._loop is not None:
            self._client.disconnect()
            await asyncio.to_thread(self._client.loop_stop)

    async def repeat_lost(self) -> None:
        """After a lost connection: publish again what the broker may have lost with it."""
        if not self._lost:
            return
        if not self._client.is_connected():
            raise NotYet("there is no connection to the broker")
        self._lost = False
        since = time.monotonic() - _REPEATED_S
        try:
            for at, payload in list(self._recent):
                if at >= since:
                    await self._publish(payload)
        except NotYet:
            self._lost = True
            raise

    async def _publish(self, payload: Payload) -> None:
        topic = f"tenpo/{self._tenant}/iot/milesight/{payload.device}"
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        info = self._client.publish(topic, payload.body, qos=_QOS)
        self._waiting[info.mid] = done
        try:
            await asyncio.wait_for(done, _CONFIRMED_WITHIN_S)
        except TimeoutError as error:
            raise NotYet("the broker does not confirm") from error
        finally:
            self._waiting.pop(info.mid, None)

    def _remember(self, payload: Payload) -> None:
        now = time.monotonic()
        self._recent.append((now, payload))
        while self._recent[0][0] < now - _REPEATED_S:
            self._recent.popleft()

    def _settle(self, mid: int) -> None:
        done = self._waiting.pop(mid, None)
        if done is not None and not done.done():
            done.set_result(None)

    # Below: called in paho's own thread.

    def _confirmed(self, client: mqtt.Client, data: Any, mid: int, *_: Any) -> None:
        del client, data
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._settle, mid)

    def _connected(
        self, client: mqtt.Client, data: Any, flags: Any, reason: ReasonCode, *_: Any
    ) -> None:
        del client, data, flags
        if str(reason) in _REFUSED:
            self._refused = str(reason)

    def _disconnected(self, *_: Any) -> None:
        self._lost = True
