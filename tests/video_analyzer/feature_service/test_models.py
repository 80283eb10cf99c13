"""What a device may choose: a declared model, and nothing of how alike two must be."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tenpo.errors import InputError
from tests.video_analyzer.feature_service.conftest import DECLARED, MODEL, SEEN_AT, Ask
from video_analyzer.feature_db.backup import back_up
from video_analyzer.feature_db.database import FeatureDatabase
from video_analyzer.feature_db.declared import (
    DEFAULT_THRESHOLD,
    MAX_MODELS,
    Declared,
    declare,
    read_declared,
)
from video_analyzer.feature_db.records import Floats


@pytest.mark.parametrize("threshold", [-1.0, 0.89, 1.0])
def test_a_device_cannot_choose_how_alike_two_must_be(
    ask: Ask, face: Floats, known: str, threshold: float
) -> None:
    before = ask("a").stats().persons
    with pytest.raises(InputError, match="declared threshold"):
        ask("a", "s1").identify(MODEL, (-face).tolist(), "s1", SEEN_AT, threshold)
    assert ask("a").stats().persons == before
    assert ask("a", "s1").identify(MODEL, face.tolist(), "s1", SEEN_AT).person == known


def test_a_device_makes_no_space_and_fixes_no_dimension(ask: Ask, face: Floats) -> None:
    device, person = ask("b", "s1"), ask("b")
    before = person.stats().spaces
    with pytest.raises(InputError, match="not declared"):
        device.identify("sface-2", face.tolist(), "s1", SEEN_AT)
    person.declare([*DECLARED, Declared(model="sface-2", dimension=64)])
    with pytest.raises(InputError, match="64 dimensions"):
        device.identify("sface-2", face.tolist()[:32], "s1", SEEN_AT)
    assert person.stats().spaces == before
    assert device.identify("sface-2", face.tolist(), "s1", SEEN_AT).is_new
    assert [each.threshold for each in person.models()] == [0.9, DEFAULT_THRESHOLD]
    with pytest.raises(InputError, match="64 dimensions"):
        person.declare([Declared(model="sface-2", dimension=65)])
    person.declare(DECLARED)


def test_a_new_model_learns_from_who_is_met_and_from_recordings(ask: Ask) -> None:
    old, new = np.eye(4, 64, dtype="f4").tolist(), np.eye(4, 32, dtype="f4").tolist()
    person, device = ask("b"), ask("b", "s2")
    models = [Declared(model="old-1", dimension=64, threshold=0.9),
              Declared(model="new-1", dimension=32, threshold=0.9)]  # fmt: skip
    person.declare([*DECLARED, *models])
    ids = [device.identify("old-1", old[n], "s2", SEEN_AT).raw_id for n in range(3)]
    for wrong in (("old-1", old[0][:32]), ("other-1", old[0])):
        with pytest.raises(InputError):
            device.identify("new-1", new[0], "s2", SEEN_AT, former=wrong)
    met = device.identify("new-1", new[0], "s2", SEEN_AT, former=("old-1", old[0]))
    assert (met.raw_id, met.is_new) == (ids[0], False)
    assert device.identify("new-1", new[0], "s2", SEEN_AT).raw_id == ids[0]
    told = person.progress("old-1", "new-1")
    assert (told.persons, told.waiting) == (3, 2)
    assert person.sightings("old-1", "new-1", "s2", SEEN_AT - timedelta(hours=1)) == [SEEN_AT]
    assert person.take_over(("old-1", old[1]), "new-1", new[1], "s2", SEEN_AT)
    assert not person.take_over(("old-1", old[1]), "new-1", new[1], "s2", SEEN_AT)
    assert person.progress("old-1", "new-1").waiting == 1
    found = [person.search("new-1", new[n], threshold=0.9, former=("old-1", old[n]))
             for n in range(4)]  # fmt: skip
    shown = [[(one.raw_id, one.model) for one in each] for each in found]
    assert shown == [[(ids[0], "new-1")], [(ids[1], "new-1")], [(ids[2], "old-1")], []]
    person.declare(DECLARED)


def test_declarations_are_bounded_and_a_backup_has_them(tmp_path: Path) -> None:
    database = FeatureDatabase(tmp_path / "features", bytes(32))
    many = [Declared(model=f"m{n}", dimension=2) for n in range(MAX_MODELS + 1)]
    with database.open_store("a") as store:
        for wrong in (many, many[:1] * 2):
            with pytest.raises(InputError, match="one twice"):
                declare(store, wrong)
        declare(store, many[1:])
        store.checkpoint()
    back_up(*database.sealed_folder("a"), tmp_path / "copy")
    _, key = database.sealed_folder("a")
    assert list(read_declared(tmp_path / "copy", key)) == [each.model for each in many[1:]]
