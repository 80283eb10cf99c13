"""Asking vendors' APIs for what their webhooks only name: one module a vendor."""
