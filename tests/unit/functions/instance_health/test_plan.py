from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.instance_health.facts import Reason, Status
from functions.instance_health.plan import still_stands
from tests.support.builders import NOW
from tests.support.health import (
    ID,
    OPEN,
    OTHER,
    a_case,
    a_ladder,
    a_machine,
    a_sighting,
    a_status,
    ago,
    an_event,
    crowd,
    decided,
    planned,
    verdict_on,
)

ILL = (a_status(ID, "instance"), a_machine(), a_sighting())
SYSTEM = (a_status(ID, "system", since=60), a_machine(), a_sighting(minutes=60))


def several(
    *names: str, tags: dict[str, str] | None = None, is_told: bool = True, **how: Any
) -> dict[str, str]:
    """Return why it was decided so of each of several that are impaired, the last the longest.

    EC2 tells since when, or else the polls have seen it.
    """
    things = [a_status(name, "instance", since=5 + n) for n, name in enumerate(names)]
    if not is_told:
        things = [replace(each, since=None) for each in things]
    machines = [a_machine(name, tags=tags) for name in names]
    seen = [5 if is_told else 5 + n for n in range(len(names))]
    sightings = {n: a_sighting(minutes=since) for n, since in zip(names, seen, strict=True)}
    plan = planned(*things, *machines, *crowd(20), sightings=sightings, **how)
    return {v.id: v.decision.reason for v in plan.verdicts if v.id in names}


@pytest.mark.parametrize("is_told", [True, False])
def test_of_a_group_the_oldest_trouble_is_repaired_first(*, is_told: bool) -> None:
    assert several(ID, OTHER, "i-00000003", is_told=is_told) == {
        ID: "group_budget",
        OTHER: "impaired",
        "i-00000003": "impaired",
    }


def test_a_group_of_a_tag_has_a_budget_of_its_own() -> None:
    assert several(ID, OTHER, tags={"App": "db"}, event={"group_by": "App"}) == {
        ID: "group_budget",
        OTHER: "impaired",
    }


def under_repair(number: int) -> tuple[list[Any], dict[str, Any]]:
    """Return so many that were just rebooted, and their ladders."""
    names = [f"i-x{n}" for n in range(number)]
    statuses = [a_status(each, "instance", word="initializing") for each in names]
    return [*statuses, *map(a_machine, names)], dict.fromkeys(names, a_ladder(minutes=1))


@pytest.mark.parametrize(("number", "reason"), [(1, "impaired"), (2, "group_budget")])
def test_what_is_under_repair_already_counts(number: int, reason: str) -> None:
    things, ladders = under_repair(number)

    assert decided(*ILL, *things, *crowd(20), ladders=ladders)[1] == reason


def test_a_budget_of_none_is_left_to_people() -> None:
    event = {"repairs": {"group_percent": 0}}
    verdict = verdict_on(*ILL, *crowd(20), event=event)

    assert (verdict.decision.reason, verdict.is_paged) == ("group_budget", True)
    assert (verdict.intent, verdict.is_new) == (None, False)


def test_one_whose_turn_comes_is_not_left_to_people() -> None:
    things, ladders = under_repair(2)
    verdict = verdict_on(*ILL, *things, *crowd(20), ladders=ladders)

    assert (verdict.decision.reason, verdict.is_paged) == ("group_budget", False)


@pytest.mark.parametrize(
    ("polls", "minutes", "since", "reason"),
    [
        (1, 60, 60, "first_seen"),
        (2, 2.99, 2.99, "just_impaired"),
        (2, 3, 3, "impaired"),
        (2, 1, 3, "impaired"),
        (2, 3, 1, "impaired"),
        (2, 3, None, "impaired"),
    ],
)
def test_a_check_is_believed_after_two_polls_and_three_minutes(
    polls: int, minutes: float, since: float | None, reason: str
) -> None:
    status = a_status(ID, "instance", since=since)
    seen = a_sighting(minutes=minutes, polls=polls, slot="2026-11-21T03:00Z")

    assert decided(status, a_machine(), seen)[1] == reason


