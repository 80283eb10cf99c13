"""The corpora that come with Tenpo: one of each vendor and of each spec in `specs/`.

Their payloads are of our own making after the vendors' documentation, which the adapters'
modules link; their totals were worked out by hand, and whatever looks like a person is
invented.
"""

from __future__ import annotations

from pathlib import Path

from tenpo.errors import ConfigError

CORPORA = Path(__file__).parent / "corpora"


def shipped() -> list[str]:
    """Names of the adapters that have one."""
    return sorted(path.name for path in CORPORA.iterdir() if path.is_dir())


def corpus_of(name: str) -> Path:
    """The folder of an adapter's corpus.

    Raises:
        ConfigError: none comes with Tenpo.
    """
    if name not in shipped():
        raise ConfigError(
            "no corpus of this adapter comes with Tenpo", where="--corpus",
            remedy="Name a folder of recorded payloads with stores.yaml.",
        )  # fmt: skip
    return CORPORA / name
