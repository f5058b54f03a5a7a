"""Judge one target: how it stands, and what is due. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Detail, Json

from .facts import Action, Reason
from .records import Record, counted, moved, timed
from .spans import State
from .traces import Fault, Phase

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .facts import Facts
    from .probing import Probed, Try
    from .request import UptimeRequest
    from .targets import Target
    from .traces import Failure

_NETWORK: Final = frozenset({Fault.DNS, Fault.CONNECT, Fault.TLS, Fault.TIMEOUT})
_FIXABLE: Final = frozenset({Fault.CONNECT, Fault.TIMEOUT, Fault.BODY})
_BY_SERVER: Final = frozenset(map(str, {*range(500, 600)} - {501, 505}))
"""Statuses that a restart may change: not one that tells of what was never implemented."""


@dataclass(frozen=True, slots=True)
class Case:
    """What a run knows beyond the target before it."""

    facts: Facts
    request: UptimeRequest
    slot: str
    now: datetime

    @property
    def seconds(self) -> int:
        """Return the time of the run since 1970."""
        return int(self.now.timestamp())


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a target stands; `record` is what is remembered of it after this run.

    That is `unasked` instead where a repair was due and could not be asked for.
    """

    target: Target
    decision: Decision
    state: State
    record: Record
    tries: Sequence[Try] = ()
    failure: Failure | None = None
    unasked: Record | None = None

    @property
    def name(self) -> str:
        """Return the target's."""
        return self.target.name

    @property
    def shown(self) -> Try | None:
        """Return the try that people are told of: one that failed, if any did."""
        return shown_of(self.tries)


def failures_of(tries: Sequence[Try]) -> list[Failure]:
    """Return why the tries failed that did, in an order that is not that of the addresses."""
    return [each.failure for each in sorted(tries, key=_by_failure) if each.failure]


def shown_of(tries: Sequence[Try]) -> Try | None:
    """Return the try that people are told of: one that failed, if any did; None of none."""
    failed = [each for each in tries if each.failure]
    return min(failed, key=_by_failure) if failed else (tries[-1] if tries else None)


def _by_failure(tried: Try) -> tuple[str, str, str]:
    failure = tried.failure
    return (failure.fault, failure.why, failure.phase or "") if failure else ("", "", "")


def judge(target: Target, case: Case) -> Verdict:
    """Return how one target stands; what was not seen leaves everything as it was."""
    known = case.facts.records.get(target.name, Record())
    unseen = _why_unseen(target, case)
    if unseen:
        state = State.MAINTENANCE if unseen is Reason.MAINTENANCE else State.UNKNOWN
        decision = Decision(target.name, Action.SKIP, unseen)
        return Verdict(target, decision, state, moved(known, state, case.seconds, case.slot))
    return _with_fix(_seen(target, known, case), known, case)


def is_cut_off(probed: Probed) -> bool:
    """Tell whether nothing came back over the network."""
    return all(each.failure and each.failure.fault in _NETWORK for each in probed.last)


def _why_unseen(target: Target, case: Case) -> Reason | None:
    if any(window.is_open(case.now) for window in target.maintenance):
        return Reason.MAINTENANCE
    if target.name in case.facts.unreadable:
        return Reason.SECRET_UNREADABLE
    if target.name not in case.facts.probed:
        return Reason.NOT_PROBED
    return Reason.BLIND if case.facts.is_blind else None


def _seen(target: Target, known: Record, case: Case) -> Verdict:
    probed, confirm = case.facts.probed[target.name], case.request.confirm
    failures = failures_of(probed.last)
    failed = len(failures) == len(probed.last)
    ms = None if failures or case.facts.is_cold else max(each.ms for each in probed.last)
    record = known
    if case.slot != known.slot:  # a run that is repeated counts once
        record = counted(
            timed(known, ms),
            failed=failed,
            failures=confirm.failures,
            successes=confirm.successes,
            now=case.seconds,
        )
    state, reason = _stand(target, probed, record, failed=failed, is_partial=bool(failures))
    action = Action.REPORT if state in {State.DOWN, State.DEGRADED} else Action.KEEP
    failure = failures[0] if failures else None
    decision = Decision(target.name, action, reason, _detail(target, probed, failure))
    record = moved(record, state, case.seconds, case.slot)
    return Verdict(target, decision, state, record, probed.last, failure)


