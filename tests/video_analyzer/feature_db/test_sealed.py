"""Sealed files: what was written comes back whole, or an error does; never anything else."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tenpo.errors import IntegrityError
from video_analyzer.feature_db.disk import Disk
from video_analyzer.feature_db.keyring import data_key, rewrap
from video_analyzer.feature_db.sealed import HEADER_BYTES, FeatureDamage, SealedReader, SealedWriter

KEY = bytes(range(32))
FRAMES = st.lists(st.binary(max_size=60), min_size=1, max_size=5)


def write(path: Path, frames: list[bytes], *, final: bool) -> list[int]:
    """Write a file; returns its length after each frame."""
    writer = SealedWriter(Disk(), path, KEY, "log/1")
    ends = []
    for i, plain in enumerate(frames):
        writer.append(plain, final=final and i == len(frames) - 1)
        ends.append(writer.size)
    writer.close()
    return ends


def read(path: Path, *, whole: bool, key: bytes = KEY, context: str = "log/1") -> list[bytes]:
    return [frame.plain for frame in SealedReader(path, key, context, whole=whole)]


@settings(max_examples=40, deadline=None)
@given(FRAMES, st.booleans(), st.data())
def test_a_changed_bit_is_never_data(frames: list[bytes], whole: bool, data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        write(path, frames, final=whole)
        assert read(path, whole=whole) == frames
        damaged = bytearray(path.read_bytes())
        place = data.draw(st.integers(0, len(damaged) - 1))
        damaged[place] ^= 1 << data.draw(st.integers(0, 7))
        path.write_bytes(damaged)
        with pytest.raises(FeatureDamage):
            read(path, whole=whole)


@settings(max_examples=40, deadline=None)
@given(FRAMES, st.integers(0, 200), st.data())
def test_a_write_cut_short_is_left_out_and_nothing_before_it(
    frames: list[bytes], zeros: int, data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        ends = write(path, frames, final=False)
        kept = data.draw(st.integers(0, len(frames) - 1))
        start = ([HEADER_BYTES, *ends])[kept]
        cut = data.draw(st.integers(start, ends[kept] - 1))
        # a file system may have made the file longer before its bytes were written
        fill = min(zeros, ends[kept] - cut)
        path.write_bytes(path.read_bytes()[:cut] + bytes(fill))
        reader = SealedReader(path, KEY, "log/1", whole=False)
        assert [frame.plain for frame in reader] == frames[:kept]
        assert reader.torn_at == (None if cut == start and not fill else start)


@given(st.integers(0, 10))
def test_a_whole_file_must_have_its_end(missing: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        ends = write(path, [b"one", b"two"], final=True)
        path.write_bytes(path.read_bytes()[: ends[0] + missing])
        with pytest.raises(FeatureDamage):
            read(path, whole=True)


def test_frames_cannot_move_nor_come_twice_nor_be_added(tmp_path: Path) -> None:
    path = tmp_path / "f"
    ends = write(path, [b"aaa", b"bbb"], final=False)
    data = path.read_bytes()
    head, one, two = data[:HEADER_BYTES], data[HEADER_BYTES : ends[0]], data[ends[0] :]
    for changed in (head + two, head + two + one, head + one + one, data + one):
        path.write_bytes(changed)
        with pytest.raises(FeatureDamage):
            read(path, whole=False)


@pytest.mark.parametrize(("key", "context"), [(KEY[::-1], "log/1"), (KEY, "log/2")])
def test_another_key_or_name_does_not_open(tmp_path: Path, key: bytes, context: str) -> None:
    write(tmp_path / "f", [b"payload"], final=False)
    with pytest.raises(FeatureDamage, match="does not open"):
        read(tmp_path / "f", whole=False, key=key, context=context)


def test_equal_frames_look_different_and_plain_text_is_nowhere(tmp_path: Path) -> None:
    secret = b"a face that nobody may see"
    for name in ("f", "g"):
        write(tmp_path / name, [secret, secret], final=False)
    both = (
        (tmp_path / "f").read_bytes()[HEADER_BYTES:],
        (tmp_path / "g").read_bytes()[HEADER_BYTES:],
    )
    bodies = {half for data in both for half in (data[: len(data) // 2], data[len(data) // 2 :])}
    assert len(bodies) == 4
    assert all(secret not in data for data in both)


def test_a_file_is_never_taken_up_again(tmp_path: Path) -> None:
    write(tmp_path / "f", [b"x"], final=False)
    with pytest.raises(FileExistsError):
        SealedWriter(Disk(), tmp_path / "f", KEY, "log/1")


def test_the_data_key_outlives_the_root_secret(tmp_path: Path) -> None:
    old, new = bytes(32), bytes(range(32))
    made = data_key(Disk(), tmp_path, old, "acme", make=True)
    assert data_key(Disk(), tmp_path, old, "acme", make=True) == made
    rewrap(Disk(), tmp_path, old, new, "acme")
    assert data_key(Disk(), tmp_path, new, "acme", make=False) == made
    for root, tenant in ((old, "acme"), (new, "other")):
        with pytest.raises(IntegrityError):
            data_key(Disk(), tmp_path, root, tenant, make=False)
    assert made not in (tmp_path / "key.sealed").read_bytes()


def test_a_lost_key_is_not_made_anew_beside_data(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="missing"):
        data_key(Disk(), tmp_path, KEY, "acme", make=False)
