"""What people must know of a whole run: what is left over, denied, or not there at all. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Result
from caretaker.incidents import Check

from .cases import is_good
from .facts import Action, Reason
from .volume_checks import is_of_role
from .words import NEXT_OF_DENIED, NEXT_OF_NOTHING, next_of_leftover

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caretaker.decisions import Decision

    from .checks import Ended

LEFTOVER: Final = "drill_leftover"
DENIED: Final = "drill_denied"
NOTHING: Final = "nothing_to_drill"
NO_BACKUPS: Final = "no_backups_of_policy"
_FIRST_DAY: Final = timedelta(hours=23)
_SHOWN: Final = 10
_STAYS: Final = frozenset({Reason.IN_USE, Reason.END_UNREADABLE})


def has_backups(ended: Ended) -> bool:
    """Tell whether the policy has any backup at all."""
    return any(map(is_good, ended.facts.snapshots))


def run_checks(ended: Ended) -> Iterator[Check]:
    """Yield the checks of a run beside those of its volumes."""
    yield from _leftovers(ended)
    yield _denied(ended)
    yield _nothing(ended)


def _leftovers(ended: Ended) -> Iterator[Check]:
    """Tell what could not be swept."""
    for outcome in ended.outcomes:
        decision = outcome.decision
        if "expires_at" not in decision.detail:
            continue
        stays = decision.reason in _STAYS or (
            outcome.result is Result.PLANNED and _is_long_over(decision, ended.now)
        )
        judged = {Result.DONE: True, Result.FAILED: False}
        code = (outcome.error or {}).get("code", decision.reason)
        yield Check(
            kind=LEFTOVER,
            resource=decision.target,
            healthy=False if stays else judged.get(outcome.result),
            what=f"a drill's volume is still there: {code.replace('_', ' ')}",
            evidence={key: str(value) for key, value in decision.detail.items()},
            done="it could not be deleted" if outcome.error else "nothing",
            next=next_of_leftover(code),
            ending="deleted",
            is_final=True,
        )


def _is_long_over(decision: Decision, now: datetime) -> bool:
    """Tell whether a volume that is to be swept should be gone for a day: nobody sweeps, then."""
    end = datetime.fromisoformat(str(decision.detail["expires_at"]))
    return now - end > _FIRST_DAY


def _denied(ended: Ended) -> Check:
    """Tell once, for all backups, of what the role may not do: that says nothing of them."""
    drills = [e for e in ended.outcomes if e.decision.action == Action.DRILL]
    denied = {
        e.decision.target: e.error["code"]
        for e in drills
        if e.error and is_of_role(e.error["code"])
    }
    is_done = any(each.result is Result.DONE for each in drills)
    volumes = sorted(denied)
    return Check(
        kind=DENIED,
        resource="role",
        healthy=False if denied else (True if is_done and ended.request.is_whole else None),
        what=f"{len(denied)} backups not proven: {', '.join(sorted(set(denied.values())))}",
        evidence={"volumes": ", ".join(volumes[:_SHOWN]), "how many": str(len(volumes))},
        done="nothing: whether they can be restored nobody knows",
        next=NEXT_OF_DENIED,
    )


def _nothing(ended: Ended) -> Check:
    """Tell of a policy that has no backup: a slip of the schedule, mostly; the first day waits."""
    facts, policy = ended.facts, ended.request.policy
    is_new = facts.since is None or ended.now - facts.since < _FIRST_DAY
    return Check(
        kind=NOTHING,
        resource=policy,
        healthy=True if has_backups(ended) else (None if is_new else False),
        what=f"no backup of policy {policy} to prove",
        done="nothing: there was nothing to drill",
        next=NEXT_OF_NOTHING,
        ending="backed up since",
    )
