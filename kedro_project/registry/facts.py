"""What a run read and what came out, in numbers and hashes: by them two runs are the same or not.

Not for figures of single stores: sums of a chain go no further than its tenant's lake.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from importlib.metadata import version
from typing import Any

import numpy as np
import orjson

from kedro_project.results.codec import from_bytes, to_bytes
from kedro_project.results.record import RunRecord, Shelf
from kedro_project.results.rows import LIBRARIES, ChainResults, fingerprint
from kedro_project.results.stored import stored_results
from tenpo.lake import Lake

_PLACE, _NAME = "run", "facts"  # beside the chains' own results


def keep_facts(lake: Lake, record: RunRecord) -> dict[str, Any]:
    """Gather a run's facts and keep them on its shelf.

    Raises:
        IntegrityError: the run has not got all results.
    """
    results = stored_results(lake, record)
    facts = facts_of(results, record)
    shelf = Shelf(lake, record.tenant_id)
    for chain in facts["chains"]:
        own = shelf.of(record, chain["currency"])
        chain["verdict"] = from_bytes(own.get("verdict")) if own.has("verdict") else None
    text = orjson.dumps(facts, option=orjson.OPT_INDENT_2)
    shelf.of(record, _PLACE).put(_NAME, text, "json")
    return facts


def kept_facts(lake: Lake, record: RunRecord) -> dict[str, Any]:
    """The facts of a run, gathered now where it kept none."""
    own = Shelf(lake, record.tenant_id).of(record, _PLACE)
    if not own.has(_NAME):
        return keep_facts(lake, record)
    facts: dict[str, Any] = orjson.loads(own.get(_NAME))
    return facts


def facts_of(results: Sequence[ChainResults], record: RunRecord) -> dict[str, Any]:
    """Data, parameters, versions and results of a run."""
    return {
        "run_id": record.run_id,
        "repeats": record.repeats or None,
        "as_of": f"{record.as_of}",
        "recipe": record.recipe,
        "code": record.code,
        "seed": int(record.parameters["clustering"]["seed"]),
        "parameters": record.parameters,
        "versions": {name: version(name) for name in LIBRARIES},
        "chains": [_chain(chain) for chain in results],
    }


def flat(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, object]]:
    """Nested parameters as pairs of path and value."""
    for name, each in value.items():
        if isinstance(each, Mapping):
            yield from flat(each, f"{before}{name}.")
        else:
            yield f"{before}{name}", each


def _chain(chain: ChainResults) -> dict[str, Any]:
    panel = chain.panel
    measures = {name: values[: panel.known] for name, values in panel.measures.items()}
    return {
        "currency": chain.currency,
        "stores": len(panel.stores),
        "days": panel.known,
        "known": {name: int(np.isfinite(values).sum()) for name, values in measures.items()},
        "sums": {name: round(float(np.nansum(values)), 2) for name, values in measures.items()},
        "data_fingerprint": fingerprint(panel, chain.previous),
        "results_fingerprint": _digest((chain.clusters, dict(chain.forecasts), chain.targets)),
    }


def _digest(value: object) -> str:
    return blake2b(to_bytes(value), digest_size=16).hexdigest()
