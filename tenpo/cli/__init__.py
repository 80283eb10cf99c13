"""The `tenpo` command line: finding commands, errors, progress. No command's own work."""
