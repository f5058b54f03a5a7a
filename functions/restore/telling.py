"""How a target stands, in the words that people read of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from .facts import Reason
from .journal import Ending, Goal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .journal import Journal

PROBLEMS: Final[Mapping[str, str]] = {
    "changed_meanwhile": "it was no longer as planned when its turn came",
    "volumes_not_made": "not all new volumes became available in time",
    "volume_failed": "EC2 could not make a new volume, mostly for its KMS key",
    "volume_vanished": "a new volume was gone again, mostly for its KMS key",
    "token_used": "EC2 refused the token of the request",
    "not_stopped": "it did not stop in time",
    "detaching_stuck": "a volume did not come off",
    "attaching_stuck": "a volume did not attach",
    "volume_gone": "a volume that is to sit there is gone",
    "does_not_start": "it fell back to stopped at each start",
    "not_started_in_time": "it did not come up in time",
    "checks_failed": "its status checks did not pass on the new volumes",
    "root_task_failed": "EC2 could not replace the root volume",
    "root_detached": "it has no root volume: EC2 could neither replace it nor put it back",
    "instance_gone": "the instance is gone",
    "took_too_long": "it was tried for a day",
    "ended_by_hand": "a person has ended it",
}
"""What a problem means; any other is a reason of the plan's, or AWS's own code."""
_MOST_NAMED: Final = 3
_POWER: Final = {"stop": "stopped by this restore", "start": "started by it"}


def reason_of(journal: Journal) -> Reason:
    """Return how far a target is, as the reason of its item."""
    if not journal.is_open:
        return Reason.OVER
    if journal.turned is None:
        return Reason.NOT_BEGUN
    return Reason.GOING_BACK if journal.goal is Goal.BACK else Reason.UNDER_WAY


def named(journal: Journal) -> str:
    """Return what people call it, and its id."""
    return f"{journal.name} {journal.target}".strip()


def some_of(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    known = list(names)
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    return ", ".join(known[:_MOST_NAMED]) + more


def named_some(journals: Iterable[Journal]) -> str:
    """Return what people call some, and how many more there are."""
    return some_of(journal.name or journal.target for journal in journals)


def problem_of(journal: Journal) -> str:
    """Return what went wrong; empty where nothing did."""
    if journal.ending is Ending.NOT_STARTED:
        return "a wave before its own failed"
    code = journal.problem
    if not code:
        return ""
    is_ours = "_" in code and code.islower()
    said = f"EC2 refused it: {code}: {journal.said}".removesuffix(": ")
    return PROBLEMS.get(code) or (code.replace("_", " ") if is_ours else said)


def left_over(journal: Journal) -> tuple[str, ...]:
    """Return the new volumes that nobody needs."""
    return () if journal.ending is Ending.LEFT else journal.left_over


def new_volumes(journal: Journal) -> tuple[str, ...]:
    """Return, of one that is left to a person, the new volumes that are free: restored data."""
    return journal.left_over if journal.ending is Ending.LEFT else ()


def told_of(journal: Journal) -> str:
    """Return how it ended, or how far it is."""
    word = journal.ending or reason_of(journal)
    parts = [word.replace("_", " "), problem_of(journal)]
    said = [": ".join(filter(None, parts)), _where(journal)]
    said += [f"waits for {journal.waiting_for}"] if journal.waiting_for else []
    for what, volumes in (
        ("of no use and not deleted", left_over(journal)),
        ("restored data, free", new_volumes(journal)),
    ):
        said += [f"{what}: {', '.join(volumes)}"] if volumes else []
    return "; ".join(filter(None, said))


def _where(journal: Journal) -> str:
    """Return whether it runs, and on what, as far as the journal knows."""
    if journal.ending is Ending.RESTORED or not journal.is_instance:
        return ""
    if not journal.is_touched:
        return "untouched"
    if journal.ending is Ending.ROLLED_BACK:
        return f"on its originals again, {'running' if journal.ran else 'stopped'} as before"
    if not journal.ran:
        return "was stopped before"
    return power(journal) or "runs, as far as is known"


def power(journal: Journal) -> str:
    """Return what this restore has last done to its power; empty where nothing is known of it."""
    for line in reversed(journal.history):
        time, _, word = line.partition(" ")
        if word in _POWER:
            return f"{_POWER[word]} at {time} UTC"
    return ""