@pytest.mark.parametrize(("up", "reason"), [(9.99, "just_started"), (10, "impaired")])
def test_one_that_was_just_started_is_left_to_settle(up: float, reason: str) -> None:
    assert decided(ILL[0], a_machine(up=up), ILL[2])[1] == reason


@pytest.mark.parametrize(
    ("since", "reason"), [(9.99, "aws_recovering"), (10, "impaired"), (None, "impaired")]
)
def test_ec2s_own_recovery_has_ten_minutes(since: float | None, reason: str) -> None:
    status = a_status(ID, "system", since=since)
    minutes = 5 if since else 10

    assert decided(status, a_machine(), a_sighting(minutes=minutes))[1] == reason


@pytest.mark.parametrize(
    ("ended", "streak", "ending", "reason"),
    [
        (14.9, 1, "fixed", "cooldown"),
        (15, 1, "fixed", "impaired"),
        (29.9, 2, "fixed", "cooldown"),
        (30, 2, "not_fixed", "impaired"),
        (1439, 99, "fixed", "cooldown"),
        (1440, 99, "fixed", "impaired"),
    ],
)
def test_a_new_ladder_waits_for_the_last_one(
    ended: float, streak: int, ending: str, reason: str
) -> None:
    last = a_ladder(minutes=ended + 20, ended=ended, streak=streak, ending=ending, begun=())

    assert decided(*ILL, last)[1] == reason


@pytest.mark.parametrize(
    ("ending", "is_paged"), [("fixed", False), ("not_fixed", True), ("unknown", True)]
)
def test_while_it_cools_down_people_have_it_if_the_last_repair_did_not_help(
    ending: str, *, is_paged: bool
) -> None:
    verdict = verdict_on(*ILL, a_ladder(minutes=12, ended=1, ending=ending))

    assert (verdict.decision.reason, verdict.is_paged) == ("cooldown", is_paged)


@pytest.mark.parametrize(("oldest", "reason"), [(1439, "daily_budget"), (1440, "impaired")])
def test_a_day_has_two_ladders(oldest: float, reason: str) -> None:
    last = a_ladder(minutes=100, ended=90, begun=(ago(oldest), ago(100)))
    verdict = verdict_on(*ILL, last)

    assert verdict.decision.reason == reason
    assert verdict.is_paged is (reason == "daily_budget")


def test_the_row_of_ladders_ends_with_a_day_in_health() -> None:
    for sick, ending, streak in ((1439, "fixed", 4), (1440, "fixed", 1), (1440, "not_fixed", 4)):
        last = a_ladder(minutes=2000, ended=sick + 5, ending=ending, streak=3, begun=())
        intent = verdict_on(*ILL, last).intent
        assert intent
        assert intent.streak == streak


def test_a_new_ladder_follows_the_version_of_the_last() -> None:
    intent = verdict_on(
        *ILL, a_ladder(minutes=2000, ended=1990, version=7, begun=(ago(500),))
    ).intent

    assert intent
    assert (intent.version, intent.rung, intent.tries, intent.history) == (7, 1, 1, ())
    assert intent.begun == (ago(500), NOW)


@pytest.mark.parametrize(
    ("hours", "until", "reason"),
    [
        (0, None, "aws_event_under_way"),
        (-1, None, "aws_event_under_way"),
        (-1.01, None, "impaired"),
        (0.01, None, "impaired"),
        (-5, 0.0, "aws_event_under_way"),
        (-5, -0.1, "impaired"),
        (None, None, "impaired"),
    ],
)
def test_while_aws_is_at_work_nothing_is_repaired(
    hours: float | None, until: float | None, reason: str
) -> None:
    event = an_event(hours=hours, not_after=None if until is None else ago(-60 * until))
    status = a_status(ID, "instance", events=[event])

    assert decided(status, *ILL[1:])[1] == reason


def test_what_a_stop_costs_has_to_be_known() -> None:
    assert decided(*SYSTEM, are_costs_known=False)[1] == "cost_unknown"
    assert decided(*ILL, are_costs_known=False) == ("reboot", "impaired")


