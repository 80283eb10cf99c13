"""Public data sets the demo can load besides the simulation, each through a YAML spec.

They are read from a folder given by the user and are never part of the project.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from tenpo.errors import InputError, ServiceError
from tenpo.masters_file import load_masters_file
from tenpo.settings import Settings
from tenpo.tenants import TenantTokens, create_tenant

SPECS = Path(__file__).parents[2] / "specs"

#: Files of one `tenpo send`; more would make the command line too long.
FILES_AT_ONCE = 500


@dataclass(frozen=True)
class DataSet:
    """A public data set.

    Args:
        tenant_id: the tenant it becomes.
        name: the tenant's name.
        kind: what it holds.
        spec: name of its spec and of its masters file.
        pattern: its files below the data folder.
        first: its first business date.
        last: its last one.
    """

    tenant_id: str
    name: str
    kind: Literal["pos", "iot"]
    spec: str
    pattern: str
    first: date
    last: date

    def files(self, folder: Path) -> list[Path]:
        """Its files, in order."""
        return sorted(folder.glob(self.pattern))


DATA_SETS = (
    DataSet(
        tenant_id="uci",
        name="UCI Online Retail",
        kind="pos",
        spec="uci_online_retail",
        pattern="pos/uci_online_retail/*.csv",
        first=date(2010, 12, 1),
        last=date(2011, 5, 31),
    ),
    DataSet(
        tenant_id="calit2",
        name="UCI CalIt2",
        kind="iot",
        spec="calit2",
        pattern="counters/calit2/*.data",
        first=date(2005, 7, 24),
        last=date(2005, 9, 30),
    ),
)


def present(folder: Path) -> list[DataSet]:
    """The data sets that the folder holds.

    Raises:
        InputError: it holds none.
    """
    found = [data for data in DATA_SETS if data.files(folder)]
    if not found:
        patterns = ", ".join(data.pattern for data in DATA_SETS)
        raise InputError(
            "the folder holds none of the data sets",
            where=str(folder),
            remedy=f"Put {patterns} in.",
        )
    return found


def create(settings: Settings, data: DataSet) -> TenantTokens:
    """The data set's tenant with its stores and devices."""
    masters = load_masters_file(SPECS / f"{data.spec}.stores.yaml")
    return create_tenant(
        settings,
        data.tenant_id,
        data.name,
        masters.get("store", ()),  # type: ignore[arg-type]
        masters.get("store_code", ()),  # type: ignore[arg-type]
        masters.get("device", ()),  # type: ignore[arg-type]
    )


def send(data: DataSet, folder: Path) -> None:
    """Send its files through the gateway, as `tenpo send` does for anyone.

    Raises:
        ServiceError: the command failed.
    """
    for files in _portions(data.files(folder)):
        command = [
            *(sys.executable, "-m", "tenpo.cli", "send", data.kind),
            *map(str, files),
            *("--spec", str(SPECS / f"{data.spec}.yaml"), "--tenant", data.tenant_id),
        ]
        if subprocess.run(command, check=False).returncode:
            raise ServiceError(
                f"sending {data.name} failed", where=data.pattern, remedy="See the lines above."
            )


def _portions(files: list[Path]) -> Iterator[list[Path]]:
    for start in range(0, len(files), FILES_AT_ONCE):
        yield files[start : start + FILES_AT_ONCE]
