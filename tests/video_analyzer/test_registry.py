"""Weights: fetched once, verified always."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tenpo.errors import ConfigError, IntegrityError, ServiceError
from video_analyzer.detect.registry import Model, model_named, models, weights

WEIGHTS = b"weights" * 1000


def model(url: str, data: bytes = WEIGHTS) -> Model:
    return Model.model_validate(
        {"name": "small", "version": "1", "file": "small.onnx", "url": url, "licence": "MIT",
         "sha256": hashlib.sha256(data).hexdigest(), "size_bytes": len(data), "width": 64,
         "height": 64}
    )  # fmt: skip


@pytest.fixture
def address() -> Iterator[str]:
    """A server that gives the weights once, and an error ever after."""

    class Once(BaseHTTPRequestHandler):
        asked = 0

        def do_GET(self) -> None:
            type(self).asked += 1
            self.send_response(200 if self.asked == 1 else 500)
            self.end_headers()
            self.wfile.write(WEIGHTS if self.asked == 1 else b"")

        def log_message(self, *args: object) -> None:
            del args

    server = HTTPServer(("127.0.0.1", 0), Once)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/small.onnx"
    server.shutdown()
    thread.join()
    server.server_close()


def test_weights_are_fetched_once(tmp_path: Path, address: str) -> None:
    for _ in range(2):
        assert weights(model(address), tmp_path).read_bytes() == WEIGHTS


@pytest.mark.parametrize("other", [b"WEIGHTS" * 1000, WEIGHTS[:-1], WEIGHTS[:-4] + b"more!"])
def test_other_weights_are_not_kept(tmp_path: Path, address: str, other: bytes) -> None:
    with pytest.raises(IntegrityError, match="not those of the registry"):
        weights(model(address, other), tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_a_seed_spares_the_network_and_is_verified_too(tmp_path: Path) -> None:
    seed, cache = tmp_path / "seed", tmp_path / "cache"
    seed.mkdir()
    (seed / "small.onnx").write_bytes(WEIGHTS)
    nowhere = model("http://127.0.0.1:1/small.onnx")
    assert weights(nowhere, cache, seed).read_bytes() == WEIGHTS
    (seed / "small.onnx").write_bytes(b"other")
    with pytest.raises(IntegrityError):
        weights(nowhere, tmp_path / "second", seed)


def test_a_spoilt_cache_is_noticed(tmp_path: Path, address: str) -> None:
    weights(model(address), tmp_path).write_bytes(b"spoilt")
    with pytest.raises(IntegrityError):
        weights(model(address), tmp_path)


def test_a_closed_network_is_told_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="TENPO_MODELS_SEED"):
        weights(model("http://127.0.0.1:1/small.onnx"), tmp_path)


def test_every_model_has_a_licence_that_may_be_used() -> None:
    assert models()
    free = {"Apache-2.0", "MIT", "BSD-3-Clause"}
    assert {one.licence for one in models()} <= free
    assert {one.url.scheme for one in models()} == {"https"}


def test_an_unknown_model_is_told_with_what_there_is() -> None:
    with pytest.raises(ConfigError, match="Use yolox_nano or motion"):
        model_named("other")
