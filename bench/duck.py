"""Runs DuckDB statements in a process of its own and says what they cost.

A script for the `bigquery` environment, which has DuckDB and not Tenpo: statements on
standard input, `{"wall_s": …, "cpu_s": …, "peak_mb": …}` on standard output.
"""

import json
import resource
import sys
import time
from argparse import ArgumentParser

import duckdb


def main() -> None:
    """Run what comes in."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--memory", default="3GB")
    parser.add_argument("--folder", required=True, help="for what does not fit into memory")
    options = parser.parse_args()
    statements = sys.stdin.read()
    settings = {"threads": options.threads, "memory_limit": options.memory}
    connection = duckdb.connect(f"{options.folder}/duck.db", config=settings)
    wall, cpu = time.perf_counter(), time.process_time()
    connection.execute(statements)
    told = {
        "wall_s": time.perf_counter() - wall,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    main()
