"""Writing a simulation to a folder: payloads as senders would leave them, and the truth.

Files of registers lie one by one. A counter's messages of one day lie in one
file, one message a line, for there are thousands of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import orjson
import pyarrow.parquet as pq

from tenpo.simulate.payload import Payload
from tenpo.simulate.simulation import Simulation
from tenpo.simulate.truth import Truth


def write_simulation(simulation: Simulation, folder: Path) -> None:
    """Write payloads, `truth.json` and `truth.parquet`; files of the same names are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in _files(simulation.payloads):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    (folder / "truth.json").write_bytes(orjson.dumps(summary(simulation), option=_PRETTY))
    pq.write_table(simulation.truth.hours, folder / "truth.parquet")


def summary(simulation: Simulation) -> dict[str, object]:
    """The totals, by store and overall, as one JSON document."""
    truth = simulation.truth
    return {
        "seed": simulation.seed,
        "stores": len(simulation.chain.shops),
        "from": simulation.days[0],
        "to": simulation.days[-1],
        "payloads": len(simulation.payloads),
        "bytes": sum(len(payload.body) for payload in simulation.payloads),
        "events": truth.events | sent_records(simulation),
        "totals": truth.totals,
        "days": _days(truth),
    }


def sent_records(simulation: Simulation) -> dict[str, int]:
    """Records over all payloads, repetitions included."""
    counts = {"sale_lines_sent": 0, "count_intervals_sent": 0, "visit_events_sent": 0}
    for payload in simulation.payloads:
        if not payload.first:
            counts[f"{_event(payload)}_sent"] += payload.records
    return counts


def _event(payload: Payload) -> str:
    if payload.route.startswith("/v1/pos"):
        return "sale_lines"
    return "visit_events" if payload.route.endswith("/video") else "count_intervals"


_PRETTY = orjson.OPT_INDENT_2


def _days(truth: Truth) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = truth.days.to_pylist()
    return rows


def _files(payloads: Iterable[Payload]) -> Iterable[tuple[str, bytes]]:
    registers = (p for p in payloads if p.route.startswith("/v1/pos"))
    yield from ((payload.name, payload.body) for payload in registers)
    counters = [p for p in payloads if p.route.startswith("/v1/iot")]
    counters.sort(key=_day_file)
    for name, messages in groupby(counters, key=_day_file):
        yield name, b"".join(message.body + b"\n" for message in messages)


def _day_file(payload: Payload) -> str:
    """`iot/milesight/<serial>/20261101.jsonl` of `iot/milesight/<serial>/20261101T1015.json`."""
    return payload.name.rpartition("T")[0] + ".jsonl"
