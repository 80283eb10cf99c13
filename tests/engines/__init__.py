"""The pipelines on engines that start workers of their own; `make flink` runs these tests."""
