"""What a person may ask of the alerts chore: a silence, and an end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.rendering import Message
from caretaker.settings import Channel
from tests.cloud import ACCOUNT
from tests.support.alerting import (
    CHANNELS,
    HOUR,
    Desk,
    bad,
    desk_of,
    good,
    warning,
)
from tests.support.crashes import at_call

if TYPE_CHECKING:
    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

SCOPE: Final = f"caretaker/{ACCOUNT}/eu-west-1/snapshot/daily"


@pytest.fixture
def desk(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_of(stack, monkeypatch)


def silence(desk: Desk, match: str = "*", hours: float = 8) -> dict[str, Any]:
    until = (desk.clock.now() + timedelta(hours=hours)).isoformat()
    return desk.alerts(silence={"match": match, "until": until, "reason": "maintenance"})


def test_a_silence_is_answered_with_its_end(desk: Desk) -> None:
    answer = silence(desk, "*/vol-1")

    assert (answer["status"], answer["counts"]) == ("ok", {"silence": {"done": 1}})
    (item,) = answer["outcomes"]
    assert (item["target"], item["detail"]) == ("*/vol-1", {"until": "2026-11-21T11:00:00Z"})


def test_what_opens_under_a_silence_is_told_when_it_ends_if_it_is_still_open(desk: Desk) -> None:
    silence(desk, "*/vol-1")
    desk.look(bad("vol-1"), bad("vol-2"))
    assert desk.heard_everywhere() == {
        **{channel: ["ALARM vol-2"] for channel in CHANNELS},
        "pager": ["ALARM daily"],
    }
    desk.next_run(3 * HOUR)
    assert desk.heard() == []

    answer = desk.next_run(5 * HOUR)

    assert answer["counts"] == {"remind": {"done": 1}, "tell": {"done": 1}}
    assert desk.heard() == ["ALARM vol-1 vol-2"]
    assert desk.heard("pager") == ["ALARM daily"]
    desk.next_run()
    assert desk.heard() == []
    desk.look(good("vol-1"))
    assert desk.heard() == ["OK vol-1"]


def test_what_is_healthy_again_before_its_silence_ends_is_never_told(desk: Desk) -> None:
    silence(desk)
    desk.look(bad("vol-1"))
    desk.next_run(HOUR)
    desk.look(good("vol-1"))
    desk.next_run(8 * HOUR)

    assert all(heard == [] for heard in desk.heard_everywhere().values())
    assert desk.open() == []


def test_what_people_heard_of_before_the_silence_they_hear_the_end_of(desk: Desk) -> None:
    desk.look(bad("vol-1"))
    silence(desk)
    desk.heard_everywhere()

    desk.look(good("vol-1"))

    assert (desk.heard(), desk.heard("pager")) == (["OK vol-1"], ["OK daily"])


def test_reminders_and_escalation_wait_for_the_end_of_a_silence(desk: Desk) -> None:
    desk.look(bad("vol-1"), warning("vol-2"))
    desk.heard_everywhere()
    silence(desk, hours=100)
    for _ in range(4):
        answer = desk.next_run(24 * HOUR)
        assert answer["counts"] == {"keep": {"unchanged": 2}}
    assert desk.heard() == []

    desk.next_run(4 * HOUR)

    assert desk.heard("urgent") == ["ALARM vol-1 vol-2"]


def test_a_silence_ends_early_when_it_is_sent_again_with_a_time_that_has_passed(
    desk: Desk,
) -> None:
    silence(desk)
    desk.look(bad("vol-1"))
    desk.wait(HOUR)

    silence(desk, hours=-1)

    desk.next_run()
    assert desk.heard() == ["ALARM vol-1"]


def test_a_silence_is_prolonged_by_another_one_of_its_pattern(desk: Desk) -> None:
    silence(desk, hours=1)
    silence(desk, hours=10)
    desk.look(bad("vol-1"))

    desk.next_run(9 * HOUR)

    assert desk.heard() == []


def test_what_worsens_under_a_silence_is_not_told_yet_but_its_end_is(desk: Desk) -> None:
    desk.look(warning("vol-1"))
    desk.wait(HOUR)
    silence(desk)
    desk.heard_everywhere()

    desk.look(bad("vol-1"))
    assert desk.heard_everywhere() == {channel: [] for channel in CHANNELS}
    desk.look(good("vol-1"))
    assert desk.heard() == ["OK vol-1"]


def test_the_page_is_closed_also_when_the_last_that_was_urgent_was_never_told(
    desk: Desk,
) -> None:
    desk.look(bad("vol-1"))
    silence(desk, "*/vol-2")
    desk.look(bad("vol-1"), bad("vol-2"))
    desk.look(good("vol-1"), bad("vol-2"))
    desk.look(good("vol-2"))

    assert desk.heard("pager") == ["ALARM daily", "OK daily"]


@pytest.mark.parametrize("resource", ["vol-0123456789abcdef0", "my bucket/größe", "a*?[b]"])
def test_the_silence_that_an_email_shows_works_when_it_is_sent(
    desk: Desk, resource: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Message] = []
    monkeypatch.setattr(
        "caretaker.aws.alerts.publish_message", lambda _, __, message: told.append(message)
    )
    desk.look(bad(resource), bad("another"))
    for message in (each for each in told if each.channel is Channel.ALERTS):
        email = json.loads(message.body)["email"]
        event = json.loads(email[email.index('{"silence"') :].splitlines()[0])
        assert desk.alerts(**event)["status"] == "ok"
    told.clear()

    desk.next_run(7 * HOUR)
    assert told == []


def test_a_silence_of_more_than_thirty_days_is_refused(desk: Desk) -> None:
    answer = silence(desk, hours=31 * 24)

    assert (answer["status"], answer["reason"]) == ("refused", "silence_too_long")
    desk.heard_everywhere()
    desk.look(bad("vol-1"))
    assert desk.heard() == ["ALARM vol-1"]


def test_a_silence_in_the_minute_of_a_scheduled_run_counts(desk: Desk, cloud: StrictCloud) -> None:
    asked: list[dict[str, Any]] = []
    at_call(cloud, "GetTopicAttributes", lambda: asked.append(silence(desk)))

    desk.alerts(scheduled_time="2026-11-21T03:00:20Z")

    assert [answer["status"] for answer in asked] == ["ok"]
    desk.look(bad("vol-1"))
    assert desk.heard() == []


def test_in_report_mode_nothing_is_silenced_or_sent(desk: Desk) -> None:
    desk.look(bad("vol-1"))
    desk.heard_everywhere()
    desk.wait(5 * HOUR)

    assert desk.alerts(mode="report")["counts"] == {"remind": {"planned": 1}}
    assert desk.heard() == []
    desk.alerts(mode="report", silence={"match": "*", "until": "2026-11-22T00:00:00Z"})
    desk.next_run()
    assert desk.heard() == ["ALARM vol-1"]


def test_what_is_closed_by_hand_is_told_as_over(desk: Desk) -> None:
    desk.look(bad("vol-1"), bad("vol-2"))
    desk.heard_everywhere()

    answer = desk.alerts(close={"match": "*/vol-1", "reason": "policy removed"})

    assert answer["counts"] == {"close": {"done": 1}}
    assert desk.open() == ["vol-2"]
    assert (desk.heard(), desk.heard("pager")) == (["OK vol-1"], [])
    desk.alerts(close={"match": f"{SCOPE}/*"})
    assert (desk.heard(), desk.heard("pager")) == (["OK vol-2"], ["OK daily"])


def test_the_pages_of_all_scopes_that_are_closed_are_closed(desk: Desk) -> None:
    for policy in ("daily", "weekly", "monthly"):
        desk.look(bad("vol-1"), policy=policy)
    desk.look(bad("vol-1"), bad("vol-2"), policy="weekly")
    desk.heard_everywhere()

    desk.alerts(close={"match": "*/vol-1"})
    desk.next_run()

    assert sorted(desk.heard("pager")) == ["OK daily", "OK monthly"]


def test_what_is_closed_and_still_wrong_opens_again(desk: Desk) -> None:
    desk.look(bad("vol-1"))
    desk.alerts(close={"match": "*"})
    desk.wait(HOUR)
    desk.look(bad("vol-1"))

    assert desk.heard() == ["ALARM vol-1", "OK vol-1", "ALARM vol-1"]
