"""The gateway over MQTT: `tenpo/{tenant}/iot/{vendor or spec}/{device_id}`, QoS 1.

A message is acknowledged to the broker only after its group commit. What can never
be accepted (no such tenant or vendor, unreadable) is logged and acknowledged, or
the broker would send it for ever. While the lake fails the message is tried again
and stays unacknowledged, so a restart gets it once more. So many, and so much, may be under way;
then nothing more is read from the broker until some of them are durable.
"""

from __future__ import annotations

import asyncio
from collections import deque
from urllib.parse import urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from gateways.intake.access import Grant
from gateways.intake.brake import Brake
from gateways.intake.parcels import Intake, Parcel
from tenpo.errors import ConfigError, InputError, ServiceError
from tenpo.settings import Settings
from tenpo.telemetry import get_logger

log = get_logger(__name__)

CLIENT_ID = "tenpo-gateway"
TOPICS = "tenpo/+/iot/#"
#: Below what the group commit lets wait of one tenant, so that HTTP always finds a place beside it.
MAX_UNDER_WAY = 1_000
#: The part of the memory for bodies that they may take.
_PART = 4
_MAY_NOT_READ = "Give the gateway's user the right to read these topics with QoS 1."
_LOOK_S = 1.0
_FIRST_RETRY_S = 0.5
_LAST_RETRY_S = 30


