"""From a vendor's columns to canonical events: what every adapter stands on."""
