"""A tenant's chains: what mart knows of them, as panels.

A chain is a tenant's stores of one currency: amounts of different currencies are never compared.
"""

from kedro_project.chain.panel import ChainData, Note, chain_notes, chain_panel
from kedro_project.chain.read import Chain, chains, previous_clusters, read_chain

__all__ = [
    "Chain",
    "ChainData",
    "Note",
    "chain_notes",
    "chain_panel",
    "chains",
    "previous_clusters",
    "read_chain",
]
