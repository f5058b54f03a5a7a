"""Apply: one restart by one call, which is written down before it is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from caretaker.apply import fail
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.state import ConditionFailedError
from caretaker.decisions import Decision, Outcome, Result
from caretaker.errors import CallError, OutOfTimeError, StateError
from caretaker.failures import Kind
from caretaker.telemetry import logger
from functions.service_repair.attempt import Attempt, Ending
from functions.service_repair.aws.commands import find_invocation
from functions.service_repair.aws.evidence import gather
from functions.service_repair.facts import Action, Reason
from functions.service_repair.memory import Memory
from functions.service_repair.outcomes import left, refused
from functions.service_repair.plan import UNDER_WAY, Plan, plan_repair

if TYPE_CHECKING:
    from caretaker.decisions import Batch
    from caretaker.failures import Failure
    from caretaker.run import Run
    from functions.service_repair.request import Asked, ServiceRepairRequest

_LOOKED_FOR_SECONDS: Final = 60
_LOOK_EVERY_SECONDS: Final = 5
_STARTS_WITHIN_SECONDS: Final = 60
"""A command that an agent does not take in time is never run: nobody wants it an hour later.

https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html
"""
_MAX_REASON: Final = 255
_MAX_COMMENT: Final = 100
_DONE: Final = "Success"


class Steps:
    """Takes the step of one run."""

    def __init__(self, run: Run[ServiceRepairRequest]) -> None:
        self._run = run
        self._memory = Memory(run)

    def take(self, unit: Batch) -> list[Outcome]:
        """Take the step; what cannot be written down has failed."""
        (decision,) = unit.decisions
        try:
            return [self._take(decision, unit.lane)]
        except ConditionFailedError:
            return [left(decision, Reason.CHANGED_MEANWHILE)]
        except CallError as error:
            return fail([decision], error.failure.as_error(), {})

    def _take(self, decision: Decision, lane: str) -> Outcome:
        """Read everything again; send what is still to be sent."""
        scene, request, asked = self._run.scene, self._run.request, self._asked
        facts = gather(self._run, waits=(0,))
        plan = plan_repair(facts, request, now=scene.clock.now())
        if facts.unread:
            return refused(decision, facts.unread)
        if plan.intent is None or plan.intent.action != decision.action:
            return left(decision, Reason.CHANGED_MEANWHILE)
        repairs = request.repairs
        if not self._memory.lend_hand(asked.resource, repairs.at_once, repairs.settle_minutes):
            return left(decision, Reason.AT_ONCE_BUDGET, Action.REPORT)
        return self._send(decision, lane, plan)

    def _send(self, decision: Decision, lane: str, plan: Plan) -> Outcome:
        """Write the intent, then send; an answer that is lost leaves it as if it had come."""
        assert plan.intent  # noqa: S101 - looked at before
        before = plan.attempt_of(decision.target)
        written = self._write(plan.intent)
        try:
            subject = self._run.scene.pacer.call(lane, lambda: self._call(written))
        except OutOfTimeError:
            self._memory.take_back(decision.target, written, before)
            raise
        except AWS_ERRORS as error:
            return self._failed(decision, written, before, classify(error))
        if written.action == Action.SEND_COMMAND:
            return self._seen_through(decision, self._noted(written, subject))
        return Outcome(decision, Result.DONE, _detail(written))

    def _failed(
        self, decision: Decision, written: Attempt, before: Attempt | None, failure: Failure
    ) -> Outcome:
        """Count what may have happened as done, and what was refused as nothing."""
        if failure.kind is not Kind.UNKNOWN:
            self._write(written.refused(failure.code, before))
        return refused(decision, failure)

    def _call(self, attempt: Attempt) -> str:
        """Send the one call; return the command's id, where it has one."""
        account, asked = self._run.scene.account, self._asked
        why = f"Caretaker repairs {asked.target} for {asked.incident}"
        if asked.ssm_document:
            answer = account.ssm_once.send_command(
                DocumentName=asked.ssm_document.name,
                InstanceIds=[asked.ssm_document.instance],
                Parameters={k: [v] for k, v in asked.ssm_document.parameters.items()},
                TimeoutSeconds=_STARTS_WITHIN_SECONDS,
                Comment=why[:_MAX_COMMENT],
            )
            return answer["Command"].get("CommandId", "")
        assert asked.ecs_service  # noqa: S101 - one of the two is there
        where = asked.ecs_service
        if attempt.action == Action.STOP_TASK:
            account.ecs_once.stop_task(
                cluster=where.cluster, task=attempt.subject, reason=why[:_MAX_REASON]
            )
        else:
            account.ecs_once.update_service(
                cluster=where.cluster, service=where.service, forceNewDeployment=True
            )
        return ""

    def _seen_through(self, decision: Decision, attempt: Attempt) -> Outcome:
        """Wait a minute for what becomes of a command; after that the next run judges it."""
        state = self._state_of(attempt)
        detail = {"command": attempt.subject, "command_state": state or "unknown"}
        if state in {"", _DONE, *UNDER_WAY}:
            return Outcome(decision, Result.DONE, detail)
        clock = self._run.scene.clock
        over = attempt.noted(f"command {state}").ended_as(Ending.NOT_FIXED, clock.now())
        self._write_if_possible(over)
        message = f"the command ended as {state}: see its output in Systems Manager"
        return fail(
            [decision], {"code": f"Command{state}", "message": message, "request_id": ""}, detail
        )[0]

    def _state_of(self, attempt: Attempt) -> str:
        scene = self._run.scene
        end, state = scene.clock.monotonic() + _LOOKED_FOR_SECONDS, ""
        while scene.clock.monotonic() < end and scene.deadline.allows(_LOOK_EVERY_SECONDS):
            scene.clock.sleep(_LOOK_EVERY_SECONDS)
            try:
                found = find_invocation(scene, attempt.subject)
            except OutOfTimeError:
                break
            except CallError as error:
                logger.warning("command not looked at", error=error.failure.as_error())
                continue
            state = str(found["Status"]) if found else state
            if state and state not in UNDER_WAY:
                break
        return state

    def _noted(self, written: Attempt, command_id: str) -> Attempt:
        """Write down which command was sent, for the next run to judge it by."""
        return self._write_if_possible(replace(written, subject=command_id))

    def _write_if_possible(self, attempt: Attempt) -> Attempt:
        """Write how an attempt stands whose call was sent, whatever comes of the writing."""
        try:
            return self._write(attempt)
        except StateError as error:
            logger.warning("attempt not written", error=error.failure.as_error())
            return attempt

    def _write(self, attempt: Attempt) -> Attempt:
        return self._memory.write(self._asked.resource, attempt)

    @property
    def _asked(self) -> Asked:
        asked = self._run.request.repair
        assert asked  # noqa: S101 - else there is no step
        return asked


def _detail(attempt: Attempt) -> dict[str, str]:
    return {"task": attempt.subject.rpartition("/")[2]} if attempt.subject else {}
