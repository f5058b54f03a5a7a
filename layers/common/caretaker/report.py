"""The answer of a run and its whole report. Pure.

An asynchronous invocation's record holds 256 KiB, which is what the answer is kept under:
https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from caretaker.decisions import Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from caretaker.decisions import Decision, Json, Refusal
    from caretaker.errors import FieldError
    from caretaker.incidents import Check

SCHEMA: Final = 1
MAX_OUTCOMES: Final = 500
MAX_BYTES: Final = 256 * 1024 - 4096
_ORDER: Final = (
    Result.FAILED,
    Result.REFUSED,
    Result.DEFERRED,
    Result.DONE,
    Result.PLANNED,
    Result.UNCHANGED,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """What identifies a run."""

    chore: str
    policy: str
    mode: str
    run: str
    slot: str
    account: str
    region: str


class Breakdown(NamedTuple):
    """A metric by one dimension more, such as Key, and its number for each value of that."""

    metric: str
    dimension: str
    values: Mapping[str, float]


class OnBehalf(NamedTuple):
    """Metrics of another chore and its policy."""

    chore: str
    policy: str
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Findings:
    """What a chore's steps came to.

    `judged` are the kinds of check that were judged for every resource there is; `gauges` are
    metrics of the chore's own, `breakdowns` the same by one dimension more, `summary` its totals.
    With a `refusal` nothing was carried out; without `may_continue` what was deferred waits for the
    next scheduled run. `remember` is called once people were told. `reason` is what the whole run
    has to say where nothing is refused; `plan` is the plan that it is about, where that is not the
    one of its outcomes. `tells_for` is a fleet whose cells have handed on what people are to hear
    of, `on_behalf` are metrics of their chore; `report_kind` is what the report's name ends in.
    """

    outcomes: Sequence[Outcome]
    checks: Sequence[Check] = ()
    judged: frozenset[str] = frozenset()
    gauges: Mapping[str, float] = field(default_factory=dict)
    refusal: Refusal | None = None
    may_continue: bool = True
    summary: Mapping[str, Json] = field(default_factory=dict)
    breakdowns: Sequence[Breakdown] = ()
    remember: Callable[[], None] | None = None
    reason: str | None = None
    plan: str | None = None
    tells_for: str = ""
    report_kind: str = "jsonl"
    on_behalf: OnBehalf | None = None


def plan_id(decisions: Iterable[Decision]) -> str:
    """Return a name for exactly these changes, the same in any order of them."""
    changes = sorted(_change(decision) for decision in decisions if decision.is_change)
    return f"p-{sha256(json.dumps(changes).encode()).hexdigest()[:16]}"


def _planned(decisions: Sequence[Decision]) -> str | None:
    """Return the name of a plan; None where nothing is planned."""
    return plan_id(decisions) if any(decision.is_change for decision in decisions) else None


def _change(decision: Decision) -> tuple[str, ...]:
    named = (decision.target, decision.action, decision.reason)
    return (*named, decision.identity) if decision.identity else named


def status_of(outcomes: Sequence[Outcome]) -> str:
    """Return `ok`, or `partial` when an item failed or was deferred."""
    bad = {Result.FAILED, Result.DEFERRED, Result.REFUSED}
    return "partial" if any(outcome.result in bad for outcome in outcomes) else "ok"


def is_complete(outcomes: Iterable[Outcome]) -> bool:
    """Tell whether every decision was tried."""
    untried = {Result.DEFERRED, Result.REFUSED}
    return all(outcome.result not in untried for outcome in outcomes)


def progress_of(outcomes: Iterable[Outcome]) -> int:
    """Return how many items were changed."""
    return sum(outcome.result is Result.DONE for outcome in outcomes)


def counts_of(outcomes: Iterable[Outcome]) -> dict[str, dict[str, int]]:
    """Return, by action and result, how many items."""
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for outcome in outcomes:
        counted[str(outcome.decision.action)][outcome.result.value] += 1
    return {action: dict(sorted(by.items())) for action, by in sorted(counted.items())}


def item_of(outcome: Outcome) -> dict[str, Any]:
    """Return one item of the report."""
    decision = outcome.decision
    item: dict[str, Any] = {
        "target": decision.target,
        "action": str(decision.action),
        "reason": str(decision.reason),
        "result": outcome.result.value,
        "detail": {**decision.detail, **outcome.detail},
    }
    if outcome.error is not None:
        item["error"] = dict(outcome.error)
    return item


def answer_of(
    heading: Heading, findings: Findings, *, report: str | None, duration_ms: int
) -> dict[str, Any]:
    """Return the JSON answer of a run that decided: at most 500 outcomes, failures first."""
    outcomes, refusal = findings.outcomes, findings.refusal
    ranked = sorted(outcomes, key=lambda o: (_ORDER.index(o.result), o.decision.target))
    answer = {
        **_head(heading),
        "status": "refused" if refusal else status_of(outcomes),
        "reason": refusal.reason if refusal else findings.reason,
        "errors": [dict(error) for error in refusal.errors] if refusal else [],
        "complete": is_complete(outcomes),
        "progress": progress_of(outcomes),
        "plan_id": findings.plan or _planned([outcome.decision for outcome in outcomes]),
        "counts": counts_of(outcomes),
        "summary": dict(findings.summary),
        "outcomes": [],
        "outcomes_omitted": 0,
        "report": report,
        "duration_ms": duration_ms,
    }
    kept = _fitting(ranked, MAX_BYTES - len(json.dumps(answer)))
    return {**answer, "outcomes": kept, "outcomes_omitted": len(outcomes) - len(kept)}


def answer_without_items(
    heading: Heading,
    status: str,
    reason: str,
    errors: Sequence[FieldError | Mapping[str, str]],
    duration_ms: int,
) -> dict[str, Any]:
    """Return the answer of a run that decided nothing: `skipped`, `refused`, `failed`."""
    return {
        **_head(heading),
        "status": status,
        "reason": reason,
        "errors": [dict(error) for error in errors],
        "complete": status == "ok",
        "progress": 0,
        "plan_id": None,
        "counts": {},
        "summary": {},
        "outcomes": [],
        "outcomes_omitted": 0,
        "report": None,
        "duration_ms": duration_ms,
    }


def report_lines(answer: Mapping[str, Any], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the whole report as JSON Lines: the answer without its items, then every item."""
    head = {k: v for k, v in answer.items() if k not in {"outcomes", "outcomes_omitted"}}
    yield json.dumps(head)
    for outcome in sorted(outcomes, key=lambda o: o.decision.target):
        yield json.dumps(item_of(outcome))


def _head(heading: Heading) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "chore": heading.chore,
        "policy": heading.policy,
        "mode": heading.mode,
        "run": heading.run,
        "slot": heading.slot or None,
        "account": heading.account,
        "region": heading.region,
    }


def _fitting(ranked: Sequence[Outcome], room: int) -> list[dict[str, Any]]:
    kept = []
    for outcome in ranked[:MAX_OUTCOMES]:
        item = item_of(outcome)
        size = len(json.dumps(item)) + 2
        if size <= room:
            room -= size
            kept.append(item)
    return kept
