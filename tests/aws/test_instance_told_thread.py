"""One incident from its opening to its end: the same key and thread in every channel."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.alerting import CHANNELS, desk_of
from tests.support.alerts import NASTY
from tests.support.health_world import REBOOT, STOP_START, HealthWorld

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.support.stack import Stack

MAX_SMS: Final = 160
GSM: Final = re.compile(r"[A-Za-z0-9 @$_!\"#%&'()*+,\-./:;<=>?\n]*")
_NOT_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
SECRET: Final = "hunter2-s3cr3t"


@pytest.fixture
def world(
    cloud: StrictCloud,
    clock: ManualClock,
    stack: Stack,
    account: Account,
    monkeypatch: pytest.MonkeyPatch,
) -> HealthWorld:
    """A fleet of twenty that is well, and every topic there is."""
    cloud.pages.size = None
    account.crowd("instance", 20)
    desk_of(stack, monkeypatch)
    return HealthWorld(cloud, clock, stack, account)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, dict[str, Any]]]:
    """Return what is published from now on: topic, subject, and the bodies by protocol."""
    from caretaker.aws import topics  # noqa: PLC0415 - to stand beside it

    seen: list[tuple[str, str, dict[str, Any]]] = []
    publish: Callable[..., None] = topics.publish_text

    def beside(client: Any, topic: str, subject: str, body: str, **how: Any) -> None:
        publish(client, topic, subject, body, **how)
        seen.append((topic.rpartition("-")[2], subject, json.loads(body)))

    monkeypatch.setattr(topics, "publish_text", beside)
    return seen


def test_opening_rungs_outcomes_and_the_end_are_one_incident_and_one_thread(
    world: HealthWorld,
) -> None:
    one = world.account.instance({}, tags=STOP_START, name="web-1").id
    world.account.impair(one, until_repaired_by="stop-start")
    world.polls(32)

    assert world.account.power_log(one) == ["reboot", "reboot", "stop", "start"]
    heard = {channel: world.stack.heard(channel) for channel in CHANNELS}
    subjects = [each["Subject"] for each in heard["alerts"]]
    who = f"prod web-1 {one}:"
    assert [each.partition(who)[2].strip() for each in subjects] == [
        "instance check failed 3m, rebooted",
        "instance check failed 13m, rebooted again",
        "instance check failed 23m, stopped to be started",
        "healthy after 23m, fixed by stop-start",
    ]
    incidents = [each["incidents"][0] for each in heard["alerts"]]
    assert {each["key"].rpartition("/default/")[2] for each in incidents} == {
        f"instance_impaired/{one}"
    }
    (thread,) = {each["thread"] for each in incidents}
    assert {each["metadata"]["threadId"] for each in heard["chat"]} == {thread}
    assert len(heard["chat"]) == len(heard["alerts"])
    assert (heard["urgent"], heard["pager"]) == ([], []), "a repair was near all the time"


def test_what_is_left_to_people_wakes_them_once_and_the_pager_closes(world: HealthWorld) -> None:
    one = world.account.instance(tags=REBOOT, name="web-1").id
    world.account.impair(one, until_repaired_by="nothing")
    world.polls(30)

    pages = world.stack.heard("pager")
    assert [each["NewStateValue"] for each in pages] == ["ALARM"]
    assert len(world.stack.heard("urgent")) == 1
    assert len(world.stack.heard("alerts")) == 3
    world.account.heal(one)
    world.poll()
    (page,) = world.stack.heard("pager")
    assert (page["NewStateValue"], page["AlarmName"]) == ("OK", pages[0]["AlarmName"])
    (over,) = world.stack.heard("alerts")
    assert over["incidents"][0]["ending"] == "", "nothing that we did"


def test_each_message_says_what_was_done_and_how_that_ended(world: HealthWorld) -> None:
    one = world.account.instance({}, tags=STOP_START).id
    world.account.impair(one, until_repaired_by="stop-start")
    world.polls(24)

    done = [each["incidents"][0]["done"] for each in world.stack.heard("alerts")]
    assert done == [
        "reboot at 03:03",
        "reboot at 03:03: not fixed; reboot at 03:13",
        "reboot at 03:03: not fixed; reboot at 03:13: not fixed; stop-start at 03:23",
    ]


@pytest.mark.parametrize("name", [*NASTY, "n" * 256, "[" * 256], ids=range(len(NASTY) + 2))
def test_whatever_an_instance_is_called_every_message_can_be_sent_and_read(
    world: HealthWorld, published: list[tuple[str, str, dict[str, Any]]], name: str
) -> None:
    one = world.account.instance(tags=REBOOT).id
    typed = _NOT_XML.sub("?", name[:256]).encode(errors="replace").decode()
    world.account.backend.tags[one]["Name"] = typed
    world.account.impair(one, minutes_ago=60, until_repaired_by="reboot")
    world.account.scheduled_event(one, in_hours=10)
    world.polls(4)

    assert {channel for channel, *_ in published} >= {"alerts", "chat"}
    for channel, subject, body in published:
        assert (len(subject) <= 99, subject.isascii(), subject.isprintable()) == (True,) * 3
        if channel == "alerts":
            assert len(body["sms"]) <= MAX_SMS
            assert GSM.fullmatch(body["sms"])


def test_nobody_hears_what_is_in_other_tags(
    world: HealthWorld,
    published: list[tuple[str, str, dict[str, Any]]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    secret = {"password": SECRET, SECRET: "key", "caretaker:note": SECRET}
    one = world.account.instance(tags={**REBOOT, **secret}).id
    world.account.impair(one, minutes_ago=60)
    capsys.readouterr()

    answers = world.polls(4)

    assert published
    assert SECRET not in json.dumps([published, answers, list(map(world.stack.report, answers))])
    assert SECRET not in json.dumps(world.stack.items(), default=str)
    assert SECRET not in "".join(capsys.readouterr())


def test_in_report_mode_people_hear_once_what_would_be_done(
    world: HealthWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_MODE", "report")
    one = world.account.instance(tags=REBOOT, name="web-1").id
    world.account.impair(one, until_repaired_by="nothing")
    world.polls(25)

    (message,) = world.stack.heard("alerts")
    assert message["Subject"].endswith("instance check failed 3m, to reboot in mode act")
    (said,) = message["incidents"]
    assert said["severity"] == "critical", "nobody but people will repair it"
    assert "this run only reports" in said["done"]
    assert world.repairs() == []
    world.account.heal(one)
    world.poll()
    assert [each["state"] for each in world.stack.heard("alerts")] == ["OK"]


def test_the_report_in_the_bucket_holds_every_instance(world: HealthWorld) -> None:
    more = world.account.crowd("instance", 480)
    one = world.account.instance(tags=REBOOT).id
    world.account.put_down(more[0])
    world.account.impair(one)

    lines = [each for each in world.stack.report(world.poll()) if "target" in each]

    reasons = {each["target"]: each["reason"] for each in lines}
    assert len(lines) == len(reasons) == 501
    assert (reasons[one], reasons[more[0]]) == ("first_seen", "not_running")
    assert list(reasons.values()).count("healthy") == 499
