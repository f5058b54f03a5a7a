"""The manifest of a run: every cell that is to be accounted for, and what each is asked. Pure.

It stands in the bucket before the first cell begins, and no later start changes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from caretaker.settings import Mode
from caretaker.slots import slot_time

from .facts import Cell

if TYPE_CHECKING:
    from .request import FleetRequest

SCHEMA: Final = 1
_MAY_DIFFER: Final = frozenset({"approve", "scheduled_time", "step"})


class Unreached(NamedTuple):
    """An account, or a region of one, that could not be asked when the run was planned.

    The region is empty where it is all of the account.
    """

    account: str
    region: str
    reason: str
    error: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a run is to do; `left` are accounts that it leaves out, `names` those of accounts.

    `asked` is a digest of the event that began it. A run `is_regular` unless its event asked for
    a report, and `is_usual` where its accounts and regions are those that the fleet's schedule
    asked for last. `home` is the region of the stack.
    """

    run: str
    policy: str
    chore: str
    function: str
    mode: Mode
    slot: str
    event: Mapping[str, Any]
    cells: Sequence[Cell]
    concurrency: int
    plan: str
    asked: str
    home: str = ""
    canary: Cell | None = None
    express: bool = False
    is_regular: bool = True
    is_usual: bool = False
    unreached: Sequence[Unreached] = ()
    left: Sequence[str] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    def as_document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"schema": SCHEMA, **asdict(self)}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Manifest:
        """Read it back; another version may have written more, or less."""
        known = {each.name for each in fields(cls)}
        read = {key: value for key, value in document.items() if key in known}
        canary = document.get("canary")
        return cls(
            **read
            | {
                "mode": Mode(document["mode"]),
                "cells": tuple(Cell(*each) for each in document["cells"]),
                "canary": Cell(*canary) if canary else None,
                "unreached": tuple(Unreached(*each) for each in document.get("unreached", ())),
            }
        )

    def item_of(self, cell: Cell) -> dict[str, Any]:
        """Return what the state machine runs a cell with: the function, and its event."""
        event: dict[str, Any] = {
            **self.event,
            "scheduled_time": slot_time(self.slot).isoformat(),
            "target": {"account": cell.account, "region": cell.region},
            "caller": {"run": self.run, "fleet": self.policy},
        }
        if self.mode is Mode.REPORT:
            event["mode"] = Mode.REPORT.value
        return {"function": self.function, "event": event}


def cell_of(item: Mapping[str, Any]) -> Cell:
    """Return the cell that an item is of."""
    target = item["event"]["target"]
    return Cell(target["account"], target["region"])


def run_name(policy: str, slot: str, again: int | None) -> str:
    """Return the name of a run: that of its execution, so the same slot begins once.

    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    name = f"{policy}-{slot_time(slot):%Y%m%dT%H%MZ}"
    return f"{name}-r{again}" if again else name


def digest_of(request: FleetRequest) -> str:
    """Return a name for all that an event asks, but for when and with whose approval."""
    asked = request.model_dump_json(exclude=set(_MAY_DIFFER), exclude_defaults=True)
    return sha256(asked.encode()).hexdigest()[:16]
