"""The gateway over HTTP: its addresses, how bodies are read, signed webhooks."""
