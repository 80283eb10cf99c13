"""`tenpo features` as people type it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from tenpo.cli.main import main
from tenpo.settings import get_settings
from tests.video_analyzer.feature_db.faces import MODEL, SECRET, SEEN, QuickDisk, faces
from video_analyzer.feature_db import Feature, FeatureDatabase, Seen

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command; gives its exit code, stdout and stderr."""
    monkeypatch.setenv("TENPO_HOME", str(tmp_path))
    monkeypatch.setenv("TENPO_SECRET_KEY", SECRET.hex())
    get_settings.cache_clear()

    def command(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["tenpo", "features", *words])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return command


@pytest.fixture
def added(tmp_path: Path) -> list[Feature]:
    base = FeatureDatabase(tmp_path / "features", SECRET, disk=QuickDisk())
    with base.open_store("acme") as store:
        found = store.add(MODEL, faces(np.random.default_rng(1), 30), SEEN)
        store.checkpoint()
        return found


def parsed(text: str) -> Any:
    return orjson.loads(text)


def test_stats_and_verify(run: Run, added: list[Feature]) -> None:
    code, out, _ = run("stats", "acme", "--json")
    assert code == 0
    assert parsed(out)["persons"] == len(added)
    code, out, _ = run("verify", "acme")
    assert (code, out.split()[:2]) == (0, ["30", "features,"])
    code, out, _ = run("stats", "acme")
    assert "flat 30" in out


def test_verify_fails_on_damage(run: Run, added: list[Feature], tmp_path: Path) -> None:
    [part] = (tmp_path / "features" / "acme").glob("part-*")
    data = bytearray(part.read_bytes())
    data[len(data) // 2] ^= 4
    part.write_bytes(data)
    code, _, err = run("verify", "acme")
    assert code == 6
    assert part.name in err
    assert run("stats", "acme")[0] == 6


def test_search_by_number_finds_itself(run: Run, added: list[Feature]) -> None:
    code, out, _ = run("search", "acme", "--model", MODEL, "--like", "7", "-k", "2", "--json")
    assert code == 0
    best, second = parsed(out)["matches"]
    assert (best["feature"], best["person"]) == (7, added[6].raw_id)
    assert best["score"] == pytest.approx(1.0)
    assert second["score"] < best["score"]
    code, _, err = run("search", "acme", "--model", MODEL, "--like", "99")
    assert (code, "no such feature" in err) == (3, True)


def test_export_says_what_is_held_and_erase_ends_it(run: Run, added: list[Feature]) -> None:
    person = added[2].raw_id
    code, out, _ = run("export", "acme", "--person", person)
    assert (code, parsed(out)["features"][0]["feature"]) == (0, 3)
    code, out, _ = run("erase", "acme", person, "--json")
    assert (code, parsed(out)["features"]) == (0, 1)
    code, _, err = run("export", "acme", "--person", person)
    assert code == 3
    assert person not in err
    code, out, _ = run("export", "acme")
    assert Path(out.strip()).is_file()
    code, _, err = run("erase", "acme", added[0].raw_id)
    assert (code, "still in files" in err) == (6, True)


def test_expire_and_unknown_tenants(run: Run, added: list[Feature], tmp_path: Path) -> None:
    long_ago, far_off = datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
    with FeatureDatabase(tmp_path / "features", SECRET).open_store("shop") as store:
        for until, count in ((long_ago, 4), (far_off, 3)):
            store.add(MODEL, np.eye(count, 8, dtype=np.float32), Seen("s1", long_ago, until))
    assert run("expire", "shop") == (0, "4 features expired\n", "")
    assert parsed(run("stats", "shop", "--json")[1])["spaces"][0]["living"] == 3
    code, _, err = run("stats", "nobody")
    assert (code, "no features" in err) == (3, True)
