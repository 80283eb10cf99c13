"""A new model of faces learns from recordings: from the very pictures, once, and from no others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import typer
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from beam_jobs.reembed.command import reembed as command
from beam_jobs.reembed.job import reembed
from beam_jobs.reembed.pictures import chunks_of
from beam_jobs.reembed.transforms import Makers
from tenpo.errors import AuthError, ConfigError, InputError
from tenpo.identifiers import micros
from tenpo.lake import Lake
from tenpo.masters import Store
from tenpo.settings import Settings
from tenpo.tenants import create_tenant, issue_token
from tests.video_analyzer.clips import Straight, camera, render
from tests.video_analyzer.identity.test_ways import DarkHeads
from video_analyzer.faces.face import Floats, Picture
from video_analyzer.feature_db.declared import Declared
from video_analyzer.feature_service.app import create_app
from video_analyzer.feature_service.client import FeatureClient
from video_analyzer.record.names import chunk_name
from video_analyzer.record.shelf import ChunkShelf

features_reembed = typer.Typer()
features_reembed.command()(command)
START = (datetime.now(UTC) - timedelta(hours=1)).replace(microsecond=0)
OLD, NEW = "dark-1", "dark-2"
DOOR = camera(tenant_id="a", store_id="s1", faces=True)
#: How the workers reach the service: pickled by name.
SERVICE: dict[str, TestClient | str] = {}


class Dark:
    """One feature for every dark head, of as many numbers as the model has."""

    threshold = 0.9

    def __init__(self, label: str) -> None:
        self.label, self.dimension = label, {OLD: 2, NEW: 3}[label]

    def extract(self, chips: Sequence[Picture]) -> Floats:
        return np.eye(1, self.dimension, dtype=np.float32).repeat(len(chips), axis=0)


class Kept(FeatureClient):
    """Leaves the service's client open, which the next one uses, too."""

    def close(self) -> None:
        pass


def client(settings: Settings, tenant_id: str) -> FeatureClient:
    http, token = SERVICE["http"], SERVICE["token"]
    assert isinstance(http, TestClient)
    assert isinstance(token, str)
    return Kept(settings.features_url, tenant_id, token, http=http)


def heads(settings: Settings) -> DarkHeads:
    del settings
    return DarkHeads()


MAKERS = Makers(client, heads, Dark)


def recorded(settings: Settings, tmp_path: Path) -> None:
    """Two chunks of two seconds with somebody in them, and one that is none."""
    shelf = ChunkShelf(Lake(settings.lake_url), settings.root_secret(), DOOR)
    clip = render(tmp_path / "walk.mp4", [Straight(0.2, 1.9, (60, 120), (260, 120))], 2)
    for number, content in enumerate((clip.read_bytes(), clip.read_bytes(), b"no video at all")):
        path = tmp_path / chunk_name(micros(START + timedelta(seconds=2 * number)))
        path.write_bytes(content)
        shelf.take_in(path)


def test_recordings_bring_people_over(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    shop = Store(store_id="s1", name="S", timezone="UTC", currency="JPY", has_faces=True)
    create_tenant(settings, "a", "A", stores=[shop])
    recorded(settings, tmp_path)
    with TestClient(create_app(settings, refusal_s=0), base_url="http://127.0.0.1") as http:
        device = issue_token(settings, "a", "features", "s1")
        SERVICE["http"], SERVICE["token"] = http, issue_token(settings, "a", "features")
        person = client(settings, "a")
        person.declare([Declared(model=OLD, dimension=2, threshold=0.9)])
        at = {"ann": 1.0, "ben": 3.0, "cat": -60.0, "dan": 3.15, "eve": 5.0}
        ids = {
            name: person.identify(
                OLD, [1, 0.2 * (number - 2)], "s1", START + timedelta(seconds=seconds), 0.9999
            ).raw_id
            for number, (name, seconds) in enumerate(at.items())
        }  # fmt: skip
        assert len(set(ids.values())) == 5
        report = reembed(settings, [DOOR], OLD, NEW, makers=MAKERS)
        # cat was not recorded, dan at no picture's moment, and eve's chunk is damaged
        assert (report.before.waiting, report.after.waiting) == (5, 3)
        looked = [(one["moments"], one["pictures"], one["taken"]) for one in report.looked]
        assert looked == [(1, 1, 1), (2, 1, 1)]
        [damaged] = report.rejected
        assert "unreadable" in damaged["reason"]
        known = {name for name, raw in ids.items()
                 if len({one["model"] for one in person.held(raw).features}) == 2}  # fmt: skip
        assert known == {"ann", "ben"}
        again = reembed(settings, [DOOR], OLD, NEW, makers=MAKERS)
        assert (again.before.waiting, again.after.waiting) == (3, 3)
        assert [one["moments"] for one in again.looked] == [1]
        SERVICE["token"] = device
        with pytest.raises(AuthError, match="device"):
            reembed(settings, [DOOR], OLD, NEW, makers=MAKERS)
    with pytest.raises(InputError, match="2 cameras of 1 tenants"):
        reembed(settings, [DOOR, DOOR], OLD, NEW, makers=MAKERS)


def test_moments_are_looked_for_in_the_chunk_that_was_open() -> None:
    first, second = chunk_name(1_000_000), chunk_name(3_000_000)
    found = chunks_of([first, second], [500_000, 1_000_000, 2_999_999, 3_000_000, 9_000_000])
    assert found == {first: [1_000_000, 2_999_999], second: [3_000_000, 9_000_000]}
    assert chunks_of([], [1]) == {}


def test_a_model_that_is_not_there_is_told_before_anything_begins(tmp_path: Path) -> None:
    door = tmp_path / "door.yaml"
    door.write_text(DOOR.model_dump_json(by_alias=True), "utf-8")
    for models in (["--from", "dlib_resnet-1", "--to", "dlib-2"], ["--from", OLD, "--to", NEW]):
        ran = CliRunner().invoke(features_reembed, [str(door), *models])
        assert isinstance(ran.exception, ConfigError)
        assert "Known: dlib_resnet-1" in ran.exception.remedy
