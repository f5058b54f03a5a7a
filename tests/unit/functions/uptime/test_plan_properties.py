"""Same facts, same decisions, in any order; and what is promised of repairs holds for any."""

from __future__ import annotations

import random
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from functions.uptime.facts import Action, Facts, Reason
from functions.uptime.plan import plan_uptime
from functions.uptime.probing import Probed
from functions.uptime.records import Record
from functions.uptime.spans import State, Sum
from functions.uptime.traces import Failure, Fault, Phase
from tests.support.builders import NOW
from tests.unit.functions.uptime.building import (
    FIX,
    OPEN,
    SECONDS,
    SLOT,
    a_target,
    a_try,
    ask,
    status,
)

SERVICE: Final = {"ecs_service": {"cluster": "prod", "service": "web"}}
RESTARTABLE: Final = {"connect", "timeout", "body", "status"}

failures = st.one_of(
    st.builds(Failure, st.sampled_from([f for f in Fault if f is not Fault.STATUS])),
    st.sampled_from([status(number) for number in (301, 404, 500, 501, 503, 505)]),
    st.builds(Failure, st.just(Fault.TIMEOUT), st.just(""), st.sampled_from(Phase)),
)
tries = st.lists(
    st.builds(a_try, st.none() | failures | failures, ms=st.integers(1, 2000)),
    min_size=1,
    max_size=2,
)
looks = st.builds(lambda last, number: Probed([last] * number), tries, st.integers(1, 3))
records = st.builds(
    Record,
    state=st.sampled_from(State),
    seen=st.integers(SECONDS - 10_000, SECONDS + 100),
    since=st.integers(SECONDS - 10_000, SECONDS),
    bad=st.integers(0, 5),
    good=st.integers(0, 5),
    is_down=st.booleans(),
    asked=st.sampled_from([0, SECONDS - 60, SECONDS - 600, SECONDS - 6000]),
    is_owed=st.booleans(),
    slot=st.sampled_from(["", "2026-11-21T02:59Z", SLOT]),
    latencies=st.lists(st.integers(1, 2000), max_size=5).map(tuple),
)
ODD: Final[list[dict[str, Any]]] = [
    {},
    {"max_latency_ms": 500},
    {"fix": FIX},
    {"fix": SERVICE},
    {"fix": SERVICE, "maintenance": [OPEN]},
]
TARGETS: Final = {name: [a_target(name, **odd) for odd in ODD] for name in "abc"}
ASKED: Final = ask()


@st.composite
def worlds(draw: st.DrawFn) -> Facts:
    return Facts(
        {name: draw(st.sampled_from(TARGETS[name])) for name in "cab"},
        probed={name: draw(looks) for name in "abc" if draw(st.integers(0, 9))},
        records={name: draw(records) for name in "abc" if draw(st.integers(0, 4))},
        unreadable=dict.fromkeys(draw(st.sampled_from(["", "", "", "b"])), "x"),
        is_blind=draw(st.integers(0, 9)) == 0,
        is_cold=draw(st.booleans()),
        is_remembered=draw(st.integers(0, 9)) > 0,
    )


def shuffled(values: Any, seed: int) -> dict[str, Any]:
    items = list(values.items())
    random.Random(seed).shuffle(items)
    return dict(items)


@settings(max_examples=150, deadline=None)
@given(worlds(), st.integers(0, 99))
def test_the_order_of_what_is_known_does_not_matter(facts: Facts, seed: int) -> None:
    again = Facts(
        shuffled(facts.targets, seed),
        (),
        shuffled(facts.probed, seed),
        shuffled(facts.records, seed),
        {},
        facts.unreadable,
        {},
        facts.is_blind,
        facts.is_cold,
        facts.is_remembered,
    )
    plan, other = (plan_uptime(each, ASKED, slot=SLOT, now=NOW) for each in (facts, again))

    assert plan.decisions == other.decisions
    assert plan.verdicts == other.verdicts
    assert plan.closed == other.closed
    assert [decision.target for decision in plan.decisions] == ["a", "b", "c"]


@settings(max_examples=300, deadline=None)
@given(worlds())
def test_a_repair_is_asked_for_only_where_all_that_is_promised_holds(facts: Facts) -> None:
    plan = plan_uptime(facts, ASKED, slot=SLOT, now=NOW)

    for verdict in plan.verdicts:
        known = facts.records.get(verdict.name, Record())
        if verdict.decision.action != Action.FIX:
            assert verdict.record.asked in {known.asked, 0}
            continue
        assert verdict.target.fix
        assert not verdict.target.maintenance
        assert verdict.name in facts.probed
        assert facts.is_remembered
        assert not facts.is_blind
        if verdict.decision.reason == Reason.RECOVERED:
            assert known.is_owed
            assert not verdict.target.fix.instance
            continue
        assert known.is_down
        assert verdict.record.is_down
        assert SECONDS - known.asked >= 600
        assert all(each.failure for each in verdict.tries) or known.slot == SLOT
        assert verdict.failure
        assert verdict.failure.fault in RESTARTABLE
        assert verdict.failure.why not in {"301", "404", "501", "505"}
        assert verdict.failure.phase is not Phase.DNS


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_every_target_is_remembered_as_of_now_and_no_second_twice(facts: Facts) -> None:
    plan = plan_uptime(facts, ASKED, slot=SLOT, now=NOW)

    for verdict in plan.verdicts:
        known = facts.records.get(verdict.name, Record())
        assert verdict.record.seen == max(known.seen, SECONDS)
        assert verdict.record.state is verdict.state
        closed = sum(
            (each.sum for each in plan.closed.get(verdict.name, ()) if each.length == 300), Sum()
        )
        passed = verdict.record.running[0] + closed
        assert passed.up + passed.down + passed.maintenance <= max(0, SECONDS - known.seen)
        if verdict.decision.action == Action.SKIP:
            assert (verdict.record.bad, verdict.record.good) == (known.bad, known.good)
            assert verdict.record.is_down == known.is_down
