"""Who is whom, as the warehouse knows it: raw ids that belong to another person by now.

Visits carry the raw id that an analyzer gave, for ever. Persons are merged and split in the
feature database, which is the only judge (docs/adr/0017-current-persons.md). what it says
is published here. Nothing here tells what anybody looks like.
"""

from __future__ import annotations

from dataclasses import replace

from tenpo.contracts.contract import Contract
from tenpo.contracts.events import CONFORMED, TENANT
from tenpo.contracts.field import Field, Type

#: Raw ids that nobody ever linked have no row.
PERSON = Contract(
    name="person",
    dataset="dwh",
    grain="One raw id whose current person is another raw id.",
    fields=(
        TENANT,
        Field("raw_id", Type.STRING, "Pseudonym as the events carry it.", required=True),
        Field("person_id", Type.STRING,
              "Who that is now: the oldest raw id that it is linked with.", required=True),
        Field("changed_at", Type.TIMESTAMP, "When this was published.", required=True),
        Field("state", Type.STRING,
              "`pending` until the store-days that it touches are marked to be computed again; "
              "a pending row that names itself was a link that is undone.", required=True,
              one_of=("current", "pending")),
    ),
    partition_by="",
    cluster_by=("tenant_id", "raw_id"),
)  # fmt: skip


def _with_persons(events: Contract) -> Contract:
    now = Field("person_id", Type.STRING, "Current person: merges and splits since then followed.")
    raw = Field("raw_person_id", Type.STRING, "Pseudonym that the event was told with.")
    return replace(
        events,
        name="visit_event_current",
        grain=f"A view of `dwh.visit_event` by current persons. {events.grain}",
        fields=(*(field for field in events.fields if field.name != "person_id"), now, raw),
    )


#: A view, not a table: a merge or split shows at once in all of the past.
VISIT_EVENT_CURRENT = _with_persons(CONFORMED["visit_event"])
