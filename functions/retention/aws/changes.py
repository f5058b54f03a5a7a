"""Apply: every change after a last look at its snapshot."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from caretaker import tags as tag
from caretaker.apply import fail, settle
from caretaker.aws.ec2 import list_snapshots
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.parts import Split, send_in_parts
from caretaker.breaker import Breaker
from caretaker.decisions import NOTHING, Decision, Detail, Outcome, Result
from caretaker.errors import CallError, ListingError, OutOfTimeError, StateError
from caretaker.failures import Kind
from caretaker.look import NEVER, LastLook, Seen
from caretaker.telemetry import logger
from functions.retention.facts import Action, Reason, is_good
from functions.retention.memory import Memory
from functions.retention.outcomes import as_sent, left, reconciled, undeleted
from functions.retention.plan import delete_after, judge

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mypy_boto3_ec2.type_defs import TagTypeDef

    from caretaker.decisions import Batch
    from caretaker.ec2 import Snapshot
    from caretaker.failures import Failure
    from caretaker.run import Run
    from functions.retention.case import Case
    from functions.retention.request import RetentionRequest

_TRIES: Final = 3
_LOOK_AGAIN: Final = frozenset({Kind.UNKNOWN, Kind.GONE, Kind.DENIED})
"""After these it may have happened, or one may be gone: IAM denies what has no tags any more."""
MAX_PREVIEWED: Final = 500
"""So many last looks take a minute at the default pace."""


class _Looked(NamedTuple):
    """What a last look came to, and the oldest that it went by; nothing where it could not see."""

    outcome: Outcome
    seen: Seen[Any] = NEVER

    def allows(self, decision: Decision) -> bool:
        """Tell whether the change that was decided still stands."""
        return self.outcome.result is Result.PLANNED and self.outcome.decision == decision


class Changes:
    """Carries out the changes of one run, each after a last look at its snapshot."""

    def __init__(self, run: Run[RetentionRequest], case: Case, units: Iterable[Batch]) -> None:
        self._run = run
        self._case = case
        self._memory = Memory(run)
        self._previewed = 0
        self._looks = LastLook(_to_look_at(units, case), self._read, run.scene.clock)
        self._doubted: set[str] = set()
        self.breaker = Breaker()

    def preview(self, unit: Batch) -> list[Outcome]:
        """Look as `apply` would, and change nothing; many are planned without a look.

        There is no listing of what is shared: a look is a call for each snapshot.
        """
        if self._previewed >= MAX_PREVIEWED:
            return settle(unit.decisions, Result.PLANNED, last_look="left out")
        self._previewed += len(unit.decisions)
        return [self._look(decision).outcome for decision in unit.decisions]

    def apply(self, unit: Batch) -> list[Outcome]:
        """Carry out one unit; protection that AWS knows of leaves a snapshot as it is."""
        self.breaker.check()
        carry_out = self._tag if unit.lane != "DeleteSnapshot" else self._delete_each
        outcomes: list[Outcome] | None = None
        try:
            outcomes = carry_out(unit.decisions)
        except OutOfTimeError:
            outcomes = []
            raise
        finally:
            self.breaker.count(outcomes)
        return outcomes

    def _delete_each(self, decisions: Sequence[Decision]) -> list[Outcome]:
        return [self._delete(decision) for decision in decisions]

    def _delete(self, decision: Decision, tries: int = _TRIES) -> Outcome:
        """Delete one snapshot; EC2 may be asked again, and what is gone is as good as deleted."""
        try:
            outcome = self._send_delete(decision, self._look(decision))
        except AWS_ERRORS as error:
            failure = classify(error)
            if failure.kind in _LOOK_AGAIN and tries > 1:
                self._looks.forget(decision.target)
                return self._delete(decision, tries - 1)
            outcome = undeleted(decision, failure)
        if outcome.decision.action in {Action.MARK, Action.UNMARK}:
            return self._tag([outcome.decision])[0]
        if outcome.result is Result.DONE:
            self._remember_deleted(decision)
        return outcome

    def _send_delete(self, decision: Decision, looked: _Looked) -> Outcome:
        """Wait for a turn and send; look once more when the wait made the last look old."""

        def send() -> Outcome:
            seen = looked if self._looks.is_fresh(looked.seen) else self._look(decision)
            if not seen.allows(decision):
                return seen.outcome
            self._run.scene.account.ec2_once.delete_snapshot(SnapshotId=decision.target)
            return Outcome(decision, Result.DONE)

        if looked.allows(decision):
            outcome = self._run.scene.pacer.call("DeleteSnapshot", send)
        else:
            outcome = looked.outcome
        gone = outcome.decision.reason == Reason.GONE
        return Outcome(decision, Result.DONE, {"gone": True}) if gone else outcome

    def _remember_deleted(self, decision: Decision) -> None:
        try:
            self._memory.deleted(decision.target, self._run.scene.clock.now())
        except StateError as error:
            logger.warning("deletion not remembered", error=error.failure.as_error())

    def _tag(self, decisions: Sequence[Decision]) -> list[Outcome]:
        """Mark or unmark together, each after a last look."""
        return send_in_parts(decisions, self._send_tags, self._refused, self._standing)

    def _standing(self, decisions: Sequence[Decision]) -> Split:
        """Return what still is to be marked or unmarked, and how the others end."""
        standing: list[Decision] = []
        ended: list[Outcome] = []
        for decision in decisions:
            looked = self._look(decision).outcome
            if decision.target in self._doubted:
                looked = as_sent(decision, looked)
            if looked.result is Result.PLANNED:
                standing.append(looked.decision)
            else:
                ended.append(looked)
        return standing, ended

    def _refused(self, decisions: Sequence[Decision], failure: Failure) -> list[Outcome]:
        """Look again: IAM denies what is gone, as that has no tags any more."""
        return [
            looked
            if (looked := self._look(decision).outcome).result is Result.UNCHANGED
            else fail([decision], failure.as_error(), {})[0]
            for decision in decisions
        ]

    def _send_tags(self, decisions: Sequence[Decision]) -> Detail:
        ids = [decision.target for decision in decisions]
        try:
            return self._write(decisions[0].action, ids)
        except AWS_ERRORS:
            self._doubted.update(ids)
            for snapshot_id in ids:
                self._looks.forget(snapshot_id)
            raise

    def _write(self, action: str, ids: Sequence[str]) -> Detail:
        """Write or remove the mark; its two days begin as it is sent."""
        client, scene = self._run.scene.account.ec2_once, self._run.scene
        if action == Action.UNMARK:
            only: list[TagTypeDef] = [{"Key": tag.DELETE_AFTER}]
            scene.pacer.call("DeleteTags", lambda: client.delete_tags(Resources=ids, Tags=only))
            return NOTHING

        def mark() -> Detail:
            until = delete_after(scene.clock.now())
            client.create_tags(Resources=ids, Tags=[{"Key": tag.DELETE_AFTER, "Value": until}])
            return {"delete_after": until}

        return scene.pacer.call("CreateTags", mark)

    def _look(self, decision: Decision) -> _Looked:
        """Judge again by what is there now: `planned` where the change stands."""
        try:
            case = self._case_of(decision)
            newest = self._newest_of(decision)
            seen = self._looks.at(decision.target)
        except CallError as error:
            return _Looked(fail([decision], error.failure.as_error(), {})[0])
        if seen.item is None:
            return _Looked(Outcome(left(decision, Reason.GONE), Result.UNCHANGED), seen)
        if newest is not None and not (newest.item and is_good(newest.item)):
            return _Looked(Outcome(left(decision, Reason.LAST_GOOD), Result.UNCHANGED), seen)
        now = reconciled(decision, judge(seen.item, case))
        result = Result.PLANNED if now.is_change else Result.UNCHANGED
        older = seen if newest is None or seen.at <= newest.at else newest
        return _Looked(Outcome(now, result), older)

    def _case_of(self, decision: Decision) -> Case:
        """Return the case with what has to be asked for each snapshot by itself."""
        target = decision.target
        shared = frozenset({target} if self._is_shared(decision) else ())
        marked = decision.action == Action.DELETE or "came_back" in decision.detail
        deleted = self._memory.deleted_at(target) if marked else None
        return replace(self._case, shared=shared, deleted_at={target: deleted} if deleted else {})

    def _newest_of(self, decision: Decision) -> Seen[Snapshot] | None:
        """Look at the newer backup that a deletion counts on."""
        counted_on = self._case.newest.get(str(decision.detail["volume"]))
        if decision.action != Action.DELETE or counted_on is None:
            return None
        return self._looks.at(counted_on.id)

    def _is_shared(self, decision: Decision) -> bool:
        """Tell whether anybody else may make volumes of it, where a change depends on that."""
        if decision.action == Action.UNMARK and decision.reason != Reason.SHARED:
            return False
        client = self._run.scene.account.ec2
        try:
            answer = self._run.scene.pacer.call(
                "DescribeSnapshotAttribute",
                lambda: client.describe_snapshot_attribute(
                    SnapshotId=decision.target, Attribute="createVolumePermission"
                ),
            )
        except AWS_ERRORS as error:
            failure = classify(error)
            if failure.kind is Kind.GONE:
                return False
            raise ListingError("DescribeSnapshotAttribute", failure) from error
        if answer.get("CreateVolumePermissions"):
            self._memory.saw_shared(decision.target)
            return True
        return False

    def _read(self, ids: Sequence[str]) -> dict[str, Snapshot]:
        scene = self._run.scene
        found = list_snapshots(scene.account, scene.pacer, {"snapshot-id": ids})
        return {snapshot.id: snapshot for snapshot in found}


def _to_look_at(units: Iterable[Batch], case: Case) -> list[str]:
    """Return the snapshots to change in their order, before each the newer one it counts on."""
    ids: dict[str, None] = {}
    for unit in units:
        for decision in unit.decisions:
            newest = case.newest.get(str(decision.detail["volume"]))
            ids |= dict.fromkeys([*([newest.id] if newest else []), decision.target])
    return list(ids)
