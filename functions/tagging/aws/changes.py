"""Apply: tags in as few calls as there are tag sets; the steps of an escalation one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.errors import AWS_ERRORS
from caretaker.aws.parts import Split, send_in_parts
from caretaker.breaker import Breaker
from caretaker.decisions import NOTHING, Decision, Detail, Outcome
from caretaker.errors import CallError, OutOfTimeError
from caretaker.look import LastLook, Seen
from functions.tagging.aws.listings import list_tags
from functions.tagging.aws.reading import reader_for
from functions.tagging.aws.steps import Steps
from functions.tagging.outcomes import as_told, failures_in, refused, still_stands, written
from functions.tagging.units import CREATE_TAGS, TAG_RESOURCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from mypy_boto3_ec2.type_defs import TagTypeDef

    from caretaker.decisions import Batch
    from caretaker.failures import Failure
    from caretaker.run import Run
    from caretaker.tags import Tags
    from functions.tagging.case import Case
    from functions.tagging.request import TaggingRequest


SETTING: Final = frozenset({CREATE_TAGS, TAG_RESOURCES})


class Changes:
    """Carries out the changes of one run."""

    def __init__(self, run: Run[TaggingRequest], case: Case, units: Iterable[Batch]) -> None:
        self._run = run
        self._steps = Steps(run, case, units)
        ids = [d.target for unit in units if unit.lane in SETTING for d in unit.decisions]
        self._looks = LastLook(ids, self._read, run.scene.clock)
        self._reader = reader_for(run.request)
        self._listed: Seen[Tags] = Seen(None, case.facts.read_at)
        self._doubted: set[str] = set()
        self.breaker = Breaker()

    def apply(self, unit: Batch) -> list[Outcome]:
        """Carry out one unit."""
        self.breaker.check()
        outcomes: list[Outcome] | None = None
        try:
            outcomes = self._carry_out(unit)
        except OutOfTimeError:
            outcomes = []
            raise
        finally:
            self.breaker.count(outcomes)
        return outcomes

    def _carry_out(self, unit: Batch) -> list[Outcome]:
        if unit.lane == TAG_RESOURCES:
            return self._tag_others(unit.decisions)
        if "set" in unit.decisions[0].detail:
            return send_in_parts(unit.decisions, self._create_tags, refused, self._standing)
        return self._steps.take(unit)

    def _create_tags(self, decisions: Sequence[Decision]) -> Detail | None:
        client, ids = self._run.scene.account.ec2_once, [each.target for each in decisions]
        pairs: list[TagTypeDef] = [
            {"Key": key, "Value": value} for key, value in written(decisions[0]).items()
        ]
        sent = self._send(
            CREATE_TAGS, decisions, lambda: client.create_tags(Resources=ids, Tags=pairs)
        )
        return None if sent is None else NOTHING

    def _tag_others(self, decisions: Sequence[Decision]) -> list[Outcome]:
        """Write tags through the tagging API, which tells for each resource how it went."""
        client, tags = self._run.scene.account.tagging, written(decisions[0])
        failed: dict[str, Failure] = {}

        def send(part: Sequence[Decision]) -> Detail | None:
            arns = [decision.target for decision in part]
            answer = self._send(
                TAG_RESOURCES,
                part,
                lambda: client.tag_resources(ResourceARNList=arns, Tags=tags),
            )
            failed.update(failures_in(answer or {}))
            return None if answer is None else NOTHING

        outcomes = send_in_parts(decisions, send, refused, self._standing)
        return [as_told(outcome, failed) for outcome in outcomes]

    def _send(
        self, action: str, decisions: Sequence[Decision], call: Callable[[], Any]
    ) -> dict[str, Any] | None:
        """Send when the turn has come; None when by then not all of them stand any more."""

        def send() -> dict[str, Any] | None:
            _, ended = self._standing(decisions)
            return None if ended else (call() or {})

        try:
            return self._run.scene.pacer.call(action, send)
        except AWS_ERRORS:
            for decision in decisions:
                self._doubted.add(decision.target)
                self._looks.forget(decision.target)
            raise

    def _standing(self, decisions: Sequence[Decision]) -> Split:
        """Return what is still to be written, and how the others end.

        Tags read more than a minute ago, or before a call that failed, are read again: a call
        overwrites what somebody has written since.
        """
        if self._looks.is_fresh(self._listed) and self._doubted.isdisjoint(
            decision.target for decision in decisions
        ):
            return decisions, []
        standing: list[Decision] = []
        ended: list[Outcome] = []
        for decision in decisions:
            try:
                outcome = still_stands(decision, self._looks.at(decision.target).item or {})
            except CallError as error:
                outcome = refused([decision], error.failure)[0]
            if outcome is None:
                standing.append(decision)
            else:
                ended.append(outcome)
        return standing, ended

    def _read(self, ids: Sequence[str]) -> Mapping[str, Tags]:
        found = list_tags(self._run.scene, ids)
        return {each: self._reader.tags(tags) for each, tags in found.items()}
