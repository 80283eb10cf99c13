"""Adapters written as YAML: any CSV of sales or counts, without a line of Python."""
