"""Apply: tags in as few calls as there are tag sets; the steps of an escalation one by one."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.parts import Split, send_in_parts
from caretaker.breaker import Breaker
from caretaker.decisions import NOTHING, Decision, Detail, Outcome
from caretaker.errors import CallError, OutOfTimeError
from caretaker.look import LastLook, Seen
from functions.tagging.aws.listings import list_tags
from functions.tagging.aws.reading import reader_for
from functions.tagging.aws.steps import Steps
from functions.tagging.outcomes import by_arn, refused, still_stands, written
from functions.tagging.units import CREATE_TAGS, TAG_RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_ec2.type_defs import TagTypeDef

    from caretaker.decisions import Batch
    from caretaker.run import Run
    from caretaker.tags import Tags
    from functions.tagging.case import Case
    from functions.tagging.request import TaggingRequest


class Changes:
    """Carries out the changes of one run."""

    def __init__(self, run: Run[TaggingRequest], case: Case, units: Iterable[Batch]) -> None:
        self._run = run
        self._steps = Steps(run, case, units)
        ids = [d.target for unit in units if unit.lane == CREATE_TAGS for d in unit.decisions]
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
            return self._tag(unit.decisions)
        return self._steps.take(unit)

    def _tag(self, decisions: Sequence[Decision]) -> list[Outcome]:
        """Write the same tags on many."""
        return send_in_parts(decisions, self._send, refused, self._standing)

    def _send(self, decisions: Sequence[Decision]) -> Detail:
        scene, ids = self._run.scene, [decision.target for decision in decisions]
        pairs: list[TagTypeDef] = [
            {"Key": key, "Value": value} for key, value in written(decisions[0]).items()
        ]
        send = partial(scene.account.ec2_once.create_tags, Resources=ids, Tags=pairs)
        try:
            scene.pacer.call(CREATE_TAGS, send)
        except AWS_ERRORS:
            self._doubted.update(ids)
            for resource_id in ids:
                self._looks.forget(resource_id)
            raise
        return NOTHING

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

    def _tag_others(self, decisions: Sequence[Decision]) -> list[Outcome]:
        """Write tags through the tagging API, which tells for each resource how it went."""
        scene, arns = self._run.scene, [decision.target for decision in decisions]
        tags = written(decisions[0])
        send = partial(scene.account.tagging.tag_resources, ResourceARNList=arns, Tags=tags)
        try:
            answer: Any = scene.pacer.call(TAG_RESOURCES, send)
        except AWS_ERRORS as error:
            return refused(decisions, classify(error))
        request_id = answer["ResponseMetadata"].get("RequestId", "")
        return by_arn(decisions, answer.get("FailedResourcesMap", {}), request_id)
