"""Formats of text: bytes of CSV, JSON, XML or multipart as columns, nothing of their meaning."""
