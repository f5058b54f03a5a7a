"""The plan that people read, and that alone is carried out."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.decisions import Refusal
from caretaker.slots import slot_of
from functions.restore import refusing
from functions.restore.approvals import unapproved
from functions.restore.facts import How, Machine, Make, Quota
from functions.restore.plan import Plan
from tests.support.builders import NOW
from tests.support.restoring import (
    DATA,
    ID,
    MAKE,
    OLD,
    ROOT,
    ZONE,
    a_backup,
    a_disk,
    a_fleet,
    a_machine,
    ago,
    ask,
    planned,
)

SWAP = {"how": "swap"}
OTHER = "i-00000002"


def another(number: int, instance: str = OTHER, **tags: str) -> tuple[Any, ...]:
    """Return an instance with one volume and its backup."""
    disk = f"vol-0000001{number}"
    machine = a_machine(instance=instance, tags=tags)
    return (machine, a_disk(disk, ROOT, instance=instance), a_backup(disk, instance=instance))


def refused(refusal: Refusal | None) -> tuple[str, str]:
    assert refusal
    return refusal.reason, refusal.errors[0]["path"]


def test_tells_all_that_will_happen_to_an_instance() -> None:
    (decision,) = planned(*a_fleet(), event=SWAP).decisions

    assert (decision.target, decision.action, decision.reason) == (ID, "restore", "asked")
    assert decision.detail == {
        "how": "swap",
        "slot": "2026-11-20T03:00Z",
        "taken": "2026-11-20T03:00:00Z",
        "lost_hours": 24.0,
        "wave": 1,
        "stops": True,
        "volumes": [
            {
                "volume": volume,
                "device": device,
                "snapshot": snapshot,
                "gib": 8,
                "type": "gp3",
                "iops": 3000,
                "throughput": 125,
                "zone": ZONE,
                "deletes_on_termination": dies,
            }
            for volume, device, snapshot, dies in (
                (OLD[0], ROOT, "snap-000000011", True),
                (OLD[1], DATA, "snap-000000021", False),
            )
        ],
    }


def test_sums_up_what_it_takes() -> None:
    plan = planned(*a_fleet(), event=SWAP | {"price_per_gib_month": 0.1})

    assert plan.summary == {
        "targets": 1,
        "volumes": 2,
        "gib": 16,
        "waves": 1,
        "stops": 1,
        "stopped_minutes_at_least": 2,
        "stops_that_lose": 0,
        "kept_originals_per_month": 1.6,
        "quotas_too_small": [],
    }
    beside = planned(*a_fleet()).summary
    assert (beside["stops"], beside["stopped_minutes_at_least"]) == (0, 0)


def losses(machine: Machine, event: dict[str, Any] = SWAP) -> tuple[object, object, str]:
    """Return what a plan says that the stop loses, how often that is, and the plan's id."""
    plan = planned(machine, *a_fleet()[1:], event=event, stores=frozenset({"m5d.large"}))
    return plan.decisions[0].detail.get("stop_loses"), plan.summary["stops_that_lose"], plan.id


def test_tells_what_the_stop_loses_that_no_volume_brings_back() -> None:
    whole = losses(a_machine(type="m5.large"))
    store = losses(a_machine(type="m5d.large"))
    address = losses(a_machine(public_address="203.0.113.7"))

    assert [each[:2] for each in (whole, store, address)] == [
        (None, 0),
        ({"instance_store": "m5d.large"}, 1),
        ({"public_address": "203.0.113.7"}, 1),
    ]
    assert len({each[2] for each in (whole, store, address)}) == 3


@pytest.mark.parametrize(("state", "event"), [("stopped", SWAP), ("running", {"how": "root"})])
def test_what_is_not_stopped_loses_nothing(state: str, event: dict[str, Any]) -> None:
    machine = a_machine(state, type="m5d.large", public_address="203.0.113.7")

    assert losses(machine, event)[:2] == (None, 0)


def test_what_is_left_out_is_told_and_part_of_the_plan() -> None:
    all_of_it = planned(*a_fleet(), event=SWAP)
    one = planned(*a_fleet(), event=SWAP | {"select": {"volumes": [OLD[0]]}})

    assert "left_out" not in all_of_it.decisions[0].detail
    assert one.decisions[0].detail["left_out"] == {OLD[1]: "not_selected"}
    assert one.id != all_of_it.id


