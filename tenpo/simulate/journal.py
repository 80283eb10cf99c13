"""Which payloads were acknowledged, kept on disk, so that an interrupted sending goes on."""

from __future__ import annotations

from pathlib import Path

import orjson

from tenpo.errors import InputError
from tenpo.simulate.simulation import Simulation


class Journal:
    """The acknowledged payloads of one tenant's simulation, one name a line.

    Args:
        folder: where it lies; made if absent.
        tenant_id: for messages.
        simulation: what is being sent. A tenant takes one simulation only, for two
            would hold different receipts under the same numbers.

    Raises:
        InputError: the tenant already holds payloads of another simulation.
    """

    def __init__(self, folder: Path, tenant_id: str, simulation: Simulation) -> None:
        self._path = folder / "acknowledged.txt"
        folder.mkdir(parents=True, exist_ok=True)
        self.names = _known(self._path)
        plan, there = _plan_of(simulation), read_plan(folder)
        if self.names and there is not None and there != plan:
            raise InputError(
                f"the tenant {tenant_id} already holds another simulation: {there}",
                where=str(folder),
                remedy="Choose another --tenant, or the same --seed, --stores, --days and --end.",
            )
        _write_plan(folder, plan)
        self._file = self._path.open("a", encoding="utf-8", buffering=1)

    def acknowledge(self, name: str) -> None:
        """Remember one; it survives this process, if not the machine."""
        self._file.write(f"{name}\n")

    def forget(self) -> None:
        """Forget all, so that everything is sent again."""
        self._file.truncate(0)
        self.names = frozenset()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_plan(folder: Path) -> dict[str, int | str] | None:
    """Seed, stores, days and end of the simulation that a folder's journal is about."""
    path = folder / "plan.json"
    if not path.exists():
        return None
    plan: dict[str, int | str] = orjson.loads(path.read_bytes())
    return plan


def _plan_of(simulation: Simulation) -> dict[str, int | str]:
    return {
        "seed": simulation.seed,
        "stores": len(simulation.chain.shops),
        "days": len(simulation.days),
        "end": simulation.days[-1].isoformat(),
    }


def _write_plan(folder: Path, plan: dict[str, int | str]) -> None:
    draft = folder / ".plan.json"
    draft.write_bytes(orjson.dumps(plan))
    draft.replace(folder / "plan.json")


def _known(path: Path) -> frozenset[str]:
    """Whole lines only: a torn last one was not acknowledged for certain."""
    if not path.exists():
        return frozenset()
    text = path.read_text("utf-8")
    path.write_text(text[: text.rfind("\n") + 1], "utf-8")
    return frozenset(text.splitlines() if text.endswith("\n") else text.splitlines()[:-1])
