"""Gather: which accounts there are, what they say, and what stands in the way."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker.aws.notes import Notes
from caretaker.errors import FieldError, RefusedError, StateError
from caretaker.telemetry import logger
from functions.fleet.aws.organization import list_members
from functions.fleet.aws.regions import ask_reaches
from functions.fleet.aws.room import get_room
from functions.fleet.facts import Cell, Facts
from functions.fleet.members import choose
from functions.fleet.plan import needs_no_word, selection_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.run import Run
    from functions.fleet.facts import Member, Reach
    from functions.fleet.plan import Plan
    from functions.fleet.request import FleetRequest

_PLANNED: Final = "planned"
_USUAL: Final = "usual"
_KEEP: Final = timedelta(days=400)
"""What runs once a year is compared, too."""


def gather(run: Run[FleetRequest], function: str) -> Facts:
    """Read the accounts, what those that are meant say, and the room that the function has."""
    scene, accounts = run.scene, run.request.accounts
    listed = list_members(scene, accounts)
    return Facts(
        members=listed.members,
        room=get_room(scene, function),
        reaches=_reaches(run, choose(listed.members, accounts).chosen),
        units=listed.units,
        before=before(run, selection_of(run.request)),
    )


def _reaches(run: Run[FleetRequest], chosen: Sequence[Member]) -> dict[str, Reach]:
    place, settings = run.scene.account.place, run.scene.settings
    if not chosen or needs_no_word(chosen, run.request.regions, Cell(place.account, place.region)):
        return {}
    if not settings.target_role_name:
        problem = FieldError(
            "accounts",
            "the stack names no role for other accounts and regions",
            "the function's own account and region, or a stack with TargetRoleName",
        )
        raise RefusedError("target_not_allowed", [problem])
    return ask_reaches(run.scene, [member.id for member in chosen])


def is_usual(run: Run[FleetRequest], plan: Plan) -> bool:
    """Tell whether a choice is that of the fleet's schedule, by its last regular run."""
    notes = Notes.of_policy("fleet", run)
    try:
        found = {item["sk"]: item["selection"] for item in notes.list(_USUAL)}
    except StateError as error:
        logger.warning("usual choice not read", error=error.failure.as_error())
        return False
    return found.get(_USUAL) == plan.selection


def before(run: Run[FleetRequest], selection: str) -> int | None:
    """Return how many cells the last run of the same choice had; None where nobody knows."""
    notes = Notes.of_policy("fleet", run)
    try:
        cells = {item["sk"]: int(item["cells"]) for item in notes.list(_PLANNED)}
    except StateError as error:
        logger.warning("last plan not read", error=error.failure.as_error())
        return None
    return cells.get(selection)


def remember_planned(run: Run[FleetRequest], plan: Plan) -> None:
    """Write down what the next run of the same choice is compared with; `StateError`."""
    notes, request = Notes.of_policy("fleet", run), run.request
    notes.put(_PLANNED, plan.selection, _KEEP, cells=plan.meant)
    if request.is_scheduled:
        notes.put(_USUAL, _USUAL, _KEEP, selection=plan.selection)
