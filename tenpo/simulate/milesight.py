"""The people counters' messages: the JSON that Milesight's VS125 pushes for every interval.

Some push every interval, some an hour's intervals as one array; a device that
could not send for a while pushes its backlog as one array, too.
Source: Milesight VS125 user guide, "Data push" (HTTP(S) and MQTT, periodic report).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID, uuid5

import numpy as np
import orjson

from tenpo.simulate.payload import Payload, moment
from tenpo.simulate.visitors import QUARTER_S, Counts, Footfall

Json = dict[str, Any]

ROUTE = "/v1/iot/milesight"

_LINE = "Line1"
_SENT_AFTER_S = 3
_HOUR_S = 3600
_NAMESPACE = UUID("9a0440de-3188-4f6d-b886-bb20c97bd26b")


class Reports:
    """Writes the messages of one counter.

    Args:
        counts: what it counted.
        footfall: the shop's quarters of an hour.
        days: business dates by index.
    """

    def __init__(self, counts: Counts, footfall: Footfall, days: Sequence[date]) -> None:
        self._counts = counts
        self._footfall = footfall
        self._days = days
        counter = counts.counter
        self._serial = counter.device.device_id
        self._line_uuid = str(uuid5(_NAMESPACE, self._serial))
        self._device_info = {
            "cus_device_id": "",
            "cus_site_id": "",
            "device_mac": counter.mac,
            "device_name": "People Counter",
            "device_sn": self._serial,
            "firmware_version": "V_125.1.0.3-r2",
            "hardware_version": "V1.1",
            "ip_address": "192.168.60.183",
            "running_time": 141,
            "wlan_mac": counter.mac,
        }
        names = ("entered", "left", "child_in", "child_out", "staff_in", "staff_out",
                 "group_in", "group_out")  # fmt: skip
        self._series: dict[str, list[list[int]]] = {n: getattr(counts, n).tolist() for n in names}
        self._running: dict[str, list[list[int]]] = {
            n: np.cumsum(getattr(counts, n)).reshape(counts.entered.shape).tolist() for n in names
        }

    def all(self) -> Iterator[Payload]:
        """Every message, each day's backlog and repetitions after the day's own."""
        for number, day in enumerate(self._days):
            for push in self._pushes(number):
                reports = [self._report(number, quarter) for quarter in push]
                content = reports if self._counts.counter.hourly else reports[0]
                yield self._payload(day, push[-1], content)
                if self._counts.twice[number, push[-1]]:
                    yield self._payload(day, push[-1], content, again="_again")
            late = np.flatnonzero(self._counts.late[number]).tolist()
            if late:
                backlog = [self._report(number, quarter) for quarter in late]
                yield self._payload(day, late[-1], backlog, again="_backlog")

    def _pushes(self, number: int) -> list[list[int]]:
        """The quarters of a day that go out in time, as they go out together."""
        held_back = self._counts.lost[number] | self._counts.late[number]
        sent = np.flatnonzero(~held_back).tolist()
        if not self._counts.counter.hourly:
            return [[quarter] for quarter in sent]
        hour = (self._footfall.start_s // _HOUR_S).tolist()
        return [list(group) for _, group in groupby(sent, key=lambda quarter: hour[quarter])]

    def _payload(
        self, day: date, quarter: int, content: Json | list[Json], again: str = ""
    ) -> Payload:
        end = self._start(day, quarter) + timedelta(seconds=QUARTER_S)
        due = end + timedelta(seconds=_SENT_AFTER_S * (3 if again else 1))
        return Payload(
            name=f"iot/milesight/{self._serial}/{end:%Y%m%dT%H%M}{again}.json",
            due_at=due,
            route=ROUTE,
            body=orjson.dumps(content),
            records=len(content) if isinstance(content, list) else 1,
            device=self._serial if self._counts.counter.by_mqtt else None,
        )

    def _start(self, day: date, quarter: int) -> datetime:
        return moment(day, int(self._footfall.start_s[quarter]))

    def _report(self, number: int, quarter: int) -> Json:
        start = self._start(self._days[number], quarter)
        line = {"line": 1, "line_name": _LINE, "line_uuid": self._line_uuid}
        return {
            "device_info": self._device_info,
            "time_info": {
                "dst_status": False,
                "enable_dst": False,
                "start_time": start.isoformat(),
                "end_time": (start + timedelta(seconds=QUARTER_S)).isoformat(),
                "time_zone": "UTC+9:00 Japan Standard Time (JST)",
            },
            "line_periodic_data": [line | self._periodic(number, quarter)],
            "line_total_data": [line | self._total(number, quarter)],
        }

    def _periodic(self, number: int, quarter: int) -> dict[str, dict[str, int]]:
        value = {name: series[number][quarter] for name, series in self._series.items()}
        return {
            "total": {"in": value["entered"], "out": value["left"]},
            "children": {"in": value["child_in"], "out": value["child_out"]},
            "staff": {"in": value["staff_in"], "out": value["staff_out"]},
            "group": {"in": value["group_in"], "out": value["group_out"]},
        }

    def _total(self, number: int, quarter: int) -> dict[str, dict[str, int]]:
        value = {name: series[number][quarter] for name, series in self._running.items()}
        inside = max(0, value["entered"] - value["left"])
        return {
            "total": {
                "in_counted": value["entered"],
                "out_counted": value["left"],
                "capacity_counted": inside,
            },
            "children": {"in_counted": value["child_in"], "out_counted": value["child_out"]},
            "staff": {"in_counted": value["staff_in"], "out_counted": value["staff_out"]},
            "group": {"in_counted": value["group_in"], "out_counted": value["group_out"]},
        }
