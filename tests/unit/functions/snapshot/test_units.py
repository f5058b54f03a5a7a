from __future__ import annotations

from typing import Any

import pytest

from caretaker import tags as tag
from caretaker.request import parse_request
from functions.snapshot.plan import Facts, plan_snapshots
from functions.snapshot.request import SnapshotRequest
from functions.snapshot.units import MAX_EXCLUDED, MAX_SET, OUR_TAGS, Unit, plan_units
from tests.support.builders import (
    BACKED_UP,
    SLOT,
    a_failed_snapshot,
    a_snapshot,
    a_volume,
    an_instance,
    facts,
)

WEB = "i-00000001"
DB = "i-00000002"


def units_of(known: Facts, **asked: Any) -> list[Unit]:
    request = parse_request(SnapshotRequest, asked)
    decisions = plan_snapshots(known, request, slot=SLOT)
    return plan_units(decisions, known, request, slot=SLOT)


def vol(number: int) -> str:
    return f"vol-{number:08x}"


def a_fleet(selected: int, others: int, *, state: str = "running") -> Facts:
    """Return one instance with its boot volume and data volumes, the last of them not selected."""
    boot = a_volume(vol(0), at=WEB, device="/dev/xvda")
    data = [a_volume(vol(n), at=WEB) for n in range(1, selected)]
    rest = [a_volume(vol(n), at=WEB, tags={}) for n in range(selected, selected + others)]
    return facts(boot, *data, *rest, an_instance(WEB, state=state))


def test_takes_the_volumes_of_an_instance_together() -> None:
    (unit,) = units_of(a_fleet(selected=3, others=0))

    assert unit.is_set
    assert unit.lane == "CreateSnapshots"
    assert unit.instance_id == WEB
    assert unit.volume_ids == (vol(0), vol(1), vol(2))
    assert not unit.exclude_boot
    assert unit.exclude_volumes == ()
    assert unit.notes == {}


def test_takes_an_unattached_volume_by_itself() -> None:
    (unit,) = units_of(facts(a_volume()))

    assert (unit.is_set, unit.lane, unit.instance_id) == (False, "CreateSnapshot", "")
    assert unit.notes == {}


def test_takes_the_only_selected_volume_of_an_instance_by_itself() -> None:
    (unit,) = units_of(a_fleet(selected=1, others=5))

    assert (unit.is_set, unit.instance_id, unit.volume_ids) == (False, WEB, (vol(0),))
    assert unit.notes == {}


def test_takes_nothing_that_does_not_change() -> None:
    assert units_of(facts(a_volume(), a_snapshot(slot=SLOT))) == []


def test_excludes_the_members_that_are_not_selected() -> None:
    (unit,) = units_of(a_fleet(selected=2, others=2))

    assert unit.exclude_volumes == (vol(2), vol(3))
    assert not unit.exclude_boot


def test_excludes_an_unselected_boot_volume_by_its_own_switch() -> None:
    boot = a_volume(vol(0), at=WEB, device="/dev/xvda", tags={})
    known = facts(boot, a_volume(vol(1), at=WEB), a_volume(vol(2), at=WEB), an_instance(WEB))

    (unit,) = units_of(known)

    assert unit.exclude_boot
    assert unit.exclude_volumes == ()


def test_a_boot_volume_of_another_instance_is_a_data_volume_here() -> None:
    shared = a_volume(vol(0), at=WEB, device="/dev/xvda", tags={})
    known = facts(
        shared,
        a_volume(vol(1), at=WEB),
        a_volume(vol(2), at=WEB),
        an_instance(WEB, root="/dev/sda1"),
    )

    (unit,) = units_of(known)

    assert (unit.exclude_boot, unit.exclude_volumes) == (False, (vol(0),))


@pytest.mark.parametrize(
    ("known", "asked", "why"),
    [
        (a_fleet(2, 0), {"consistency": "volume"}, "volume_by_request"),
        (a_fleet(2, 0, state="pending"), {}, "volume_by_instance_state"),
        (facts(a_volume(vol(0), at=WEB), a_volume(vol(1), at=WEB)), {}, "volume_by_instance_state"),
        (a_fleet(2, MAX_EXCLUDED + 1), {}, "volume_by_exclusions"),
        (a_fleet(MAX_SET, 1), {}, "volume_by_set_size"),
    ],
    ids=["asked for", "pending instance", "unknown instance", "exclusions", "size"],
)
def test_falls_back_to_volume_by_volume_and_says_why(
    known: Facts, asked: dict[str, Any], why: str
) -> None:
    units = units_of(known, **asked)

    assert len(units) > 1
    assert all(not unit.is_set for unit in units)
    assert {unit.notes["consistency"] for unit in units} == {why}


@pytest.mark.parametrize(
    "known",
    [a_fleet(2, MAX_EXCLUDED), a_fleet(MAX_SET, 0), a_fleet(2, 0, state="stopped")],
    ids=["40 exclusions", "128 volumes", "stopped"],
)
def test_a_set_reaches_up_to_the_limits(known: Facts) -> None:
    assert [unit.is_set for unit in units_of(known)] == [True]


def test_takes_a_multi_attach_volume_with_the_first_of_its_instances() -> None:
    shared = a_volume(vol(9), at=[DB, WEB])
    known = facts(
        shared,
        a_volume(vol(1), at=WEB),
        a_volume(vol(2), at=DB),
        a_volume(vol(3), at=DB),
        an_instance(WEB),
        an_instance(DB),
    )

    first, second = sorted(units_of(known), key=lambda unit: unit.instance_id)

    assert (first.instance_id, first.volume_ids) == (WEB, (vol(1), vol(9)))
    assert (second.instance_id, second.volume_ids) == (DB, (vol(2), vol(3)))
    assert second.exclude_volumes == (vol(9),)


