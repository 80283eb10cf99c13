"""A store-day CSV file as a dataset of Kedro's catalog. It is only read."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from kedro_project.panel.mapping import read_mapping
from kedro_project.panel.panel import Panel
from kedro_project.panel.read import read_panel


class PanelCsv(AbstractDataset[Panel, Panel]):
    """A panel file with its mapping.

    Args:
        path: of the CSV file.
        mapping: of the YAML file that says what its columns mean.
        metadata: for Kedro's tools; not looked at.
    """

    def __init__(self, path: str, mapping: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = Path(path)
        self._mapping = Path(mapping)
        self.metadata = metadata

    def load(self) -> Panel:
        """The panel.

        Raises:
            InputError: a line cannot be used.
            ConfigError: the mapping cannot be used.
        """
        return read_panel(self._path, read_mapping(self._mapping)).panel

    def save(self, data: Panel) -> NoReturn:
        """Refuse: the file is somebody's own.

        Raises:
            DatasetError: always.
        """
        del data
        raise DatasetError("a panel file is only read")

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"path": str(self._path), "mapping": str(self._mapping)}
