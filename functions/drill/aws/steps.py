"""Apply: prove one backup, write that down, and leave nothing behind; or sweep one volume."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.aws.ec2 import list_snapshots
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.decisions import Outcome, Result
from caretaker.ec2 import STANDARD_TIER, SnapshotState
from caretaker.errors import CallError, HaltError, OutOfTimeError, StateError
from caretaker.failures import Kind
from functions.drill.aws.blocks import Blocks
from functions.drill.aws.ending import end_by
from functions.drill.aws.judging import Judge
from functions.drill.aws.volumes import Volumes, as_gone, time_text
from functions.drill.facts import AVAILABLE, CREATING, ERROR, Action, Flaw, How
from functions.drill.memory import Memory
from functions.drill.outcomes import concluded, may_pass, proof_of, put_off, refused, try_of, upheld
from functions.drill.verdict import Verdict

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import TagTypeDef

    from caretaker.decisions import Json
    from caretaker.failures import Failure
    from caretaker.run import Run
    from functions.drill.aws.volumes import Made, Seen
    from functions.drill.request import DrillRequest
    from functions.drill.units import Unit

_SNAPSHOT_GONE: Final = "snapshot_gone"
_OUT_OF_TIME: Final = "out_of_time"
_STILL_CREATING: Final = "volume_creating"


class Steps:
    """Takes the steps of one run."""

    def __init__(self, run: Run[DrillRequest]) -> None:
        self._run = run
        self._scene = run.scene
        self._memory = Memory(run)
        self._blocks = Blocks(run)
        self._volumes = Volumes(run)
        self._judge = Judge(run)

    def take(self, unit: Unit) -> list[Outcome]:
        """Take one step; what nobody knows is put off, and only what AWS refuses has failed."""
        if unit.decision.action == Action.SWEEP:
            return [self._sweep(unit)]
        if not self._judge.has_time():
            return [put_off(unit.decision, _OUT_OF_TIME)]
        try:
            outcome = self._drill(unit)
        except AWS_ERRORS as error:
            outcome = self._refused(unit, classify(error))
        except CallError as error:
            outcome = self._refused(unit, error.failure)
        except (HaltError, OutOfTimeError):
            self._tried(unit)
            raise
        if outcome.result is Result.DEFERRED:
            self._tried(unit)
        return [outcome]

    def _tried(self, unit: Unit) -> None:
        """Remember that it had its turn; where that cannot be, it comes first again."""
        proof = try_of(unit, self._run.request.how, self._scene.clock.now())
        with suppress(StateError):
            self._memory.write(proof)

    def _drill(self, unit: Unit) -> Outcome:
        request = self._run.request
        if request.how is How.BLOCKS:
            verdict = upheld(unit, self._blocks.prove(unit), request)
            return self._noted(unit, concluded(unit.decision, verdict), verdict)
        made = self._volumes.make(unit)
        seen = self._volumes.wait(made)
        if seen.state == CREATING:
            outcome = put_off(unit.decision, _STILL_CREATING)
            return outcome.with_detail(volume=made.id, waited_seconds=seen.seconds)
        outcome = self._judged(unit, made, seen)
        left = self._volumes.delete(made.id)
        told: dict[str, Json] = {"volume": made.id, **({"not_deleted": left} if left else {})}
        return outcome.with_detail(**told)

    def _judged(self, unit: Unit, made: Made, seen: Seen) -> Outcome:
        """Write down what a volume proves before it goes: a run that is killed then has proven it.

        What a judge does not tell is put off; the volume goes all the same.
        """
        if seen.state == AVAILABLE:
            try:
                said = self._judge.judges(unit, made.id)
            except OutOfTimeError:
                return put_off(unit.decision, _OUT_OF_TIME)
            except AWS_ERRORS as error:
                failure = classify(error)
                if may_pass(failure):
                    return put_off(unit.decision, failure.code, failure.message)
                said = Verdict(Flaw.JUDGE_FAILED, f"{failure.code}: {failure.message}")
            verdict = upheld(unit, replace(said, seconds=seen.seconds), self._run.request)
        elif seen.state == ERROR:
            verdict = Verdict(Flaw.VOLUME_ERROR, f"{made.id} went into the state error")
        elif made.is_adopted or seen.state != "gone":
            return self._refused(unit, as_gone(made))
        else:
            verdict = Verdict(
                Flaw.VOLUME_VANISHED, f"EC2 gave {made.id} up: mostly, its key cannot be used"
            )
        return self._noted(unit, concluded(unit.decision, verdict), verdict)

    def _refused(self, unit: Unit, failure: Failure) -> Outcome:
        """Tell what says something of the backup from what does not."""
        if may_pass(failure):
            return put_off(unit.decision, failure.code, failure.message)
        if failure.kind in {Kind.GONE, Kind.INVALID}:
            try:
                is_there = self._is_there(unit)
            except CallError as error:
                return put_off(unit.decision, error.failure.code, error.failure.message)
            if not is_there:
                return put_off(unit.decision, _SNAPSHOT_GONE, failure.message)
        return self._noted(unit, refused(unit.decision, failure), None)

    def _is_there(self, unit: Unit) -> bool:
        """Tell whether the backup can still be read; it may be deleted, or archived, meanwhile."""
        found = list_snapshots(
            self._scene.account, self._scene.pacer, {"snapshot-id": [unit.snapshot.id]}
        )
        return any(
            each.state == SnapshotState.COMPLETED and each.tier == STANDARD_TIER for each in found
        )

    def _noted(self, unit: Unit, outcome: Outcome, verdict: Verdict | None) -> Outcome:
        """Remember how it ended; a proof that is written down nowhere is none."""
        run, now = self._run, self._scene.clock.now()
        proof = proof_of(unit, run.request.how, run.slot, now, (outcome, verdict))
        notes: dict[str, Json] = {}
        try:
            self._memory.write(proof)
        except StateError as error:
            notes["not_remembered"] = error.failure.code
        if proof.problem:
            return outcome.with_detail(**notes)
        failure = self._tag(unit)
        if failure and notes:
            return refused(unit.decision, failure).with_detail(**outcome.detail, **notes)
        return outcome.with_detail(**notes, **({"not_tagged": failure.code} if failure else {}))

    def _tag(self, unit: Unit) -> Failure | None:
        """Say at the snapshot that it was proven; return why that failed."""
        client = self._scene.account.ec2
        proven: TagTypeDef = {
            "Key": tag.PROVEN_AT,
            "Value": time_text(self._scene.clock.now()),
        }
        return end_by(
            self._run,
            "CreateTags",
            lambda: client.create_tags(Resources=[unit.snapshot.id], Tags=[proven]),
        )

    def _sweep(self, unit: Unit) -> Outcome:
        """Delete a volume that is past its end."""
        left = self._volumes.delete(unit.decision.target)
        if not left:
            return Outcome(unit.decision, Result.DONE)
        error = {"code": left, "message": "the volume is still there", "request_id": ""}
        return Outcome(unit.decision, Result.FAILED, {}, error)
