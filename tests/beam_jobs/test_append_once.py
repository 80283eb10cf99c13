"""Several attempts at one append: in turn, at once, after a death, and after it was given up."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from sqlalchemy import Engine

from beam_jobs.append_once import append_once
from beam_jobs.ingest.transforms import AppendRawFn, Load, LoadRows
from tenpo.contracts import SALE_LINE
from tenpo.datamart import claim, transaction
from tenpo.errors import LeaseLost
from tenpo.warehouse import Warehouse, seal
from tests.kernel.warehouse.test_append import rows_of, sale_lines


@pytest.fixture
def key() -> str:
    return secrets.token_hex(8)


def attempt(warehouse: Warehouse, engine: Engine, key: str, rows: pa.Table) -> int:
    return append_once(warehouse, engine, SALE_LINE, rows, key)


def test_attempts_in_turn_and_at_once_append_once(
    warehouse: Warehouse, datamart: Engine, key: str
) -> None:
    rows = sale_lines(key, 3)
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: attempt(warehouse, datamart, key, rows), range(4)))
    assert done == [3] * 4
    assert attempt(warehouse, datamart, key, rows) == 3
    assert rows_of(warehouse, key) == 3
    assert attempt(warehouse, datamart, f"{key}-none", rows.slice(0, 0)) == 0


def test_one_that_died_after_its_claim_is_finished(
    warehouse: Warehouse, datamart: Engine, key: str
) -> None:
    rows = sale_lines(key, 3)
    stream = seal(warehouse, SALE_LINE, rows)
    with transaction(datamart) as connection:
        assert claim.claim(connection, key, stream) == stream
        assert claim.claim(connection, key, claim.REFUSED) == stream
    assert rows_of(warehouse, key) == 0
    assert attempt(warehouse, datamart, key, rows) == 3
    assert rows_of(warehouse, key) == 3


def test_what_was_given_up_is_appended_by_nobody(
    warehouse: Warehouse, datamart: Engine, key: str
) -> None:
    with transaction(datamart) as connection:
        assert claim.claim(connection, key, claim.REFUSED) == claim.REFUSED
    with pytest.raises(LeaseLost, match="given this append up"):
        attempt(warehouse, datamart, key, sale_lines(key, 1))
    assert rows_of(warehouse, key) == 0


class DiesOnceFn(AppendRawFn):
    """Fails its first bundle after the commit, as if its worker had died there."""

    deaths: ClassVar[list[str]] = []

    def process(self, item: LoadRows) -> Iterator[Load]:
        yield from super().process(item)
        if not self.deaths:
            self.deaths.append(item.load.load_id)
            raise RuntimeError("dead")


def test_a_bundle_that_failed_after_its_commit_is_tried_again(
    warehouse: Warehouse, datamart_dsn: str, key: str
) -> None:
    load = Load(key, "acme", "sale_line", (), datetime.now(UTC))
    settings = warehouse.settings.model_copy(update={"datamart_dsn": datamart_dsn})
    options = PipelineOptions(["--runner=BundleBasedDirectRunner"])  # which tries again
    with beam.Pipeline(options=options) as pipeline:
        rows = pipeline | beam.Create([LoadRows(load, sale_lines(key, 3))])
        _ = rows | beam.ParDo(DiesOnceFn(settings))
    assert DiesOnceFn.deaths == [key]
    assert rows_of(warehouse, key) == 3


def test_claims_are_forgotten_when_they_are_old(datamart: Engine, key: str) -> None:
    now = datetime.now(UTC)
    with transaction(datamart) as connection:
        claim.claim(connection, key, "s")
        claim.forget(connection, now - timedelta(days=2))
        assert claim.claimed(connection, key) == "s"
        claim.forget(connection, datetime.now(UTC) + timedelta(seconds=1))
        assert claim.claimed(connection, key) is None