class MqttIntake:
    """A persistent session with the broker.

    Args:
        settings: of this process; `mqtt_url` may carry user and password.
        intake: where payloads go.
        loop: the event loop the intake runs on.
    """

    def __init__(self, settings: Settings, intake: Intake, loop: asyncio.AbstractEventLoop) -> None:
        self._intake = intake
        self._loop = loop
        self._max_body = settings.max_body_bytes
        self._url = urlsplit(settings.mqtt_url)
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2, CLIENT_ID, clean_session=False, manual_ack=True
        )
        if self._url.username:
            self._client.username_pw_set(self._url.username, self._url.password)
        if self._url.scheme == "mqtts":
            self._client.tls_set()
        self._client.reconnect_delay_set(1, _LAST_RETRY_S)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._tasks: set[asyncio.Task[None]] = set()
        self._under_way: dict[tuple[str, bytes], list[tuple[int, int]]] = {}
        self._arrived: deque[tuple[int, paho.MQTTMessage]] = deque()
        self._called = False
        self._connection = 0
        self._brake = Brake(MAX_UNDER_WAY, settings.max_bodies_bytes // _PART)
        self._subscribed = False
        self._stopping = False

    @property
    def connected(self) -> bool:
        """Whether the broker answers, and lets us have the messages with QoS 1."""
        return self._client.is_connected() and self._subscribed

    def start(self) -> None:
        """Connect in the background and keep trying: HTTP does not wait for the broker."""
        secure = self._url.scheme == "mqtts"
        port = self._url.port or (8883 if secure else 1883)
        self._client.connect_async(self._url.hostname or "127.0.0.1", port, keepalive=30)
        self._client.loop_start()

    def stop(self) -> None:
        """Leave the broker; it keeps what was not acknowledged."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        self._client.disconnect()
        self._client.loop_stop()

    def _on_connect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del userdata, flags, properties
        if reason.is_failure:
            log.warning("mqtt_refused", reason=str(reason))
            return
        # A new connection may give a message's number to another one: never answer for the old.
        self._connection += 1
        self._subscribed = False
        client.subscribe(TOPICS, qos=1)
        log.info("mqtt_connected")

    def _on_subscribe(
        self,
        client: paho.Client,
        userdata: object,
        mid: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        """A broker may grant less than was asked for, or nothing, and stay connected."""
        del client, userdata, mid, properties
        self._subscribed = all(one.value == 1 for one in reasons)
        if not self._subscribed:
            told = [str(one) for one in reasons]
            log.error("mqtt_not_subscribed", topics=TOPICS, reasons=told, remedy=_MAY_NOT_READ)

    def _on_disconnect(
        self,
        client: paho.Client,
        userdata: object,
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, flags, properties
        self._connection += 1
        log.warning("mqtt_disconnected", reason=str(reason))

    def _on_message(self, client: paho.Client, userdata: object, message: paho.MQTTMessage) -> None:
        del client, userdata
        while not self._brake.enter(len(message.payload), _LOOK_S):
            if self._stopping:
                return
        self._arrived.append((self._connection, message))
        if not self._called:  # the loop is woken once for all that come at once
            self._called = True
            self._loop.call_soon_threadsafe(self._begin_arrived)

    def _begin_arrived(self) -> None:
        self._called = False
        while self._arrived:
            self._begin(*self._arrived.popleft())

    def _begin(self, connection: int, message: paho.MQTTMessage) -> None:
        """Take a message, or join it to its equal under way: brokers repeat what waits."""
        key = (message.topic, bytes(message.payload))
        waiting = self._under_way.get(key)
        if waiting is not None:
            waiting.append((connection, message.mid))
            return
        self._under_way[key] = [(connection, message.mid)]
        task = self._loop.create_task(self._settle(key, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, key: tuple[str, bytes], message: paho.MQTTMessage) -> None:
        try:
            settled = await self._take(message)
        finally:
            copies = self._under_way.pop(key)
            self._brake.leave(len(copies), len(copies) * len(message.payload))
        for connection, mid in copies if settled else ():
            if connection == self._connection:
                self._client.ack(mid, message.qos)

    async def _take(self, message: paho.MQTTMessage) -> bool:
        """One message, until it is durable or can never be; False after a defect of ours."""
        delay = _FIRST_RETRY_S
        while True:
            try:
                await self._receive(message)
                return True
            except InputError as error:
                log.warning("mqtt_rejected", error=error.what, where=error.where)
                return True
            except (ServiceError, ConfigError) as error:  # a master of ours may be wrong, too
                log.warning("mqtt_waits", error=error.what, seconds=delay)
            except Exception as error:  # a defect of ours must not stop the other messages
                log.error("mqtt_failed", error=type(error).__name__)
                return False
            await asyncio.sleep(delay)
            delay = min(2 * delay, _LAST_RETRY_S)

    async def _receive(self, message: paho.MQTTMessage) -> None:
        try:
            parcel = await self._parcel(message)
        except InputError:
            self._intake.metrics.count_refused_message()
            raise
        done = await self._intake.receive(parcel)
        if done["rejected"]:
            codes = sorted({one["reason_code"] for one in done["rejections"]})
            log.warning("mqtt_records_rejected", tenant=parcel.grant.masters.tenant_id,
                        rejected=done["rejected"], reasons=codes)  # fmt: skip

    async def _parcel(self, message: paho.MQTTMessage) -> Parcel:
        """A message as a payload.

        Raises:
            InputError: nobody is known who could take it, or it is too large; it is not kept.
        """
        tenant, form = address_of(message.topic)
        if len(message.payload) > self._max_body:
            raise InputError("the message is too large", where="topic", remedy="Send less at once.")
        masters = await self._intake.access.masters(tenant)
        stored, adapter = await self._intake.form(tenant, "iot", form)
        return Parcel(Grant(masters, None), adapter, bytes(message.payload), None, stored)


def address_of(topic: str) -> tuple[str, str]:
    """Tenant, and vendor or spec, of `tenpo/TENANT/iot/VENDOR/DEVICE`.

    The subscription lets `iot` through alone. Levels after the device say nothing: bridges from a
    network server's own topics leave some there.

    Raises:
        InputError: there are too few levels.
    """
    parts = topic.split("/")
    if len(parts) < 5:
        raise InputError(
            "the topic is not tenpo/TENANT/iot/VENDOR/DEVICE",
            where="topic",
            remedy="Correct the device's topic.",
        )
    return parts[1], parts[3]
