"""What every adapter must keep to, checked against recorded payloads, as a score card."""
