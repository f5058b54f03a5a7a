"""A repair is asked for where it is allowed and may help, and not again and again."""

from __future__ import annotations

from typing import Any, Final

import pytest

from caretaker.decisions import Outcome, Result
from functions.uptime.checks import findings_of
from functions.uptime.facts import Action, Reason
from functions.uptime.probing import Probed
from functions.uptime.records import Record
from functions.uptime.spans import State
from functions.uptime.traces import Failure, Fault, Phase
from tests.unit.functions.uptime.building import (
    BEHIND,
    FIX,
    MINUTE,
    OPEN,
    REFUSED,
    SECONDS,
    a_target,
    ask,
    down,
    ended,
    failing,
    judged,
    planned,
    probed,
    status,
)

SERVICE: Final = {"ecs_service": {"cluster": "prod", "service": "web"}}
DOWN: Final = failing(3)


def is_fixed(seen: Probed | None = None, record: Record = DOWN, fix: Any = FIX, **how: Any) -> bool:
    """Tell whether a repair is asked for."""
    odd = how.pop("odd", {})
    verdict = judged(a_target(fix=fix, **odd), seen or down(), record, **how)
    assert (verdict.decision.action == Action.FIX) is verdict.decision.is_change
    return verdict.decision.is_change


@pytest.mark.parametrize(
    "failure",
    [
        REFUSED,
        Failure(Fault.CONNECT, "unreachable"),
        Failure(Fault.CONNECT, "closed"),
        *(Failure(Fault.TIMEOUT, phase=phase) for phase in Phase if phase is not Phase.DNS),
        Failure(Fault.BODY, "not_found"),
        Failure(Fault.BODY, "json"),
        *map(status, (500, 502, 503, 504, 507, 520, 599)),
    ],
    ids=str,
)
def test_what_a_restart_may_change_is_repaired(failure: Failure) -> None:
    assert is_fixed(down(failure))


@pytest.mark.parametrize(
    "failure",
    [
        Failure(Fault.DNS, "no_such_name"),
        Failure(Fault.DNS, "no_answer"),
        *(Failure(Fault.TLS, why) for why in ("expired", "other_host", "untrusted", "handshake")),
        Failure(Fault.REDIRECT, "too_many"),
        Failure(Fault.BLOCKED, "address"),
        Failure(Fault.CONFIG),
        Failure(Fault.TOO_LARGE, "body"),
        *map(status, (100, 200, 301, 400, 401, 403, 404, 429, 499, 501, 505)),
    ],
    ids=str,
)
def test_what_no_restart_changes_is_not_repaired(failure: Failure) -> None:
    assert not is_fixed(down(failure))


def test_a_name_that_takes_too_long_to_resolve_is_not_repaired() -> None:
    assert not is_fixed(down(Failure(Fault.TIMEOUT, phase=Phase.DNS)))


def test_a_repair_is_asked_for_by_the_run_after_the_one_that_called_it_down() -> None:
    assert not is_fixed(record=failing(1))
    assert not is_fixed(record=failing(2))
    assert is_fixed(record=failing(3))


def test_a_repair_has_the_reason_that_it_is_down_and_is_remembered() -> None:
    verdict = judged(a_target(fix=FIX), down(), DOWN)

    assert (verdict.state, verdict.decision.reason) == (State.DOWN, Reason.DOWN)
    assert verdict.record.asked == SECONDS
    assert verdict.unasked is not None
    assert verdict.unasked.asked == 0


def test_without_leave_nothing_is_repaired() -> None:
    verdict = judged(a_target(), down(), DOWN)

    assert (verdict.decision.action, verdict.decision.reason) == (Action.REPORT, Reason.DOWN)
    assert verdict.record.asked == 0


@pytest.mark.parametrize(
    "facts",
    [
        {"is_blind": True},
        {"unreadable": {"shop": "AccessDenied"}},
        {"probed": {}},
        {"is_remembered": False},
        {"odd": {"maintenance": [OPEN]}},
    ],
    ids=str,
)
def test_what_is_not_known_for_sure_is_not_repaired(facts: dict[str, Any]) -> None:
    assert not is_fixed(**facts)


@pytest.mark.parametrize("seen", [probed(), probed(REFUSED, None), probed(before=2)])
def test_what_answers_is_not_repaired(seen: Probed) -> None:
    assert not is_fixed(seen)


@pytest.mark.parametrize(
    ("failures", "expected"),
    [
        ([REFUSED, status(503)], True),
        ([REFUSED, status(404)], False),
        ([status(500), Failure(Fault.TLS, "expired")], False),
        ([Failure(Fault.BODY, "found"), Failure(Fault.TIMEOUT, phase=Phase.DNS)], False),
    ],
    ids=str,
)
def test_what_fails_at_every_address_is_repaired_where_that_may_help_all(
    failures: list[Failure], *, expected: bool
) -> None:
    assert is_fixed(probed(*failures)) is expected
    assert is_fixed(probed(*reversed(failures))) is expected


