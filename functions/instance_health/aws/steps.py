"""Apply: one step of an instance by one call, which is written down before it is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from caretaker.apply import fail
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.state import ConditionFailedError
from caretaker.breaker import Breaker
from caretaker.decisions import Decision, Outcome, Result
from caretaker.errors import CallError, OutOfTimeError, StateError
from caretaker.failures import Kind
from caretaker.look import LastLook
from functions.instance_health.aws.listings import list_machines
from functions.instance_health.facts import Action, Reason
from functions.instance_health.ladder import Stand
from functions.instance_health.memory import Memory
from functions.instance_health.outcomes import left, refused
from functions.instance_health.plan import still_stands
from functions.instance_health.units import LANES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from caretaker.decisions import Batch
    from caretaker.failures import Failure
    from caretaker.run import Run
    from functions.instance_health.facts import Machine
    from functions.instance_health.ladder import Ladder
    from functions.instance_health.plan import Plan
    from functions.instance_health.request import InstanceHealthRequest
    from functions.instance_health.verdict import Verdict


class Steps:
    """Takes the steps of one run; `ladders` are those that it wrote, as they stand now."""

    def __init__(self, run: Run[InstanceHealthRequest], plan: Plan) -> None:
        self._run = run
        self._case = plan.case
        self._memory = Memory(run)
        self._verdicts = {v.id: v for v in plan.verdicts if v.intent}
        looked_at = [v.id for v in plan.verdicts if v.intent and v.decision.action != Action.START]
        self._looks = LastLook(looked_at, self._read, run.scene.clock)
        self.breaker = Breaker()
        self.ladders: dict[str, Ladder] = {}

    def preview(self, unit: Batch) -> list[Outcome]:
        """Read what would be read before the step."""
        (decision,) = unit.decisions
        moved = self._last_look(self._verdicts[decision.target])
        return [moved or Outcome(decision, Result.PLANNED)]

    def take(self, unit: Batch) -> list[Outcome]:
        """Take one step; what cannot be written down has failed."""
        self.breaker.check()
        (decision,) = unit.decisions
        outcomes: list[Outcome] | None = None
        try:
            outcomes = [self._take(self._verdicts[decision.target])]
        except OutOfTimeError:
            outcomes = []
            raise
        finally:
            self.breaker.count(outcomes)
        return outcomes

    def _take(self, verdict: Verdict) -> Outcome:
        try:
            moved = self._last_look(verdict)
            if moved is not None:
                return self._passed_over(verdict, moved)
            return self._send(verdict)
        except ConditionFailedError:
            return left(verdict.decision, Reason.CHANGED_MEANWHILE)
        except StateError as error:
            return fail([verdict.decision], error.failure.as_error(), {})[0]

    def _send(self, verdict: Verdict) -> Outcome:
        """Write the intent, then send; an answer that is lost leaves it as if it had come."""
        decision, intent = verdict.decision, verdict.intent
        assert intent is not None  # noqa: S101 - a step has one
        call = self._call_for(decision)
        written = self._write(verdict.id, replace(intent, at=self._run.scene.clock.now()))
        try:
            self._run.scene.pacer.call(_action(decision), call)
        except OutOfTimeError:
            self._take_back(verdict, written)
            raise
        except AWS_ERRORS as error:
            return self._failed(verdict, written, classify(error))
        return Outcome(decision, Result.DONE)

    def _failed(self, verdict: Verdict, written: Ladder, failure: Failure) -> Outcome:
        """Go on as it is where the call may have happened, or a start has to be sent again."""
        outcome = refused(verdict.decision, failure)
        if failure.kind is Kind.UNKNOWN or written.stand is Stand.STARTING:
            return outcome
        if outcome.result is Result.DEFERRED:
            self._take_back(verdict, written)
        else:
            self._refuse(verdict.id, written, failure.code)
        return outcome

    def _passed_over(self, verdict: Verdict, moved: Outcome) -> Outcome:
        """A step that its protection forbids is behind the ladder, so that the next one follows."""
        if moved.decision.reason == Reason.STOP_PROTECTED and verdict.intent:
            self._refuse(verdict.id, verdict.intent, Reason.STOP_PROTECTED)
        return moved

    def _refuse(self, instance_id: str, ladder: Ladder, why: str) -> None:
        self._write(instance_id, replace(ladder.noted(why), stand=Stand.REFUSED))

    def _take_back(self, verdict: Verdict, written: Ladder) -> None:
        """Leave the ladder as it was before a call that was not sent."""
        if verdict.ladder is None:
            self._memory.forget(verdict.id, written)
            self.ladders.pop(verdict.id, None)
        else:
            self._write(verdict.id, replace(verdict.ladder, version=written.version))

    def _write(self, instance_id: str, ladder: Ladder) -> Ladder:
        written = self._memory.write(instance_id, ladder)
        self.ladders[instance_id] = written
        return written

    def _last_look(self, verdict: Verdict) -> Outcome | None:
        """Return how it ends where an instance, read again, is not to be touched."""
        decision = verdict.decision
        if decision.action == Action.START:
            return None
        try:
            machine = self._looks.at(verdict.id).item
            moved = still_stands(verdict, machine, self._case)
            if moved is None and decision.action == Action.STOP and self._is_protected(verdict.id):
                moved = Reason.STOP_PROTECTED
        except CallError as error:
            return refused(decision, error.failure)
        return left(decision, moved) if moved else None

    def _is_protected(self, instance_id: str) -> bool:
        ec2 = self._run.scene.account.ec2
        try:
            answer = self._run.scene.pacer.call(
                "DescribeInstanceAttribute",
                lambda: ec2.describe_instance_attribute(
                    InstanceId=instance_id, Attribute="disableApiStop"
                ),
            )
        except AWS_ERRORS as error:
            raise CallError("DescribeInstanceAttribute", classify(error)) from error
        return bool(answer.get("DisableApiStop", {}).get("Value", False))

    def _read(self, ids: Any) -> Mapping[str, Machine]:  # noqa: ANN401 - a sequence of ids
        return list_machines(self._run.scene, ids)

    def _call_for(self, decision: Decision) -> Callable[[], object]:
        account, ids = self._run.scene.account, [decision.target]
        calls: Mapping[str, Callable[[], object]] = {
            Action.REBOOT: lambda: account.ec2_once.reboot_instances(InstanceIds=ids),
            Action.STOP: lambda: account.ec2_once.stop_instances(InstanceIds=ids),
            Action.START: lambda: account.ec2_once.start_instances(InstanceIds=ids),
            Action.REPLACE: lambda: account.autoscaling.set_instance_health(
                InstanceId=decision.target, HealthStatus="Unhealthy"
            ),
        }
        return calls[decision.action]


def _action(decision: Decision) -> str:
    return LANES[Action(decision.action)]