def _stand(
    target: Target, probed: Probed, record: Record, *, failed: bool, is_partial: bool
) -> tuple[State, Reason]:
    """Return the state of a target, and which of its reasons is the gravest."""
    if failed:
        return State.DOWN, Reason.DOWN if record.is_down else Reason.FAILING
    if is_partial:
        return State.DEGRADED, Reason.PARTIAL
    if target.max_latency_ms is not None and record.median_ms > target.max_latency_ms:
        return State.DEGRADED, Reason.SLOW
    if record.is_down:
        return State.UP, Reason.RECOVERING
    if len(probed.tries) > 1:
        return State.UNSTABLE, Reason.UNSTABLE
    return State.UP, Reason.UP


def _with_fix(verdict: Verdict, known: Record, case: Case) -> Verdict:
    """Ask for a repair where one is allowed and may help, and again after a while.

    The incident stands in the table from the run after the one that opened it. When it is over, who
    repairs services is asked once more, and sees that it is.
    """
    target, record = verdict.target, verdict.record
    if not target.fix or not case.facts.is_remembered:
        return verdict
    if known.is_owed and record.is_owed:
        over = replace(verdict, record=replace(record, is_owed=False))
        return over if target.fix.instance else _fixing(over, Reason.RECOVERED)
    waited = case.seconds - record.asked >= case.request.fix_again_minutes * 60
    if not (known.is_down and record.is_down and waited and _may_help(verdict)):
        return verdict
    if _is_another_s(target, case):
        return verdict
    asking = replace(verdict, record=replace(record, asked=case.seconds), unasked=record)
    return _fixing(asking, Reason(verdict.decision.reason))


def _is_another_s(target: Target, case: Case) -> bool:
    """Tell whether what is down stands behind it: then that is repaired, or is repaired already."""
    parent = target.depends_on
    while parent is not None:
        if case.facts.records.get(parent, Record()).is_down:
            return True
        parent = case.facts.targets[parent].depends_on
    return bool(target.fix and target.fix.instance and target.name in case.facts.behind)


def _fixing(verdict: Verdict, reason: Reason) -> Verdict:
    return replace(verdict, decision=replace(verdict.decision, action=Action.FIX, reason=reason))


def _may_help(verdict: Verdict) -> bool:
    """Tell whether all that failed is what a restart can change."""
    failures = failures_of(verdict.tries)
    return verdict.state is State.DOWN and bool(failures) and all(map(_is_fixable, failures))


def _is_fixable(failure: Failure) -> bool:
    if failure.fault is Fault.STATUS:
        return failure.why in _BY_SERVER
    return failure.fault in _FIXABLE and failure.phase is not Phase.DNS


def _detail(target: Target, probed: Probed, failure: Failure | None) -> Detail:
    """Return what people want to know; nothing of headers, bodies, queries or users."""
    last = probed.last
    shown = shown_of(last)
    assert shown is not None  # noqa: S101 - who was probed was tried
    detail: dict[str, Json] = {
        "url": shown.url.shown,
        "group": target.group,
        "tries": len(probed.tries),
        "ms": round(max(each.ms for each in last)),
        "phases": {phase.value: round(ms, 1) for phase, ms in shown.phases.items()},
        "addresses": {
            each.address: str(each.failure.fault) if each.failure else "ok"
            for each in last
            if each.address
        },
    }
    if shown.status:
        detail |= {"status": shown.status, "http": shown.http_version}
    if failure:
        detail |= {"fault": failure.fault.value, "why": failure.why, "phase": failure.phase or ""}
    certificate = shown.certificate
    if certificate:
        detail |= {
            "certificate_expires": f"{certificate.leaf_expires:%Y-%m-%dT%H:%M:%SZ}",
            "chain_expires": f"{certificate.chain_expires:%Y-%m-%dT%H:%M:%SZ}",
        }
    return detail
