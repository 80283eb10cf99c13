"""`tenpo features` as people type it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from tenpo.cli.main import main
from tenpo.errors import ServiceError
from tenpo.masters import Store
from tenpo.settings import get_settings
from tenpo.tenants import create_tenant
from tests.video_analyzer.feature_db.faces import MODEL, SECRET, SEEN, QuickDisk, faces
from video_analyzer.feature_db import Feature, FeatureDatabase, Seen
from video_analyzer.feature_db.commands import still_in
from video_analyzer.feature_db.location import who_moved

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
    code, out, _ = run("proofs", "acme")
    assert (code, out.rsplit("visits: ", 1)[-1]) == (0, "pending\n")
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


def test_expire_goes_by_the_stores_masters(run: Run, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    create_tenant(
        get_settings(), "shop", "Shop",
        stores=[Store(store_id="s1", name="One", timezone="Asia/Tokyo", currency="JPY",
                      retention_days=7)],
    )  # fmt: skip
    with FeatureDatabase(tmp_path / "features", SECRET).open_store("shop") as store:
        for days in (6, 8):
            seen = Seen("s1", now - timedelta(days=days), now + timedelta(days=90))
            store.add(MODEL, np.eye(1, 8, days % 8, dtype=np.float32), seen)
    assert run("expire", "shop") == (0, "1 features expired\n", "")
    assert parsed(run("stats", "shop", "--json")[1])["spaces"][0]["living"] == 1


def test_a_copy_is_imported_where_the_key_is(
    run: Run, added: list[Feature], tmp_path: Path
) -> None:
    copy = tmp_path / "copy.sealed"
    Path(run("export", "acme")[1].strip()).rename(copy)
    code, _, err = run("import", "acme", str(copy))
    assert (code, "already" in err) == (3, True)
    code, _, err = run("import", "nobody", str(copy))
    assert (code, "no features" in err) == (3, True)
    folder = tmp_path / "features" / "acme"
    for path in folder.iterdir():
        if path.is_file() and path.name != "key.sealed":
            path.unlink()
    damaged = bytearray(copy.read_bytes())
    damaged[-9] ^= 1  # the last frame: what is before it must not count, either
    (tmp_path / "damaged").write_bytes(damaged)
    assert run("import", "acme", str(tmp_path / "damaged"))[0] == 6
    assert parsed(run("stats", "acme", "--json")[1])["spaces"] == []
    assert run("import", "acme", str(copy)) == (0, "30 features imported\n", "")
    code, out, _ = run("search", "acme", "--model", MODEL, "--like", "7", "-k", "1", "--json")
    assert parsed(out)["matches"][0]["person"] == added[6].raw_id


def test_thresholds_and_proposals(run: Run, added: list[Feature]) -> None:
    code, out, _ = run("thresholds", "acme", "--model", MODEL, "--false-matches", "0.05", "--json")
    assert (code, parsed(out)["groups"][0]["strangers"]) == (0, 30 * 29 // 2)
    threshold = parsed(out)["threshold"]
    code, out, _ = run("thresholds", "acme", "--model", MODEL, "--threshold", "0.9")
    assert (code, "all: 435 pairs of strangers" in out) == (0, True)
    code, out, _ = run("propose", "acme", "--model", MODEL, "--threshold", str(threshold), "--json")
    assert code == 0
    assert len(parsed(out)["proposals"]) == 435 * 5 // 100  # each has one feature
    code, _, err = run("thresholds", "acme", "--model", MODEL)
    assert (code, "too few" in err) == (3, True)


def test_a_backup_beside_a_writer_is_restored_with_its_key(
    run: Run, added: list[Feature], tmp_path: Path
) -> None:
    with FeatureDatabase(tmp_path / "features", SECRET).open_store("acme") as store:
        [late] = store.add(MODEL, np.eye(1, 32, dtype=np.float32), SEEN)
        copy = tmp_path / "copy"
        code, out, _ = run("backup", "acme", str(copy))
        assert (code, out) == (0, "31 features and 31 identity events copied\n")
        store.checkpoint(whole=True)  # its files are not those of the copy any more
    code, _, err = run("backup", "acme", str(copy))
    assert (code, "already" in err) == (3, True)
    assert not (copy / "key.sealed").exists()
    folder = tmp_path / "features" / "acme"
    (folder / "key.sealed").rename(copy / "key.sealed")
    shutil.rmtree(folder)
    copy.rename(folder)
    assert run("verify", "acme")[0] == 0
    code, out, _ = run("search", "acme", "--model", MODEL, "--like", str(late.feature), "--json")
    assert parsed(out)["matches"][0]["person"] == late.raw_id


def test_a_new_root_secret_takes_over(
    run: Run, added: list[Feature], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "old"
    old.write_text(SECRET.hex())
    monkeypatch.setenv("TENPO_SECRET_KEY", SECRET[::-1].hex())
    get_settings.cache_clear()
    assert run("stats", "acme")[0] == 6
    assert run("rewrap", str(old)) == (0, "1 of 1 keys sealed anew\n", "")
    assert run("rewrap", str(old)) == (0, "0 of 1 keys sealed anew\n", "")
    assert parsed(run("stats", "acme", "--json")[1])["persons"] == len(added)
    (tmp_path / "features" / "acme" / "key.sealed").write_bytes(b"x" * 90)
    assert run("rewrap", str(old))[0] == 6
    code, _, err = run("rewrap", str(tmp_path / "nothing"))
    assert (code, "former secret" in err) == (3, True)


def test_who_is_whom_is_asked_for_where_there_is_a_token_of_the_tenant(
    run: Run, added: list[Feature], monkeypatch: pytest.MonkeyPatch
) -> None:
    del run
    monkeypatch.setenv("TENPO_FEATURES_TOKENS", '{"elsewhere": "t"}')
    monkeypatch.setenv("TENPO_FEATURES_URL", "http://127.0.0.1:9")
    get_settings.cache_clear()
    assert who_moved("acme")() == {}, "from the files here"
    assert who_moved("nobody")() is None
    with pytest.raises(ServiceError, match="does not answer"):
        who_moved("elsewhere")()


def test_how_far_a_new_model_is(run: Run, added: list[Feature]) -> None:
    code, out, _ = run("succession", "acme", "--from", MODEL, "--to", "sface-2")
    over = f"{SEEN.expires_at:%Y-%m-%d}"
    expected = f"30 of 30 persons wait for sface-2; the last of them is over on {over}\n"
    assert (code, out) == (0, expected)
    code, out, _ = run("succession", "acme", "--from", MODEL, "--to", "sface-2", "--json")
    assert parsed(out)["waiting"] == 30


def test_what_holds_an_erased_person_still_is_told_with_its_end(run: Run) -> None:
    assert run("stats", "nobody")[0] == 3
    shop = Store(store_id="s1", name="S", timezone="UTC", currency="JPY", retention_days=7)
    create_tenant(get_settings(), "shop", "Shop", stores=[shop])
    chunks = [f"video/shop/{store}/c1/2026-11-02/20261102T090000.000000Z.mp4.sealed"
              for store in ("s1", "closed")]  # fmt: skip
    found = still_in("shop", {"state": "done", "recordings": chunks, "payloads_left": ["raw/x"]})
    assert found == {
        "raw/x": "until it is deleted",
        chunks[0]: "until 2026-11-09",
        chunks[1]: "until it is deleted",
    }
    assert still_in("shop", {"state": "pending"}) == {}
