"""The pictures of the README can be taken of a running API."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.api.picture import PHONE, WIDE, chromium, take_picture
from tests.api.seed import token_of


def size_of(path: Path) -> tuple[int, int]:
    """Width and height of a PNG, from its IHDR chunk."""
    head = path.read_bytes()[:24]
    assert head[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", head[16:])
    return width, height


@pytest.mark.e2e
@pytest.mark.skipif(
    chromium() is None, reason="no Chromium: set TENPO_CHROMIUM or install Debian's chromium"
)
@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_a_picture_is_written(api_url: str, tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "images" / "dashboard.png"
    take_picture(api_url, token_of("hinode"), path, size=size)
    assert size_of(path) == (2 * size[0], 2 * size[1])
    assert path.stat().st_size > 50_000


def test_without_chromium_it_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("TENPO_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="TENPO_CHROMIUM"):
        take_picture("http://127.0.0.1:9", "token", tmp_path / "none.png")
