"""Results as bytes and back: a ZIP of Parquet and NumPy files with one JSON that orders them.

Nothing in it is code, as a pickle would be: what is read back can only be data. Not for
publishing (`rows`), which has contracts.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import orjson
import pandas as pd

from kedro_project.panel import Panel
from kedro_project.pipelines.clustering.nodes import Clusters
from kedro_project.pipelines.features.nodes import StoreFeatures
from kedro_project.pipelines.forecast.nodes import Forecast
from kedro_project.pipelines.targets.nodes import Targets
from tenpo.errors import IntegrityError

_CLASSES = {made.__name__: made for made in (Panel, StoreFeatures, Clusters, Forecast, Targets)}
_TREE = "tree.json"
_PLAIN = (str, int, float, bool, type(None))


def to_bytes(value: object) -> bytes:
    """A result as bytes; the same value gives the same bytes.

    Args:
        value: results, panels, frames, arrays, and lists, tuples and dictionaries of them.

    Raises:
        IntegrityError: something else is in it.
    """
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        tree = _encoded(value, archive)
        archive.writestr(_member(_TREE), orjson.dumps(tree))
    return held.getvalue()


def from_bytes(data: bytes) -> Any:
    """What `to_bytes` was given.

    Raises:
        IntegrityError: the bytes are not ours.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _decoded(orjson.loads(archive.read(_TREE)), archive)
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise IntegrityError(
            "a stored result cannot be read", remedy="Run the models' pipelines again."
        ) from error


def _encoded(value: Any, archive: zipfile.ZipFile) -> dict[str, Any]:
    match value:
        case pd.DataFrame():
            return {"frame": _put(archive, _parquet(value))}
        case pd.Series():
            frame = value.to_frame("values").rename_axis("index")
            return {"series": _put(archive, _parquet(frame)), "name": value.name,
                    "index": value.index.name}  # fmt: skip
        case pd.DatetimeIndex():
            return {"dates": [f"{value[0]:%Y-%m-%d}", len(value)] if len(value) else ["", 0]}
        case np.ndarray():
            held = io.BytesIO()
            np.save(held, value, allow_pickle=False)
            return {"array": _put(archive, held.getvalue())}
        case tuple() | list():
            return {type(value).__name__: [_encoded(each, archive) for each in value]}
        case dict():
            return {"dict": [[key, _encoded(each, archive)] for key, each in value.items()]}
        case _ if is_dataclass(value) and type(value).__name__ in _CLASSES:
            own = {f.name: _encoded(getattr(value, f.name), archive) for f in fields(value)}
            return {"class": type(value).__name__, "fields": own}
        case _ if isinstance(value, _PLAIN):
            return {"plain": value}
    raise IntegrityError(f"{type(value).__name__} is no result that can be stored")


def _decoded(tree: dict[str, Any], archive: zipfile.ZipFile) -> Any:
    (kind, content), *rest = tree.items()
    match kind:
        case "plain":
            return content
        case "frame":
            return pd.read_parquet(io.BytesIO(archive.read(content)))
        case "series":
            frame = pd.read_parquet(io.BytesIO(archive.read(content)))
            return frame["values"].rename(tree["name"]).rename_axis(tree["index"])
        case "array":
            return np.load(io.BytesIO(archive.read(content)), allow_pickle=False)
        case "dates":
            return _dates(*content)
        case "tuple":
            return tuple(_decoded(each, archive) for each in content)
        case "list":
            return [_decoded(each, archive) for each in content]
        case "dict":
            return {key: _decoded(each, archive) for key, each in content}
        case _:
            own = {name: _decoded(each, archive) for name, each in rest[0][1].items()}
            return _CLASSES[content](**own)


def _dates(first: str, count: int) -> pd.DatetimeIndex:
    return pd.date_range(first, periods=count, freq="D") if count else pd.DatetimeIndex([])


def _parquet(frame: pd.DataFrame) -> bytes:
    data: bytes = frame.to_parquet(None)
    return data


def _put(archive: zipfile.ZipFile, data: bytes) -> str:
    name = f"{len(archive.namelist()):04d}"
    archive.writestr(_member(name), data)
    return name


def _member(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)  # with a fixed date
    info.compress_type = zipfile.ZIP_DEFLATED
    return info
