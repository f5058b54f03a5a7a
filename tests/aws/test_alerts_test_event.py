"""The event `test`: both turns to every topic, and who listens there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from caretaker.settings import Channel
from tests.support.alerting import CHANNELS, Desk, desk_of
from tests.support.golden import check_golden
from tests.support.snapshots import metrics
from tests.support.topics import unsubscribe_all

if TYPE_CHECKING:
    from caretaker.rendering import Message
    from tests.cloud import Account, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def desk(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_of(stack, monkeypatch)


def test_a_test_reaches_every_topic_with_both_turns_and_says_who_listens(
    desk: Desk, account: Account
) -> None:
    account.subscription(desk.stack.topics["urgent"], "+491515550100", protocol="sms")
    account.subscription(desk.stack.topics["urgent"], "ops@example.com", confirmed=False)

    answer = desk.alerts(test=True)

    assert answer["counts"] == {"test": {"done": 5}}
    who = {
        item["target"]: (item["detail"]["confirmed"], item["detail"]["pending"])
        for item in answer["outcomes"]
    }
    one = (1, 0)
    assert who == {"alerts": one, "urgent": (2, 1), "chat": one, "pager": one, "watchdog": one}
    for channel in (*CHANNELS, "watchdog"):
        subjects = [each["Subject"] for each in desk.stack.heard(channel)]
        assert subjects == [
            "ALARM: [CRIT] prod test: this is a test, nothing is wrong",
            "OK: [CRIT] prod test: healthy after 0m",
        ]
    assert (desk.open(), desk.unsent()) == ([], [])


def test_a_test_closes_no_page_of_the_alerting_itself(desk: Desk) -> None:
    unsubscribe_all(desk.stack.topics["chat"])
    desk.alerts()
    (real,) = (each["AlarmName"] for each in desk.stack.heard("pager"))

    desk.alerts(test=True)

    (tested,) = {each["AlarmName"] for each in desk.stack.heard("pager")}
    assert tested != real


def test_what_is_asked_by_hand_neither_beats_nor_ends_what_a_schedule_did_wrong(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk.alerts(hours=4)["status"] == "refused"
    desk.heard_everywhere()
    capsys.readouterr()

    desk.alerts(test=True)
    desk.alerts(silence={"match": "nothing", "until": "2026-11-22T00:00:00Z"})

    assert "Heartbeat" not in metrics(capsys.readouterr().out)
    assert len(desk.open()) == 1
    desk.alerts()
    assert metrics(capsys.readouterr().out)["Heartbeat"] == 1
    assert desk.open() == []


def test_a_test_says_which_topics_there_are_not(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = desk_of(stack, monkeypatch, "urgent", "chat", "pager", "watchdog")

    answer = desk.alerts(test=True)

    assert answer["counts"] == {"keep": {"unchanged": 4}, "test": {"done": 1}}
    without = {i["target"] for i in answer["outcomes"] if i["reason"] == "no_topic"}
    assert without == {"urgent", "chat", "pager", "watchdog"}


def test_a_test_names_the_topic_that_did_not_take_it(desk: Desk, cloud: StrictCloud) -> None:
    chat = desk.stack.topics["chat"]
    cloud.faults.add("denied", operation="Publish", match=chat, times=None)

    answer = desk.alerts(test=True)

    assert answer["counts"] == {"test": {"done": 4, "failed": 1}}
    assert (answer["status"], answer["outcomes"][0]["target"]) == ("partial", "chat")
    assert answer["outcomes"][0]["error"]["code"] == "AuthorizationError"
    assert answer["outcomes"][0]["detail"]["topic"] == chat
    assert desk.unsent() == []


def test_the_words_of_a_test(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.urandom", lambda count: b"\x01" * count)
    told: list[Message] = []
    monkeypatch.setattr(
        "functions.alerts.aws.publish_message", lambda _, __, message: told.append(message)
    )

    desk.alerts(test=True)

    assert len(told) == 10
    openings = [message for message in told if message.subject.startswith("ALARM")]
    check_golden("test", [each for each in openings if each.channel is not Channel.WATCHDOG])
