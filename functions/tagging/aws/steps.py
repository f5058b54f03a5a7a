"""The steps against instances that nobody tags, and their undoing; each is remembered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag
from caretaker.apply import fail
from caretaker.aws.parts import send_in_parts
from caretaker.aws.session import home
from caretaker.aws.topics import publish_text
from caretaker.decisions import NOTHING, Decision, Detail, Outcome, Result
from caretaker.errors import CallError, StateError
from caretaker.failures import Kind
from caretaker.look import LastLook
from functions.tagging import rules
from functions.tagging.aws.listings import list_resources
from functions.tagging.aws.reading import reader_for
from functions.tagging.escalation import as_text, stop_after
from functions.tagging.facts import Action, Reason, Step
from functions.tagging.letters import Place, render_letter
from functions.tagging.memory import Memory
from functions.tagging.outcomes import left, refused
from functions.tagging.units import ALERTS, CREATE_TAGS, START_INSTANCES, STOP_INSTANCES
from functions.tagging.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_ec2.type_defs import TagTypeDef

    from caretaker.decisions import Batch
    from caretaker.failures import Failure
    from caretaker.run import Run
    from functions.tagging.case import Case
    from functions.tagging.facts import Resource
    from functions.tagging.request import TaggingRequest


LOOKED_AT: Final = frozenset({STOP_INSTANCES, START_INSTANCES})


class Steps:
    """Takes the steps of one run."""

    def __init__(self, run: Run[TaggingRequest], case: Case, units: Iterable[Batch]) -> None:
        self._run = run
        self._case = case
        self._memory = Memory(run)
        moved = [d.target for unit in units if unit.lane in LOOKED_AT for d in unit.decisions]
        self._looks = LastLook(moved, self._read, run.scene.clock)

    def take(self, unit: Batch) -> list[Outcome]:
        """Take one step against the instances of a unit; what cannot be remembered has failed."""
        how: Mapping[str, Callable[[Batch], list[Outcome]]] = {
            Action.TELL: self._tell,
            Action.MARK: self._mark,
            Action.UNMARK: self._unmark,
            Action.STOP: self._stop,
            Action.START: self._start,
        }
        try:
            return how[unit.decisions[0].action](unit)
        except StateError as error:
            return fail(unit.decisions, error.failure.as_error(), unit.notes)

    def _tell(self, unit: Batch) -> list[Outcome]:
        """Tell the owner, then remember it: killed in between, they hear it twice, not never.

        Who has no topic hears by the alert of the run: that is remembered once it was told.
        """
        scene, topic = self._run.scene, str(unit.notes["told_at"])
        if topic == ALERTS:
            return [Outcome(decision, Result.DONE, unit.notes) for decision in unit.decisions]
        place = scene.account.place
        where = Place(scene.settings.environment_name, place.account, place.region)
        letter = render_letter(unit.decisions, self._run.request, where)
        try:
            publish_text(home(scene.settings.region).sns, topic, letter.subject, letter.body)
        except CallError as error:
            return fail(unit.decisions, error.failure.as_error(), unit.notes)
        for decision in unit.decisions:
            self._memory.remember_step(decision.target, Step(self._run.slot))
        return [Outcome(decision, Result.DONE, unit.notes) for decision in unit.decisions]

    def _mark(self, unit: Batch) -> list[Outcome]:
        """Write when they are to be stopped; our own key stands alone in its call, as IAM asks."""
        until = stop_after(self._run.scene.clock.now(), self._run.request.stop_after_days)
        pairs: list[TagTypeDef] = [{"Key": tag.STOP_AFTER, "Value": as_text(until)}]
        client = self._run.scene.account.ec2_once
        outcomes = self._send(
            CREATE_TAGS, unit.decisions, lambda ids: client.create_tags(Resources=ids, Tags=pairs)
        )
        for outcome in outcomes:
            if outcome.result is Result.DONE:
                step = self._case.facts.steps[outcome.decision.target]
                marked = replace(step, marked_until=until, stopped=None)
                self._memory.remember_step(outcome.decision.target, marked)
        return [o.with_detail(stop_after=as_text(until)) for o in outcomes]

    def _unmark(self, unit: Batch) -> list[Outcome]:
        """Take the mark away, where one was written, and forget."""
        marked = [decision for decision in unit.decisions if self._is_marked(decision)]
        unmarked = [decision for decision in unit.decisions if decision not in marked]
        only: list[TagTypeDef] = [{"Key": tag.STOP_AFTER}]
        client = self._run.scene.account.ec2_once
        outcomes = [Outcome(decision, Result.DONE) for decision in unmarked]
        outcomes += self._send(
            "DeleteTags", marked, lambda ids: client.delete_tags(Resources=ids, Tags=only)
        )
        for outcome in outcomes:
            if outcome.result is Result.DONE:
                self._memory.forget_step(outcome.decision.target)
        return outcomes

    def _stop(self, unit: Batch) -> list[Outcome]:
        """Stop an instance that still is to be stopped, having written down that it will be."""
        (decision,) = unit.decisions
        moved = self._judged_again(decision)
        if moved is not None:
            return [moved]
        step = self._case.facts.steps[decision.target]
        now = self._run.scene.clock.now()
        self._memory.remember_step(decision.target, replace(step, stopped=now))

        def not_stopped(decisions: Sequence[Decision], failure: Failure) -> list[Outcome]:
            if failure.kind is not Kind.UNKNOWN:
                self._memory.remember_step(decision.target, step)
            return refused(decisions, failure)

        client = self._run.scene.account.ec2_once
        return self._send(
            STOP_INSTANCES,
            [decision],
            lambda ids: client.stop_instances(InstanceIds=ids),
            refused=not_stopped,
        )

    def _start(self, unit: Batch) -> list[Outcome]:
        """Start an instance that this chore stopped, then take its mark away, as IAM asks."""
        (decision,) = unit.decisions
        moved = self._judged_again(decision)
        if moved is not None:
            return [moved]
        client = self._run.scene.account.ec2_once
        outcomes = self._send(
            START_INSTANCES, [decision], lambda ids: client.start_instances(InstanceIds=ids)
        )
        if outcomes[0].result is not Result.DONE:
            return outcomes
        unmarked = self._unmark(unit)[0].result is Result.DONE
        return [outcomes[0].with_detail(unmarked=unmarked)]

    def _send(
        self,
        action: str,
        decisions: Sequence[Decision],
        call: Callable[[Sequence[str]], object],
        *,
        refused: Callable[[Sequence[Decision], Failure], list[Outcome]] = refused,
    ) -> list[Outcome]:
        """Send one call for all; each of them may be repeated."""

        def send(part: Sequence[Decision]) -> Detail:
            ids = [decision.target for decision in part]
            self._run.scene.pacer.call(action, lambda: call(ids))
            return NOTHING

        return send_in_parts(decisions, send, refused)

    def _is_marked(self, decision: Decision) -> bool:
        return tag.STOP_AFTER in self._case.instances[decision.target].tags

    def _judged_again(self, decision: Decision) -> Outcome | None:
        """Return how it ends where an instance, read again, is not to be stopped or started."""
        try:
            resource = self._looks.at(decision.target).item
        except CallError as error:
            return refused([decision], error.failure)[0]
        if resource is None:
            return left(decision, Reason.GONE)
        again = {each.action for each in judge(resource, self._case).decisions}
        return None if decision.action in again else left(decision, Reason.CHANGED_MEANWHILE)

    def _read(self, ids: Sequence[str]) -> dict[str, Resource]:
        reader = reader_for(self._run.request)
        only = ("instance-id", ids)
        found = list_resources(self._run.scene, reader, rules.INSTANCE, only=only)
        return {each.id: each for each in found}
