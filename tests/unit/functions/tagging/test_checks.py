from __future__ import annotations

from typing import Any

import pytest

from caretaker.decisions import Outcome, Result
from caretaker.failures import Failure, Kind
from caretaker.incidents import Severity
from caretaker.settings import Mode
from functions.tagging.checks import findings_of, judge_run
from functions.tagging.compliance import name_of
from functions.tagging.facts import Compliance
from functions.tagging.units import ALERTS
from tests.support.tagging import (
    BORN,
    ESCALATED,
    OWNER,
    TOPIC,
    a_letter_to,
    a_report,
    a_resource,
    a_setting,
    a_step,
    an_instance,
    ask,
    ended,
    gathered,
)
from tests.unit.functions.tagging.checking import (
    ERROR,
    KINDS,
    checked,
    judged,
    only,
    outcome_of,
)

BROKEN = Failure(Kind.DENIED, "AccessDenied", "no way", "r-1")
BAD = a_resource("vol-bad")
SEEN = Compliance(0, frozenset({name_of(a_report("vol-bad"), OWNER)}), "before")
JUDGED = {"type_unlisted", "resource_untaggable", "owner_unreachable", "instance_escalated"}


def test_a_run_in_which_all_is_right_is_healthy() -> None:
    checks, kinds = judged(a_resource(tags={OWNER: "ann"}))

    assert kinds == JUDGED
    assert {check.kind for check in checks} == {*KINDS}
    assert all(check.healthy is True for check in checks)


def test_people_hear_of_what_is_wrong() -> None:
    check = only("tags_violated", checked(BAD, a_resource(tags={OWNER: "ann"})))

    assert (check.healthy, check.severity, check.resource) == (False, Severity.NOTICE, "default")
    assert check.what == "1 tags missing or wrong, 1 new: 50.0 % right"
    assert check.evidence == {
        "before": "no run before",
        "new 1": "vol-bad Owner missing, owner unknown",
        "by key": "Owner 1 wrong",
        "list": "s3://bucket/list.csv.gz",
    }
    assert check.stage
    assert check.done
    assert check.next


def test_people_do_not_hear_of_the_same_list_again() -> None:
    check = only("tags_violated", checked(BAD, last_seen=SEEN))

    assert (check.healthy, check.stage) == (False, "before")
    assert check.what == "1 tags missing or wrong, 0 new: 0.0 % right"
    assert check.evidence["before"] == "0 % right"
    assert "new 1" not in check.evidence


def test_people_hear_again_when_new_ones_appear() -> None:
    check = only("tags_violated", checked(BAD, a_resource("vol-new"), last_seen=SEEN))

    assert check.stage not in {"", "before"}
    assert check.evidence["new 1"] == "vol-new Owner missing, owner unknown"


def test_five_new_ones_are_shown_with_name_and_owner() -> None:
    many = [a_resource(f"vol-{n}", tags={"Team": "web"}) for n in range(9)]

    evidence = only("tags_violated", checked(*many, event={"owner_key": "Team"})).evidence

    assert [key for key in evidence if key.startswith("new")] == [f"new {n}" for n in range(1, 6)]
    assert evidence["new 5"] == "vol-4 Owner missing, owner web"


def test_the_five_worst_keys_are_named() -> None:
    rules: dict[str, Any] = {key: {} for key in "abcdefg"}
    one = a_resource("vol-1", tags={"a": "x", "b": "x"})
    two = a_resource("vol-2", tags={"a": "x", "c": "x"})

    check = only("tags_violated", checked(one, two, rules=rules))

    assert check.evidence["by key"] == "d 2 wrong, e 2 wrong, f 2 wrong, g 2 wrong, b 1 wrong"


@pytest.mark.parametrize(
    ("known", "healthy"),
    [
        ({}, False),
        ({"mode": Mode.REPORT}, False),
        ({"mode": Mode.REPORT, "stack": Mode.ACT}, None),
        ({"unlisted": {"image": BROKEN}}, False),
    ],
    ids=str,
)
def test_only_a_regular_run_tells_what_is_wrong(
    known: dict[str, Any], *, healthy: bool | None
) -> None:
    assert only("tags_violated", checked(BAD, **known)).healthy is healthy


def test_a_run_that_did_not_see_every_type_cannot_tell_that_all_is_right() -> None:
    good = a_resource(tags={OWNER: "ann"})

    assert only("tags_violated", checked(good, unlisted={"image": BROKEN})).healthy is None
    assert only("tags_violated", checked(good)).healthy is True


