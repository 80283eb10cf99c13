"""YAML files for people: every complaint names the line and the key.

Plain values stay text but for `null`, `true` and `false`: YAML's own guesses would
read 10:00 as 600, NO (Norway) as false, and drop the zeros of the store code 0001.
Models turn the text into what their fields need.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from tenpo.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)
Path = tuple[str | int, ...]
_CONSTANTS = {"null": None, "~": None, "": None, "true": True, "false": False}
_MAX_DEPTH = 32


class AtKeyError(ValueError):
    """What a validator of a whole model raises, to say which key is at fault.

    Args:
        path: of the key, from the model down.
        message: what is wrong with it.
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


class LocatedYaml:
    """A parsed YAML document that remembers the line of every key.

    Args:
        text: the document.
        name: what to call it in messages, e.g. the file's name.

    Raises:
        ConfigError: not YAML, empty, or a key comes twice.
    """

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self._lines: dict[Path, int] = {}
        try:
            _check_shape(text, name)
            root = yaml.compose(text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            where = f"{name}, line {mark.line + 1}" if mark else name
            problem = getattr(error, "problem", None) or "cannot be parsed"
            raise ConfigError(
                f"this is no YAML: {problem}", where=where, remedy="Correct the syntax."
            ) from error
        if root is None:
            raise ConfigError("the file is empty", where=name, remedy="Fill it in.")
        self.value: Any = self._build(root, ())

    def where(self, path: Path) -> str:
        """File, line and key of a path, or of its nearest known parent."""
        key = ".".join(str(part) for part in path)
        while path and path not in self._lines:
            path = path[:-1]
        line = self._lines.get(path, 1)
        return f"{self.name}, line {line}" + (f", key {key}" if key else "")

    def model(self, model: type[Model], at: Path = (), value: Any = None) -> Model:
        """The document, or a part of it, as a model.

        Raises:
            ConfigError: names each wrong key with its line.
        """
        try:
            return model.model_validate(self.value if value is None else value)
        except ValidationError as error:
            problems = list(self._problems(error, at))
            raise ConfigError(
                "; ".join(f"{where}: {what}" for where, what in problems),
                where=problems[0][0],
                remedy="Correct the named keys.",
            ) from error

    def _problems(self, error: ValidationError, at: Path) -> Iterator[tuple[str, str]]:
        for one in error.errors():
            cause = one.get("ctx", {}).get("error")
            further = cause.path if isinstance(cause, AtKeyError) else ()
            yield self.where((*at, *one["loc"], *further)), one["msg"].removeprefix("Value error, ")

    def _build(self, node: yaml.Node, path: Path) -> Any:
        self._lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self._build(item, (*path, n)) for n, item in enumerate(node.value)]
        text = str(node.value)
        return _CONSTANTS.get(text, text) if getattr(node, "style", None) is None else text

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        built: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in built:
                raise ConfigError(
                    f"the key {key} comes twice",
                    where=f"{self.name}, line {line}",
                    remedy="Keep one of them.",
                )
            self._lines[(*path, key)] = line
            built[key] = self._build(value_node, (*path, key))
        return built


def _check_shape(text: str, name: str) -> None:
    """Refuse what grows or recurses, event by event, before anything is built of it."""
    depth = 0
    for event in yaml.parse(text):
        if isinstance(event, yaml.AliasEvent):
            raise ConfigError(
                "YAML aliases are not taken", where=name, remedy="Write the value out."
            )
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            mark = event.start_mark
            where = f"{name}, line {mark.line + 1}" if mark else name
            raise ConfigError("the file nests too deeply", where=where, remedy="Nest it less.")
