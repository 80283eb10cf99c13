"""Loading specs: from text to a checked model, every complaint with its line and key."""

from __future__ import annotations

from pathlib import Path

from gateways.declarative.spec import Spec
from tenpo.errors import ConfigError
from tenpo.located_yaml import LocatedYaml

MAX_SPEC_BYTES = 256 * 1024


def load_spec(path: Path) -> tuple[Spec, bytes]:
    """A spec and its bytes.

    Raises:
        ConfigError: not there, or wrong; names line and key.
    """
    body = spec_bytes(path)
    return parse_spec(body, path.name), body


def spec_bytes(path: Path) -> bytes:
    """The bytes of a spec's file.

    Raises:
        ConfigError: it is not there.
    """
    try:
        with path.open("rb") as file:
            return file.read(MAX_SPEC_BYTES + 1)  # one more is too large, and is told so
    except OSError as error:
        raise ConfigError(
            f"the spec cannot be read: {error}", where=str(path), remedy="Give a YAML file."
        ) from error


def parse_spec(body: bytes, name: str) -> Spec:
    """A spec of its bytes.

    Raises:
        ConfigError: names line and key.
    """
    return located(body, name).model(Spec)


def located(body: bytes, name: str) -> LocatedYaml:
    """The YAML of a spec's bytes.

    Raises:
        ConfigError: too large, no UTF-8, or no YAML.
    """
    if len(body) > MAX_SPEC_BYTES:
        raise ConfigError("a spec of this size is none", where=name, remedy="Keep it below 256 KB.")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            "the spec is not UTF-8", where=f"{name}, byte {error.start}", remedy="Save it as UTF-8."
        ) from error
    return LocatedYaml(text, name)
