"""Counting: from tracks to events. Lines and zones, both with hysteresis, of moving tracks."""
