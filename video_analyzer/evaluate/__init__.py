"""How well counting goes: against boxes in MOT format, and against crossings seen by eye."""