def test_tells_how_far_apart_the_snapshots_of_a_slot_were_taken() -> None:
    later = a_backup(OLD[1], started=NOW - timedelta(days=1, minutes=-40), slot=slot_of(ago(1440)))
    fleet = (a_machine(), a_disk(OLD[0], ROOT), a_disk(OLD[1], DATA), a_backup(OLD[0]), later)

    assert planned(*fleet, event=SWAP).decisions[0].detail["apart_minutes"] == 40
    assert "apart_minutes" not in planned(*a_fleet(), event=SWAP).decisions[0].detail


def test_a_journal_is_begun_for_each_target_under_the_plans_name() -> None:
    plan = planned(*a_fleet(), event=SWAP | {"check_minutes": 7})
    (journal,) = plan.journals

    assert (journal.plan, journal.target, journal.how) == (plan.id, ID, How.SWAP)
    assert (journal.policy, journal.slot, journal.wave) == ("daily", "2026-11-20T03:00Z", 1)
    assert (journal.check_minutes, [p.original for p in journal.parts]) == (7, list(OLD))
    assert not journal.is_touched


def test_what_is_left_has_a_decision_and_no_journal() -> None:
    ignored = (a_machine(instance=OTHER, state="pending"), *another(1)[1:])
    event = SWAP | {"select": {"everything": True}}
    plan = planned(*a_fleet(), *ignored, event=event)

    assert [(d.target, d.action, d.reason) for d in plan.decisions] == [
        (ID, "restore", "asked"),
        (OTHER, "skip", "instance_state"),
    ]
    assert [journal.target for journal in plan.journals] == [ID]
    assert plan.refusal is None


@settings(max_examples=30, deadline=None)
@given(st.permutations([*a_fleet(), *another(1), *another(2, "i-00000003", tier="db")]))
def test_the_same_facts_in_any_order_are_the_same_plan(things: list[Any]) -> None:
    event = SWAP | {"select": {"everything": True}, "order": {"tag": "tier", "values": ["db"]}}
    plan = planned(*things, event=event)

    assert [(d.target, d.detail["wave"]) for d in plan.decisions] == [
        (ID, 2),
        (OTHER, 2),
        ("i-00000003", 1),
    ]
    assert plan == planned(*sorted(things, key=lambda each: str(each.id)), event=event)


def changed(**how: Any) -> Plan:
    """Return the plan of the same instance, with something changed."""
    make, dies = how.pop("make", MAKE), how.pop("dies", True)
    days, machine = how.pop("days", 1), a_machine(how.pop("state", "running"))
    facts = {key: how.pop(key) for key in ("earlier",) if key in how}
    disks = (a_disk(OLD[0], how.pop("device", ROOT), dies=dies, make=make), a_disk(OLD[1], DATA))
    backups = (a_backup(OLD[0], days=days), a_backup(OLD[1], days=days))
    return planned(machine, *disks, *backups, event=SWAP | how, **facts)


@pytest.mark.parametrize(
    "change",
    [
        {"make": Make(ZONE, 9, "gp3", 3000, 125)},
        {"make": Make(ZONE, 8, "io2", 3000)},
        {"make": Make(ZONE, 8, "gp3", 4000, 125)},
        {"make": Make(ZONE, 8, "gp3", 3000, 250)},
        {"make": Make("eu-west-1b", 8, "gp3", 3000, 125)},
        {"make": Make(ZONE, 8, "gp3", 3000, 125, "arn:aws:kms:::key/1")},
        {"device": "/dev/sda1"},
        {"dies": False},
        {"state": "stopped"},
        {"days": 2},
        {"how": "volumes"},
        {"check_minutes": 3},
        {"earlier": {ID: 1}},
    ],
)
def test_another_change_is_another_plan(change: dict[str, Any]) -> None:
    assert changed(**change).id != changed().id


def test_what_changes_nothing_is_the_same_plan() -> None:
    assert changed(price_per_gib_month=1).id == changed().id == changed(wave=3).id
    assert changed(earlier={OTHER: 1}).id == changed().id
    assert changed(earlier={ID: 1}).id != changed(earlier={ID: 2}).id


