"""What people must know of a run: backups that cannot be restored, or were not proven. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Outcome, Result
from caretaker.report import Findings
from caretaker.settings import Mode

from .endings import endings
from .facts import Action
from .run_checks import LEFTOVER, NO_BACKUPS, has_backups, run_checks
from .volume_checks import OF_VOLUMES, VolumeChecks

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .facts import Facts
    from .plan import Plan
    from .request import DrillRequest

KINDS: Final = frozenset({*OF_VOLUMES, LEFTOVER})
"""Those that end with their resource: every run looks at all volumes there are."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that decided, and how its drills ended."""

    facts: Facts
    plan: Plan
    request: DrillRequest
    outcomes: Sequence[Outcome]
    now: datetime
    mode: Mode = Mode.ACT


def findings_of(ended: Ended) -> Findings:
    """Return what the run came to, for the harness.

    Without the state table the next round would drill the same ones again.
    """
    request, by_target = ended.request, {each.decision.target: each for each in ended.outcomes}
    told = [
        VolumeChecks(ended, case, by_target[volume])
        for volume, case in ended.plan.cases.items()
        if case.backup and volume in by_target
    ]
    ages = [each.age_days for each in told if each.age_days is not None]
    oldest: dict[str, float] = {"OldestProofAgeDays": round(max(ages), 2)} if ages else {}
    return Findings(
        ended.outcomes,
        [
            *(check for each in told for check in each.all()),
            *endings(ended, OF_VOLUMES),
            *run_checks(ended),
        ],
        KINDS,
        oldest if request.is_whole else {},
        may_continue=ended.facts.proofs is not None,
        reason=None if has_backups(ended) else NO_BACKUPS,
        summary=_summary(ended.outcomes, told) | oldest,
    )


def _summary(outcomes: Sequence[Outcome], told: Sequence[VolumeChecks]) -> dict[str, float]:
    by_result = Counter(e.result for e in outcomes if e.decision.action == Action.DRILL)
    return {
        "with_backup": len(told),
        "planned": by_result[Result.PLANNED],
        "drilled": by_result[Result.DONE] + by_result[Result.FAILED],
        "proven": by_result[Result.DONE],
        "failed": by_result[Result.FAILED],
        "never_proven": sum(each.proven is None for each in told),
    }
