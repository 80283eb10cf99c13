"""Which tenants get DAGs: read from a small file at parse time, nothing else.

Tenpo writes the file whenever a tenant is created; no file means no tenant DAGs yet.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


def tenant_ids() -> list[str]:
    """The tenants' ids, sorted; ids that could not be part of a DAG id are refused loudly."""
    path = Path(
        os.environ.get("TENPO_TENANTS_FILE")
        or Path(os.environ.get("AIRFLOW_HOME", ".")) / "tenants.json"
    )
    if not path.exists():
        return []
    ids = json.loads(path.read_text("utf-8"))
    if wrong := [name for name in ids if not _ID.fullmatch(str(name))]:
        raise ValueError(f"{path}: not usable as tenant ids: {wrong}")
    return sorted(ids)
