"""Files dropped into a folder: taken when whole, refused with a reason, safe from kills."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from gateways.drop.watch import Drop
from gateways.intake.parcels import Intake
from tenpo.settings import Settings
from tests.gateways.conftest import new_gateway
from tests.gateways.payloads import POSB, ROOT, SALES_CSV, SALES_SPEC, TENANT
from tests.gateways.workplace import canonical_rows

pytestmark = pytest.mark.stack


class Watched:
    """A drop folder and the intake behind it; looks when told."""

    def __init__(self, home: Path) -> None:
        self.root = home / "exchange"
        self.settings = Settings(
            home=home, secret_key=SecretStr(ROOT.hex()), drop_url=f"file://{self.root}",
            max_body_bytes=100_000,
        )  # fmt: skip
        self.lake = new_gateway(home).lake
        self.intake = Intake(self.settings)
        self.drop = Drop(self.settings, self.intake)
        self.loop = asyncio.new_event_loop()
        self.committing = self.loop.create_task(self.intake.committer.run())

    def put(self, place: str, body: bytes = POSB) -> Path:
        path = self.root / "drop" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return path

    def look(self, times: int = 2) -> None:
        for _ in range(times):
            self.loop.run_until_complete(self.drop.look())

    def close(self) -> None:
        self.committing.cancel()
        self.loop.run_until_complete(asyncio.gather(self.committing, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()
        self.intake.workroom.close()

    def aside(self, where: str, what: str) -> dict[str, Any]:
        """What is noted of each file put aside, by its name as it was dropped."""
        notes = (self.root / where).rglob(f"*.{what}.json")
        found = {}
        for note in notes:
            file = note.with_name(note.name.removesuffix(f".{what}.json"))
            assert file.is_symlink() or file.exists()
            found[file.name.partition("_")[2]] = orjson.loads(note.read_bytes())
        return found

    def left(self) -> list[str]:
        found = (self.root / "drop").rglob("*")
        return sorted(path.name for path in found if not path.is_dir())

    def events(self) -> list[dict[str, Any]]:
        return canonical_rows(self.lake, "sale_line")


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    yield made
    made.close()


def test_a_file_is_taken_once_it_does_not_change_any_more(watched: Watched) -> None:
    path = watched.put(f"{TENANT}/pos/posb/a.json", POSB[:100])
    watched.look(1)
    path.write_bytes(POSB)
    watched.look(1)
    assert watched.left() == ["a.json"]
    watched.look(1)
    assert watched.left() == []
    assert watched.aside("taken", "receipt")["a.json"]["accepted"] == 4
    assert len(watched.events()) == 4


def test_a_marker_says_at_once_that_a_file_is_whole(watched: Watched) -> None:
    watched.put(f"{TENANT}/pos/posb/ginza/a.json.gz", gzip.compress(POSB))
    watched.put(f"{TENANT}/pos/posb/ginza/a.json.gz.done", b"")
    watched.look(1)
    assert watched.left() == []
    assert watched.aside("taken", "receipt")["a.json.gz"]["accepted"] == 4


def test_files_under_way_are_left_alone(watched: Watched) -> None:
    names = [".a.json", "a.json.part", "a.json.tmp", "a.json.filepart"]
    for name in names:
        watched.put(f"{TENANT}/pos/posb/{name}")
    watched.look(3)
    assert watched.left() == sorted(names)
    path = watched.root / "drop" / TENANT / "pos" / "posb"
    (path / "a.json.part").rename(path / "a.json")
    watched.look()
    assert list(watched.aside("taken", "receipt")) == ["a.json"]


def test_a_spec_names_the_form_too(watched: Watched) -> None:
    watched.intake.specs.put(TENANT, "till", SALES_SPEC)
    watched.put(f"{TENANT}/pos/till/sales.csv", SALES_CSV)
    watched.look()
    assert watched.aside("taken", "receipt")["sales.csv"]["accepted"] == 3


def test_what_cannot_be_taken_is_put_aside_with_its_reason(watched: Watched) -> None:
    secret = watched.root.parent / "secret.json"
    secret.write_bytes(POSB)
    wrong = {
        "broken.json": f"{TENANT}/pos/posb/broken.json",
        "nobody.json": "nobody/pos/posb/nobody.json",
        "vendor.json": f"{TENANT}/pos/unheard-of/vendor.json",
        "kind.json": f"{TENANT}/iot/posb/kind.json",
        "store.json": f"{TENANT}/pos/posb/atlantis/store.json",
        "deep.json": f"{TENANT}/pos/posb/ginza/more/deep.json",
        "high.json": "high.json",
        "large.json": f"{TENANT}/pos/posb/large.json",
    }
    for name, place in wrong.items():
        body = {"broken.json": POSB[:50], "large.json": bytes(200_000)}.get(name, POSB)
        watched.put(place, body)
    link = watched.root / "drop" / TENANT / "pos" / "posb" / "link.json"
    link.symlink_to(secret)
    folder = watched.root / "drop" / TENANT / "pos" / "posb" / "shibuya"
    folder.symlink_to(secret.parent)
    watched.look()
    reasons = watched.aside("refused", "reason")
    assert set(wrong) | {"link.json"} <= set(reasons)
    assert all(reason["error"] and reason["remedy"] for reason in reasons.values())
    assert "link" in reasons["link.json"]["remedy"]
    assert secret.read_bytes() == POSB
    assert watched.events() == []
    assert watched.aside("taken", "receipt") == {}


def test_killed_between_commit_and_move_it_is_taken_again_and_counts_once(
    watched: Watched,
) -> None:
    watched.put(f"{TENANT}/pos/posb/a.json")
    done = subprocess.run(
        [sys.executable, "-m", "tests.gateways.test_drop", str(watched.settings.home)],
        env=os.environ | {"TENPO_FAILPOINT": "drop.committed"}, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    assert watched.left() == ["a.json"]
    assert len(watched.events()) == 4
    watched.look()
    assert watched.left() == []
    rows = watched.events()
    assert (len(rows), len({row["event_id"] for row in rows})) == (8, 4)


if __name__ == "__main__":
    Watched(Path(sys.argv[1])).look()