def test_a_type_that_could_not_be_listed_is_told() -> None:
    event_rules = {OWNER: {"applies_to": ["volume", "image"]}}
    checks, kinds = judged(rules=event_rules, unlisted={"image": BROKEN, "vpc": BROKEN})
    told = {c.resource: c for c in checks if c.kind == "type_unlisted"}

    assert {name: check.healthy for name, check in told.items()} == {
        "image": False,
        "volume": True,
        "vpc": False,
    }
    assert told["image"].what == "image could not be listed: AccessDenied"
    assert told["image"].evidence == {"error": "no way", "request": "r-1"}
    assert told["image"].cause == "AccessDenied"
    assert (told["volume"].evidence, told["volume"].cause) == ({}, "")
    assert kinds == {"type_unlisted"}


def test_a_type_that_failed_is_no_resource_that_failed() -> None:
    checks = checked(unlisted={"image": BROKEN})

    assert "resource_untaggable" not in {check.kind for check in checks}


@pytest.mark.parametrize(
    ("known", "kinds"),
    [
        ({}, JUDGED),
        ({"mode": Mode.REPORT}, {"type_unlisted"}),
        ({"mode": Mode.REPORT, "stack": Mode.ACT}, set()),
        ({"event": {"birth": BORN}}, set()),
        ({"outcomes": [Outcome(a_setting(), Result.DEFERRED)]}, {"type_unlisted"}),
    ],
    ids=["act", "report", "report by hand", "birth", "left over"],
)
def test_a_run_judges_what_it_looked_at(known: dict[str, Any], kinds: set[str]) -> None:
    assert judged(BAD, **known)[1] == kinds


def test_a_resource_that_takes_no_tags_is_told() -> None:
    (check,) = outcome_of(a_setting("vol-1"), Result.FAILED, error=ERROR)

    assert (check.kind, check.resource, check.healthy) == ("resource_untaggable", "vol-1", False)
    assert check.what == "set failed: Odd"
    assert check.evidence == {"error": "AWS says no", "request": "r-2"}
    assert check.cause == "Odd"


def test_an_owner_who_cannot_be_reached_is_told_by_their_topic() -> None:
    checks = outcome_of(a_letter_to(), Result.FAILED, error=ERROR, detail={"told_at": TOPIC})
    check = only("owner_unreachable", checks)

    assert (check.resource, check.healthy, check.cause) == (TOPIC, False, "Odd")
    assert check.what == "tell failed: Odd"
    assert only("instance_escalated", checks).healthy is None


def test_a_letter_may_fail_before_anybody_knew_where_it_goes() -> None:
    error = {"code": "StateError", "message": "out of reach"}

    check = only("owner_unreachable", outcome_of(a_letter_to(), Result.FAILED, error=error))

    assert check.resource == ALERTS
    assert check.evidence == {"error": "out of reach", "request": ""}


def test_a_refused_run_says_how_many_were_left() -> None:
    many = [an_instance(f"i-{n:08x}") for n in range(11)]

    check = only(
        "tagging_refused",
        checked(*many, rules=ESCALATED, steps={each.id: a_step() for each in many}),
    )

    assert (check.healthy, check.resource) == (False, "default")
    assert check.what == "11 instances not marked or stopped: too many at once"
    assert "11 marks, at most 10 of 11" in check.evidence["why"]
    assert check.evidence["plan"].startswith("p-")


def test_a_run_in_which_too_much_failed_is_told() -> None:
    assert only("tagging_stopped", checked(BAD, stopped=True)).healthy is False
    assert only("tagging_stopped", checked(BAD)).healthy is True
    assert only("tagging_stopped", checked(BAD, mode=Mode.REPORT)).healthy is None


def test_a_birth_tells_of_what_failed_alone() -> None:
    event = {"birth": BORN}
    outcomes = [Outcome(a_setting("vol-1"), Result.FAILED, error=ERROR)]

    assert checked(BAD, event=event) == []
    assert [c.kind for c in checked(event=event, outcomes=outcomes)] == ["resource_untaggable"]


def test_the_harness_gets_all_that_a_run_came_to() -> None:
    called: list[str] = []
    run = ended(gathered(BAD), ask(policy="tags"))

    found = findings_of(run, lambda: called.append("remembered"))

    assert (found.outcomes, found.refusal, found.may_continue) == (run.outcomes, None, True)
    assert [*found.checks] == judge_run(run)[0]
    assert found.judged == JUDGED
    assert found.gauges == {"TagCompliancePercent": 0}
    assert [each.dimension for each in found.breakdowns] == ["Key", "ResourceType", "Owner"]
    assert found.summary["violations"] == 1
    assert found.remember is not None
    found.remember()
    assert called == ["remembered"]


def test_a_run_that_tells_nobody_remembers_nothing() -> None:
    lowered = ended(gathered(BAD), ask(), mode=Mode.REPORT, stack=Mode.ACT, stopped=True)
    birth = ended(gathered(BAD), ask(birth=BORN))

    assert findings_of(lowered, lambda: None).remember is None
    assert findings_of(lowered, lambda: None).may_continue is False
    assert findings_of(birth, lambda: None).remember is None
