from __future__ import annotations

from caretaker.decisions import Batch, Decision
from functions.tagging.units import ALERTS, plan_units
from tests.support.tagging import (
    OTHER_TOPIC,
    OWNER,
    TOPIC,
    a_letter_to,
    a_report,
    a_setting,
)


def sizes(units: list[Batch]) -> list[tuple[str, int]]:
    return [(unit.lane, len(unit.decisions)) for unit in units]


def targets(unit: Batch) -> list[str]:
    return [decision.target for decision in unit.decisions]


def instances(action: str, number: int) -> list[Decision]:
    return [a_report(f"i-{n:08x}", action, type="instance") for n in range(number)]


def test_what_gets_the_same_tags_shares_a_call_in_the_order_of_its_ids() -> None:
    tags = {OWNER: "ann", "Env": "dev"}
    swapped = dict(reversed(tags.items()))

    (unit,) = plan_units([a_setting("vol-2", swapped), a_setting("i-1", tags)], {})

    assert unit.lane == "CreateTags"
    assert targets(unit) == ["i-1", "vol-2"]
    assert unit.notes == {}


def test_what_gets_other_tags_has_a_call_of_its_own() -> None:
    units = plan_units(
        [
            a_setting("b"),
            a_setting("a", {OWNER: "bob"}),
            a_setting("c"),
            a_setting("d", {"x": "1"}),
        ],
        {},
    )

    assert [targets(unit) for unit in units] == [["a"], ["b", "c"], ["d"]]


def test_a_thousand_ids_fit_a_call() -> None:
    units = plan_units([a_setting(f"vol-{n:05}") for n in range(2_001)], {})

    assert sizes(units) == [("CreateTags", 1_000), ("CreateTags", 1_000), ("CreateTags", 1)]


def test_twenty_resources_of_other_services_fit_a_call() -> None:
    units = plan_units([a_setting(f"arn:{n:05}", type="rds:db") for n in range(41)], {})

    assert sizes(units) == [("TagResources", 20), ("TagResources", 20), ("TagResources", 1)]


def test_ec2_and_other_services_never_share_a_call() -> None:
    units = plan_units([a_setting("a"), a_setting("b", type="s3:bucket"), a_setting("c")], {})

    assert sizes(units) == [("CreateTags", 2), ("TagResources", 1)]


def test_what_changes_nothing_needs_no_call() -> None:
    decisions = [a_report(action=action) for action in ("report", "keep", "skip")]

    assert plan_units(decisions, {}) == []


def test_an_owner_gets_one_letter_for_a_hundred_instances() -> None:
    letters = [a_letter_to("ann", f"i-{n:05}") for n in range(101)]

    units = plan_units([*letters, a_letter_to("bob", "i-9")], {"ann": TOPIC, "bob": OTHER_TOPIC})

    assert sizes(units) == [("Publish", 100), ("Publish", 1), ("Publish", 1)]
    assert [unit.notes for unit in units] == [
        {"told_at": TOPIC},
        {"told_at": TOPIC},
        {"told_at": OTHER_TOPIC},
    ]


def test_two_owners_with_one_topic_get_two_letters() -> None:
    units = plan_units(
        [a_letter_to("ann", "i-1"), a_letter_to("bob", "i-2")], dict.fromkeys(["ann", "bob"], TOPIC)
    )

    assert [targets(unit) for unit in units] == [["i-1"], ["i-2"]]
    assert {unit.notes["told_at"] for unit in units} == {TOPIC}


def test_an_owner_without_a_topic_hears_by_the_alert() -> None:
    (unit,) = plan_units([a_letter_to("carl")], {"ann": TOPIC})

    assert unit.notes == {"told_at": ALERTS}
    assert ALERTS == "the alerts topic"


def test_marks_are_written_and_taken_away_fifty_at_once() -> None:
    assert sizes(plan_units(instances("mark", 51), {})) == [("CreateTags", 50), ("CreateTags", 1)]
    assert sizes(plan_units(instances("unmark", 51), {})) == [
        ("DeleteTags", 50),
        ("DeleteTags", 1),
    ]


def test_each_instance_is_stopped_and_started_by_a_call_of_its_own() -> None:
    assert sizes(plan_units(instances("stop", 2), {})) == [("StopInstances", 1)] * 2
    assert sizes(plan_units(instances("start", 2), {})) == [("StartInstances", 1)] * 2


def test_a_mark_never_shares_a_call_with_the_tags_of_rules() -> None:
    units = plan_units([*instances("mark", 1), a_setting("i-1"), *instances("stop", 1)], {})

    assert [[d.action for d in unit.decisions] for unit in units] == [["set"], ["mark"], ["stop"]]
