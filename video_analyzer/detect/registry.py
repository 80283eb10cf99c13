"""The model registry: which weights there are, fetched once, verified, cached.

`models.yaml` names every model with its URL, SHA-256, size, licence and input. A file whose
bytes differ from the registry is never opened. Where the network is closed, a folder with
the files (`TENPO_MODELS_SEED`) fills the cache.

`TENPO_MODELS_FILE` names a file of the same form with models and versions of one's own. It is read
again when it has changed. Of the versions of a name the last one is looked through, except by
the cameras beyond its `share`: so a new version can be tried with some of them.
"""

from __future__ import annotations

import hashlib
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field, HttpUrl

from tenpo.durable import write_files
from tenpo.errors import ConfigError, IntegrityError, ServiceError
from tenpo.located_yaml import LocatedYaml

_TIMEOUT_S = 30.0


class Model(BaseModel):
    """One file of weights.

    Args:
        name: as a camera's file names it.
        task: what it finds.
        version: ours; a changed file is a new version.
        file: its name in the cache and in a seed folder.
        url: where it is fetched.
        sha256: of the file.
        size_bytes: of the file; nothing longer is fetched.
        licence: SPDX identifier.
        width: of its input, in pixels.
        height: of its input.
        share: part of the cameras that look through it; the others keep the version before.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    task: Literal["person", "face"] = "person"
    version: str
    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+\.onnx$")]
    url: HttpUrl
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    size_bytes: Annotated[int, Field(gt=0, le=1024**3)]
    licence: str
    width: Annotated[int, Field(ge=32, le=4096)]
    height: Annotated[int, Field(ge=32, le=4096)]
    share: Annotated[float, Field(gt=0, le=1)] = 1.0

    @property
    def label(self) -> str:
        """What events say: name and version."""
        return f"{self.name}-{self.version}"


class _Registry(BaseModel):
    model_config = ConfigDict(extra="forbid")

    models: tuple[Model, ...]


def models(own: Path | None = None) -> tuple[Model, ...]:
    """The registry; of versions of one name the newer comes later.

    Args:
        own: a file of more.

    Raises:
        ConfigError: that file cannot be read or used; names line and key.
    """
    if own is None:
        return _shipped()
    try:
        stat = own.stat()
    except OSError as error:
        raise ConfigError(
            "the file of models cannot be read", where=str(own),
            remedy="Correct TENPO_MODELS_FILE, or leave it out.",
        ) from error  # fmt: skip
    return _with_own(own, stat.st_mtime_ns, stat.st_size)


@cache
def _shipped() -> tuple[Model, ...]:
    text = resources.files("video_analyzer.detect").joinpath("models.yaml").read_text("utf-8")
    return LocatedYaml(text, "models.yaml").model(_Registry).models


@lru_cache(maxsize=4)
def _with_own(path: Path, changed_ns: int, size: int) -> tuple[Model, ...]:
    del changed_ns, size  # a changed file is read again
    found = _shipped() + LocatedYaml(path.read_text("utf-8"), str(path)).model(_Registry).models
    labels = [one.label for one in found]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None:
        raise ConfigError(
            f"there are two models {twice}", where=str(path),
            remedy="Give a changed file of weights another version.",
        )  # fmt: skip
    return found


def model_named(
    name: str, own: Path | None = None, lot: float = 1.0, task: Literal["person", "face"] = "person"
) -> Model:
    """A model of the registry.

    Args:
        name: its name, for the newest version; or name and version, as in `label`.
        own: a file of more models.
        lot: 0..1, of the camera: a version whose share is not above it is passed over. 1: only
            versions that all cameras look through.
        task: what it finds.

    Raises:
        ConfigError: there is none of this name.
    """
    found = [one for one in models(own) if one.task == task and name in (one.name, one.label)]
    fit = [one for one in found if lot < one.share or one.share == 1 or one.label == name]
    if not fit:
        known = sorted({one.name for one in models(own) if one.task == task})
        raise ConfigError(
            f"no version of {name} is for all cameras" if found else f"there is no detector {name}",
            where="detector",
            remedy=f"Use {', '.join(known)} or motion.",
        )
    return fit[-1]


def weights(model: Model, cache_dir: Path, seed_dir: Path | None = None) -> Path:
    """The verified file of a model.

    Raises:
        IntegrityError: what was found or fetched is not what the registry says.
        ServiceError: it cannot be fetched.
    """
    path = cache_dir / model.sha256[:16] / model.file
    if path.exists():
        _verify(model, path.read_bytes(), str(path))
        return path
    seed = None if seed_dir is None else seed_dir / model.file
    if seed is not None and seed.exists():
        data, where = seed.read_bytes(), str(seed)
    else:
        data, where = _fetched(model), str(model.url)
    _verify(model, data, where)
    write_files([(path, data)])
    return path


def _verify(model: Model, data: bytes, where: str) -> None:
    if hashlib.sha256(data).hexdigest() != model.sha256:
        raise IntegrityError(
            f"the weights of {model.label} are not those of the registry",
            where=where,
            remedy="Delete the file, so that it is fetched again.",
        )


def _fetched(model: Model) -> bytes:
    data = bytearray()
    try:
        with httpx.stream(
            "GET", str(model.url), timeout=_TIMEOUT_S, follow_redirects=True
        ) as answer:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > model.size_bytes:
                    break
    except httpx.HTTPError as error:
        raise ServiceError(
            f"the weights of {model.label} cannot be fetched",
            where=str(model.url),
            remedy=f"Or put {model.file} into a folder and name it in TENPO_MODELS_SEED; "
            "a camera with `detector: motion` needs none.",
        ) from error
    return bytes(data)
