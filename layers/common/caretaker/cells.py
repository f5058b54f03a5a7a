"""Cells: runs of a chore that a caller asked for, one for each account and region. Pure.

Such a run answers briefly and tells people nothing: its caller, the fleet, tells once what all of
them came to. An answer of a state machine's step holds 256 KiB:
https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import Field, TypeAdapter, ValidationError

from caretaker.decisions import Result
from caretaker.request import Caller, SoFar

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_ROUNDS_OF_A_CELL: Final = 20
OF_ALL: Final = frozenset({"nothing_selected", "nothing_to_drill", "work_left_over"})
"""Kinds that only who sees all cells can judge: most are empty, and of the rest it asks again."""
UNREACHABLE: Final = "unreachable"
"""The status of a cell whose account or region lets nobody in: denied, opted out, closed."""
_KEPT: Final = ("account", "region", "chore", "policy", "mode", "status", "reason", "complete")
_MAX_TEXT: Final = 300
_MAX_REPORTS: Final = 20


@dataclass(frozen=True, slots=True)
class Ending:
    """What else there is to say of how a cell ended.

    `opened` and `resolved` are incidents that were handed on to the caller, `untold` those that
    could not be, `still_open` are all of the cell's. `following` is the event of its next round.
    """

    gauges: Mapping[str, float]
    opened: int = 0
    resolved: int = 0
    still_open: int = 0
    untold: int = 0
    following: Mapping[str, Any] | None = None


def cell_answer(answer: Mapping[str, Any], ending: Ending, so_far: SoFar) -> dict[str, Any]:
    """Return the answer of a cell: what its last round came to, and what all have done.

    What one round did the next one finds done, and says so; all else is as the last round left it.
    """
    total = _with(answer, ending, so_far)
    brief = {name: answer[name] for name in _KEPT}
    brief |= {
        "errors": [_cut(error) for error in answer["errors"][:1]],
        "progress": answer["progress"],
        "rounds": total.rounds,
        "counts": _counts(answer["counts"], total.done),
        "gauges": dict(ending.gauges),
        "opened": total.opened,
        "resolved": total.resolved,
        "untold": total.untold,
        "open": ending.still_open,
        "reports": list(total.reports),
    }
    if ending.following is None:
        return brief
    carried = total.model_dump(mode="json")
    caller = {**ending.following["caller"], "so_far": carried}
    return {**brief, "next": {**ending.following, "caller": caller}}


def caller_in(event: object) -> Caller | None:
    """Return who asked for a run, also where the rest of the event is wrong."""
    asked = event.get("caller") if isinstance(event, dict) else None
    if asked is None:
        return None
    try:
        return _CALLER.validate_python(asked)
    except ValidationError:
        return None


_CALLER: Final = TypeAdapter(Annotated[Caller, Field(strict=False)])


def _with(answer: Mapping[str, Any], ending: Ending, so_far: SoFar) -> SoFar:
    done = dict(so_far.done)
    for action, by in answer["counts"].items():
        if by.get(Result.DONE):
            done[action] = done.get(action, 0) + by[Result.DONE]
    report = [answer["report"]] if answer["report"] else []
    return SoFar(
        rounds=so_far.rounds + 1,
        done=done,
        reports=(*so_far.reports, *report)[:_MAX_REPORTS],
        opened=so_far.opened + ending.opened,
        resolved=so_far.resolved + ending.resolved,
        untold=so_far.untold + ending.untold,
    )


def _counts(
    last: Mapping[str, Mapping[str, int]], done: Mapping[str, int]
) -> dict[str, dict[str, int]]:
    every = {action: dict(by) for action, by in last.items()}
    for action, number in done.items():
        every[action] = {**every.get(action, {}), Result.DONE.value: number}
    return every


def _cut(error: Mapping[str, str]) -> dict[str, str]:
    return {name: text[:_MAX_TEXT] for name, text in error.items()}
