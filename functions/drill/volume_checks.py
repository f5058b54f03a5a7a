"""What people must know of one volume: its backup cannot be restored, or was not proven. Pure."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Outcome, Result
from caretaker.failures import Kind, kind_of
from caretaker.incidents import Check, Severity
from caretaker.settings import Mode

from .facts import Action, Flaw, How
from .words import next_of_failed, why_failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .cases import Case
    from .checks import Ended

FAILED: Final = "drill_failed"
TOO_OLD: Final = "proof_too_old"
RTO_MISSED: Final = "rto_missed"
OF_VOLUMES: Final = (FAILED, TOO_OLD, RTO_MISSED)
_DAY_SECONDS: Final = 86_400
_CREATING: Final = "volume_creating"
_SINCE: Final = "proven since"


def is_of_role(code: str) -> bool:
    """Tell whether AWS denied a call; that a key cannot be used is another matter."""
    bad_request = 400
    return kind_of(code, bad_request) is Kind.DENIED and not code.startswith("KMS")


class VolumeChecks:
    """The checks of one volume; what this run did not find out stays as it is."""

    def __init__(self, ended: Ended, case: Case, outcome: Outcome) -> None:
        self._case = case
        self._request = ended.request
        self._outcome = outcome
        self._is_drill = outcome.decision.action == Action.DRILL
        self._is_proven = self._is_drill and outcome.result is Result.DONE
        self.proven = ended.now if self._is_proven else case.proven
        self._is_off = ended.mode is Mode.REPORT
        since, created = ended.facts.since, case.disk.volume.created
        counted = self.proven or (max(since, created) if since else None)
        self.age_days = (
            max(0.0, (ended.now - counted).total_seconds() / _DAY_SECONDS) if counted else None
        )
        volume = case.disk.volume
        names = [
            ended.facts.instances[i].tags.get("Name", "")
            for i in volume.instance_ids
            if i in ended.facts.instances
        ]
        self._name = volume.tags.get("Name", "") or next(filter(None, names), "")

    def all(self) -> Iterator[Check]:
        """Yield all checks."""
        yield self._failed()
        yield self._too_old()
        yield self._rto_missed()

    def _failed(self) -> Check:
        """Tell of a backup that cannot be restored, or whose contents are wrong."""
        judged = {Result.DONE: True, Result.FAILED: False}
        healthy = judged.get(self._outcome.result) if self._is_drill else None
        error = self._outcome.error or {}
        code = error.get("code", "")
        if is_of_role(code):
            healthy = None  # told once, of the role
        return Check(
            kind=FAILED,
            resource=self._case.disk.id,
            healthy=healthy,
            severity=Severity.WARNING if code == Flaw.FIRST_TABLE_DAMAGED else Severity.CRITICAL,
            name=self._name,
            stage=code,
            what=f"backup not proven: {why_failed(code)}",
            evidence={**self._evidence, "message": error.get("message", "")},
            done="nothing: the backup is as it was",
            next=next_of_failed(code, self._evidence["slot"]),
            cause=code,
            ending=_SINCE,
            is_final=True,
        )

    def _too_old(self) -> Check:
        """Tell of a backup that was not proven for too long; where drills are off, none is."""
        limit, age = self._request.max_proof_age_days, self.age_days
        when = "never proven" if self.proven is None else f"last proven {age or 0:.0f} days ago"
        return Check(
            kind=TOO_OLD,
            resource=self._case.disk.id,
            healthy=None if age is None or self._is_off else age <= limit,
            name=self._name,
            what=f"{when}, at most {limit} days are allowed",
            evidence=self._evidence,
            done="nothing yet",
            next="its turn comes, the oldest proof first; a larger sample comes round sooner",
            ending=_SINCE if self._is_proven else "",
            is_final=True,
        )

    def _rto_missed(self) -> Check:
        """Tell of a volume that took longer to come back than it may; unmeasured stays as it is."""
        limit, seconds = self._request.rto_minutes, self._seconds
        is_there = self._outcome.detail.get("deferred_by") != _CREATING
        healthy: bool | None = None
        if limit is not None and seconds is not None:
            is_late = seconds > limit * 60
            healthy = False if is_late else (True if is_there else None)
        how_far = "available" if is_there else "not available"
        return Check(
            kind=RTO_MISSED,
            resource=self._case.disk.id,
            healthy=healthy,
            name=self._name,
            what=f"{how_far} after {(seconds or 0) / 60:.1f} min, {limit} are allowed",
            evidence=self._evidence,
            done=self._done_with_volume(is_there=is_there),
            next="look at its size, and at fast snapshot restore",
            is_final=True,
        )

    def _done_with_volume(self, *, is_there: bool) -> str:
        if not is_there:
            return "nothing: it is still being made, and the next run judges it"
        left = self._outcome.detail.get("not_deleted")
        return f"nothing: {left} kept it from being deleted" if left else "it was deleted again"

    @property
    def _seconds(self) -> int | None:
        """Return what its volume took, or has taken until now."""
        detail: Mapping[str, object] = self._outcome.detail
        if not self._is_drill or self._request.how is not How.VOLUME:
            return None
        seconds = detail.get("seconds", detail.get("waited_seconds"))
        return seconds if isinstance(seconds, int) else None

    @property
    def _evidence(self) -> dict[str, str]:
        backup = self._case.backup
        assert backup  # noqa: S101 - else it is not judged
        told = {"snapshot": backup.id, "slot": backup.slot}
        last = self._case.last
        if last:
            which = f"slot {last.slot} ({last.snapshot}), " if last.slot else ""
            told["last proven"] = f"{which}on {last.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        return told
