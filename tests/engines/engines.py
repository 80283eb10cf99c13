"""Engines that send work to processes which know the built wheel alone.

* Flink, in the job server that Beam publishes for it: Java, and Maven to fetch it.
  https://beam.apache.org/documentation/runners/flink/
* Prism, the engine that comes with Beam's Go SDK: one process, but the same protocol to
  workers, streaming too. https://beam.apache.org/documentation/runners/prism/

`make flink` fetches both. Not for FnApiRunner, whose workers are the caller's own threads.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import apache_beam

ENGINES = Path(__file__).parents[2] / ".venvs" / "engines"
BEAM = apache_beam.__version__
FLINK_VERSION = "2.2"
JOB_SERVER = ENGINES / f"beam-runners-flink-{FLINK_VERSION}-job-server-{BEAM}.jar"
PRISM = ENGINES / f"prism-{BEAM}"


@dataclass(frozen=True)
class Engine:
    """One that jobs can be sent to.

    Args:
        name: for people.
        options: Beam's, without the workers'.
        absent: why it cannot be used here; empty if it can.
        retries: whether it tries again what a dead worker was doing, or fails the job.
    """

    name: str
    options: tuple[str, ...]
    absent: str
    retries: bool

    @property
    def environment(self) -> dict[str, str]:
        """What its process needs to know."""
        return {"JAVA_TOOL_OPTIONS": "-Xmx1g"}


def flink() -> Engine:
    """Flink inside the job server, with two slots and two workers."""
    options = (
        "--runner=FlinkRunner",
        "--flink_master=[local]",
        f"--flink_version={FLINK_VERSION}",
        f"--flink_job_server_jar={JOB_SERVER}",
        "--parallelism=2",
        "--sdk_worker_parallelism=2",
        "--number_of_execution_retries=3",
    )
    absent = ""
    if shutil.which("java") is None:
        absent = "Flink needs Java, and there is none"
    elif not JOB_SERVER.exists():
        absent = f"{JOB_SERVER.name} is absent: Maven could not get it, or `make flink` did not run"
    return Engine("Flink", options, absent, retries=True)


def prism() -> Engine:
    """Prism as a child of the command."""
    absent = "" if os.access(PRISM, os.X_OK) else f"{PRISM.name} is absent: `make flink` needs Go"
    options = ("--runner=PrismRunner", f"--prism_location={PRISM}")
    return Engine("Prism", options, absent, retries=False)
