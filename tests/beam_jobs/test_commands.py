"""What `tenpo ingest` and `tenpo aggregate` refuse before they do anything, and what they tell."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from beam_jobs.aggregate import job
from beam_jobs.aggregate.job import Outcome, Request
from beam_jobs.commands import _range, _tenants, aggregate, ingest
from tenpo.errors import InputError, IntegrityError, LeaseLost, UnknownReference
from tenpo.lake import Lake
from tenpo.masters import MasterBook, Store
from tenpo.settings import Settings, get_settings


@pytest.fixture
def book(tmp_path: Path) -> MasterBook:
    """Two tenants, of which one has the store `soho`."""
    made = MasterBook(Lake(f"file://{tmp_path}"))
    for tenant, names in (("acme", ("soho", "ginza")), ("other", ("paris",))):
        stores = [Store(store_id=name, name=name, timezone="UTC", currency="EUR") for name in names]
        made.put(tenant, "store", stores)
    return made


def test_a_store_picks_the_tenants_that_have_it(book: MasterBook) -> None:
    assert _tenants(book, None, None) == ["acme", "other"]
    assert _tenants(book, None, "soho") == ["acme"]
    assert _tenants(book, ["acme"], "ginza") == ["acme"]


@pytest.mark.parametrize(
    ("tenants", "store", "remedy"),
    [
        (None, "sohho", "soho"),
        (["other"], "soho", "1 stores"),
        (["acme", "other"], "soho", "soho"),
        (["acmee"], None, "tenpo tenant create"),
        (["acmee"], "soho", "tenpo tenant create"),
    ],
)
def test_what_does_not_exist_is_refused_with_a_remedy(
    book: MasterBook, tenants: list[str] | None, store: str | None, remedy: str
) -> None:
    with pytest.raises(UnknownReference) as refused:
        _tenants(book, tenants, store)
    assert remedy in refused.value.remedy


@pytest.mark.parametrize("dates", [("2026-03-02", "2026-03-01"), ("2026-03-01", None), ("1", "2")])
def test_a_range_that_is_none_is_refused_with_a_remedy(dates: tuple[str, str | None]) -> None:
    with pytest.raises(InputError) as refused:
        _range(*dates, dirty=False)
    assert refused.value.remedy
    assert _range("2026-03-01", "2026-03-02", dirty=False) == (date(2026, 3, 1), date(2026, 3, 2))


def test_options_that_would_be_ignored_are_refused() -> None:
    with pytest.raises(InputError, match="--follow takes in what comes of all tenants"):
        ingest(follow=True, tenant=["acme"])
    with pytest.raises(InputError, match="--dirty is about all dates"):
        _range("2026-01-01", None, dirty=True)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The command's own home, of which nothing is in any cache."""
    monkeypatch.setenv("TENPO_HOME", str(tmp_path))
    get_settings.cache_clear()
    yield tmp_path
    get_settings.cache_clear()


def _tenants_with(
    home: Path, monkeypatch: pytest.MonkeyPatch, becomes: dict[str, Exception | None]
) -> list[str]:
    """Tenants of which some cannot be computed; returns those that had their turn."""
    book = MasterBook(Lake(f"file://{home}/lake"))
    for name in becomes:
        book.put(name, "store", [Store(store_id="s", name="S", timezone="UTC", currency="EUR")])
    turns: list[str] = []

    def run(settings: Settings, request: Request, beam: object) -> Outcome:
        del settings, beam
        turns.append(request.tenant_id)
        error = becomes[request.tenant_id]
        if error is not None:
            raise error
        return Outcome(f"run-{len(turns)}", request.tenant_id, 2, {"kpi": 5, "hours": 1})

    monkeypatch.setattr(job, "aggregate", run)
    return turns


def test_a_tenant_that_fails_stops_no_other_and_the_gravest_error_is_the_end(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lost, broken = LeaseLost("another holds it"), IntegrityError("counts differ")
    turns = _tenants_with(home, monkeypatch, {"a": lost, "b": None, "c": broken, "d": None})
    with pytest.raises(IntegrityError) as ended:
        aggregate(dirty=True, as_json=True)
    assert ended.value is broken
    assert turns == ["a", "b", "c", "d"]
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert told["failed"] == {"a": "another holds it", "c": "counts differ"}
    assert [one["tenant_id"] for one in told["tenants"]] == ["b", "d"]
    assert (told["store_days"], told["rows"]) == (4, {"kpi": 10, "hours": 2})
    assert "a failed: another holds it" in shown.err


def test_a_defect_of_one_tenant_comes_last_and_its_message_is_not_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    turns = _tenants_with(home, monkeypatch, {"a": KeyError("Smith"), "b": None})
    with pytest.raises(KeyError):
        aggregate(dirty=True)
    shown = capsys.readouterr()
    assert turns == ["a", "b"]
    assert shown.out == "b: 2 store-days, 6 rows changed\n"
    assert "a failed: KeyError" in shown.err
    assert "Smith" not in shown.out + shown.err


@pytest.mark.parametrize("count", [0, 1, 2])
def test_aggregate_answers_with_one_document_whatever_the_number_of_tenants(
    count: int, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _tenants_with(home, monkeypatch, {f"t{number}": None for number in range(count)})
    aggregate(dirty=True, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert len(told["tenants"]) == count
    assert told["store_days"] == 2 * count
    assert sum(told["rows"].values()) == 6 * count
    assert told["failed"] == {}
