"""Files are there whole, in their order, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenpo.durable import write_files


def test_files_appear_in_their_order(tmp_path: Path) -> None:
    files = [(tmp_path / "a" / "1", b"one"), (tmp_path / "b" / "c" / "2", b"two")]
    seen: list[list[bool]] = []
    write_files(files, lambda place: seen.append([path.exists() for path, _ in files]))
    assert seen == [[True, False], [True, True]]
    assert [path.read_bytes() for path, _ in files] == [b"one", b"two"]
    assert sorted(p.name for p in tmp_path.rglob("*") if p.is_file()) == ["1", "2"]


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "b").write_text("a file where a folder must be")
    with pytest.raises(OSError, match="b"):
        write_files([(tmp_path / "a" / "1", b"one"), (tmp_path / "b" / "2", b"two")])
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == [tmp_path / "b"]


def test_a_stop_between_two_files_leaves_the_first_and_no_draft(tmp_path: Path) -> None:
    def stop(place: int) -> None:
        raise InterruptedError(f"after {place}")

    with pytest.raises(InterruptedError, match="after 0"):
        write_files([(tmp_path / "1", b"one"), (tmp_path / "2", b"two")], stop)
    assert [p.name for p in tmp_path.iterdir()] == ["1"]
