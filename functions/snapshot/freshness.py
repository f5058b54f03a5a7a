"""Judge the backups there are: how old, stuck, or failing. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Outcome, Result
from caretaker.incidents import Check, Severity
from caretaker.slots import age_hours

from .plan import MAX_FAILED_SLOTS, Facts, History, Reason, failing_slots, histories

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from caretaker.ec2 import Volume

    from .request import SnapshotRequest

STUCK_HOURS: Final = 24
KINDS: Final = frozenset({"backup_failed", "backup_stale", "snapshot_stuck", "nothing_selected"})
_UNSELECTED: Final = frozenset(
    {Reason.NOT_SELECTED, Reason.IGNORED, Reason.EXCLUDED, Reason.NOT_RETAKEN}
)


@dataclass(frozen=True, slots=True)
class Backups:
    """The checks of the selected volumes, and the age of the oldest newest backup."""

    checks: tuple[Check, ...]
    judged: frozenset[str]
    gauges: Mapping[str, float]


def judge_backups(
    facts: Facts, outcomes: Iterable[Outcome], request: SnapshotRequest, *, now: datetime
) -> Backups:
    """Judge every selected volume; a run that only retakes judges the volumes it retook.

    Only `completed` snapshots count. A volume without any is as old as itself or as the policy,
    whichever is younger: a policy of today has stale backups at the earliest tomorrow.
    """
    past = histories(facts.snapshots, slot="")
    volumes = {volume.id: volume for volume in facts.volumes}
    checks: list[Check] = []
    ages: list[float] = []
    for outcome in outcomes:
        if outcome.decision.reason in _UNSELECTED:
            continue
        judge = _Judge(facts, request, volumes[outcome.decision.target], past, now)
        checks += judge.all(outcome)
        ages.append(judge.age_hours)
    if request.retake:
        return Backups(tuple(checks), frozenset(), {})
    checks.append(_selected(request.policy, len(ages)))
    return Backups(tuple(checks), KINDS, {"NewestBackupAgeHours": round(max(ages, default=0.0), 2)})


class _Judge:
    """The checks of one volume."""

    def __init__(
        self,
        facts: Facts,
        request: SnapshotRequest,
        volume: Volume,
        past: Mapping[str, History],
        now: datetime,
    ) -> None:
        self._facts = facts
        self._request = request
        self._volume = volume
        self._history = past.get(volume.id, History())
        self._counted = (facts.failed_attempts or {}).get(volume.id, {})
        self._name = _name(facts, volume)
        self._now = now
        good = self._history.newest_good
        since = max(volume.created, facts.policy_since or volume.created)
        self.age_hours = age_hours(good.started if good else since, now)

    def all(self, outcome: Outcome) -> list[Check]:
        """A retake does not know how old its policy lets a backup get."""
        stale = [] if self._request.retake else [self.stale()]
        return [self.failed(outcome), self.stuck(), *stale]

    def failed(self, outcome: Outcome) -> Check:
        """A failure is over when a good snapshot is newer than every failed slot."""
        row = failing_slots(self._history, self._counted)
        error = outcome.error or {}
        failed = outcome.result is Result.FAILED
        healthy = False if failed else (True if self._history.newest_good and not row else None)
        lasting = len(row) >= MAX_FAILED_SLOTS
        return Check(
            kind="backup_failed",
            resource=self._volume.id,
            healthy=healthy,
            severity=Severity.CRITICAL if lasting else Severity.WARNING,
            what=f"snapshot failed: {error.get('code', '')}",
            name=self._name,
            evidence={
                "error": f"{error.get('code', '')}: {error.get('message', '')}",
                "failed slots in a row": ", ".join(sorted(row)) or "none before this one",
                "newest good snapshot": self._newest(),
            },
            done=f"attempt {outcome.decision.detail.get('attempt', 1)} of this slot",
            next="no more retakes until a slot succeeds; each new slot tries once"
            if lasting
            else "the next slot tries again",
            cause=f"{error.get('code', '')}: {error.get('message', '')}",
        )

    def stale(self) -> Check:
        """No backup at all is more often a volume tagged today than one that was forgotten.

        Without the state table nobody knows since when the policy is there.
        """
        limit = self._request.max_age_hours
        none_yet = self._history.newest_good is None
        untold = none_yet and self._facts.policy_since is None
        return Check(
            kind="backup_stale",
            resource=self._volume.id,
            healthy=None if untold else self.age_hours <= limit,
            severity=Severity.WARNING if none_yet else Severity.CRITICAL,
            what="no backup yet" if none_yet else f"newest backup is older than {limit} h",
            name=self._name,
            evidence={
                "newest good snapshot": self._newest(),
                "age": f"{self.age_hours:.1f} h, allowed are {limit} h",
            },
            next="the next slot takes the oldest backups first",
            cause="none yet" if none_yet else "stale",
        )

    def stuck(self) -> Check:
        waiting = [
            p for p in self._history.pending if age_hours(p.started, self._now) > STUCK_HOURS
        ]
        ids = ", ".join(sorted(snapshot.id for snapshot in waiting))
        return Check(
            kind="snapshot_stuck",
            resource=self._volume.id,
            healthy=not waiting,
            what=f"snapshot pending for more than {STUCK_HOURS} h",
            name=self._name,
            evidence={"snapshots": ids},
            done="left alone: deleting a pending snapshot frees nothing until it completes",
            next="it counts as a backup once it completes",
            cause="stuck",
        )

    def _newest(self) -> str:
        good = self._history.newest_good
        return f"{good.id} of {good.started:%Y-%m-%d %H:%M} UTC" if good else "none"


def _name(facts: Facts, volume: Volume) -> str:
    owners: Sequence[str] = volume.instance_ids
    names = [facts.instances[i].tags.get("Name", "") for i in owners if i in facts.instances]
    return next(filter(None, [volume.tags.get("Name", ""), *names]), "")


def _selected(policy: str, number: int) -> Check:
    return Check(
        kind="nothing_selected",
        resource=policy,
        healthy=number > 0,
        what="the policy selects no volume",
        evidence={"rule": "caretaker:backup on the volume or its instance, or the event's select"},
        next=f"tag volumes or instances caretaker:backup={policy}",
    )
