"""Files dropped into a folder: taken when whole, refused with a reason, safe from kills."""

from __future__ import annotations

import asyncio
import gzip
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from pydantic import SecretStr

from gateways.drop.folder import DropFolder, Dropped, Waits
from gateways.drop.watch import Drop
from gateways.intake.answer import Answer
from gateways.intake.parcels import Intake, Parcel
from tenpo.errors import LakeError
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
            max_body_bytes=100_000, drop_settle_s=0,
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


@pytest.fixture
def exchange(tmp_path: Path) -> tuple[Path, list[float]]:
    """A root, and a clock that stands still until it is put forward."""
    (tmp_path / "drop").mkdir()
    return tmp_path, [100.0]


def folder_of(exchange: tuple[Path, list[float]], **waits: Any) -> DropFolder:
    root, now = exchange
    told = {"settle_s": 60.0, "watch_s": 600.0} | waits
    return DropFolder(f"file://{root}", Waits(**told), lambda: now[0])


def test_a_file_has_to_settle_and_each_change_begins_anew(
    exchange: tuple[Path, list[float]],
) -> None:
    (root, now), folder = exchange, folder_of(exchange)
    path = root / "drop" / "a.csv"
    path.write_bytes(b"1")
    seen = []
    for after_s, more in ((0, b""), (59, b""), (1, b"2"), (59, b""), (2, b"")):
        now[0] += after_s
        with path.open("ab") as upload:
            upload.write(more)
        seen.append([one.size_bytes for one in folder.whole()])
    assert seen == [[], [], [], [], [2]]


def test_where_markers_are_demanded_no_time_makes_a_file_whole(
    exchange: tuple[Path, list[float]],
) -> None:
    (root, now), folder = exchange, folder_of(exchange, markers_only=True)
    (root / "drop" / "a.csv").write_bytes(b"1")
    for _ in range(3):
        assert folder.whole() == []
        now[0] += 86_400
    (root / "drop" / "a.csv.done").touch()
    assert [str(one.place) for one in folder.whole()] == ["a.csv"]


@pytest.mark.parametrize("markers_only", [False, True])
def test_what_its_sender_writes_on_to_after_it_was_taken_comes_back_each_time(
    exchange: tuple[Path, list[float]], markers_only: bool
) -> None:
    (root, now), folder = exchange, folder_of(exchange, markers_only=markers_only)
    (root / "drop" / "a.csv.done").touch()
    with (root / "drop" / "a.csv").open("wb", buffering=0) as upload:
        for length in range(1, 4):
            upload.write(b"x")
            assert len(folder.put_back()) == (length > 1)
            (one,) = folder.whole() or _later(folder, now)
            assert folder.read(one) == b"x" * length
            folder.taken(one, {"n": length})
    assert folder.put_back() == []
    notes = [orjson.loads(one.read_bytes()) for one in sorted((root / "taken").glob("*.json"))]
    assert [("taken_again_as" in one, one["n"]) for one in notes] == [
        (True, 1), (True, 2), (False, 3),
    ]  # fmt: skip
    (left,) = [one for one in (root / "taken").iterdir() if one.suffix != ".json"]
    assert (left.name.partition("_")[2], left.read_bytes()) == ("a.csv", b"xxx")
    now[0] += 601
    assert folder.put_back() == []
    left.write_bytes(b"much later")
    assert folder.put_back() == []  # no longer looked at


def test_an_object_that_was_replaced_while_it_was_read_comes_back_once() -> None:
    """Objects change as a whole, so what was put aside is looked at a single time."""
    now, files = [100.0], MemoryFileSystem()
    folder = DropFolder("memory://replaced", Waits(60, 600), lambda: now[0])
    for name in ("a.csv", "b.csv"):
        files.pipe_file(f"/replaced/drop/{name}", b"1")
    assert folder.whole() == []
    one, other = _later(folder, now)
    folder.taken(other, {})
    files.pipe_file("/replaced/drop/a.csv", b"12")
    folder.taken(one, {})
    assert [len(folder.put_back()) for _ in range(2)] == [1, 0]
    (back,) = folder.whole() or _later(folder, now)
    assert (back.place.name.startswith("again_"), folder.read(back)) == (True, b"12")
    files.rm("/replaced", recursive=True)


def _later(folder: DropFolder, now: list[float]) -> list[Dropped]:
    now[0] += 60
    return folder.whole()


