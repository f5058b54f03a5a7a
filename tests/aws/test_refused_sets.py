"""A set that AWS refuses for one of its members: the others must not pay for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from functions.snapshot import app
from tests.support.snapshots import BACKUP, DAILY, by_target, good_in_slot, results

if TYPE_CHECKING:
    from tests.cloud import Account, StrictCloud
    from tests.support.stack import Stack

REFUSALS = ["InvalidVolume.NotFound", "InvalidParameterValue"]


@pytest.mark.parametrize("code", REFUSALS)
def test_takes_the_members_of_a_refused_set_one_by_one_and_says_why(
    stack: Stack, account: Account, cloud: StrictCloud, code: str
) -> None:
    web = account.instance({"Name": "root"}, {"Name": "data"}, tags=BACKUP)
    cloud.faults.add("error", operation="CreateSnapshots", code=code)

    answer = stack.run(app.CHORE, DAILY)

    assert results(answer) == dict.fromkeys(web.volume_ids, "done")
    notes = [item["detail"] for item in by_target(answer).values()]
    assert {note["consistency"] for note in notes} == {"volume_by_refusal"}
    assert {note["refusal"] for note in notes} == {code}
    assert not any("tags" in note for note in notes)


def test_gives_each_member_of_a_refused_set_the_tags_of_its_own_volume(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    web = account.instance({"Name": "root"}, {"Name": "data"}, tags=BACKUP)
    cloud.faults.add("error", operation="CreateSnapshots", code="InvalidVolume.NotFound")

    stack.run(app.CHORE, DAILY)

    taken = [good_in_slot(account, volume_id)[0] for volume_id in web.volume_ids]
    assert [account.tags_of(each)["Name"] for each in taken] == ["root", "data"]


def test_one_volume_that_is_gone_costs_its_neighbours_nothing(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    web = account.instance({}, {}, {}, tags=BACKUP)
    gone = web.volume_ids[1]
    cloud.faults.add("error", operation="CreateSnapshots", code="InvalidVolume.NotFound")
    cloud.faults.add("error", operation="CreateSnapshot", match=gone, code="InvalidVolume.NotFound")

    answer = stack.run(app.CHORE, DAILY)

    items = by_target(answer)
    assert answer["status"] == "ok"
    assert (items[gone]["action"], items[gone]["reason"]) == ("skip", "volume_gone")
    assert all(good_in_slot(account, each) for each in web.volume_ids if each != gone)


def test_what_was_made_before_a_limit_is_met_is_reported_as_made(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    web = account.instance({}, {}, {}, tags=BACKUP)
    cloud.faults.add("error", operation="CreateSnapshots", code="InvalidParameterValue")
    cloud.faults.add(
        "error", operation="CreateSnapshot", nth=2, times=None, code="PendingSnapshotLimitExceeded"
    )

    answer = stack.run(app.CHORE, DAILY)

    assert [results(answer)[each] for each in sorted(web.volume_ids)] == [
        "done",
        "deferred",
        "deferred",
    ]
    for item in by_target(answer).values():
        made = bool(good_in_slot(account, item["target"]))
        assert made is (item["result"] == "done")
