"""cp932 CSV to canonical Parquet with ids, against `pandas.read_csv` of the same file.

`python -m bench.reading --lines 1000000 --rounds 3`: both in turns, each time in a process
of its own on one core, so that neither warms the other. Processor seconds are compared,
since other work may share the machine. Not for what a gateway adds around it: see
`bench.intake`.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson

FORMS = ("posa", "spec")
_DAY = date(2026, 10, 31)
_LINES_A_RECEIPT = 3
_SPEC = """
name: regia
event: sale_line
file: {encoding: cp932}
store: {column: 店舗コード}
time: {columns: [営業日, 時刻], formats: ["%Y/%m/%d %H:%M:%S"]}
document: [店舗コード, 営業日, レジ番号, レシート番号]
columns:
  {register_id: レジ番号, receipt_id: レシート番号, line_number: 行番号, sku: 商品コード,
   category: 部門, quantity: 数量, unit_price: 単価, amount: 金額(税込), tax_rate: 税率(%),
   customer: 会員番号, staff: 担当者, original_receipt_id: 元レシート番号}
tax: {mode: included, rate_is_percent: true}
kinds:
  - {kind: return, when: {取引区分: {one_of: ["2"]}}}
  - {kind: discount, when: {取引区分: {one_of: ["3"]}}}
  - {kind: void, when: {取引区分: {one_of: ["9"]}}}
negate:
  - {columns: [quantity, amount], when: {取引区分: {one_of: ["2"]}}}
"""


def write_sales(path: Path, lines: int) -> None:
    """A file of vendor A: receipts of three lines, a hundred a minute over several days."""
    from gateways.pos.posa import FIELDS

    articles = [
        (f"49010{n:05d}", ("食品", "雑貨", "飲料")[n % 3], f"商品{n}", 80 + n * 7 % 2_000)
        for n in range(3_000)
    ]
    with path.open("w", encoding="cp932", newline="") as out:
        out.write(",".join(FIELDS.values()) + "\r\n")
        for number in range(lines):
            receipt = number // _LINES_A_RECEIPT
            moment = receipt // 10 % 50_000
            day = _DAY - timedelta(days=receipt // 500_000)
            sku, category, name, price = articles[number * 7919 % len(articles)]
            count = 1 + number % 3
            member = f"C-{receipt % 20_000:08d}" if receipt % 4 else ""
            out.write(
                f"0001,{day:%Y/%m/%d},{9 + moment // 3600:02d}:{moment // 60 % 60:02d}:"
                f"{moment % 60:02d},{1 + receipt % 5},{receipt:07d},{1 + number % 3},"
                f"{2 if receipt % 50 == 0 else 1},{sku},"
                f"{category},{name},{count},{price},{price * count},{8 if number % 3 else 10},"
                f"{member},{receipt % 40:03d},\r\n"
            )


def read_with_pandas(path: Path, out: Path) -> int:
    """The yardstick: the file as a frame, nothing more."""
    del out
    import pandas as pd

    return len(pd.read_csv(path, encoding="cp932"))


def read_with_adapter(path: Path, out: Path, form: str) -> int:
    """The file as canonical events, written as Parquet."""
    from gateways.declarative.adapter import DeclarativeAdapter
    from gateways.intake.canonical import parquet
    from gateways.normalize.adapter import Adapter
    from gateways.normalize.context import Context
    from gateways.pos.posa import PosA
    from tenpo.keys import TenantKeys
    from tenpo.masters import Store, StoreCode, TenantMasters

    adapter: Adapter = PosA()
    if form == "spec":
        adapter = DeclarativeAdapter.of(_SPEC.encode(), "regia")
    store = Store(store_id="s1", name="Bench", timezone="Asia/Tokyo", currency="JPY")
    code = StoreCode(source=adapter.name, code="0001", store_id="s1")
    masters = TenantMasters(tenant_id="bench", store=[store], store_code=[code])
    keys = TenantKeys(bytes(range(32)), "bench")
    received = datetime(2026, 11, 2, 3, 0, tzinfo=UTC)
    result = adapter.normalize(path.read_bytes(), Context(masters, keys, received))
    out.write_bytes(parquet(result.events["sale_line"]))
    return result.accepted


def measure(how: str, path: Path, out: Path) -> None:
    """One reading in this process; prints what it cost. Imports are not part of it."""
    import pandas  # noqa: F401
    import pyarrow

    pyarrow.set_cpu_count(1)
    wall, cpu = time.perf_counter(), time.process_time()
    rows = read_with_pandas(path, out) if how == "pandas" else read_with_adapter(path, out, how)
    told = {
        "rows": rows,
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - wall,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(orjson.dumps(told).decode())


def one_round(how: str, path: Path, out: Path, core: int) -> dict[str, float]:
    """One reading in a process of its own, on one core."""
    command = [sys.executable, "-m", "bench.reading", "--one", how, str(path), str(out)]
    found = subprocess.run(
        command, stdout=subprocess.PIPE, check=True, preexec_fn=lambda: _pin(core)
    )
    told: dict[str, float] = orjson.loads(found.stdout)
    return told


def _pin(core: int) -> None:
    os.sched_setaffinity(0, {core})


def compare(path: Path, out: Path, lines: int, rounds: int) -> None:
    """Every form in turns with the yardstick; medians and ratios."""
    core = max(os.sched_getaffinity(0))
    found: dict[str, list[dict[str, float]]] = {how: [] for how in ("pandas", *FORMS)}
    for _ in range(rounds):
        for how, measured in found.items():
            measured.append(one_round(how, path, out, core))
    yardstick = statistics.median(one["cpu_s"] for one in found["pandas"])
    print(f"{lines:,} lines, {path.stat().st_size / 1e6:.0f} MB, median of {rounds}")
    for how, measured in found.items():
        if any(one["rows"] != lines for one in measured):
            raise SystemExit(f"{how} read {measured[0]['rows']} of {lines} lines")
        cpu, wall = (statistics.median(one[key] for one in measured) for key in ("cpu_s", "wall_s"))
        peak = max(one["peak_mb"] for one in measured)
        ratio = f"{cpu / yardstick:5.2f} x pandas"
        print(f"{how:8} {cpu:6.2f} s cpu  {wall:6.2f} s wall  {ratio}  peak {peak:6.0f} MB")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", nargs=3, metavar=("HOW", "FILE", "OUT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options.one[0], Path(options.one[1]), Path(options.one[2]))
        return
    with tempfile.TemporaryDirectory() as folder:
        path, out = Path(folder) / "sales.csv", Path(folder) / "sales.parquet"
        write_sales(path, options.lines)
        compare(path, out, options.lines, options.rounds)


if __name__ == "__main__":
    main()
