"""Property tests find counterexamples, not slow machines: no deadline an example."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "tenpo", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tenpo")
