"""Ingest without an end, on a stream whose every step is told: hints early, late and repeated."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.testing import test_stream
from apache_beam.testing.util import assert_that
from apache_beam.transforms.window import TimestampedValue
from sqlalchemy import text

from beam_jobs.append_once import append_once
from beam_jobs.ingest.stream.job import Hints, stream
from beam_jobs.ingest.stream.transforms import TakeIn
from beam_jobs.ingest.transforms import read_load
from tenpo.contracts import EVENTS
from tenpo.datamart import transaction
from tenpo.errors import InputError, LeaseLost
from tenpo.lake import Lake
from tenpo.settings import Settings
from tenpo.warehouse import Warehouse
from tests.beam_jobs.test_ingest import NIGHT, World, marked
from tests.kernel.warehouse.sales import Receipt

WINDOW_S = 10


@pytest.fixture
def world(warehouse: Warehouse, datamart_dsn: str, tmp_path: Path) -> Iterator[World]:
    more = {"lake_url": f"file://{tmp_path}", "datamart_dsn": datamart_dsn, "home": tmp_path}
    made = World(warehouse.settings.model_copy(update=more))
    yield made
    made.ingest.close()


class ArriveFn(beam.DoFn):
    """The gateway: an object is in the lake before its hint is told."""

    def __init__(self, lake_url: str, objects: dict[str, bytes]) -> None:
        self.lake_url = lake_url
        self.objects = objects

    def process(self, name: str) -> Any:
        if name in self.objects:
            Lake(self.lake_url).put(name, self.objects[name])
        yield name


def test_each_object_comes_once_whenever_its_hint_does(world: World) -> None:
    rows = [Receipt(f"t{n}", at=NIGHT).rows("") for n in range(5)]
    names = [world.put("sale_line", n, lines) for n, lines in enumerate(rows)]
    objects = {name: world.lake.get(name) for name in names}
    for name in names:
        world.lake.delete(name)
    objects[names[3]] = b"damaged"
    hints = (
        test_stream.TestStream()
        .add_elements([TimestampedValue(names[0], 1), TimestampedValue(names[1], 2)])
        .advance_watermark_to(WINDOW_S)
        .add_elements([TimestampedValue(names[0], 11), TimestampedValue(names[3], 12)])
        .advance_watermark_to(2 * WINDOW_S)
        .add_elements([TimestampedValue(names[2], 3)])  # too late for its window
        .add_elements([TimestampedValue("tick", 25)])
        .advance_watermark_to(3 * WINDOW_S)
        .add_elements([TimestampedValue(names[4], 31)])
        .advance_watermark_to_infinity()
    )
    settings = world.ingest.settings.model_copy(update={"follow_interval_s": WINDOW_S})
    options = PipelineOptions(["--runner=BundleBasedDirectRunner", "--streaming"])
    with beam.Pipeline(options=options) as pipeline:
        arrived = pipeline | hints | beam.ParDo(ArriveFn(settings.lake_url, objects))
        tenants = arrived | TakeIn(settings, overdue=timedelta(days=1))
        assert_that(tenants, told_at_least_once(world.tenant))

    assert len(world.days("sale_line")) == 4
    assert objects_of_loads(world) == [1, 1, 2]
    assert len(marked(world.ingest.engine, world.tenant)) == 1
    outcome = world.run()
    assert (outcome.objects, list(outcome.damaged)) == (0, [names[3]])


def told_at_least_once(tenant: str) -> Any:
    def check(told: list[str]) -> None:
        assert tenant in told

    return check


def objects_of_loads(world: World) -> list[int]:
    """How many objects each load had that reached dwh, sorted."""
    asked = text("""SELECT count(*) FROM ingest_object
                    WHERE tenant_id = :tenant AND state = 'conformed' GROUP BY load_id""")
    with transaction(world.ingest.engine) as connection:
        return sorted(connection.execute(asked, {"tenant": world.tenant}).scalars())


def test_loads_that_a_dead_worker_took_along_are_planned_again(world: World) -> None:
    name = world.put("sale_line", 0, Receipt("p0", at=NIGHT).rows(""))
    ingest = world.ingest
    with ingest.lease(wait_s=5) as held:
        (lost,) = ingest.plan(held)
        assert ingest.plan(held) == [], "while it is under way nothing else is begun"
        with transaction(ingest.engine) as connection:
            connection.execute(text("UPDATE ingest_object SET ingested_at = ingested_at - "
                                    "interval '1 hour' WHERE state = 'loading'"))  # fmt: skip
        (again,) = ingest.plan(held)
        assert again.objects == lost.objects == (name,)
        for load in (again, lost):
            rows = read_load(ingest.lake, load)
            parts = ingest.warehouse, ingest.engine, EVENTS["sale_line"], rows, load.load_id
            if load is again:
                append_once(*parts)
            else:
                with pytest.raises(LeaseLost):
                    append_once(*parts)
        assert ingest.conform(held, [lost, again]).objects == 1
        assert ingest.conform(held, [again]).objects == 0, "a bundle that is tried again"
    assert len(world.days("sale_line")) == 1


def test_the_bucket_tells_where_the_runner_can_hear_it() -> None:
    settings = Settings(hints_url="pubsub://projects/my-project/subscriptions/s1")
    sources = {has: transforms(Hints(settings, has_pubsub=has)) for has in (True, False)}
    assert "Hints/Ticks" in sources[True] & sources[False]
    assert "Hints/Notifications" in sources[True] - sources[False]


def transforms(source: Hints) -> set[str]:
    """Names of what a source is made of."""
    pipeline = beam.Pipeline(options=PipelineOptions(["--runner=BundleBasedDirectRunner"]))
    _ = pipeline | "Hints" >> source
    parts = pipeline.to_runner_api().components.transforms.values()
    return {part.unique_name for part in parts}


def test_a_runner_that_waits_for_the_end_is_refused() -> None:
    with pytest.raises(InputError, match="FnApiRunner ends only when its sources do"):
        stream(Settings(), [])
