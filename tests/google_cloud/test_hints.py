"""A hint wakes ingest, from PostgreSQL or a bucket; silence and failure only cost time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from tenpo.bucket_hints import BucketListener
from tenpo.datamart.hints import Announcer, Listener
from tenpo.errors import ConfigError
from tenpo.hints import HintListener, listen
from tenpo.lake import Lake
from tenpo.settings import Settings
from tests.google_cloud.fakes import BUCKET, GoogleCloud

CANONICAL = "canonical/acme/sale_line/2026-03-29/1.parquet"


@dataclass
class World:
    """A listener, and how an object is registered where it listens."""

    listener: HintListener
    register: Callable[[str], object]


@pytest.fixture(params=["postgresql", "bucket"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    if request.param == "postgresql":
        dsn = request.getfixturevalue("datamart_dsn")
        announcer = Announcer(dsn)
        made = World(listen(Settings(datamart_dsn=dsn)), lambda name: announcer.announce([name]))
        assert isinstance(made.listener, Listener)
    else:
        cloud: GoogleCloud = request.getfixturevalue("google_cloud")
        url = cloud.subscription(request.node.name.replace("[", "-").strip("]"))
        lake = Lake(f"gs://{BUCKET}/here")
        made = World(listen(Settings(hints_url=url)), lambda name: lake.put(name, b"x"))
        assert isinstance(made.listener, BucketListener)
    made.listener.wait(0.05)  # a first wait connects
    yield made
    made.listener.close()


def test_an_object_wakes_the_listener_once(world: World) -> None:
    assert not world.listener.wait(0.3)
    world.register(CANONICAL)
    assert world.listener.wait(20)
    assert not world.listener.wait(0.3)


def test_silence_takes_the_time_that_was_given(world: World) -> None:
    begun = time.monotonic()
    assert not world.listener.wait(0.5)
    assert time.monotonic() - begun >= 0.4


def test_an_object_of_the_raw_archive_is_no_hint(google_cloud: GoogleCloud) -> None:
    listener = BucketListener(google_cloud.subscription("raw-only"))
    lake = Lake(f"gs://{BUCKET}/here")
    lake.put("raw/acme/pos/2026-03-29/1.sealed", b"x")
    assert not listener.wait(1)
    lake.put(CANONICAL, b"x")
    assert listener.wait(20)
    listener.close()


def test_a_subscription_that_is_not_there_costs_only_the_wait(google_cloud: GoogleCloud) -> None:
    assert google_cloud.pubsub
    listener = BucketListener("pubsub://projects/tenpo-test/subscriptions/none")
    begun = time.monotonic()
    assert not listener.wait(0.5)
    assert time.monotonic() - begun >= 0.4
    listener.close()


@pytest.mark.parametrize(
    "url",
    [
        "pubsub://",
        "pubsub://projects/p/topics/t",
        "projects/p/subscriptions/s",
        "pubsub://projects//subscriptions/s",
    ],
)
def test_a_wrong_address_says_how_to_write_it(url: str) -> None:
    with pytest.raises(ConfigError, match="names no subscription") as caught:
        listen(Settings(hints_url=url))
    assert "pubsub://projects/PROJECT" in caught.value.remedy
