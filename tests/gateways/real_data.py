"""Where the real data lies; tests that need it are skipped, with a reason, where it does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("TENPO_SHARED_DATA", REPOSITORY.parent / "shared" / "data"))


def real_files(folder: str, pattern: str) -> list[Path]:
    """The files of one source, in order."""
    files = sorted((DATA / folder).glob(pattern))
    if not files:
        pytest.skip(f"real data is not here: {folder} (set TENPO_SHARED_DATA)")
    return files
