"""Who listens, what a topic refuses, and what is measured of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from caretaker.errors import StateError
from tests.support.alerting import CHANNELS, HOUR, Desk, bad, desk_of, good
from tests.support.snapshots import metrics
from tests.support.topics import unsubscribe_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import Account, StrictCloud
    from tests.support.stack import Stack


@pytest.fixture
def desk(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return desk_of(stack, monkeypatch)


@pytest.fixture
def measured(capsys: pytest.CaptureFixture[str]) -> Callable[[], dict[str, float]]:
    """Return the metrics since the last look."""
    return lambda: metrics(capsys.readouterr().out)


def test_measures_the_topic_with_the_fewest_who_listen(
    desk: Desk, account: Account, measured: Callable[[], dict[str, float]]
) -> None:
    account.subscription(desk.stack.topics["alerts"], "ops@example.com")
    account.subscription(desk.stack.topics["chat"], "ops@example.com", confirmed=False)

    desk.alerts()

    assert measured()["ConfirmedSubscriptions"] == 1


@pytest.mark.parametrize("channel", [*CHANNELS, "watchdog"])
def test_a_topic_that_nobody_confirmed_is_an_incident_until_somebody_does(
    desk: Desk, account: Account, measured: Callable[[], dict[str, float]], channel: str
) -> None:
    unsubscribe_all(desk.stack.topics[channel])
    account.subscription(desk.stack.topics[channel], "ops@example.com", confirmed=False)

    desk.alerts()

    assert measured()["ConfirmedSubscriptions"] == 0
    assert desk.open() == [channel]
    other = "chat" if channel != "chat" else "alerts"
    assert desk.heard(other) == [f"ALARM {channel}"]
    account.subscription(desk.stack.topics[channel], "lead@example.com")
    desk.next_run()
    assert measured()["ConfirmedSubscriptions"] == 1
    assert (desk.open(), desk.heard(other)) == ([], [f"OK {channel}"])


def test_who_listens_is_unknown_when_sns_does_not_say(
    desk: Desk, cloud: StrictCloud, measured: Callable[[], dict[str, float]]
) -> None:
    unsubscribe_all(desk.stack.topics["chat"])
    desk.alerts()
    desk.heard_everywhere()
    measured()
    cloud.faults.add("denied", operation="GetTopicAttributes", times=None)

    answer = desk.next_run()

    assert answer["status"] == "ok"
    assert "ConfirmedSubscriptions" not in measured()
    assert desk.open() == ["chat"], "it neither resolves nor opens anything"
    assert desk.heard() == []


def test_who_listens_to_one_topic_is_unknown(
    desk: Desk, cloud: StrictCloud, measured: Callable[[], dict[str, float]]
) -> None:
    unsubscribe_all(desk.stack.topics["chat"])
    pager = desk.stack.topics["pager"]
    cloud.faults.add("unavailable", operation="GetTopicAttributes", match=pager, times=None)

    desk.alerts()

    assert "ConfirmedSubscriptions" not in measured(), "the least may be the unknown one"
    assert desk.open() == ["chat"]


def test_what_one_topic_refuses_the_others_are_told_and_it_is_counted(
    desk: Desk, cloud: StrictCloud, measured: Callable[[], dict[str, float]]
) -> None:
    urgent = desk.stack.topics["urgent"]
    cloud.faults.add("denied", operation="Publish", match=urgent, times=None)

    answer = desk.look(bad("vol-1"))

    assert answer is not None
    assert measured()["UnsentAlerts"] == 1
    assert desk.heard_everywhere() == {
        "alerts": ["ALARM vol-1"],
        "urgent": [],
        "chat": ["ALARM vol-1"],
        "pager": ["ALARM daily"],
    }
    assert desk.unsent() == ["urgent"]
    answer = desk.next_run()
    assert (answer["status"], answer["counts"]["send"]) == ("partial", {"failed": 1})
    assert measured()["UnsentAlerts"] == 1
    cloud.faults.clear()
    desk.next_run()
    assert (measured()["UnsentAlerts"], desk.heard("urgent")) == (0, ["ALARM vol-1"])


def test_a_reminder_that_a_topic_refuses_is_one_unsent_message(
    desk: Desk, cloud: StrictCloud, measured: Callable[[], dict[str, float]]
) -> None:
    desk.look(*(bad(f"vol-{n}") for n in range(9)))
    desk.heard_everywhere()
    chat = desk.stack.topics["chat"]
    cloud.faults.add("denied", operation="Publish", match=chat)

    answer = desk.next_run(5 * HOUR)

    assert answer["counts"] == {"remind": {"done": 9}}
    assert measured()["UnsentAlerts"] == 1
    assert len(desk.heard("pager")) == 1
    desk.next_run()
    assert (len(desk.heard("chat")), len(desk.heard())) == (1, 1), "nobody hears it twice"


def test_an_opening_of_its_own_that_no_topic_takes_is_counted(
    desk: Desk, cloud: StrictCloud, measured: Callable[[], dict[str, float]]
) -> None:
    unsubscribe_all(desk.stack.topics["chat"])
    cloud.faults.add("denied", operation="Publish", times=None)

    desk.alerts()

    assert measured()["UnsentAlerts"] == 4


def test_a_message_that_is_refused_for_what_it_is_does_not_hold_up_the_others(
    desk: Desk, cloud: StrictCloud
) -> None:
    """A refusal that is not the topic's own fault: for example of another version's message."""
    cloud.faults.add(
        "error",
        operation="Publish",
        match="ALARM: [CRIT] prod vol-1: no backup",
        code="InvalidParameter",
        times=None,
    )
    desk.look(bad("vol-1"))
    desk.wait(1)
    cloud.faults.add("denied", operation="Publish", times=4)
    desk.look(bad("vol-2"), policy="weekly")

    desk.next_run()

    assert desk.heard("pager") == ["ALARM weekly"]


def test_what_waits_for_a_topic_that_was_taken_away_is_dropped(
    desk: Desk,
    cloud: StrictCloud,
    monkeypatch: pytest.MonkeyPatch,
    measured: Callable[[], dict[str, float]],
) -> None:
    chat = desk.stack.topics["chat"]
    cloud.faults.add("denied", operation="Publish", match=chat)
    desk.look(bad("vol-1"))
    monkeypatch.setenv("CARETAKER_CHAT_TOPIC", "")
    measured()

    answer = desk.next_run()

    assert answer["counts"]["drop"] == {"done": 1}
    assert (measured()["UnsentAlerts"], desk.unsent()) == (0, [])


def test_what_cannot_be_sent_for_two_weeks_is_given_up(desk: Desk, cloud: StrictCloud) -> None:
    cloud.faults.add("denied", operation="Publish", times=None)
    desk.look(bad("vol-1"))
    begun = desk.clock.now().timestamp()

    for _ in range(3):
        desk.next_run(24 * HOUR)

    ends = {int(i["expires_at"]) for i in desk.stack.items() if i["pk"] == "outbox"}
    assert min(ends) == int(begun) + 14 * 86_400, "however often it was tried"


def _unreachable(cloud: StrictCloud, kind: str) -> None:
    cloud.faults.add(kind, service="dynamodb", times=None)


@pytest.mark.parametrize("kind", ["denied", "unavailable"])
def test_without_the_table_a_process_tells_what_it_finds_once_an_hour(
    desk: Desk, cloud: StrictCloud, kind: str
) -> None:
    _unreachable(cloud, kind)

    heard = []
    for seconds in (0, HOUR - 60, 60, 0):
        desk.wait(seconds)
        desk.look(bad("vol-1"), good("vol-2"))
        heard.append(desk.heard())

    assert heard == [["ALARM vol-1"], [], ["ALARM vol-1"], []]
    desk.look(bad("vol-1"), bad("vol-3"))
    assert desk.heard() == ["ALARM vol-3"], "what is new is told at once"


def test_without_the_table_what_could_not_be_published_is_tried_again(
    desk: Desk, cloud: StrictCloud
) -> None:
    _unreachable(cloud, "denied")
    cloud.faults.add("denied", operation="Publish", times=None)
    desk.look(bad("vol-1"))
    cloud.faults.clear()
    _unreachable(cloud, "denied")

    desk.look(bad("vol-1"))

    assert desk.heard() == ["ALARM vol-1"]


@pytest.mark.parametrize("kind", ["denied", "unavailable"])
def test_without_the_table_the_alerts_chore_raises_and_tells_nobody(
    desk: Desk, cloud: StrictCloud, kind: str
) -> None:
    """It would tell the same every five minutes; its Errors are the watchdog's to alarm on."""
    _unreachable(cloud, kind)

    for _ in range(3):
        with pytest.raises(StateError):
            desk.next_run()

    assert desk.heard_everywhere() == {channel: [] for channel in CHANNELS}


def test_per_run_and_topic_there_is_at_most_one_alarm(desk: Desk) -> None:
    desk.look(bad("vol-1"))
    desk.heard_everywhere()
    unsubscribe_all(desk.stack.topics["chat"])

    runs: list[Any] = []
    for _ in range(2):
        desk.next_run(4 * HOUR if not runs else 300)
        runs.append(desk.heard())

    assert runs == [["ALARM vol-1"], ["ALARM chat"]]
