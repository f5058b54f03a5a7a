"""Facts for tests of uptime: something ordinary; keywords tell what is odd."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import certifi

from caretaker.decisions import Outcome, Result
from caretaker.request import parse_part, parse_request
from caretaker.settings import Mode
from caretaker.verdicts import Modes
from functions.uptime.checks import findings_of
from functions.uptime.ended import Ended
from functions.uptime.facts import Facts
from functions.uptime.past import past_after
from functions.uptime.plan import Plan, plan_uptime
from functions.uptime.probing import Probed, Try
from functions.uptime.records import Closed, Record
from functions.uptime.request import UptimeRequest
from functions.uptime.shelves import Past
from functions.uptime.spans import DAY, HOUR, State
from functions.uptime.targets import Target
from functions.uptime.traces import Certificate, Failure, Fault, Phase
from functions.uptime.urls import parse_url
from tests.support.builders import NOW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caretaker.incidents import Check
    from caretaker.report import Findings
    from functions.uptime.spans import Sum
    from functions.uptime.verdict import Verdict

URL: Final = "https://shop.example.com/health"
ADDRESS: Final = "93.184.215.10"
OTHER: Final = "93.184.215.11"
SECONDS: Final = int(NOW.timestamp())
SLOT: Final = "2026-11-21T03:00Z"
MINUTE: Final = 60
INSTANCE: Final = "i-0123456789abcdef0"
FIX: Final = {"instance": INSTANCE}
BEHIND: Final = f"caretaker/123456789012/eu-west-1/instance_health/default/x/{INSTANCE}"
OPEN: Final = {"start": "02:30", "duration_minutes": 60}
"""A window that is open at `NOW`."""

CA: Final = Path(certifi.where()).read_text(encoding="ascii").partition("\n\n")[0]
"""A certificate in PEM, whosever it is."""

REFUSED: Final = Failure(Fault.CONNECT, "refused")


def ask(**event: Any) -> UptimeRequest:
    """Return a request, checked as an event is."""
    return parse_request(UptimeRequest, event)


def a_target(name: str = "shop", **odd: Any) -> Target:
    """Return a target, checked as one of an event is."""
    return parse_part(Target, {"name": name, "url": URL, **odd}, "target")


def status(number: int) -> Failure:
    """Return the failure that an answer had this status."""
    return Failure(Fault.STATUS, str(number))


def a_try(
    failure: Failure | None = None, *, ms: float = 40, address: str = ADDRESS, **odd: Any
) -> Try:
    """Return a request that took so long."""
    has_answer = failure is None or failure.fault in {Fault.STATUS, Fault.BODY}
    known: dict[str, Any] = {
        "url": parse_url(URL),
        "phases": {Phase.DNS: ms / 4, Phase.CONNECT: ms / 4, Phase.FIRST_BYTE: ms / 2},
        "status": int(failure.why) if failure and failure.fault is Fault.STATUS else 200,
        "http_version": "2",
    }
    if not has_answer:
        known |= {"status": 0, "http_version": ""}
    return Try(address=address, failure=failure, **known | odd)


def probed(*tries: Failure | Try | None, before: int = 0) -> Probed:
    """Return the last look at a target, one try an address; `before` it so many others failed."""
    last = [each if isinstance(each, Try) else a_try(each) for each in tries or (None,)]
    return Probed([*([a_try(REFUSED)] for _ in range(before)), last])


def down(failure: Failure = REFUSED, number: int = 1) -> Probed:
    """Return what failed at all three tries, on so many addresses."""
    return probed(*[failure] * number, before=2)


def a_record(state: State = State.UP, minutes: float = 1, **odd: Any) -> Record:
    """Return what a run so many minutes ago left of a target that it first saw an hour before."""
    seen = SECONDS - round(minutes * MINUTE)
    known: dict[str, Any] = {"state": state, "seen": seen, "first": seen - 60 * MINUTE}
    return Record(**known | odd)


def failing(times: int = 2, **odd: Any) -> Record:
    """Return a target that failed so many times in a row, for ten minutes; at three it is down."""
    known: dict[str, Any] = {"state": State.DOWN, "bad": times, "is_down": times >= 3}
    return a_record(**known | {"since": SECONDS - 10 * MINUTE} | odd)


def a_past(hours: Mapping[int, Sum] | None = None, days: Mapping[int, Sum] | None = None) -> Past:
    """Return the past with these hours and days, by when they began."""
    closed = [Closed(HOUR, begun, each) for begun, each in (hours or {}).items()]
    closed += [Closed(DAY, begun, each) for begun, each in (days or {}).items()]
    return Past().after(closed)


def a_certificate(days: float = 60, *, chain: float = 900, fingerprint: str = "a" * 64) -> Any:
    """Return a certificate that expires in so many days."""
    leaf, whole = NOW + timedelta(days=days), NOW + timedelta(days=min(days, chain))
    return Certificate(fingerprint, leaf, whole)


def planned(
    *targets: Target,
    request: UptimeRequest | None = None,
    now: datetime = NOW,
    slot: str = SLOT,
    **facts: Any,
) -> Plan:
    """Return the plan of a run; a target of which nothing is said is up."""
    named = {each.name: each for each in targets or (a_target(),)}
    known: dict[str, Any] = {"probed": {name: probed() for name in named}}
    return plan_uptime(Facts(named, **known | facts), request or ask(), slot=slot, now=now)


def judged(
    target: Target | None = None,
    seen: Probed | None = None,
    record: Record | None = None,
    **how: Any,
) -> Verdict:
    """Return the verdict on one target."""
    target = target or a_target()
    facts: dict[str, Any] = {} if record is None else {"records": {target.name: record}}
    if seen is not None:
        facts["probed"] = {target.name: seen}
    (verdict,) = planned(target, **facts | how).verdicts
    return verdict


def ended(
    plan: Plan,
    result: Result = Result.DONE,
    *,
    run: Mode = Mode.ACT,
    stack: Mode = Mode.ACT,
    past: Mapping[str, Any] | None = None,
) -> Ended:
    """Return a run whose repairs were all taken so."""
    outcomes = [Outcome(d, result if d.is_change else Result.UNCHANGED) for d in plan.decisions]
    plan = plan.after(outcomes)
    return Ended(
        plan, outcomes, dict(past_after(plan) if past is None else past), Modes(run, stack)
    )


def findings(plan: Plan, *how: Any, **more: Any) -> Findings:
    """Return what a run hands to the harness."""
    return findings_of(ended(plan, *how, **more))


def checks(plan: Plan, *how: Any, **more: Any) -> dict[str, Check]:
    """Return what is judged of the only target, by kind."""
    found = findings(plan, *how, **more).checks
    return {each.kind: each for each in found}


def check_of(
    kind: str = "target_down",
    target: Target | None = None,
    seen: Probed | None = None,
    record: Record | None = None,
    result: Result = Result.DONE,
    **how: Any,
) -> Check:
    """Return one check of a run that saw one target."""
    target = target or a_target()
    facts: dict[str, Any] = {} if record is None else {"records": {target.name: record}}
    if seen is not None:
        facts["probed"] = {target.name: seen}
    told = {key: how.pop(key) for key in ("run", "stack", "past") if key in how}
    return checks(planned(target, **facts | how), result, **told)[kind]
