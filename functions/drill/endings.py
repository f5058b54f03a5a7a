"""How incidents end without a drill: a volume was replaced, or is not drilled any more. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.decisions import Result
from caretaker.incidents import Check

from .facts import Action

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from .cases import Case
    from .checks import Ended

_IGNORED: Final = "ignored"
_NOT_SELECTED: Final = "not_selected"


def endings(ended: Ended, kinds: Collection[str]) -> Iterator[Check]:
    """Yield checks of these kinds for all volumes that are there and have no backup to drill.

    Those whose state is not known stay as they are. Volumes that are gone have none.
    """
    proven = _proven(ended)
    for case in ended.plan.cases.values():
        if case.backup:
            continue
        ending = _ending(case, ended, proven)
        for kind in kinds:
            yield Check(
                kind=kind,
                resource=case.disk.id,
                healthy=True if ending else None,
                ending=ending,
                lapsed=True,
            )


def _ending(case: Case, ended: Ended, proven: Collection[str]) -> str:
    """Return why nothing more is to be told of a volume, empty where that is not so."""
    successor = _successor(case, ended)
    if successor and successor.disk.id in proven:
        return f"replaced by {successor.disk.id}, proven since"
    if successor and successor.reason not in {_IGNORED, _NOT_SELECTED}:
        return ""
    if case.reason == _IGNORED or (case.reason == _NOT_SELECTED and ended.request.is_whole):
        return f"no longer drilled: {case.reason.replace('_', ' ')}"
    return ""


def _successor(case: Case, ended: Ended) -> Case | None:
    """Return the volume that a restore has put in the place of this one, if that is there."""
    seen: list[Case] = [case]
    while True:
        following = ended.plan.cases.get(seen[-1].disk.volume.tags.get(tag.REPLACED_BY, ""))
        if following is None or following in seen:
            return seen[-1] if len(seen) > 1 else None
        seen.append(following)


def _proven(ended: Ended) -> set[str]:
    """Return the volumes whose own last drill has proven them."""
    good = {
        proof.volume
        for proof in (ended.facts.proofs or {}).values()
        if proof.proven and not proof.problem
    }
    drills = [each for each in ended.outcomes if each.decision.action == Action.DRILL]
    good |= {each.decision.target for each in drills if each.result is Result.DONE}
    return good - {each.decision.target for each in drills if each.result is Result.FAILED}
