"""Releases of four retailers in a real warehouse and datamart: once, whole, and for whom."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from beam_jobs.benchmark import command, job
from tenpo.kpi import KPI_STORE_DAY, PUBLICATION
from tenpo.lake import Lake
from tenpo.masters import MasterBook, Store, Tenant
from tenpo.settings import Settings, get_settings
from tenpo.tenants import share_benchmarks
from tenpo.warehouse import Job, Warehouse, append, load_sql, query
from tests.beam_jobs.benchmark_reference import harrell_davis

FIRST = date(2026, 11, 2)  # a Monday
#: Conversion of each store in percent; `solo` never takes part.
RATES = {
    "ames": (10, 12), "bell": (20, 22), "cole": (30, 34), "dean": (50, 60), "solo": (90, 95),
}  # fmt: skip
WEEK = timedelta(days=7)


def store_day(
    tenant: str, place: int, day: date, run_id: str, visitors: int = 100, **changed: Any
) -> dict[str, Any]:
    bought = RATES[tenant][place]
    return {
        "tenant_id": tenant, "store_id": f"{tenant}-{place}", "currency": "JPY",
        "business_date": day, "covered_footfall": visitors, "covered_transactions": bought,
        "covered_s": 36_000, "expected_s": 36_000, "transactions": bought,
        "net_sales_amount": Decimal(1_000 * bought), "definition_version": 1, "revision": 1,
        "cause": "first computed", "computed_at": datetime(2026, 11, 9, tzinfo=UTC),
        "run_id": run_id,
    } | changed  # fmt: skip


@pytest.fixture(scope="module")
def platform(
    warehouse: Warehouse, datamart: Engine, datamart_dsn: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Settings]:  # fmt: skip
    """Four weeks of five retailers, and settings that reach them."""
    home: Path = tmp_path_factory.mktemp("benchmark")
    known = warehouse.settings
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "HOME": home, "SETTINGS_FILE": home / "none.toml", "DATAMART_DSN": datamart_dsn,
            "DATASET_PREFIX": known.dataset_prefix, "BIGQUERY_ENDPOINT": known.bigquery_endpoint,
            "BIGQUERY_GRPC_ENDPOINT": known.bigquery_grpc_endpoint,
        }.items():  # fmt: skip
            patch.setenv(f"TENPO_{name}", str(value))
        patch.setattr(job, "_LOOK_BACK", {"week": timedelta(days=8)})
        get_settings.cache_clear()
        settings = get_settings()
        _write(warehouse, MasterBook(Lake(settings.lake_url)))
        yield settings
    get_settings.cache_clear()


def _write(warehouse: Warehouse, book: MasterBook) -> None:
    rows, published = [], []
    for tenant in RATES:
        stores = [
            Store(store_id=f"{tenant}-{n}", name=tenant, timezone="Asia/Tokyo", currency="JPY",
                  industry="Fashion", sales_area_m2=100)
            for n in range(2)
        ]  # fmt: skip
        book.put(tenant, "store", stores)
        shares = tenant in ("ames", "bell", "cole")
        row = Tenant(tenant_id=tenant, name=tenant, shares_benchmarks=shares)
        book.put(tenant, "tenant", [row])
        days = [FIRST + timedelta(days=n) for n in range(28)]
        rows += [store_day(tenant, n, day, f"run-{tenant}") for n in range(2) for day in days]
        rows += [store_day(tenant, 0, day, "unpublished", 1, revision=9) for day in days]
        published.append(_published(f"run-{tenant}", tenant))
    append(warehouse, KPI_STORE_DAY, KPI_STORE_DAY.table(rows))
    append(warehouse, PUBLICATION, PUBLICATION.table(published * 2))  # mart may hear of a run twice


def _published(run_id: str, tenant: str) -> dict[str, Any]:
    return {"run_id": run_id, "tenant_id": tenant, "published_at": datetime.now(UTC)}


def shown(engine: Engine) -> list[dict[str, Any]]:
    """What readers may see of conversion."""
    statement = text("SELECT * FROM benchmark WHERE kpi = 'conversion_ratio' ORDER BY period_from")
    with engine.connect() as connection:
        return [dict(row) for row in connection.execute(statement).mappings()]


def expected(rates: list[int]) -> list[Decimal]:
    found = [harrell_davis([rate / 100 for rate in rates], p) for p in (0.25, 0.5, 0.75)]
    return [Decimal(f"{each:.2g}") for each in found]


def test_the_life_of_a_group(
    platform: Settings, warehouse: Warehouse, datamart: Engine, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    share_benchmarks(platform, "cole", shares=False)
    assert job.release(platform, FIRST + WEEK + timedelta(days=4)) == []  # two are too few
    share_benchmarks(platform, "cole", shares=True)

    # Tried without writing, then released: six stores of three.
    command.release(datetime(2026, 11, 13), is_dry=True, as_json=True)  # noqa: DTZ001
    tried = json.loads(capsys.readouterr().out.splitlines()[-1])["releases"]
    assert shown(datamart) == []
    command.release(datetime(2026, 11, 13))  # noqa: DTZ001
    said = capsys.readouterr().out.splitlines()[-1]
    assert said == "2026-W45: 3 tenants, 1 figures told; hidden: 1 alike"  # all sell at 1,000 yen
    (first,) = shown(datamart)
    six = [*RATES["ames"], *RATES["bell"], *RATES["cole"]]
    assert [first["low"], first["median"], first["high"]] == expected(six)
    (group,) = [one for one in tried[0]["groups"] if one["kpi"] == "conversion_ratio"]
    assert [Decimal(each) for each in group["quartiles"]] == expected(six)
    assert (first["industry"], first["currency"], first["size_band"]) == ("fashion", "JPY", "small")
    assert (first["period"], first["store_count_min"]) == ("2026-W45", 5)

    # Late data and a second run change nothing of it.
    late = [
        store_day("ames", 0, FIRST + timedelta(days=n), "run-late", 20, revision=2)
        for n in range(7)
    ]
    append(warehouse, KPI_STORE_DAY, KPI_STORE_DAY.table(late))
    append(warehouse, PUBLICATION, PUBLICATION.table([_published("run-late", "ames")]))
    assert job.release(platform, FIRST + WEEK + timedelta(days=4)) == []
    assert shown(datamart) == [first]

    # A newcomer waits. Killed between mart and datamart the week was not released; killed after
    # that it was, and the next run tells mart.
    share_benchmarks(platform, "dean", shares=True)
    second = FIRST + 2 * WEEK + timedelta(days=4)
    for place, weeks in (("benchmark.after_mart", 1), ("benchmark.after_datamart", 2)):
        with monkeypatch.context() as patch:
            patch.setattr(job, "failpoint", _dying_at(place))
            with pytest.raises(KeyboardInterrupt):
                job.release(platform, second)
        assert len(shown(datamart)) == weeks
        assert len(_contributors(warehouse)) == 1
    assert job.release(platform, second) == []
    assert [row["median"] for row in shown(datamart)] == [expected(six)[1]] * 2
    assert _contributors(warehouse) == [("2026-11-02", "ames,bell,cole"),
                                        ("2026-11-09", "ames,bell,cole")]  # fmt: skip

    # Who leaves is out at once, and the others' group is hidden rather than told without them.
    share_benchmarks(platform, "ames", shares=False)
    (third,) = job.release(platform, FIRST + 3 * WEEK + timedelta(days=4))
    assert [(one.kpi, one.why_hidden) for one in third.told] == [
        ("conversion_ratio", "held"), ("atv_amount", "alike"),
    ]  # fmt: skip
    assert third.tenants == 3
    assert len(shown(datamart)) == 2


def _dying_at(place: str) -> Callable[[str], None]:
    def die(here: str) -> None:
        if here == place:
            raise KeyboardInterrupt

    return die


def _contributors(warehouse: Warehouse) -> list[tuple[str, str]]:
    """Who was in the released figures of conversion, by period, as an auditor asks."""
    sql = (
        "SELECT part.period_from, STRING_AGG(part.tenant_id, ',' ORDER BY part.tenant_id) AS who "
        "FROM mart.benchmark_contributor AS part "
        "INNER JOIN mart.publication AS done ON done.run_id = part.run_id "
        "WHERE part.period_from >= '2026-01-01' AND DATE(done.published_at) >= '2020-01-01' "
        "AND part.kpi = 'conversion_ratio' GROUP BY 1 ORDER BY 1"
    ).replace("mart.", f"`{warehouse.dataset('mart')}`.")
    rows = query(warehouse, sql, job=Job("test", "audit")).to_pylist()
    return [(row["period_from"].isoformat(), row["who"]) for row in rows]


def test_every_measure_that_is_compared_is_summed(warehouse: Warehouse) -> None:
    """A KPI whose inputs the statement lacks would be hidden for ever, and nobody would ask why."""
    from tenpo.benchmark import COMPARED
    from tenpo.kpi import KPIS

    sql = load_sql(warehouse, job.PACKAGE, "store_sums")
    for kpi in COMPARED:
        for name in KPIS[kpi].inputs:
            assert f" AS {name}," in sql or f" AS {name}\n" in sql, name
