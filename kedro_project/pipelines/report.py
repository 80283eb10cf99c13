"""Pages of HTML that need no network: Plotly comes within them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

_TEMPLATES = Path(__file__).parent / "templates"


def page(template: str, pictures: Iterable[tuple[str, go.Figure]], **values: Any) -> str:
    """A template of `templates/` with its values, and titled pictures as `pictures`."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=select_autoescape(),
        undefined=StrictUndefined,
    )
    drawn = []
    for n, (title, figure) in enumerate(pictures):
        # Plotly itself comes once, within the page. Its HTML is escaped by Plotly.
        html = figure.to_html(full_html=False, include_plotlyjs=n == 0, div_id=f"picture-{n}")
        drawn.append((title, Markup(html)))  # noqa: S704
    return environment.get_template(template).render(pictures=drawn, **values)
