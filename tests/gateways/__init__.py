"""Tests of the gateways, adapters to crashes."""