def test_the_end_of_an_upload_that_stood_still_is_taken_too(watched: Watched) -> None:
    """Cut in its first lines the file was taken, and its sender goes on writing to it."""
    watched.intake.specs.put(TENANT, "till", SALES_SPEC)
    lines = SALES_CSV.splitlines(keepends=True)
    path = watched.put(f"{TENANT}/pos/till/sales.csv", b"")
    with path.open("ab", buffering=0) as upload:
        upload.write(b"".join(lines[:3]))
        watched.look()
        assert len(watched.events()) == 2
        upload.write(lines[3])
    watched.look()
    assert watched.left() == []
    rows = watched.events()
    assert len({row["event_id"] for row in rows}) == 3
    files = list((watched.root / "taken").rglob("*.csv"))
    assert [one.read_bytes() for one in files] == [SALES_CSV]


def test_a_part_that_was_refused_is_taken_once_it_is_whole(watched: Watched) -> None:
    path = watched.put(f"{TENANT}/pos/posb/a.json", b"")
    with path.open("ab", buffering=0) as upload:
        upload.write(POSB[:100])
        watched.look()
        assert watched.events() == []
        upload.write(POSB[100:])
    watched.look()
    assert watched.left() == []
    assert len(watched.events()) == 4


def test_files_under_way_are_left_alone(watched: Watched) -> None:
    names = [".a.json", "a.json.part", "a.json.tmp", "a.json.filepart", ".~tmp~/b.json"]
    for name in names:
        watched.put(f"{TENANT}/pos/posb/{name}")
    watched.look(3)
    assert watched.left() == sorted(Path(name).name for name in names)
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


@pytest.mark.parametrize(
    "name", ["売上" * 40 + ".json.gz", os.fsdecode(b"caf\xe9.json.gz")], ids=["long", "no UTF-8"]
)
def test_names_that_are_long_or_no_utf_8_are_put_aside_and_back(
    watched: Watched, name: str
) -> None:
    """A time and an ending do not fit beside 250 bytes, and notes are UTF-8."""
    path = watched.put(f"{TENANT}/pos/posb/{name}", b"")
    with path.open("ab", buffering=0) as upload:
        upload.write(gzip.compress(POSB)[:100])
        watched.look()
        assert len(watched.aside("refused", "reason")) == 1
        upload.write(gzip.compress(POSB)[100:])
    watched.look(3)
    assert (watched.left(), len(watched.events())) == ([], 4)
    (aside,) = watched.aside("taken", "receipt")
    assert aside.endswith(".json.gz")
    assert aside.startswith(name[:3])


def test_a_file_that_cannot_be_put_aside_is_taken_once_and_holds_up_no_other(
    watched: Watched,
) -> None:
    watched.put(f"{TENANT}/pos/posb/a.json")
    watched.put(f"{TENANT}/pos/posb/b.json", b"{")
    aside = [watched.root / where for where in ("taken", "refused")]
    for folder in aside:
        folder.write_bytes(b"no folder")
    watched.look(4)
    assert len(watched.events()) == 4
    assert len(canonical_rows(watched.lake, "rejection")) == 1
    for folder in aside:
        folder.unlink()
    watched.look(1)
    assert (watched.left(), len(watched.events())) == ([], 4)
    assert list(watched.aside("refused", "reason")) == ["b.json"]
    assert watched.aside("taken", "receipt")["a.json"]["accepted"] == 4


def test_nothing_of_a_tenant_overtakes_a_file_that_has_to_wait(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in (
        f"{TENANT}/pos/posb/a.json",
        f"{TENANT}/pos/posb/b.json",
        "other/pos/posb/c.json",
    ):
        watched.put(place)
    monkeypatch.setattr(watched.intake, "hand_in", failing(watched.intake.hand_in))
    watched.look()
    assert watched.left() == ["a.json", "b.json"]  # the other tenant's waits for nobody
    watched.look(1)
    assert watched.left() == []
    names = [one.name for one in sorted((watched.root / "taken" / TENANT).rglob("*.json"))]
    assert [one.partition("_")[2] for one in names if "receipt" not in one] == ["a.json", "b.json"]


def failing(
    hand_in: Callable[[Parcel], Awaitable[Answer]],
) -> Callable[[Parcel], Awaitable[Answer]]:
    """An intake whose lake does not answer the first time."""
    asked: list[Parcel] = []

    async def hands_in(parcel: Parcel) -> Answer:
        if parcel.grant.masters.tenant_id == TENANT:
            asked.append(parcel)
            if len(asked) == 1:
                raise LakeError("the disk is full")
        return await hand_in(parcel)

    return hands_in


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
