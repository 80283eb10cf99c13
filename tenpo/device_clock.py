"""How far the clock of a counter is believed.

The rules are in `docs/adr/0015-device-clocks.md`, the judgement itself in
`tenpo/warehouse/sql/readings_judged.sql`. Not for the clock of a store (`tenpo.clock`).
"""

from __future__ import annotations

from datetime import timedelta

#: No reading is later than its arrival by more: clocks are set a few times a day at least.
AHEAD = timedelta(minutes=5)

#: A delay below this is the network's. It says nothing of the device's clock.
BEHIND = timedelta(minutes=15)

#: Arrivals of one line nearer to each other come together: what a device had stored.
TOGETHER = timedelta(minutes=1)

#: How much the delay of a device that sends at once differs from one sending to the next.
JITTER = timedelta(seconds=30)

#: A device that sends more seldom has no rhythm: files of a day come with one delay, too.
RHYTHM = timedelta(hours=2)

#: Readings further apart are no neighbours: the later one is a first reading again. What a
#: device sends of a time longer ago than this was not stored, its clock is wrong.
LONGEST = timedelta(days=400)
