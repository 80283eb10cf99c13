"""A drop folder and the jobs of large deliveries on Cloud Storage, by the real clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import fsspec
import orjson
import pyarrow.parquet as pq
import pytest
from pydantic import SecretStr

from gateways.drop.watch import Drop
from gateways.intake.parcels import Intake
from tenpo.lake import Lake
from tenpo.masters import MasterBook
from tenpo.receipts import ReceiptBook, Settled
from tenpo.settings import Settings
from tests.gateways.payloads import MASTERS, POSB, ROOT, TENANT
from tests.google_cloud.fakes import BUCKET, GoogleCloud

pytestmark = pytest.mark.stack

EXCHANGE = f"{BUCKET}/exchange"
#: The same receipts in more bytes than are read before the answer.
LARGE = POSB + b" " * 5_000


@pytest.fixture
def settings(google_cloud: GoogleCloud, datamart_dsn: str, tmp_path: Path) -> Settings:
    assert google_cloud.storage
    made = Settings(
        home=tmp_path, secret_key=SecretStr(ROOT.hex()), lake_url=f"gs://{BUCKET}/intake",
        drop_url=f"gs://{EXCHANGE}", drop_settle_s=0, large_body_bytes=5_000,
        datamart_dsn=datamart_dsn,
    )  # fmt: skip
    book = MasterBook(Lake(made.lake_url))
    book.put(TENANT, "store", MASTERS.store)
    book.put(TENANT, "store_code", MASTERS.store_code)
    return made


@asynccontextmanager
async def committing(intake: Intake) -> AsyncIterator[None]:
    """An intake that commits groups; its worker is told when to look."""
    running = asyncio.create_task(intake.committer.run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await asyncio.to_thread(intake.workroom.close)


def rows(lake: Lake, raw_object: str) -> int:
    """Canonical rows that came of one raw object."""
    stem = raw_object.rpartition("/")[2].removesuffix(".sealed")
    names = [name for name in lake.names(f"canonical/{TENANT}/sale_line") if stem in name]
    return sum(pq.read_table(fsspec.open(f"gs://{lake.path(name)}").open()).num_rows
               for name in names)  # fmt: skip


async def test_what_is_dropped_into_a_bucket_is_taken_and_a_large_file_becomes_a_job(
    settings: Settings,
) -> None:
    bucket = fsspec.filesystem("gcs")
    for name, body in (("small.json", POSB), ("large.json", LARGE), ("half.json.part", POSB)):
        bucket.pipe_file(f"{EXCHANGE}/drop/{TENANT}/pos/posb/{name}", body)
    bucket.pipe_file(f"{EXCHANGE}/drop/{TENANT}/pos/nobody/x.json", POSB)
    intake = Intake(settings)
    async with committing(intake):
        drop = Drop(settings, intake)
        await drop.look()
        await drop.look()
        await asyncio.to_thread(intake.worker.look)
    bucket.invalidate_cache()
    left = [path.rpartition("/")[2] for path in bucket.find(f"{EXCHANGE}/drop")]
    assert left == ["half.json.part"]
    taken = bucket.find(f"{EXCHANGE}/taken")
    notes = {path.partition("_")[2]: orjson.loads(bucket.cat_file(path))
             for path in taken if path.endswith(".receipt.json")}  # fmt: skip
    assert len(taken) == 2 * len(notes) == 4
    assert bucket.cat_file(next(path for path in taken if path.endswith("large.json"))) == LARGE
    (refused,) = [
        path for path in bucket.find(f"{EXCHANGE}/refused") if path.endswith(".reason.json")
    ]
    assert orjson.loads(bucket.cat_file(refused))["remedy"]

    lake = Lake(settings.lake_url)
    small, large = notes["small.json.receipt.json"], notes["large.json.receipt.json"]
    assert (small["accepted"], rows(lake, small["receipt"].partition("#")[0])) == (4, 4)
    assert large["state"] == "queued"
    settled = ReceiptBook(lake).find(TENANT, large["receipt"])
    assert isinstance(settled, Settled)
    assert (settled.state, settled.accepted, settled.rejected) == ("done", 4, 0)
    assert rows(lake, settled.accepted_as.raw_object) == 4
    assert lake.names("job") == []
