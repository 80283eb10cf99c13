"""The local MQTT broker: amqtt, with an acknowledgement that can be relied upon.

amqtt acknowledges a message as soon as it lies in memory, so killing the broker loses
what it had promised. Here a QoS 1 message is acknowledged to its publisher only after a
subscriber has acknowledged it, and the gateway does that after its group commit. The
broker then needs no state of its own: what was not acknowledged, the device sends again.
A message nobody subscribes to waits with its publisher.

For one machine and one password on loopback; in production any broker will do.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import signal
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from amqtt.broker import Broker
from amqtt.mqtt.protocol.broker_handler import BrokerProtocolHandler
from amqtt.mqtt.puback import PubackPacket
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import INCOMING

from tenpo.settings import get_settings, local_secret
from tenpo.stack.addresses import MQTT_USER
from tenpo.stack.ports import HOST
from tenpo.telemetry import configure_logging, get_logger

RETRY_S = 0.25
ACKNOWLEDGED_WITHIN_S = 5
REMIND_S = 30.0

log = get_logger(__name__)


class SharedPassword(BaseAuthPlugin):  # type: ignore[misc]
    """One user with one generated password; nobody else gets in."""

    @dataclass
    class Config:
        """Options of the plugin."""

        password: str = ""

    async def authenticate(self, *, session: Any) -> bool:
        """Whether the session's user and password are the stack's."""
        given = f"{session.username}:{session.password}".encode()
        return hmac.compare_digest(given, f"{MQTT_USER}:{self.config.password}".encode())


class ReliableHandler(BrokerProtocolHandler):  # type: ignore[misc]
    """A client's connection; its QoS 1 messages are acknowledged end to end."""

    relay: RelayBroker

    async def _handle_qos1_message_flow(self, app_message: Any) -> None:
        if app_message.direction != INCOMING:
            await super()._handle_qos1_message_flow(app_message)
            return
        if not await self.relay.hand_over(self.session, app_message):
            await self.handle_connection_closed()
            return
        await self._send_packet(PubackPacket.build(app_message.packet_id))


class RelayBroker(Broker):  # type: ignore[misc]
    """amqtt's broker with handlers that wait for the subscriber."""

    async def _initialize_client_session(self, *connection: Any) -> tuple[ReliableHandler, Any]:
        """A connection's handler, made reliable: amqtt 0.12 asks nobody which class to use."""
        handler, session = await super()._initialize_client_session(*connection)
        handler.__class__ = ReliableHandler
        handler.relay = self
        return handler, session

    async def hand_over(self, publisher: Any, message: Any) -> bool:
        """Deliver until at least one subscriber has acknowledged; False for a bad topic.

        Ends by cancellation when the publisher's connection closes.
        """
        topic = message.topic
        if not topic or topic.startswith("$") or "#" in topic or "+" in topic:
            log.warning("topic refused", topic=topic, client=publisher.client_id)
            return False
        waited = 0.0
        while not await self._deliver_once(topic, message.data):
            await asyncio.sleep(RETRY_S)
            waited += RETRY_S
            if waited % REMIND_S < RETRY_S:
                log.warning("no subscriber acknowledges", topic=topic, waited_s=round(waited))
        if message.publish_packet.retain_flag:
            await self.retain_message(publisher, topic, message.data, message.qos)
        return True

    async def _deliver_once(self, topic: str, data: bytes) -> bool:
        sent = [
            handler.mqtt_publish(topic, data, min(qos, 1), False, ACKNOWLEDGED_WITHIN_S)
            for handler, qos in self._subscribers(topic)
        ]
        results = await asyncio.gather(*sent, return_exceptions=True)
        return any(not isinstance(result, BaseException) for result in results)

    def _subscribers(self, topic: str) -> Iterator[tuple[BrokerProtocolHandler, int]]:
        """Connections that want the topic.

        Asked of the connection, not of the session's state: when a client comes back before
        its old connection has ended, amqtt 0.12 marks the session as disconnected for good.
        """
        for pattern, subscriptions in list(self._subscriptions.items()):
            if not self._matches(topic, pattern):
                continue
            for session, qos in subscriptions:
                handler = self._get_handler(session)
                if handler is not None and handler.writer is not None:
                    yield handler, qos


async def serve(port: int, password: str) -> None:
    """Run the broker until SIGTERM or SIGINT."""
    broker = RelayBroker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{port}"}},
            "plugins": {"tenpo.stack.mqtt_broker.SharedPassword": {"password": password}},
        }
    )
    await broker.start()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    log.info("listening", address=f"{HOST}:{port}")
    await stop.wait()
    await broker.shutdown()


def main(port: int) -> None:
    """Start with the settings and the generated password of this stack."""
    settings = get_settings()
    configure_logging(settings)
    for chatty in ("amqtt", "transitions"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    asyncio.run(serve(port, local_secret(settings.home, "mqtt_password")))


if __name__ == "__main__":
    main(int(sys.argv[1]))
