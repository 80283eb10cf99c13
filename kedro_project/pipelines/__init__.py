"""One folder a pipeline: functions in `nodes.py`, wiring in `pipeline.py`."""
