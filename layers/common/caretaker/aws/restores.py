"""What restores that are not over have in hand: the chore `restore` writes it, others leave it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from caretaker.aws.places import Place
    from caretaker.aws.state import Table

PARTITION = "restores"


def in_open_restores(
    table: Table, place: Place, what: Literal["snapshots", "targets"]
) -> frozenset[str]:
    """Return the ids; `StateError` when the table is out of reach."""
    found = table.query(f"{PARTITION}#{place.account}/{place.region}")
    return frozenset(each for item in found for each in str(item.get(what, "")).split())
