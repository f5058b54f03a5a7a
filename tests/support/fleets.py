"""Words that the stories of the fleet share: cells, manifests, answers and what holds them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from caretaker.settings import Mode
from functions.fleet.checks import Verdict, findings_of
from functions.fleet.ends import SUCCEEDED, End, read_ends
from functions.fleet.facts import Cell
from functions.fleet.manifest import Manifest, run_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from caretaker.report import Findings

FUNCTION: Final = "arn:aws:lambda:eu-west-1:123456789012:function:caretaker-snapshot"
POLICY: Final = "snapshot-daily"
SLOT_TEXT: Final = "2026-11-21T03:00Z"
RUN: Final = "snapshot-daily-20261121T0300Z"
CALLER: Final = {"caller": {"run": RUN, "fleet": POLICY}}
OWN, ONE, TWO = "123456789012", "111111111111", "222222222222"
REGIONS: Final = ("eu-west-1", "us-east-1", "ap-south-1")
DENIED: Final = {
    "path": "DescribeVolumes",
    "problem": "AccessDenied: role not taken on",
    "expected": "a call that is allowed",
}
WRONG_EVENT: Final = {"path": "keep", "problem": "missing", "expected": "this field"}


def grid(accounts: int, regions: int = 1) -> tuple[Cell, ...]:
    """Return so many cells, sorted, the first account's first."""
    names = [*REGIONS, *(f"us-west-{number}" for number in range(1, regions))][:regions]
    return tuple(
        Cell(f"{number:012d}", region) for number in range(1, accounts + 1) for region in names
    )


NINE: Final = grid(3, 3)
"""Three accounts of three regions each."""


def manifest_of(cells: Sequence[Cell], **odd: Any) -> Manifest:
    """Return a manifest of these cells: a snapshot run in act mode unless told otherwise."""
    given: dict[str, Any] = {
        "policy": POLICY,
        "chore": "snapshot",
        "function": FUNCTION,
        "mode": Mode.ACT,
        "slot": SLOT_TEXT,
        "event": {"policy": "daily"},
        "cells": tuple(cells),
        "concurrency": 100,
        "plan": "p-0123456789abcdef",
        "asked": "0123456789abcdef",
        **odd,
    }
    return Manifest(run=run_name(given["policy"], given["slot"], None), **given)


def answered(cell: Cell, status: str = "ok", **more: Any) -> dict[str, Any]:
    """Return the short answer of a cell's run: one that did three things unless told otherwise."""
    is_well = status in {"ok", "partial"}
    return {
        "account": cell.account,
        "region": cell.region,
        "chore": "snapshot",
        "policy": "daily",
        "mode": "act",
        "status": status,
        "reason": None if is_well else "listing_failed",
        "complete": is_well,
        "errors": [] if is_well else [DENIED],
        "progress": 3 if is_well else 0,
        "rounds": 1,
        "counts": {"create": {"done": 3}} if is_well else {},
        "gauges": {},
        "opened": 0,
        "resolved": 0,
        "untold": 0,
        "open": 0,
        "reports": [],
        **more,
    }


EMPTY: Final[dict[str, Any]] = {"counts": {"skip": {"unchanged": 7}}, "progress": 0}
"""What the answer of a cell says in which there is nothing that the chore looks after."""
UNDONE: Final[dict[str, Any]] = {"counts": {"create": {"failed": 3}}, "progress": 0}
"""What the answer of a cell says in which everything failed."""


def refused(cell: Cell, reason: str = "event_invalid") -> dict[str, Any]:
    """Return the answer of a cell that takes the event for wrong, or has refused its own plan."""
    return answered(cell, "refused", reason=reason, errors=[WRONG_EVENT])


def child(manifest: Manifest, answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Step Functions writes of a child that came to its end."""
    said = {"Status": SUCCEEDED, "Output": json.dumps(answer)}
    return {**_begun(manifest, Cell(answer["account"], answer["region"])), **said}


def lost_child(
    manifest: Manifest, cell: Cell, status: str = "FAILED", **said: str
) -> dict[str, Any]:
    """Return what Step Functions writes of a child that never came to its end."""
    return {**_begun(manifest, cell), "Status": status, **said}


def ends_of(*answers: dict[str, Any]) -> dict[Cell, End]:
    """Return how the cells ended that answered this."""
    cells = [Cell(each["account"], each["region"]) for each in answers]
    return read_ends([child(manifest_of(cells), each) for each in answers], cells)


def judged(found: Mapping[Cell, End], *, stopped: str = "", **odd: Any) -> Findings:
    """Judge a run of nine cells; those that are not in `found` ended well, or never began."""
    rest = {} if stopped else ends_of(*(answered(cell) for cell in NINE if cell not in found))
    return findings_of(Verdict(manifest_of(NINE, **odd), {**rest, **found}, stopped))


def _begun(manifest: Manifest, cell: Cell) -> dict[str, Any]:
    name = f"child-{cell.account}-{cell.region}"
    return {"Name": name, "Input": json.dumps(manifest.item_of(cell))}
