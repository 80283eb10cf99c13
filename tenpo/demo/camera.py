"""The demo's camera: a drawn clip goes through recorder, analyzer, gateway, lake and ingest.

The shop has nothing but this camera. Each step is the command that anybody would type; what was
drawn is what every hop must have. Not for pictures of people: no face is looked for.
"""

from __future__ import annotations

import subprocess
import sys
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
_STORE, _CAMERA, _ZONE = "corner", "corner-door", "Asia/Tokyo"
_SPEC = Path(__file__).parents[2] / "specs" / "cameras" / "video_counts.yaml"
_OPENS = time(12)
_CHUNK_S = 10
_FILE = f"""\
tenant_id: {TENANT}
store_id: {_STORE}
camera_id: {_CAMERA}
width: {WIDTH}
height: {HEIGHT}
detector: motion
lines:
  - {{line_id: door, from: [{DOOR_X}, 0], to: [{DOOR_X}, {HEIGHT}], inside: [{WIDTH - 1}, 1]}}
zones:
  - {{zone_id: view}}
"""

#: What was drawn.
TRUTH = Hop("drawn", {"in_count": Decimal(IN_COUNT), "out_count": Decimal(OUT_COUNT)})


def create(settings: Settings) -> TenantTokens:
    """The tenant: one shop, its camera, and the camera's door as a counter."""
    store = Store(
        store_id=_STORE, name="Corner shop", timezone=_ZONE, currency="JPY",
        opening_hours=(("12:00", "13:00"),),
    )  # fmt: skip
    camera = Device(device_id=_CAMERA, store_id=_STORE, source="video", role="camera")
    door = Device(device_id=f"{_CAMERA}-counts", store_id=_STORE, source="video_counts")
    return create_tenant(settings, TENANT, "Corner shop", [store], [], [camera, door])


def watch(settings: Settings, day: date) -> None:
    """Let the clip be what the camera saw at noon of a day; once for a home.

    Raises:
        ServiceError: a command failed.
    """
    folder = settings.home / "simulation" / TENANT
    done = folder / "sent"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "door.yaml").write_text(_FILE, "utf-8")
    render_clip(folder / "clip.mp4")
    start = datetime.combine(day, _OPENS, zone(_ZONE)).isoformat()
    events, counts = folder / "events", folder / "counts"
    _run(
        *("video", "run", "--camera", folder / "door.yaml", "--source", folder / "clip.mp4"),
        *("--start", start, "--chunk-s", _CHUNK_S, "--out", events, "--counts", counts),
    )
    to = ("--tenant", TENANT)
    _run("send", "iot", *sorted(events.glob("*.json")), "--vendor", "video", *to)
    _run("send", "iot", *sorted(counts.glob("*.json")), "--spec", _SPEC, *to)
    done.touch()


def _run(*words: object) -> None:
    command = [sys.executable, "-m", "tenpo.cli", *map(str, words)]
    if subprocess.run(command, check=False).returncode:
        raise ServiceError(
            "a command of the camera failed",
            where=" ".join(command[3:5]),
            remedy="See the lines above.",
        )