def test_how_is_part_of_it_also_where_nothing_stops() -> None:
    stopped = changed(state="stopped")

    assert stopped.id != changed(state="stopped", how="volumes").id


def test_of_what_is_gone_no_original_is_kept() -> None:
    plan = planned(a_backup(OLD[0]), event={"zone": ZONE})

    assert (plan.summary["gib"], plan.summary["kept_originals_per_month"]) == (8, 0)


def test_waves_are_part_of_it() -> None:
    fleet = (*a_fleet(), *another(1))
    event = SWAP | {"select": {"everything": True}}

    together = planned(*fleet, event=event | {"wave": 2})
    apart = planned(*fleet, event=event | {"wave": 1})
    assert together.id != apart.id
    assert [journal.wave for journal in apart.journals] == [1, 2]
    assert (together.summary["waves"], apart.summary["waves"]) == (1, 2)


def test_a_plan_is_carried_out_only_by_its_name() -> None:
    plan = planned(*a_fleet(), event=SWAP)

    assert unapproved(plan.id, ask(approve=plan.id)) is None
    needed = unapproved(plan.id, ask())
    assert refused(needed) == ("plan_needed", "approve")
    assert needed
    assert plan.id in needed.errors[0]["expected"]
    changed_by_now = unapproved(plan.id, ask(approve="p-0123456789abcdef"))
    assert refused(changed_by_now) == ("plan_changed", "approve")


def test_a_quota_that_would_not_hold_the_new_volumes_refuses() -> None:
    sixteen = 16 / 1024
    full = Quota("gp3", 50.0, 50.0 - sixteen / 2)
    plan = planned(*a_fleet(), full, event=SWAP)

    assert refused(plan.refusal) == ("quota_too_small", "quota.gp3")
    assert plan.summary["quotas_too_small"] == ["gp3"]
    just = planned(*a_fleet(), Quota("gp3", 50.0, 50.0 - sixteen), event=SWAP)
    assert just.refusal is None


def test_a_quota_of_another_type_says_nothing() -> None:
    assert planned(*a_fleet(), Quota("io2", 1.0, 2.0), event=SWAP).refusal is None


def test_the_quota_told_is_what_would_be_needed() -> None:
    plan = planned(*a_fleet(), Quota("gp3", 1.0, 1.5), event=SWAP)

    assert plan.refusal
    assert plan.refusal.errors[0]["problem"] == "1.516 TiB would be needed, 1 are allowed"


def test_more_volumes_than_a_plan_holds_are_refused() -> None:
    """Each of these instances has one volume."""
    some = [thing for n in range(3) for thing in another(n, f"i-0000001{n}")]
    event = SWAP | {"select": {"everything": True}}

    assert planned(*some, event=event).refusal is None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refusing, "MOST_VOLUMES", 2)
        refusal = planned(*some, event=event).refusal
    assert refused(refusal) == ("too_many", "select")


def test_a_moment_that_lies_ahead_is_refused() -> None:
    plan = planned(*a_fleet(), event=SWAP | {"at": "2026-11-21T03:01Z"})

    assert refused(plan.refusal) == ("at_in_future", "at")
    assert plan.refusal
    assert plan.refusal.errors[0]["problem"] == "lies ahead: now it is 2026-11-21T03:00Z"
    assert planned(*a_fleet(), event=SWAP | {"at": "2026-11-21T03:00Z"}).refusal is None


def test_the_moment_asked_for_is_gone_back_to() -> None:
    backups = [a_backup(each, days=days) for each in OLD for days in (1, 2)]
    fleet = (*a_fleet()[:3], *backups)
    (decision,) = planned(*fleet, event=SWAP | {"at": "2026-11-20T02:00Z"}).decisions

    assert (decision.detail["slot"], decision.detail["lost_hours"]) == ("2026-11-19T03:00Z", 48.0)


def test_a_plan_can_be_told_as_json() -> None:
    for order in permutations(range(2)):
        fleet = [a_fleet(), another(1)]
        things = [thing for each in order for thing in fleet[each]]
        plan = planned(*things, event={"select": {"everything": True}})
        assert json.dumps([dict(d.detail) for d in plan.decisions])