@pytest.mark.parametrize(
    ("minutes", "again", "expected"),
    [
        (9, 10, False),
        (10, 10, True),
        (11, 10, True),
        (10, 30, False),
        (30, 30, True),
        (1, 5, False),
    ],
)
def test_a_repair_is_asked_for_again_after_a_while(
    minutes: int, again: int, *, expected: bool
) -> None:
    record = failing(20, asked=SECONDS - minutes * MINUTE)

    assert is_fixed(record=record, request=ask(fix_again_minutes=again)) is expected


def test_a_repair_is_asked_for_once_in_a_slot() -> None:
    first = judged(a_target(fix=FIX), down(), DOWN)

    assert not is_fixed(record=first.record)


def test_an_outage_after_another_has_a_repair_of_its_own_at_once() -> None:
    recovering = failing(0, is_down=True, asked=SECONDS - MINUTE, good=1)
    over = judged(a_target(fix=FIX), probed(), recovering).record

    assert (over.is_down, over.asked) == (False, 0)


@pytest.mark.parametrize(("fix", "expected"), [(SERVICE, Action.FIX), (FIX, Action.KEEP)])
def test_who_repairs_services_is_told_that_it_is_over(fix: Any, expected: Action) -> None:
    recovering = failing(0, is_down=True, asked=SECONDS - MINUTE, good=1)
    target = a_target(fix=fix)
    over = judged(target, probed(), recovering).record
    verdict = judged(target, probed(), over, slot="2026-11-21T03:01Z")

    assert over.is_owed
    assert verdict.decision.action == expected
    if expected == Action.FIX:
        assert verdict.decision.reason == Reason.RECOVERED
    assert not verdict.record.is_owed
    later = judged(target, probed(), verdict.record, slot="2026-11-21T03:02Z")
    assert later.decision.action == Action.KEEP


def test_nobody_is_told_of_the_end_of_an_outage_without_repairs() -> None:
    recovering = failing(0, is_down=True, good=1)

    assert not judged(a_target(fix=SERVICE), probed(), recovering).record.is_owed


@pytest.mark.parametrize(
    ("down_now", "expected"),
    [
        (("shop",), True),
        (("shop", "api"), False),
        (("shop", "db"), False),
        (("shop", "api", "db"), False),
        (("shop", "other"), True),
    ],
)
def test_what_fails_because_of_another_is_not_repaired(
    down_now: tuple[str, ...], *, expected: bool
) -> None:
    targets = [
        a_target("shop", depends_on="api", fix=FIX),
        a_target("api", depends_on="db"),
        a_target("db"),
        a_target("other"),
    ]
    seen = {"shop": down(), "api": probed(), "db": probed(), "other": probed()}
    records = {name: failing(3) for name in down_now}
    plan = planned(*targets, probed=seen, records=records)

    assert [d.target for d in plan.decisions if d.is_change] == ["shop"] * expected


@pytest.mark.parametrize(("fix", "expected"), [(FIX, False), (SERVICE, True)])
def test_an_instance_with_an_incident_of_its_own_is_in_repair_already(
    fix: Any, *, expected: bool
) -> None:
    assert is_fixed(fix=fix, behind={"shop": BEHIND}) is expected
    assert is_fixed(fix=fix, behind={"other": BEHIND})


@pytest.mark.parametrize("result", [*Result])
def test_what_was_not_asked_for_is_not_remembered_as_if_it_were(result: Result) -> None:
    plan = planned(a_target(fix=FIX), probed={"shop": down()}, records={"shop": DOWN})
    (decision,) = plan.decisions
    (verdict,) = plan.after([Outcome(decision, result)]).verdicts

    assert verdict.record.asked == (SECONDS if result is Result.DONE else 0)
    assert (verdict.record.bad, verdict.record.seen) == (4, SECONDS)


def test_an_end_is_told_once_however_that_went() -> None:
    owed = failing(0, is_down=False, good=2, is_owed=True)
    plan = planned(a_target(fix=SERVICE), records={"shop": owed})
    (decision,) = plan.decisions
    (failed,) = plan.after([Outcome(decision, Result.FAILED)]).verdicts
    (done,) = plan.after([Outcome(decision, Result.DONE)]).verdicts

    assert (failed.record.is_owed, done.record.is_owed) == (False, False)


@pytest.mark.parametrize("result", [Result.DONE, Result.FAILED, Result.DEFERRED, Result.PLANNED])
def test_an_end_that_nobody_could_be_told_hides_no_new_outage(result: Result) -> None:
    record, told = failing(2, is_owed=True), []
    for number in range(3):
        records, seen = {"shop": record}, {"shop": down()}
        slot = f"2026-11-21T03:0{number}Z"
        plan = planned(a_target(fix=SERVICE), records=records, probed=seen, slot=slot)
        run = ended(plan, result)
        told += [c.healthy for c in findings_of(run).checks if c.kind == "target_down"]
        record = run.plan.verdicts[0].record

    assert told == [False, False, False]
