"""`tenpo features` where the service holds the files: the same commands ask it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest
import uvicorn
from typer.testing import CliRunner

from tenpo.masters import Store
from tenpo.settings import Settings, get_settings
from tenpo.tenants import create_tenant, issue_token
from tests.video_analyzer.feature_service.conftest import MODEL, SEEN_AT
from video_analyzer.feature_db.commands import features
from video_analyzer.feature_service.app import create_app
from video_analyzer.feature_service.client import FeatureClient

SHOP = Store(store_id="s1", name="S", timezone="UTC", currency="JPY", has_faces=True)


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FeatureClient]:
    """A service of its own home on a port; the commands have another home, and a token."""
    there = Settings(home=tmp_path / "there")
    create_tenant(there, "acme", "Acme", stores=[SHOP])
    token = issue_token(there, "acme", "features")
    listening = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(create_app(there, refusal_s=0), log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    monkeypatch.setenv("TENPO_HOME", str(tmp_path / "here"))
    monkeypatch.setenv("TENPO_FEATURES_URL", url)
    monkeypatch.setenv("TENPO_FEATURES_TOKENS", orjson.dumps({"acme": token}).decode())
    get_settings.cache_clear()
    with FeatureClient(url, "acme", token) as client:
        yield client
    get_settings.cache_clear()
    server.should_exit = True
    thread.join()
    listening.close()


def test_commands_that_write_ask_the_service_that_holds_the_files(remote: FeatureClient) -> None:
    looks = np.linalg.qr(np.random.default_rng(5).normal(size=(64, 64)))[0][:3]
    looks[1] = 0.6 * looks[0] + 0.8 * looks[1]
    ids = [remote.identify(MODEL, look.tolist(), "s1", SEEN_AT, 0.9).raw_id for look in looks]
    run = CliRunner()
    ran = run.invoke(
        features, ["propose", "acme", "--model", MODEL, "--threshold", "0.5", "--json"]
    )
    [found] = orjson.loads(ran.output)["proposals"]
    assert (found["a"], found["b"], found["score"]) == (*ids[:2], pytest.approx(0.6))
    ran = run.invoke(features, ["expire", "acme"])
    assert ran.output == "0 features expired\n"
    ran = run.invoke(features, ["erase", "acme", ids[0]])
    assert (ran.exit_code, ran.output[:28]) == (0, "1 ids and 1 features erased;")
    assert remote.stats().persons == 2
    ran = run.invoke(features, ["erase", "acme", ids[1], "--json"])
    told = orjson.loads(ran.output)
    assert (told["is_complete"], told["features"]) == (True, 1)
