"""Running steps that need each other, as many at once as their needs allow."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass


@dataclass(frozen=True)
class Node:
    """A step with a name, the names it must wait for, and what to do."""

    name: str
    depends_on: tuple[str, ...]
    action: Callable[[], None]


def run_in_order(nodes: list[Node]) -> None:
    """Run every node after those it depends on; names that are not given count as done.

    Raises:
        Exception: the first failure, once the steps under way have ended.
        ValueError: the needs form a circle.
    """
    waiting = {node.name: node for node in nodes}
    unmet = set(waiting)
    with ThreadPoolExecutor(max_workers=max(1, len(nodes))) as pool:
        running: dict[Future[None], str] = {}
        while waiting or running:
            for node in [n for n in waiting.values() if not unmet & set(n.depends_on)]:
                running[pool.submit(node.action)] = node.name
                del waiting[node.name]
            if not running:
                raise ValueError(f"steps wait for each other: {sorted(waiting)}")
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                future.result()
                unmet.discard(name)
