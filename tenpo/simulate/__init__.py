"""A simulated Japanese chain: payloads as its senders' bytes, and the exact totals they hold.

`simulate_chain` draws visitors and receipts and writes them in the vendors' own
formats; the totals are booked while drawing, not read back through the adapters,
so that they can convict every later stage. `tenpo.simulate.sender.send` delivers
the payloads as real senders would: in order, again and again until acknowledged.

Not a load generator: benchmarks have their own.
"""

from tenpo.simulate.chain import Chain, Counter, Shop, make_chain
from tenpo.simulate.payload import Payload
from tenpo.simulate.simulation import Simulation, latest_end, simulate_chain
from tenpo.simulate.truth import Truth

__all__ = [
    "Chain",
    "Counter",
    "Payload",
    "Shop",
    "Simulation",
    "Truth",
    "latest_end",
    "make_chain",
    "simulate_chain",
]
