"""What a camera gets: nothing of faces, unless its file and its store's master both say so."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from tenpo.errors import ConfigError, LakeError
from tenpo.lake import Lake
from tenpo.masters import MasterBook, TenantMasters
from tenpo.settings import Settings
from tests.video_analyzer.clips import Straight, camera, render
from tests.video_analyzer.faces.portrait import resnet, yunet, yunet_file
from video_analyzer.faces.dlib_resnet import DlibResnet
from video_analyzer.faces.yunet import YuNet
from video_analyzer.feature_service.client import FeatureClient
from video_analyzer.identity.recogniser import FaceRecogniser
from video_analyzer.identity.wiring import onlookers, still_has_faces
from video_analyzer.offline import analyze_file

START = datetime(2026, 11, 2, tzinfo=UTC)


def refused(*_: object, **__: object) -> Any:
    raise AssertionError("something of a face was looked for")


def test_without_faces_not_even_a_model_is_loaded(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owner, name in ((YuNet, "__init__"), (YuNet, "find"), (DlibResnet, "__init__"),
                        (DlibResnet, "extract"), (FeatureClient, "identify"),
                        (FaceRecogniser, "__init__")):  # fmt: skip
        monkeypatch.setattr(owner, name, refused)
    looked = camera(tenant_id="a", store_id="s1")
    detector, recogniser = onlookers(looked, settings)
    assert recogniser is None
    clip = render(tmp_path / "walk.mp4", [Straight(0.5, 2, (40, 120), (280, 120))], 2)
    events, _ = analyze_file(clip, looked, detector, START, recogniser=recogniser)
    assert events
    assert {(one.person_id, one.face_state) for one in events} == {(None, None)}
    with pytest.raises(ConfigError, match="the store runs without faces"):
        onlookers(camera(tenant_id="a", store_id="blind", faces=True), settings)


def test_with_faces_a_token_is_needed(settings: Settings) -> None:
    with pytest.raises(ConfigError, match="TENPO_FEATURES_TOKEN"):
        onlookers(camera(tenant_id="a", store_id="s1", faces=True), settings)


def test_with_faces_pictures_come_large_and_people_are_found_in_small_ones(
    settings: Settings,
) -> None:
    yunet(), resnet()
    changed = {"features_token": SecretStr("t"), "models_seed": yunet_file().parent}
    detector, recogniser = onlookers(
        camera(tenant_id="a", store_id="s1", faces=True), settings.model_copy(update=changed)
    )
    assert recogniser is not None
    assert recogniser.label == "dlib_resnet-1"
    assert (detector.label, detector.width, detector.height) == ("motion-1", 1280, 1280)


def test_a_lake_that_is_away_means_no_faces_and_no_error(settings: Settings) -> None:
    class Away(MasterBook):
        def get(self, tenant_id: str) -> TenantMasters:
            raise LakeError("away")

    looked = camera(tenant_id="a", store_id="s1")
    lake = Lake(settings.lake_url)
    assert still_has_faces(MasterBook(lake), looked)
    assert not still_has_faces(Away(lake), looked)
