"""GoogleSQL files: dataset and table names are put in here, values never are.

In a file `{raw}`, `{dwh}`, `{mart}` and `{staging}` stand for the datasets (backquoted),
other `{names}` for what the caller gives: an identifier, a list of them, a table.
Values are parameters (`@name`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from tenpo.contracts import Contract
from tenpo.errors import ConfigError, InputError
from tenpo.warehouse.client import Warehouse

DATASETS = ("raw", "dwh", "mart", "staging")
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,299}(\.[A-Za-z_][A-Za-z0-9_]{0,299})?")
_DATASET = re.compile(r"[A-Za-z0-9_.:-]+")


Name = str | Sequence[str] | Contract


def load_sql(warehouse: Warehouse, package: str, name: str, **names: Name) -> str:
    """The text of `<package>/<name>.sql` with its names filled in.

    Args:
        warehouse: gives the datasets.
        package: the Python package that holds the file.
        name: the file, without `.sql`.
        names: identifiers (`table`, or `t.column`), lists that become comma-separated, or a
            contract for its table.

    Raises:
        InputError: a name is no identifier.
        ConfigError: the file lacks a name, or asks for one that was not given.
    """
    filled = {key: _datasets(warehouse, key) for key in DATASETS}
    filled |= {key: _filled(warehouse, key, value) for key, value in names.items()}
    try:
        return _text(package, name).format(**filled)
    except (KeyError, IndexError, ValueError) as error:
        raise ConfigError(
            f"the SQL file's names do not fit what was given: {error}",
            where=f"{package}/{name}.sql",
            remedy="Give every {name} of the file; write a literal brace twice.",
        ) from error


@cache
def _text(package: str, name: str) -> str:
    return files(package).joinpath(f"{name}.sql").read_text("utf-8")


def _datasets(warehouse: Warehouse, name: str) -> str:
    full = warehouse.dataset(name)
    if not _DATASET.fullmatch(full):
        raise ConfigError(
            f"{full!r} is no dataset",
            where="TENPO_PROJECT, TENPO_DATASET_PREFIX",
            remedy="Use letters, digits and underscores.",
        )
    return f"`{full}`"


def _filled(warehouse: Warehouse, key: str, value: Name) -> str:
    match value:
        case Contract():
            return f"{_datasets(warehouse, value.dataset)}.{_identifiers(key, value.name)}"
        case _:
            return _identifiers(key, value)


def _identifiers(key: str, value: str | Sequence[str]) -> str:
    words = [value] if isinstance(value, str) else list(value)
    for word in words:
        if not _IDENTIFIER.fullmatch(word):
            raise InputError(
                f"{word!r} is no identifier",
                where=key,
                remedy="Names of tables and columns only; give values as parameters.",
            )
    return ", ".join(words)
