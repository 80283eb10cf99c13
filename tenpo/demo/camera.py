"""The demo's cameras: clips go through recorder, analyzer, gateway, lake and ingest.

One clip is drawn; with a folder of public data the real clip there is another shop's, looked at
by the real detector. Shops and cameras have nothing else. Each step is the command that anybody
would type, and what is in the clips is what every hop must have. No face is looked for.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

from tenpo.clock import zone
from tenpo.demo.hops import Hop
from tenpo.errors import ServiceError
from tenpo.masters import Device, Store
from tenpo.settings import Settings
from tenpo.simulate.clip import DOOR_X, HEIGHT, IN_COUNT, OUT_COUNT, WIDTH, render_clip
from tenpo.tenants import TenantTokens, create_tenant

TENANT = "camera"
NAME = "Camera shops"
_ZONE = "Asia/Tokyo"
_SPEC = Path(__file__).parents[2] / "specs" / "cameras" / "video_counts.yaml"
_OPENS = time(12)
_CHUNK_S = 20
_REAL = Path("video") / "one-by-one-person-detection.mp4"
_MODELS_SEED = "TENPO_MODELS_SEED"


@dataclass(frozen=True)
class Scene:
    """A shop, its camera's file, and what is in its clip.

    Args:
        store_id: the shop.
        name: of the shop.
        shape: picture, detector and lines, as in a camera's file.
        in_count: people who come in.
        out_count: people who go out.
        closes: as long as the clip, from noon on: then nobody looks.
        clip: the file; None is drawn.
    """

    store_id: str
    name: str
    shape: str
    in_count: int
    out_count: int
    closes: str
    clip: Path | None = None

    @property
    def camera_id(self) -> str:
        """Its camera."""
        return f"{self.store_id}-door"

    @property
    def file(self) -> str:
        """The camera's file."""
        names = f"tenant_id: {TENANT}\nstore_id: {self.store_id}\ncamera_id: {self.camera_id}\n"
        return names + self.shape


DRAWN = Scene(
    "corner", "Corner shop",
    f"""\
width: {WIDTH}
height: {HEIGHT}
detector: motion
lines:
  - {{line_id: door, from: [{DOOR_X}, 0], to: [{DOOR_X}, {HEIGHT}], inside: [{WIDTH - 1}, 1]}}
zones:
  - {{zone_id: view}}
""",
    IN_COUNT, OUT_COUNT, "12:01",
)  # fmt: skip

#: Five pictures a second are enough for people who walk past one by one, and a third of the work.
_AISLE = """\
width: 768
height: 432
frames_per_s: 5
lines:
  - {line_id: aisle, from: [600, 0], to: [600, 432], inside: [700, 200]}
zones:
  - {zone_id: view}
"""


def scenes(data: Path | None) -> list[Scene]:
    """The drawn clip, and the real one if the folder holds it."""
    real = None if data is None else data / _REAL
    if real is None or not real.exists():
        return [DRAWN]
    return [DRAWN, Scene("aisle", "Aisle (public clip)", _AISLE, 6, 0, "12:02", real)]


def truth(seen: Sequence[Scene]) -> Hop:
    """What is in the clips."""
    return Hop("clips", {
        "in_count": Decimal(sum(one.in_count for one in seen)),
        "out_count": Decimal(sum(one.out_count for one in seen)),
    })  # fmt: skip


def create(settings: Settings, seen: Sequence[Scene]) -> TenantTokens:
    """The tenant: of each shop its camera, and the camera's door as a counter."""
    stores = [
        Store(store_id=one.store_id, name=one.name, timezone=_ZONE, currency="JPY",
              opening_hours=(("12:00", one.closes),))
        for one in seen
    ]  # fmt: skip
    devices = [device for one in seen for device in _devices(one)]
    return create_tenant(settings, TENANT, NAME, stores, [], devices)


def watch(settings: Settings, seen: Sequence[Scene], day: date) -> None:
    """Let the clips be what the cameras saw at noon of a day; each once for a home.

    Raises:
        ServiceError: a command failed.
    """
    for one in seen:
        folder = settings.home / "simulation" / TENANT / one.store_id
        if not (folder / "sent").exists():
            _watch(one, folder, day)
            (folder / "sent").touch()


def _watch(scene: Scene, folder: Path, day: date) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    camera, clip = folder / "camera.yaml", scene.clip or folder / "clip.mp4"
    camera.write_text(scene.file, "utf-8")
    if scene.clip is None:
        render_clip(clip)
    start = datetime.combine(day, _OPENS, zone(_ZONE)).isoformat()
    events, counts = folder / "events", folder / "counts"
    _run(
        *("video", "run", "--camera", camera, "--source", clip, "--start", start),
        *("--chunk-s", _CHUNK_S, "--out", events, "--counts", counts),
        seed=clip.parents[2] / "models",
    )
    to = ("--tenant", TENANT)
    _run("send", "iot", *sorted(events.glob("*.json")), "--vendor", "video", *to)
    _run("send", "iot", *sorted(counts.glob("*.json")), "--spec", _SPEC, *to)


def _devices(scene: Scene) -> list[Device]:
    store_id, camera_id = scene.store_id, scene.camera_id
    return [
        Device(device_id=camera_id, store_id=store_id, source="video", role="camera"),
        Device(device_id=f"{camera_id}-counts", store_id=store_id, source="video_counts"),
    ]


def _run(*words: object, seed: Path | None = None) -> None:
    """Type a command; weights beside the data spare the network, unless a setting says where."""
    command = [sys.executable, "-m", "tenpo.cli", *map(str, words)]
    told = {_MODELS_SEED: str(seed)} if seed is not None and seed.is_dir() else {}
    if subprocess.run(command, check=False, env=told | dict(os.environ)).returncode:
        raise ServiceError(
            "a command of the demo's cameras failed",
            where=" ".join(command[3:5]),
            remedy="See the lines above.",
        )
