"""Models whose features a tenant takes from devices, and from which cosine on two are one person.

A person declares them, so that no camera chooses what counts as alike, makes spaces, or fixes a
model's dimension for the others. It tells nothing of anybody; it is sealed so that a flipped bit
of a threshold is seen. Not for who may call (`feature_service.access`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tenpo.errors import InputError, IntegrityError, UnknownReference
from video_analyzer.feature_db.calibration import calibrate
from video_analyzer.feature_db.document import read_document, write_document
from video_analyzer.feature_db.space import MAX_DIMENSION
from video_analyzer.feature_db.store import FeatureStore

DECLARED_FILE = "declared"
MAX_MODELS = 8
#: Where nothing was calibrated yet: stricter than what face models are usually published with.
DEFAULT_THRESHOLD = 0.5


class Declared(BaseModel):
    """One model.

    Args:
        model: its version.
        dimension: of its vectors.
        threshold: cosine; None is found by calibration, or the default while features are few.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: Annotated[str, Field(min_length=1, max_length=100)]
    dimension: Annotated[int, Field(ge=1, le=MAX_DIMENSION)]
    threshold: Annotated[float, Field(gt=0, lt=1)] | None = None


_LIST = TypeAdapter(tuple[Declared, ...])


def read_declared(folder: Path, key: bytes) -> dict[str, Declared]:
    """The models of a tenant's folder, by name; none before any was declared.

    Raises:
        IntegrityError: the file is damaged.
    """
    path = folder / DECLARED_FILE
    try:
        return {each.model: each for each in _LIST.validate_json(_read(path, key))}
    except FileNotFoundError:
        return {}
    except ValidationError:
        raise IntegrityError(
            "the declared models cannot be read", where=str(path), remedy="Declare them again."
        ) from None


def _read(path: Path, key: bytes) -> bytes:
    data = path.read_bytes()
    # Until 2026-11 it was written in the clear.
    return data if data.startswith(b"[") else read_document(path, key)


def declare(store: FeatureStore, models: Sequence[Declared]) -> tuple[Declared, ...]:
    """Put these models in the place of those declared before; one left out is withdrawn.

    Its features stay. Returns them, each with its threshold.

    Raises:
        InputError: too many, one twice, or a dimension that its features do not have.
        ServiceError: the disk refused; those before count.
    """
    if len(models) > MAX_MODELS or len({each.model for each in models}) < len(models):
        raise InputError(
            f"more than {MAX_MODELS} models, or one twice",
            where="models", remedy="Leave out those that no camera uses.",
        )  # fmt: skip
    found = tuple(_settled(store, each) for each in models)
    with store.copying:
        path = store.folder / DECLARED_FILE
        write_document(store.disk, path, store.key, _LIST.dump_json(found))
    return found


def _settled(store: FeatureStore, each: Declared) -> Declared:
    space = store.state.by_model.get(each.model)
    if space is not None and space.dimension != each.dimension:
        raise InputError(
            f"its features have {space.dimension} dimensions",
            where="dimension", remedy="Declare that, or another version of the model.",
        )  # fmt: skip
    if each.threshold is not None:
        return each
    try:
        threshold = calibrate(store, each.model).threshold
    except (InputError, UnknownReference):  # too few features to say
        threshold = DEFAULT_THRESHOLD
    in_use = threshold if 0 < threshold < 1 else DEFAULT_THRESHOLD
    return each.model_copy(update={"threshold": in_use})


def threshold_for(
    store: FeatureStore, model: str, dimension: int, asked: float | None, *, is_device: bool
) -> float:
    """The cosine from which on a feature is of someone known.

    Args:
        store: the tenant's features.
        model: version of the model, and
        dimension: of the vector to identify.
        asked: what the caller would have; a device has the declared one, no other.
        is_device: whether a device asks; people may use any model and threshold.

    Raises:
        InputError: the model is not declared, or dimension or threshold are not as declared.
    """
    found = read_declared(store.folder, store.key).get(model)
    declared = found.threshold if found else None
    if found is not None and dimension != found.dimension:
        raise InputError(
            f"the model's vectors have {found.dimension} dimensions",
            where="vector", remedy="Mend the sender: it uses another model.",
        )  # fmt: skip
    threshold = declared if asked is None else asked
    if threshold is None or (is_device and declared is None):
        raise InputError(
            "the tenant has not declared the model",
            where="model", remedy="Declare it with a token of the whole tenant: models/declare.",
        )  # fmt: skip
    if is_device and asked not in (None, declared):
        raise InputError(
            "a device uses the declared threshold",
            where="threshold", remedy="Leave it out.",
        )  # fmt: skip
    return threshold
