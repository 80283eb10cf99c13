"""Intake: vendors' payloads in, canonical events and rejections out, durable before the answer."""
