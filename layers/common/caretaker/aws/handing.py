"""Changes of incidents that the cells of a fleet hand on to its next judge, which tells them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, NamedTuple

from caretaker.incidents import Incident
from caretaker.rendering import Turn

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from caretaker.aws.state import Item, Table
    from caretaker.transitions import Transitions

_KEPT_SECONDS: Final = 14 * 86_400


class Handed(NamedTuple):
    """A change that is to be told; `is_urgent_there` while anything urgent is open in its scope."""

    place: str
    turn: Turn
    incident: Incident
    is_urgent_there: bool


class Handing:
    """What the cells of a fleet have handed on, in whichever run. `StateError` as the table's.

    What a run that was never judged has left, or a late cell, the next one tells.
    """

    def __init__(self, table: Table, fleet: str) -> None:
        self._table = table
        self._pk = f"handed#{fleet}"

    def put(self, changes: Transitions, now: datetime) -> None:
        """Hand on what people may hear of; written twice it stays one."""
        opened, resolved = heard_of(changes, now)
        urgent = any(i.is_urgent and i.told for i in changes.still_open)
        items = [self._item(Turn.ALARM, each, urgent, now) for each in opened]
        items += [self._item(Turn.OK, each, urgent, now) for each in resolved]
        self._table.write_batch(items, [])

    def list(self) -> list[Handed]:
        """Return all that waits, in the order of its keys."""
        return [
            Handed(
                item["sk"],
                Turn(item["turn"]),
                Incident.from_document(json.loads(item["document"])),
                bool(item["urgent"]),
            )
            for item in self._table.query(self._pk)
        ]

    def take_out(self, handed: Iterable[Handed]) -> None:
        """Forget what is told, or stands in the outbox."""
        self._table.write_batch([], [(self._pk, each.place) for each in handed])

    def _item(self, turn: Turn, incident: Incident, urgent: bool, now: datetime) -> Item:  # noqa: FBT001
        return {
            "pk": self._pk,
            "sk": f"{incident.full_key}#{turn}",
            "turn": turn.value,
            "document": json.dumps(incident.as_document()),
            "urgent": int(urgent),
            "expires_at": int(now.timestamp()) + _KEPT_SECONDS,
        }


def heard_of(changes: Transitions, now: datetime) -> tuple[list[Incident], list[Incident]]:
    """Return what people may hear of: no opening that is silenced, nor its recovery."""
    opened = [incident for incident in changes.opened if incident.told == now]
    return opened, [incident for incident in changes.resolved if incident.told]
