"""Large deliveries as the API tells them: the reader's own, open ones first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from api.routes import receipts
from tenpo.datamart import connect
from tenpo.datamart.lease import lease
from tenpo.lake import Lake
from tenpo.receipts import Accepted, ReceiptBook
from tenpo.settings import Settings
from tests.api.conftest import bearer
from tests.api.deliveries import accepted, settled


@pytest.fixture(scope="module")
def engine(settings: Settings) -> Iterator[Engine]:
    made = connect(settings)
    yield made
    made.dispose()


@pytest.fixture(scope="module")
def jobs(settings: Settings) -> list[Accepted]:
    book = ReceiptBook(Lake(settings.lake_url))
    made = [accepted(number, "corner" if number == 1 else None) for number in range(4)]
    for job in made:
        book.accept(job)
    book.settle(settled(made[0]))
    book.settle(settled(made[1], failed=True))
    return made


def test_open_ones_come_first_then_the_newest(
    client: TestClient, jobs: list[Accepted], engine: Engine
) -> None:
    with lease(engine, jobs[2].lease_name, holder="worker", seconds=30):
        found = client.get("/v1/receipts", headers=bearer("corner")).json()["receipts"]
    assert [(one["receipt"], one["state"], one["attempts"]) for one in found] == [
        (jobs[3].receipt, "queued", 0),
        (jobs[2].receipt, "running", 1),
        (jobs[1].receipt, "failed", 1),
        (jobs[0].receipt, "done", 1),
    ]
    assert (found[3]["received"], found[3]["accepted"], found[3]["rejected"]) == (10, 8, 2)
    assert found[3]["rejections"][0]["reason_code"] == "unknown_store"
    assert found[2]["error"]["remedy"] == "Mend it."


def test_they_can_be_chosen_by_state(client: TestClient, jobs: list[Accepted]) -> None:
    def of(query: str) -> list[str]:
        answer = client.get(f"/v1/receipts?{query}", headers=bearer("corner"))
        return [one["receipt"] for one in answer.json()["receipts"]]

    assert of("state=failed") == [jobs[1].receipt]
    assert of("state=queued") == [jobs[3].receipt, jobs[2].receipt]
    assert of("limit=1") == [jobs[3].receipt]
    strange = client.get("/v1/receipts?state=lost", headers=bearer("corner"))
    assert strange.status_code == 422


def test_who_seeks_few_among_many_does_not_read_them_all(
    client: TestClient, jobs: list[Accepted], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "LOOKED_AT", 2)
    found = client.get("/v1/receipts", headers=bearer("corner")).json()["receipts"]
    assert [one["receipt"] for one in found] == [jobs[3].receipt, jobs[2].receipt]
    failed = client.get("/v1/receipts?state=failed", headers=bearer("corner")).json()
    assert failed == {"receipts": []}


def test_another_tenant_sees_none_of_them(client: TestClient, jobs: list[Accepted]) -> None:
    assert jobs
    assert client.get("/v1/receipts", headers=bearer("fresh")).json() == {"receipts": []}
    assert client.get("/v1/receipts").status_code == 401
