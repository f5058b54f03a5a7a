"""What is to happen to one resource. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from caretaker.decisions import Decision, Detail, Json

from .case import Case, Subject
from .escalation import Move, may_escalate, next_step, undone
from .facts import ENDED, Action, Reason, Resource
from .findings import Fixes, find, fixes_of
from .rules import Finding

if TYPE_CHECKING:
    from collections.abc import Iterable


class Lacking(NamedTuple):
    """What a group or a launch template should have passed on and does not have itself."""

    target: str
    keys: frozenset[str]


NOT_LACKING: Final = Lacking("", frozenset())


class Verdict(NamedTuple):
    """The decisions about a resource, and what was wrong; None where it was not judged.

    Keys that are `pending` may still come: they are neither right nor wrong.
    """

    subject: Subject
    decisions: tuple[Decision, ...]
    findings: Mapping[str, Finding] | None = None
    pending: Collection[str] = ()
    lacking: Lacking = NOT_LACKING


@dataclass(frozen=True, slots=True)
class _Situation:
    """A resource once all was set that can be: `left` is still wrong, and not its group's fault."""

    subject: Subject
    left: Mapping[str, Finding]
    lacking: Lacking
    fixes: Fixes
    case: Case

    @property
    def resource(self) -> Resource:
        return self.subject.resource

    @property
    def is_to_be_stopped(self) -> bool:
        return may_escalate(self.resource, frozenset(self.left), self.case)


def judge(resource: Resource, case: Case) -> Verdict:
    """Return what is to happen: at most one decision for what can be set, and one for the rest."""
    subject = case.about(resource)
    reason = _out_of_scope(subject)
    if reason:
        return Verdict(subject, (_decision(subject, Move(Action.SKIP, reason), {}, case),))
    findings = find(resource.tags, case.rules[resource.type])
    fixes = fixes_of(subject, findings, case)
    left = {key: finding for key, finding in findings.items() if key not in fixes.by_key}
    lacking = _lacking(subject, left.keys() - fixes.unknown - fixes.full, findings, case)
    own = {key: finding for key, finding in left.items() if key not in lacking.keys}
    situation = _Situation(subject, own, lacking, fixes, case)
    move = next(move for rule in CHAIN if (move := rule(situation)))
    decisions = [_set(subject, findings, fixes, case)] if fixes.by_key else []
    if move.action is not Action.KEEP or not decisions:
        decisions.append(_decision(subject, move, own or left, case))
    pending = left.keys() if move.reason is Reason.TOO_YOUNG else ()
    return Verdict(subject, tuple(decisions), findings, pending, lacking)


def _out_of_scope(subject: Subject) -> Reason | None:
    if subject.resource.state in ENDED:
        return Reason.TERMINATING
    if subject.resource.is_managed:
        return Reason.SERVICE_MANAGED
    return Reason.IGNORED if subject.is_ignored else None


def _lacking(
    subject: Subject, left: Iterable[str], findings: Mapping[str, Finding], case: Case
) -> Lacking:
    """Return what a resource misses because the group or template behind it has it not either."""
    resource = subject.resource
    if subject.links is None or case.request.birth or case.is_young(resource):
        return NOT_LACKING
    behind = case.passed_on_to(resource, subject.links)
    if behind is None:
        return NOT_LACKING
    target, tags = behind
    keys = {key for key in left if findings[key] is Finding.MISSING and key not in tags}
    return Lacking(target, frozenset(keys)) if keys else NOT_LACKING


def _unknown(it: _Situation) -> Move | None:
    """A value may come from what could not be read: nothing is known to be wrong for good."""
    return Move(Action.REPORT, Reason.SOURCE_UNKNOWN) if it.fixes.unknown else None


def _young(it: _Situation) -> Move | None:
    """Tags of what was just made may still come: groups and spot requests write them late."""
    if it.left and (it.case.request.birth or it.case.is_young(it.resource)):
        return Move(Action.SKIP, Reason.TOO_YOUNG)
    return None


def _full(it: _Situation) -> Move | None:
    """AWS takes no tag more."""
    return Move(Action.REPORT, Reason.NO_ROOM) if it.fixes.full else None


def _undo(it: _Situation) -> Move | None:
    """Nothing is left that an instance is stopped for: what was done to it is undone."""
    if it.is_to_be_stopped or it.case.request.birth:
        return None
    action = undone(it.resource, it.case)
    return Move(action, Reason.COMPLIANT) if action else None


def _compliant(it: _Situation) -> Move | None:
    if it.left:
        return None
    if it.lacking.keys:
        return Move(Action.SKIP, Reason.REPORTED_AT_GROUP, {"group": it.lacking.target})
    return Move(Action.KEEP, Reason.COMPLIANT)


def _escalate(it: _Situation) -> Move | None:
    return next_step(it.resource, it.case) if it.is_to_be_stopped else None


def _report(_: _Situation) -> Move:
    return Move(Action.REPORT)


CHAIN: Final[tuple[Callable[[_Situation], Move | None], ...]] = (
    _unknown,
    _young,
    _full,
    _undo,
    _compliant,
    _escalate,
    _report,
)


def _set(subject: Subject, findings: Mapping[str, Finding], fixes: Fixes, case: Case) -> Decision:
    written = {key: fix.value for key, fix in fixes.by_key.items()}
    because = {key: fix.because for key, fix in fixes.by_key.items()}
    right = {key: findings[key] for key in written}
    move = Move(Action.SET, detail={"set": {**written}, "because": {**because}})
    return _decision(subject, move, right, case)


def _decision(
    subject: Subject, move: Move, findings: Mapping[str, Finding], case: Case
) -> Decision:
    reason, resource = move.reason or worst(findings.values()), subject.resource
    detail: dict[str, Json] = {"type": resource.type, "owner": subject.owner}
    if findings:
        detail["findings"] = {key: finding.value for key, finding in findings.items()}
        if found := {key: resource.tags[key] for key in findings if key in resource.tags}:
            detail["found"] = {**found}
        if resource.name:
            detail["name"] = resource.name
    detail |= move.detail
    return Decision(resource.id, move.action, reason, case.shared(_fingerprint(detail), detail))


def _fingerprint(detail: Detail) -> Hashable:
    """Return what equal details have in common."""
    return tuple(
        (name, tuple(held.items()) if isinstance(held, dict) else held)
        for name, held in detail.items()
    )


_RANK: Final = {finding: rank for rank, finding in enumerate(Finding)}


def worst(findings: Iterable[Finding]) -> Reason:
    """Return the worst of what is wrong: missing, then a wrong value, then a wrong case."""
    return Reason(min(findings, key=_RANK.__getitem__).value)
