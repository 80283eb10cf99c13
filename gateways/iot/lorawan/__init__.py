"""LoRaWAN counters: uplinks of network servers, and the bytes of each family of devices."""
