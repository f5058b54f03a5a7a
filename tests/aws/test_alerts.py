"""People hear of what opened, is still open, grew old and recovered, through the chore `alerts`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.alerting import (
    CHANNELS,
    HOUR,
    LATER,
    MINUTE,
    Desk,
    bad,
    desk_of,
    good,
    warning,
)

if TYPE_CHECKING:
    from tests.cloud import StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def desk(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_of(stack, monkeypatch)


NOTHING: dict[str, list[str]] = {channel: [] for channel in CHANNELS}


def test_a_run_that_finds_nothing_to_tell_tells_nothing(desk: Desk) -> None:
    answer = desk.alerts()

    assert (answer["status"], answer["counts"]) == ("ok", {})
    assert desk.heard_everywhere() == NOTHING


def test_what_is_told_by_its_chore_is_not_told_again(desk: Desk) -> None:
    desk.look(bad("vol-1"))
    assert set(map(tuple, desk.heard_everywhere().values())) == {
        ("ALARM vol-1",),
        ("ALARM daily",),
    }

    answer = desk.next_run()

    assert answer["counts"] == {"keep": {"unchanged": 1}}
    assert answer["outcomes"][0]["reason"] == "told"
    assert desk.heard_everywhere() == NOTHING


@pytest.mark.parametrize("kind", ["denied", "unavailable", "throttled", "never_arrived"])
def test_what_a_chore_could_not_send_is_sent_by_the_next_run(
    desk: Desk, cloud: StrictCloud, kind: str
) -> None:
    cloud.faults.add(kind, operation="Publish", times=None)
    desk.look(bad("vol-1"))
    desk.look(bad("vol-1"), good("vol-1"))
    cloud.faults.clear()
    assert desk.heard_everywhere() == NOTHING
    assert desk.unsent() == sorted(CHANNELS)

    answer = desk.next_run()

    assert answer["counts"]["send"] == {"done": 4}
    assert desk.heard() == ["ALARM vol-1"]
    assert desk.heard("pager") == ["ALARM daily"]
    assert desk.unsent() == []
    desk.next_run()
    assert desk.heard() == []


def test_a_recovery_that_was_not_sent_is_sent_by_the_next_run(
    desk: Desk, cloud: StrictCloud
) -> None:
    desk.look(bad("vol-1"))
    desk.heard_everywhere()
    cloud.faults.add("denied", operation="Publish", times=None)
    desk.look(good("vol-1"))
    cloud.faults.clear()

    desk.next_run()

    assert desk.heard_everywhere() == {
        **{channel: ["OK vol-1"] for channel in CHANNELS},
        "pager": ["OK daily"],
    }
    assert (desk.open(), desk.unsent()) == ([], [])


def test_a_message_that_may_still_be_on_its_way_is_left_alone_for_two_minutes(
    desk: Desk, cloud: StrictCloud
) -> None:
    cloud.faults.add("denied", operation="Publish", times=4)
    desk.look(bad("vol-1"))

    desk.next_run(119)
    assert desk.heard() == []
    desk.next_run(1)
    assert desk.heard() == ["ALARM vol-1"]


def test_no_recovery_comes_before_its_alarm(desk: Desk, cloud: StrictCloud) -> None:
    cloud.faults.add("denied", operation="Publish", times=4)
    desk.look(bad("vol-1"))
    desk.wait(MINUTE)
    desk.look(good("vol-1"))
    assert desk.heard_everywhere() == NOTHING, "the recovery waits behind the alarm"

    desk.next_run(10 * MINUTE)

    assert desk.heard() == ["ALARM vol-1", "OK vol-1"]
    assert desk.heard("pager") == ["ALARM daily", "OK daily"]


def test_another_policy_does_not_wait_for_it(desk: Desk, cloud: StrictCloud) -> None:
    cloud.faults.add("denied", operation="Publish", times=4)
    desk.look(bad("vol-1"))

    desk.look(bad("vol-1"), policy="weekly")

    assert desk.heard("pager") == ["ALARM weekly"]


def test_what_one_topic_refuses_waits_in_its_order(desk: Desk, cloud: StrictCloud) -> None:
    pager = desk.stack.topics["pager"]
    cloud.faults.add("denied", operation="Publish", match=pager, times=None)
    desk.look(bad("vol-1"))
    desk.wait(MINUTE)
    desk.look(bad("vol-1"), bad("vol-2"))
    desk.wait(MINUTE)
    desk.look(good("vol-1"), good("vol-2"))
    assert desk.heard() == ["ALARM vol-1", "ALARM vol-2", "OK vol-1 vol-2"]

    answer = desk.next_run()
    assert answer["counts"]["send"] == {"failed": 3}
    cloud.faults.clear()
    desk.next_run()

    assert desk.heard("pager") == ["ALARM daily", "ALARM daily", "OK daily"]


def test_what_follows_a_refused_message_waits_with_it(desk: Desk, cloud: StrictCloud) -> None:
    pager = desk.stack.topics["pager"]
    cloud.faults.add("denied", operation="Publish", match=pager, times=2)
    desk.look(bad("vol-1"))
    desk.wait(MINUTE)
    desk.look(good("vol-1"))

    answer = desk.next_run()
    assert answer["counts"]["send"] == {"failed": 2}
    assert desk.heard("pager") == [], "the recovery would have been taken"
    desk.next_run()

    assert desk.heard("pager") == ["ALARM daily", "OK daily"]


@pytest.mark.parametrize(
    ("check", "hours", "keeps_quiet"), [(bad("vol-1"), 4, 0), (warning("vol-1"), 24, 2)]
)
def test_people_are_reminded_in_time_and_not_in_between(
    desk: Desk, check: Any, hours: int, keeps_quiet: int
) -> None:
    desk.look(check)
    desk.heard_everywhere()
    steps = 8
    heard: list[int] = []

    for step in range(1, 3 * steps):
        desk.next_run(hours * HOUR / steps)
        heard += [step] * len(desk.heard())

    assert heard == [steps, 2 * steps]
    for channel in ("urgent", "pager")[:keeps_quiet]:
        assert desk.heard(channel) == []


def test_a_reminder_says_how_long_and_how_often(desk: Desk) -> None:
    desk.look(bad("vol-1"))
    for _ in range(2):
        desk.next_run(4 * HOUR)

    *_, last = desk.stack.heard("alerts")
    assert last["Subject"] == "ALARM: [CRIT] prod vol-1: open for 8h 0m: no backup"
    assert last["incidents"][0]["reminders"] == 2


def test_all_that_is_due_is_one_message_to_each_topic(desk: Desk) -> None:
    desk.look(*(bad(f"vol-{n}") for n in range(5)))
    desk.look(warning("i-1"), policy="weekly")
    desk.heard_everywhere()

    answer = desk.next_run(24 * HOUR)

    assert answer["counts"] == {"remind": {"done": 6}}
    everything = "ALARM vol-0 vol-1 vol-2 vol-3 vol-4 i-1"
    assert desk.heard_everywhere() == {
        "alerts": [everything],
        "chat": [everything],
        "urgent": ["ALARM vol-0 vol-1 vol-2 vol-3 vol-4"],
        "pager": ["ALARM daily"],
    }


def test_two_scopes_are_paged_for_one_run_after_the_other(desk: Desk) -> None:
    desk.look(bad("vol-1"))
    desk.wait(1)
    desk.look(bad("vol-1"), policy="weekly")
    desk.heard_everywhere()

    assert desk.next_run(4 * HOUR)["counts"] == {
        "keep": {"unchanged": 1},
        "remind": {"done": 1},
    }
    desk.next_run()

    assert desk.heard("pager") == ["ALARM daily", "ALARM weekly"]


def test_a_warning_that_stays_wakes_people_and_its_recovery_too(desk: Desk) -> None:
    desk.look(warning("vol-1"))
    for day in (1, 2):
        assert desk.next_run(24 * HOUR)["counts"] == {"remind": {"done": 1}}, day
    assert (desk.heard("urgent"), desk.heard("pager")) == ([], [])

    answer = desk.next_run(24 * HOUR)

    assert answer["counts"] == {"escalate": {"done": 1}}
    assert (desk.heard("urgent"), desk.heard("pager")) == (["ALARM vol-1"], ["ALARM daily"])
    desk.next_run()
    assert (desk.heard("urgent"), desk.heard("pager")) == ([], []), "once"
    desk.next_run(4 * HOUR)
    assert desk.heard("urgent") == ["ALARM vol-1"], "from now on it is reminded of as urgent"
    desk.heard("pager")
    desk.look(good("vol-1"))
    assert (desk.heard("urgent"), desk.heard("pager")) == (["OK vol-1"], ["OK daily"])


def test_without_a_topic_that_wakes_people_nothing_escalates(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(stack, monkeypatch, "urgent", "pager")
    desk.look(warning("vol-1"))

    assert desk.next_run(72 * HOUR)["counts"] == {"remind": {"done": 1}}


def test_what_worsened_wakes_people_and_is_as_old_as_it_was(desk: Desk) -> None:
    desk.look(warning("vol-1"))
    assert desk.heard("urgent") == []
    desk.wait(HOUR)

    desk.look(bad("vol-1"))

    assert (desk.heard("urgent"), desk.heard("pager")) == (["ALARM vol-1"], ["ALARM daily"])
    desk.next_run(4 * HOUR - LATER)
    assert desk.heard("urgent") == []
    desk.next_run()
    (reminder,) = desk.stack.heard("urgent")
    assert "open for 5h 0m" in reminder["Subject"]
    desk.look(good("vol-1"))
    assert desk.heard("pager")[-1] == "OK daily"


def test_a_page_is_closed_when_the_last_that_is_urgent_is_healthy(desk: Desk) -> None:
    desk.look(bad("vol-1"), bad("vol-2"), warning("vol-3"))
    desk.heard("pager")

    desk.look(good("vol-1"), bad("vol-2"), warning("vol-3"))
    assert desk.heard("pager") == []
    desk.look(good("vol-2"), warning("vol-3"))
    assert desk.heard("pager") == ["OK daily"]


def test_a_page_of_one_policy_is_not_closed_by_another(desk: Desk) -> None:
    desk.look(bad("vol-1"))
    desk.look(bad("vol-1"), policy="weekly")
    desk.heard("pager")

    desk.look(good("vol-1"), policy="weekly")

    assert desk.heard("pager") == ["OK weekly"]


def test_a_new_opening_while_the_old_is_paged_keeps_the_page_open(desk: Desk) -> None:
    desk.look(bad("vol-1"))
    desk.look(good("vol-1"), bad("vol-2"))

    assert desk.heard("pager") == ["ALARM daily", "ALARM daily"]
    assert desk.heard() == ["ALARM vol-1", "ALARM vol-2", "OK vol-1"]
