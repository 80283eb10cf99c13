"""The books agree with what the payloads say."""

from __future__ import annotations

from tenpo.kpi import MEASURES
from tenpo.simulate import Simulation, simulate_chain
from tenpo.simulate.files import sent_records
from tenpo.simulate.truth import KNOWN
from tests.simulate.conftest import END
from tests.simulate.reading import final_receipts, read_books

READ = (
    "in_count", "out_count", "footfall", "transactions", "return_receipts", "sale_lines",
    "net_sales_amount", "gross_sales_amount", "sold_net_amount", "returned_net_amount",
    "merchandise_net_amount", "units",
)  # fmt: skip


def _assert_same(simulation: Simulation) -> None:
    books = read_books(simulation.payloads, simulation.chain)
    rows = simulation.truth.hours.to_pylist()
    assert len(rows) > 9 * len(simulation.days)
    seen = set()
    for row in rows:
        key = (row["store_id"], row["business_date"], row["local_hour"])
        seen.add(key)
        assert {name: books[key][name] for name in READ} == {name: row[name] for name in READ}, key
    assert not {key for key, book in books.items() if any(book.values())} - seen


def test_books_equal_an_independent_reading_of_the_payloads(simulation: Simulation) -> None:
    _assert_same(simulation)


def test_books_equal_the_reading_for_one_store_and_one_day() -> None:
    _assert_same(simulate_chain(seed=0, stores=1, days=1, end=END))


def test_every_measure_is_known_but_what_is_inferred() -> None:
    inferred = {"imputed_s", "occupancy_person_s", "occupancy_open_s", "drift_count",
                "footfall_imputed", "footfall_filled", "uncovered_s", "occupancy_peak"}  # fmt: skip
    of_persons = {"visits", "repeat_visits", "dwell_visits", "dwell_total_s", "dwell_sketch"}
    of_the_street = {"passers_by", "captured_footfall", "captured_passers_by"}
    not_drawn = inferred | of_persons | of_the_street | {"sales_area_m2"}
    assert {measure.name for measure in MEASURES} - set(KNOWN) == not_drawn
    assert set(KNOWN) <= {measure.name for measure in MEASURES}


def test_totals_are_the_sums_of_days_and_hours(simulation: Simulation) -> None:
    truth = simulation.truth
    for table in (truth.hours, truth.days):
        sums = {name: sum(table.column(name).to_pylist()) for name in KNOWN}
        assert sums == truth.totals
    assert truth.days.num_rows == 4 * 21


def test_lines_are_counted_as_sent_as_known_and_as_standing(simulation: Simulation) -> None:
    events = simulation.truth.events
    receipts = final_receipts(list(simulation.payloads), simulation.chain)
    assert events["receipts"] == len(receipts)
    assert events["sale_lines_current"] == sum(len(lines) for _, lines in receipts.values())
    sent = sent_records(simulation)
    assert sent["sale_lines_sent"] > events["sale_lines_ever"] > events["sale_lines_current"]
    assert sent["count_intervals_sent"] > events["count_intervals"]


def test_a_silent_counter_lowers_coverage_and_only_there(simulation: Simulation) -> None:
    lost = simulation.truth.events["count_intervals_lost"]
    hours = simulation.truth.hours.to_pylist()
    assert lost > 0
    assert all(0 <= row["covered_s"] <= row["open_s"] <= 3600 for row in hours)
    uncovered = sum(row["open_s"] - row["covered_s"] for row in hours)
    assert 0 < uncovered <= lost * 900
    assert simulation.truth.totals["covered_footfall"] < simulation.truth.totals["footfall"]
