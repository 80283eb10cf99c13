"""Store clusters, attainable targets and forecasts, as a Kedro project.

Plain functions stand in `pipelines/*/nodes.py`, their wiring in `pipelines/*/pipeline.py`. What
they work on is a `Panel`: one figure a store and day. The room imports the kernel alone.

Kedro must neither set up logging, which the kernel does, nor tell anybody that it runs: both are
said in the environment, before anything imports it.
"""

import os
from pathlib import Path

os.environ.setdefault("KEDRO_LOGGING_CONFIG", str(Path(__file__).parent / "conf" / "logging.yml"))
os.environ["KEDRO_DISABLE_TELEMETRY"] = "1"
