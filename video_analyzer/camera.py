"""What an operator says of a camera: where it hangs, its lines and zones, what looks through it.

Not for what becomes of the pictures: `source` reads them, `detect`, `track` and `count`
make events of them.
"""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tenpo.errors import ConfigError
from tenpo.identifiers import is_name
from tenpo.located_yaml import AtKeyError, LocatedYaml

Point = tuple[float, float]
MAX_SIDE = 8192
_MAX_SHAPES = 64


def _name(value: str) -> str:
    if not is_name(value):
        raise ValueError("use 1 to 63 lower-case letters, digits, '_' or '-'")
    return value


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Line(_Strict):
    """A line that people cross.

    Args:
        line_id: its name, in `zone_id` of the events.
        start: one end, in pixels of the camera's picture.
        end: the other end.
        inside: any point on the shop's side of it; crossing towards it is `enter`.
        role: `door` gives enter and exit, `passage` gives `pass` both ways.
    """

    line_id: str
    start: Point = Field(alias="from")
    end: Point = Field(alias="to")
    inside: Point
    role: Literal["door", "passage"] = "door"

    _checked = field_validator("line_id")(_name)

    @model_validator(mode="after")
    def _has_sides(self) -> Line:
        if self.start == self.end:
            raise AtKeyError(("to",), "the line has no length")
        (ax, ay), (bx, by), (px, py) = self.start, self.end, self.inside
        if (bx - ax) * (py - ay) == (by - ay) * (px - ax):
            raise AtKeyError(("inside",), "the point lies on the line: take one beside it")
        return self


class Zone(_Strict):
    """A part of the floor that people enter and leave.

    Args:
        zone_id: its name, in `zone_id` of the events.
        polygon: corners in pixels of the camera's picture; absent means all that it sees.
        is_staff: who was ever in it counts as staff from then on.
    """

    zone_id: str
    polygon: tuple[Point, ...] | None = None
    is_staff: bool = False

    _checked = field_validator("zone_id")(_name)

    @field_validator("polygon")
    @classmethod
    def _has_area(cls, corners: tuple[Point, ...] | None) -> tuple[Point, ...] | None:
        if corners is None:
            return None
        if not 3 <= len(corners) <= _MAX_SHAPES:
            raise ValueError(f"a polygon has 3 to {_MAX_SHAPES} corners")
        following = (*corners[1:], corners[0])
        doubled = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(corners, following, strict=True))
        if doubled == 0:
            raise ValueError("the polygon has no area")
        return corners


class Camera(_Strict):
    """One camera.

    Args:
        tenant_id: the retailer.
        store_id: the store, by the tenant's master.
        camera_id: its name; also the device of the tenant's master.
        width: of the picture that lines and zones are drawn on, in pixels. The video may be
            of another size; boxes are scaled.
        height: of that picture.
        detector: a person detector of the model registry, with its version or for the newest, or
            `motion`.
        faces: whether people may be known again, where the store has faces by its master, too.
            Without, nothing of a face is looked for or computed.
        face_model: makes the features of faces.
        former_face_model: made them before, and is used beside the other until all who were
            known by it have been met again, or are over.
        frames_per_s: the most pictures looked at.
        anchor: the point of a person that crosses lines: the box's centre, or the feet.
        confirm_frames: pictures in a row before somebody counts as seen.
        lost_s: how long somebody may be hidden and is still the same.
        hysteresis: how far somebody must be beyond a line before it counts, in heights of the
            person's box.
        least_travel: how far somebody must have moved, in heights of the box: posters and
            mannequins never do.
        lines: at least one line or zone.
        zones: at least one line or zone.
    """

    tenant_id: str
    store_id: str
    camera_id: str
    width: Annotated[int, Field(ge=16, le=MAX_SIDE)]
    height: Annotated[int, Field(ge=16, le=MAX_SIDE)]
    detector: str = "yolox_nano"
    faces: bool = False
    face_model: str = "dlib_resnet-1"
    former_face_model: str | None = None
    frames_per_s: Annotated[float, Field(gt=0, le=60)] = 15.0
    anchor: Literal["centre", "feet"] = "centre"
    confirm_frames: Annotated[int, Field(ge=1, le=100)] = 3
    lost_s: Annotated[float, Field(ge=0, le=60)] = 2.0
    hysteresis: Annotated[float, Field(ge=0, le=2)] = 0.08
    least_travel: Annotated[float, Field(ge=0, le=10)] = 0.15
    lines: Annotated[tuple[Line, ...], Field(max_length=_MAX_SHAPES)] = ()
    zones: Annotated[tuple[Zone, ...], Field(max_length=_MAX_SHAPES)] = ()

    _checked = field_validator("tenant_id", "store_id", "camera_id", "detector", "face_model")(
        _name
    )

    @property
    def lot(self) -> float:
        """Drawn once for ever, 0..1: a model on trial is for cameras with a lot below its share."""
        name = f"{self.tenant_id}/{self.store_id}/{self.camera_id}"
        return int.from_bytes(blake2b(name.encode(), digest_size=4).digest()) / 2**32

    @model_validator(mode="after")
    def _replaces_another_model(self) -> Camera:
        if self.former_face_model == self.face_model:
            raise AtKeyError(("former_face_model",), "a model cannot replace itself")
        return self

    @model_validator(mode="after")
    def _tells_shapes_apart(self) -> Camera:
        names = [line.line_id for line in self.lines] + [zone.zone_id for zone in self.zones]
        if not names:
            raise ValueError("there is neither a line nor a zone, so nothing would be counted")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"{twice} names two lines or zones")
        return self


def load_camera(path: Path) -> Camera:
    """The camera of a YAML file.

    Raises:
        ConfigError: the file cannot be read or used; names line and key.
    """
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "the camera's file cannot be read", where=str(path), remedy="Give a YAML file."
        ) from error
    return LocatedYaml(text, path.name).model(Camera)
