"""Why nothing of a restore may begin: by the field that is wrong, with ids and what to do."""

from __future__ import annotations

from typing import Any

from functions.restore.plan import plan_restore
from tests.support.builders import NOW
from tests.support.restoring import (
    ID,
    OLD,
    PLAN,
    a_backup,
    a_disk,
    a_fleet,
    a_machine,
    ask,
    gathered,
)


def errors(*things: Any, busy: dict[str, str] | None = None, **event: Any) -> list[dict[str, str]]:
    """Return what is wrong with an event, of a fleet of these."""
    plan = plan_restore(
        gathered(*things, busy=busy or {}), ask(**{"how": "swap", **event}), now=NOW
    )
    assert plan.refusal
    assert plan.refusal.reason == "nothing_to_restore"
    return [dict(each) for each in plan.refusal.errors]


def test_a_moment_before_the_first_slot_says_from_when_on_there_is_one() -> None:
    assert errors(*a_fleet(), at="2026-11-19T03:00Z") == [
        {
            "path": "at",
            "problem": f"{ID}: no slot of policy daily that is whole and not after it",
            "expected": "2026-11-20T03:00Z or later",
        }
    ]


def test_volumes_that_are_never_in_one_slot_have_none_to_name() -> None:
    apart = (a_backup(OLD[0], days=1), a_backup(OLD[1], days=2))
    (error,) = errors(*a_fleet()[:3], *apart)

    assert error["expected"] == "a policy with slots or later"


def test_a_policy_without_backups_says_of_which_there_are() -> None:
    (error,) = errors(*a_fleet(), policy="nightly")
    assert error == {
        "path": "policy",
        "problem": f"{ID}: a volume has no backup of policy nightly",
        "expected": "one of daily",
    }
    (bare,) = errors(*a_fleet()[:3])
    assert bare["expected"] == "a policy with backups"


def test_an_id_that_nobody_knows_is_named() -> None:
    gone = "i-0123456789abcdef0"
    (error,) = errors(*a_fleet(), select={"instances": [gone]})

    assert error["path"] == "select"
    assert error["problem"] == f"{gone}: not there, nor in a backup of policy daily"


def test_a_zone_of_another_region_is_refused() -> None:
    event = {"select": {"volumes": [OLD[0]]}, "zone": "us-east-1a"}
    refusal = plan_restore(gathered(*a_fleet()), ask(**event), now=NOW).refusal

    assert refusal
    assert (refusal.reason, refusal.errors[0]["path"]) == ("zone_elsewhere", "zone")
    assert refusal.errors[0]["problem"] == "is not in eu-west-1"


def test_tags_that_nobody_has_select_nothing() -> None:
    (error,) = errors(*a_fleet(), select={"tags_all": ["Application=nobody"]})

    assert (error["path"], error["problem"]) == ("select", "nothing that is there is selected")


def test_each_reason_is_told_once_with_three_of_those_that_it_keeps() -> None:
    ids = [f"i-0000000{number}" for number in range(1, 6)]
    some = [
        thing
        for number, each in enumerate(ids)
        for thing in (
            a_machine("pending", instance=each),
            a_disk(f"vol-0000001{number}", "/dev/xvda", instance=each),
        )
    ]
    (error,) = errors(*some, select={"instances": ids})

    assert error["problem"] == f"{', '.join(ids[:3])} and 2 more: instance_state"


def test_what_is_in_another_restore_names_its_plan() -> None:
    (error,) = errors(*a_fleet(), busy={OLD[1]: PLAN})

    assert error["problem"] == f"{ID}: in {PLAN}, which is under way"
    assert f'"plan": "{PLAN}"' in error["expected"]