@pytest.mark.parametrize(
    ("code", "remediate", "step"),
    [
        ("instance-reboot", "reboot", "reboot"),
        ("instance-reboot", "stop-start", "reboot"),
        ("system-reboot", "stop-start", "stop"),
        ("instance-stop", "stop-start", "stop"),
        ("instance-retirement", "stop-start", "stop"),
        ("instance-retirement", "reboot", "report"),
        ("system-maintenance", "stop-start", "keep"),
    ],
)
def test_an_event_is_acted_on_in_a_window(code: str, remediate: str, step: str) -> None:
    status = a_status(events=[an_event(code)])
    event = {"maintenance_windows": [OPEN]}

    assert decided(status, a_machine(remediate=remediate), event=event)[0] == step
    assert decided(status, a_machine(remediate=remediate))[0] == "keep"


@pytest.mark.parametrize(
    ("hours", "step"), [(0, "keep"), (-2, "keep"), (0.01, "stop"), (None, "stop")]
)
def test_an_event_that_has_begun_is_left_to_aws(hours: float | None, step: str) -> None:
    status = a_status(events=[an_event(hours=hours)])

    assert decided(status, a_machine(), event={"maintenance_windows": [OPEN]})[0] == step


def test_events_of_one_that_is_not_well_wait() -> None:
    status = a_status(ID, "instance", word="initializing", events=[an_event()])

    assert decided(status, a_machine(), event={"maintenance_windows": [OPEN]})[0] == "keep"


def test_what_is_asked_for_is_done_while_it_is_the_matter() -> None:
    event = {"repair": {"instance": ID, "incident": "a/b/c/d/e/f/g"}}
    is_open = frozenset({"a/b/c/d/e/f/g"})

    assert decided(a_status(), a_machine(), event=event) == ("skip", "nothing_to_repair")
    assert decided(a_status(), a_machine(), event=event, open_incidents=is_open) == (
        "reboot",
        "asked",
    )
    off = a_status(state="stopped")
    assert decided(off, a_machine(), event=event, open_incidents=is_open)[0] == "keep"


def test_an_asked_ladder_climbs_while_its_incident_is_open() -> None:
    ladder = a_ladder(cause="asked", incident="a/b/c/d/e/f/g")
    is_open = frozenset({"a/b/c/d/e/f/g"})

    assert decided(a_status(), a_machine(), ladder, open_incidents=is_open)[0] == "reboot"
    assert decided(a_status(), a_machine(), ladder) == ("keep", "fixed")


def test_a_refused_step_is_followed_by_the_next_at_once() -> None:
    refused = a_ladder("reboot", "refused", minutes=1, history=("reboot: denied",), tries=3)
    intent = verdict_on(*ILL, refused).intent

    assert intent
    assert (intent.rung, intent.history, intent.at) == (2, ("reboot: denied",), NOW)
    assert intent.tries == 1
    well = verdict_on(a_status(), a_machine(), refused).ladder
    assert well
    assert well.ending == "not_fixed"


def test_an_instance_that_was_read_again_is_judged_again() -> None:
    verdict = verdict_on(*ILL)
    case = a_case(*ILL)

    assert still_stands(verdict, a_machine(), case) is None
    assert still_stands(verdict, None, case) is Reason.GONE
    for other in (
        a_machine(remediate=None),
        a_machine(tags={"caretaker:ignore": "true"}),
        a_machine(state="stopped"),
        a_machine(up=1),
    ):
        assert still_stands(verdict, other, case) is Reason.CHANGED_MEANWHILE


def test_the_plan_is_named_by_its_changes() -> None:
    assert planned(*ILL).id == planned(*ILL, *crowd(5)).id != planned(*crowd(5)).id


def test_one_that_vanished_in_trouble_is_still_judged() -> None:
    plan = planned(a_sighting(), *crowd(1))

    assert [(v.id, v.decision.reason) for v in plan.verdicts] == [
        (ID, "gone"),
        ("i-wa00000", "healthy"),
    ]
    assert plan.sightings == {}


def test_a_status_is_that_of_its_machine_when_it_is_read_again() -> None:
    verdict = verdict_on(*ILL)
    gone = replace(verdict, item=replace(verdict.item, status=Status(ID, "", "running")))

    assert still_stands(gone, a_machine(), a_case()) is Reason.CHANGED_MEANWHILE
