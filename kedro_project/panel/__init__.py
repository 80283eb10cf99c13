"""Store-day panels: the arrays, and how a CSV file becomes one."""

from kedro_project.panel.mapping import Mapping, read_mapping
from kedro_project.panel.panel import MEASURES, BoolArray, FloatArray, IntArray, Panel
from kedro_project.panel.read import Finding, ReadPanel, read_panel

__all__ = [
    "MEASURES",
    "BoolArray",
    "Finding",
    "FloatArray",
    "IntArray",
    "Mapping",
    "Panel",
    "ReadPanel",
    "read_mapping",
    "read_panel",
]
