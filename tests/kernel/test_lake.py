"""The lake: an object is there whole or not at all, and stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenpo.errors import LakeError
from tenpo.lake import Lake
from tests.google_cloud.fakes import BUCKET


@pytest.fixture(params=["file", "memory", "gs"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    """A folder, a store that is reached through fsspec's general interface, and a bucket."""
    scheme: str = request.param
    if scheme == "gs":
        request.getfixturevalue("google_cloud")
        return Lake(f"gs://{BUCKET}/{tmp_path.name}/lake")
    return Lake(f"{scheme}://{tmp_path}/lake")


def test_objects_are_read_and_listed_as_written(lake: Lake) -> None:
    names = ["raw/a/pos/2.x", "raw/a/pos/10.x", "raw/b/iot/1.x"]
    for name in names:
        lake.put(name, name.encode())
    assert lake.names("raw") == sorted(names)
    assert lake.names("raw/a/") == sorted(names[:2])
    assert lake.names("nothing") == []
    assert lake.folders("raw") == ["a", "b"]
    assert lake.folders("nothing") == []
    assert lake.get_many(names) == [name.encode() for name in names]
    assert lake.exists(names[0])
    assert not lake.exists("raw/a/pos/3.x")
    with lake.open(names[1]) as file:
        file.seek(4)
        assert file.read() == names[1].encode()[4:]


def test_an_absent_object_is_a_lake_error_that_names_it(lake: Lake) -> None:
    with pytest.raises(LakeError, match="no such object") as caught:
        lake.get("raw/nowhere")
    assert caught.value.where == "raw/nowhere"


@given(body=st.binary(max_size=1000))
def test_bytes_come_back_exactly(body: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    lake = Lake(f"file://{tmp_path_factory.mktemp('lake')}")
    lake.put("a/b", body)
    assert lake.get("a/b") == body


def test_an_object_written_again_is_the_last_one(lake: Lake) -> None:
    lake.put("spec/a", b"first")
    lake.put("spec/a", b"second")
    assert lake.get("spec/a") == b"second"
    assert lake.names("spec") == ["spec/a"]


def test_large_objects_come_back_whole(lake: Lake) -> None:
    body = bytes(range(256)) * 40_000
    lake.put("raw/large", body)
    assert lake.get("raw/large") == body
    with lake.open("raw/large") as file:
        file.seek(-256, 2)
        assert file.read() == bytes(range(256))


def test_readers_never_see_half_an_object(tmp_path: Path) -> None:
    lake = Lake(f"file://{tmp_path}")
    bodies = {bytes([n]) * 3_000_000 for n in range(8)}
    seen = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            for name in lake.names("o"):
                seen.add(lake.get(name))

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number, body in enumerate(bodies):
        lake.put(f"o/{number}", body)
    done.set()
    watcher.join()
    assert seen <= bodies
    assert len(lake.names("o")) == len(bodies)


def test_a_process_killed_while_writing_leaves_no_object_and_no_visible_draft(
    tmp_path: Path,
) -> None:
    code = (
        "import os, signal\n"
        "from tenpo.lake import Lake\n"
        "os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"Lake('file://{tmp_path}').put('x', b'data')\n"
    )
    died = subprocess.run([sys.executable, "-c", code], check=False)
    assert died.returncode == -signal.SIGKILL
    lake = Lake(f"file://{tmp_path}")
    assert list(tmp_path.iterdir())  # the draft is there …
    assert lake.names("") == []  # … and nobody sees it
    assert not lake.exists("x")


def test_an_object_is_synced_with_its_folder_before_put_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    Lake(f"file://{tmp_path}").put("new/folder/object", b"data")
    folder = tmp_path / "new" / "folder"
    assert synced[-1] == str(folder)
    assert any(name.startswith(str(folder / ".object.")) for name in synced)
    assert {str(tmp_path), str(tmp_path / "new")} <= set(synced)


def test_a_full_or_forbidden_disk_is_a_lake_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LakeError, match="cannot write") as caught:
        Lake(f"file://{tmp_path}").put("file/object", b"data")
    assert caught.value.retryable
