"""`tenpo receipts retry`: one delivery that failed, or all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tenpo.commands.receipts import receipts
from tenpo.errors import InputError
from tenpo.lake import Lake
from tenpo.receipts import Accepted, ReceiptBook, Settled, receipt_id
from tenpo.settings import get_settings
from tenpo.tenants import create_tenant

NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReceiptBook]:
    monkeypatch.setenv("TENPO_HOME", str(tmp_path))
    get_settings.cache_clear()
    settings = get_settings()
    for tenant in ("acme", "other"):
        create_tenant(settings, tenant, tenant)
    yield ReceiptBook(Lake(settings.lake_url))
    get_settings.cache_clear()


def settled(book: ReceiptBook, tenant: str, state: str, mark: str) -> str:
    """A delivery and what became of it."""
    job = Accepted(
        receipt=receipt_id(NOON, mark), tenant_id=tenant, kind="pos", source="posa",
        received_at=NOON, size_bytes=1, raw_object="raw/x",
    )  # fmt: skip
    book.settle(
        Settled.model_validate(
            {"accepted_as": job, "state": state, "attempts": 3, "started_at": NOON,
             "finished_at": NOON}
        )
    )  # fmt: skip
    return job.receipt


def test_all_that_failed_are_queued_again_and_nothing_else(book: ReceiptBook) -> None:
    failed = [settled(book, "acme", "failed", mark) for mark in ("1a1a1a1a", "2b2b2b2b")]
    settled(book, "acme", "done", "3c3c3c3c")
    elsewhere = settled(book, "other", "failed", "4d4d4d4d")
    told = CliRunner().invoke(receipts, ["retry", "--all", "--tenant", "acme", "--json"])
    assert told.exception is None, repr(told.exception)
    rows = json.loads(told.stdout)["retried"]
    assert sorted(row["receipt"] for row in rows) == sorted(failed)
    assert {row["round"] for row in rows} == {2}
    assert len(book.open("acme")) == 2
    assert book.open("other") == []
    told = CliRunner().invoke(receipts, ["retry", "--all"])
    assert told.stdout == f"{elsewhere} of other is queued again.\n"
    assert "None has failed" in CliRunner().invoke(receipts, ["retry", "--all"]).stdout


@pytest.mark.parametrize("words", [[], ["00001-aa", "--all"]])
def test_what_to_try_again_is_said_once(book: ReceiptBook, words: list[str]) -> None:
    assert book.open() == []
    told = CliRunner().invoke(receipts, ["retry", *words])
    assert isinstance(told.exception, InputError)
    assert "--all" in told.exception.remedy
