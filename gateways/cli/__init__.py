"""`tenpo send` and `tenpo normalize`."""
