"""How often Python looks for cycles of objects that nobody needs: seldom.

By default it does so after every 700 new objects, and every hundredth time walks through all
that was ever imported. For a server of many small requests that was two fifths of the
processor time, for a command with its imports a seventh.
"""

from __future__ import annotations

import gc

_EVERY = 50_000


def rest() -> None:
    """Look for cycles every 50,000 objects; for the start of a process."""
    gc.set_threshold(_EVERY)


def keep() -> None:
    """Never look again at what is there now; for a server that has been set up."""
    gc.collect()
    gc.freeze()