def test_redoes_a_set_as_a_set_apart_from_first_attempts() -> None:
    known = facts(
        *(a_volume(vol(n), at=WEB) for n in range(4)),
        a_failed_snapshot("snap-0000000e", of=vol(0)),
        a_failed_snapshot("snap-0000000f", of=vol(1)),
        an_instance(WEB),
    )

    first, retake = units_of(known)

    assert (first.attempt, first.volume_ids) == (1, (vol(2), vol(3)))
    assert (retake.attempt, retake.volume_ids) == (2, (vol(0), vol(1)))
    assert retake.clear == ("snap-0000000e", "snap-0000000f")
    assert retake.exclude_volumes == (vol(2), vol(3))


def test_gives_up_volume_by_volume_in_the_lane_of_deletions() -> None:
    failed = [a_failed_snapshot(f"snap-0000000{n}", of=vol(n), attempt=3) for n in range(2)]
    known = facts(*(a_volume(vol(n), at=WEB) for n in range(2)), *failed, an_instance(WEB))

    units = units_of(known)

    assert [unit.lane for unit in units] == ["DeleteSnapshot"] * 2
    assert [unit.clear for unit in units] == [("snap-00000000",), ("snap-00000001",)]
    assert all(not unit.is_set and unit.notes == {} for unit in units)


def test_takes_the_oldest_backup_first_and_retakes_last() -> None:
    known = facts(
        *(a_volume(vol(n)) for n in range(4)),
        a_snapshot("snap-00000001", of=vol(0), age_hours=24),
        a_snapshot("snap-00000002", of=vol(1), age_hours=48),
        a_snapshot("snap-00000003", of=vol(3), age_hours=480),
        a_failed_snapshot(of=vol(3)),
    )

    assert [unit.volume_ids for unit in units_of(known)] == [
        (vol(2),),  # never backed up
        (vol(1),),
        (vol(0),),
        (vol(3),),  # a retake has to wait
    ]


def test_a_set_is_as_urgent_as_its_oldest_member() -> None:
    known = facts(
        a_volume(vol(0)),
        *(a_volume(vol(n), at=WEB) for n in (1, 2)),
        an_instance(WEB),
        a_snapshot("snap-00000001", of=vol(0), age_hours=48),
        a_snapshot("snap-00000002", of=vol(1), age_hours=24),
        a_snapshot("snap-00000003", of=vol(2), age_hours=72),
    )

    assert [unit.is_set for unit in units_of(known)] == [True, False]


def set_of(*tag_sets: dict[str, str], **asked: Any) -> Unit:
    volumes = [a_volume(vol(n), at=WEB, tags=tags) for n, tags in enumerate(tag_sets)]
    owner = an_instance(WEB, tags=BACKED_UP)
    (unit,) = units_of(facts(*volumes, owner), **asked)
    return unit


def test_lets_ec2_copy_the_tags_of_a_set_when_all_of_them_may_be_copied() -> None:
    unit = set_of({"Name": "a", **BACKED_UP}, {"Name": "b"})

    assert unit.copy_all_tags
    assert unit.tags == {}


@pytest.mark.parametrize(
    ("odd", "asked"),
    [
        ({"aws:cloudformation:stack-name": "web"}, {}),
        ({tag.PREFIX + "probe": "tcp:22"}, {}),
        ({"secret": "x"}, {"copy_tags": ["team", "Name"]}),
        ({f"key-{n}": "" for n in range(50 - OUR_TAGS - 1)}, {}),
    ],
    ids=["aws: key", "caretaker: key", "unwanted key", "too many"],
)
def test_else_copies_what_the_members_have_in_common_and_says_so(
    odd: dict[str, str], asked: dict[str, Any]
) -> None:
    unit = set_of({"team": "web", "Name": "a", **odd}, {"team": "web", "Name": "b", **odd}, **asked)

    assert not unit.copy_all_tags
    assert unit.notes == {"tags": "tags_reduced"}
    assert unit.tags["team"] == "web"
    assert "Name" not in unit.tags
    assert not any(key.startswith(("aws:", tag.PREFIX)) or key == "secret" for key in unit.tags)
    assert len(unit.tags) + OUR_TAGS <= tag.MAX_TAGS


def test_trims_what_the_members_have_in_common_when_it_does_not_fit() -> None:
    shared = {f"key-{n:02}": "" for n in range(49)}

    unit = set_of(shared, shared)

    assert len(unit.tags) == tag.MAX_TAGS - OUR_TAGS
    assert unit.notes == {"tags": "tags_reduced"}


def test_a_single_call_copies_by_pattern() -> None:
    volume = a_volume(tags={**BACKED_UP, "Name": "a", "team": "web", "aws:x": "y"})

    (unit,) = units_of(facts(volume), copy_tags=["N*"])

    assert unit.tags == {"Name": "a"}
    assert unit.notes == {}


def test_a_single_call_trims_what_does_not_fit_and_says_so() -> None:
    volume = a_volume(tags={**BACKED_UP, **{f"key-{n:02}": "" for n in range(49)}})

    (unit,) = units_of(facts(volume))

    assert len(unit.tags) == tag.MAX_TAGS - OUR_TAGS
    assert unit.notes == {"tags": "tags_reduced"}
