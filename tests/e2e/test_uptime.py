"""The deployed uptime function probes, tells, and asks for repairs where the stack lets it."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from tests.cloud.demo_memory import remembered
from tests.cloud.deployment import SCHEDULED, Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.subscribers import Heard
from tests.e2e.conftest import Inboxes, allowed_to
from tests.e2e.healer import Healer
from tests.e2e.plays import Plays
from tests.e2e.prober import (
    BUCKET,
    CANARY,
    LISTED,
    Prober,
    Secrets,
    event,
    item_of,
    site,
    told,
)

CHANGING = {
    "ecs:StopTask",
    "ecs:UpdateService",
    "ssm:SendCommand",
    "ec2:RebootInstances",
    "ec2:StopInstances",
    "lambda:InvokeFunction",
}


@pytest.mark.parametrize("name", ["shop", "front"])
def test_a_target_is_up_failing_down_repaired_and_up_again(plays: Plays, name: str) -> None:
    assert plays.reasons(name)[:5] == [
        ("keep", "up"),
        ("report", "failing"),
        ("report", "down"),
        ("fix", "down"),
        ("keep", "recovering"),
    ]
    assert plays.results(name)[3] == "done"


def test_who_repairs_services_is_asked_for_one_task_alone(plays: Plays, prober: Prober) -> None:
    asked = item_of(plays.answers["shop"][3], "shop")["detail"]["asked"]

    assert asked == prober.repairs
    left = prober.tasks("shop")
    assert len(set(plays.tasks) & set(left)) == 1
    assert len(left) == 2


def test_who_watches_instances_is_asked_for_the_one_behind_a_target(
    plays: Plays, prober: Prober, healer: Healer
) -> None:
    asked = item_of(plays.answers["front"][3], "front")["detail"]["asked"]

    assert asked == healer.function
    assert healer.power_log(plays.instance) == ["reboot"]
    assert healer.poll(plays.instance)[:2] == ("keep", "fixed")


def test_people_hear_of_one_incident_when_it_opens_is_asked_and_ends(
    plays: Plays, healer: Healer
) -> None:
    heard = [_in_chat_too(healer, each) for each in _documents(healer.told, "shop")]

    assert [each["state"] for each in heard] == ["ALARM", "ALARM", "OK"]
    assert len({each["incident"] for each in heard}) == 1
    assert len({each["thread"] for each in heard}) == 1
    assert "repair asked for" in heard[1]["text"]
    assert "healthy after" in heard[2]["text"]
    assert "repair asked for" in heard[2]["text"]


def _documents(told: Callable[[str], list[Heard]], target: str) -> list[Heard]:
    """Return the alerts about a target that is down, as the HTTP endpoint got them."""
    return [each for each in told(f"target_down/{target}") if each.document["chore"] == "uptime"]


def _in_chat_too(healer: Healer, heard: Heard) -> Json:
    """Return an alert with what chat has of it."""
    (incident,) = heard.document["incidents"]
    chat = healer.chat.wait_for_one(lambda each: heard.document["run"] in each.message)
    metadata = chat.document["metadata"]
    assert metadata["additionalContext"]["incident"] == incident["key"]
    return {
        "state": heard.document["state"],
        "text": heard.message,
        "incident": incident["key"],
        "thread": metadata["threadId"],
    }


def test_a_stack_in_report_mode_tells_of_it_and_asks_nobody(
    plays: Plays, onlooker: Prober, inboxes: Inboxes
) -> None:
    assert plays.reasons("kiosk")[3] == ("fix", "down")
    assert plays.results("kiosk")[3] == "planned"
    told = [each.document["state"] for each in _documents(inboxes.told, "kiosk")]
    assert told == ["ALARM", "OK"]
    sms = inboxes.phone.wait_for_one(lambda each: "kiosk" in each.message).message
    assert sms.startswith("ALARM: CRIT prod kiosk: down")
    assert len(sms) <= 160
    asked = [line for line in onlooker.stack.log_lines(onlooker.repairs) if "kiosk" in line]
    assert asked == []


def test_in_report_mode_its_roles_can_change_nothing_and_no_event_can_ask_for_more(
    onlooker: Prober, prober: Prober
) -> None:
    roles = ("UptimeRole", "ServiceRepairRole")
    looking, repairing = (allowed_to(onlooker.stack, role) for role in roles)
    asking, acting = (allowed_to(prober.stack, role) for role in roles)

    assert (looking | repairing) & CHANGING == set()
    assert asking & CHANGING == {"lambda:InvokeFunction"}
    assert acting & CHANGING == {"ecs:StopTask", "ecs:UpdateService", "ssm:SendCommand"}
    answer = onlooker.stack.invoke(onlooker.function, event("act"))
    assert (answer["status"], answer["reason"]) == ("refused", "mode_not_allowed")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
        "http://localhost/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.7/",
        "http://inner.example.com/",
        "http://rebound.example.com/",
    ],
)
def test_an_inward_url_is_blocked_before_anything_is_sent(prober: Prober, url: str) -> None:
    before = prober.farm.count()

    version = "6" if "[" in url else "4"
    answer = prober.run("inward", {"name": "inward", "url": url, "ip_version": version})

    assert item_of(answer, "inward")["detail"]["fault"] == "blocked"
    assert prober.farm.count() == before


@pytest.mark.parametrize(
    "inward",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://inner.example.com/",
        "http://127.0.0.1:9001/",
    ],
)
def test_a_redirect_inward_is_not_followed(prober: Prober, inward: str) -> None:
    prober.farm.set("lured", redirect=inward)
    prober.farm.set("moved", redirect="http://steady.example.com/")
    before = prober.farm.count(), prober.farm.count("lured")

    answer = prober.run("lured", site("lured"), site("moved"))

    assert item_of(answer, "lured")["detail"]["fault"] == "blocked"
    assert told(answer, "moved")[1] == "up"
    assert prober.farm.count("lured") == before[1] + 1
    assert prober.farm.count() == before[0] + 3


def test_a_wrong_event_is_refused_with_every_field_named_and_people_hear(
    prober: Prober, healer: Healer
) -> None:
    before = prober.farm.count()

    wrong_event = {**event("wrong-event"), "policy": "wrong", "scheduled_time": SCHEDULED}
    answer = prober.stack.invoke(prober.function, wrong_event)

    assert (answer["status"], answer["reason"]) == ("refused", "event_invalid")
    wrong = ("at_once", "canary_url", "confirm.failures", "private_networks.0", "targets_from")
    assert sorted(each["path"] for each in answer["errors"]) == sorted(wrong)
    assert prober.farm.count() == before
    heard = healer.http.wait_for_one(lambda each: "/uptime/wrong/" in each.message)
    assert heard.subject.startswith("ALARM: [CRIT]")


def test_private_networks_that_the_stack_does_not_open_are_refused(prober: Prober) -> None:
    inner = {"name": "inner", "url": "http://10.0.0.7/"}

    answer = prober.run("private", inner, private_networks=["10.0.0.0/8"])

    assert (answer["status"], answer["reason"]) == ("refused", "network_not_allowed")


@pytest.fixture
def tagged(ec2: RemoteCloud) -> Iterator[str]:
    """An instance that its tag wants to be probed."""
    tags = {"caretaker:probe": "http/health"}
    made = ec2.instance({}, tags=tags, zone="b", address="amazon").id
    yield made
    ec2.seed("terminate", made)


def test_by_default_the_schedule_probes_what_its_tag_says(onlooker: Prober, tagged: str) -> None:
    scheduled = onlooker.stack.schedule(mode="act", function=onlooker.function)

    answer = _fire(onlooker.stack, onlooker.function)

    asked = json.loads(scheduled["Target"]["Input"])
    assert asked == {**event("regular"), "scheduled_time": "<aws.scheduler.scheduled-time>"}
    assert _reasons(onlooker.stack, answer) == {tagged: "up"}


def test_the_schedule_probes_what_the_object_lists_and_names_what_is_wrong_in_it(
    prober: Prober, tagged: str
) -> None:
    answer = _fire(prober.stack, prober.function)

    assert (answer["mode"], answer["policy"]) == ("act", "default")
    found = _reasons(prober.stack, answer)
    assert found == {LISTED["name"]: "up", "wrong": "wrong", tagged: "up"}


def test_no_other_object_can_be_read(prober: Prober) -> None:
    answer = prober.run("unlisted", targets_from=f"s3://{BUCKET}/prod/others.json")

    assert (answer["status"], answer["reason"]) == ("failed", "listing_failed")
    assert "is not authorized to perform: s3:GetObject" in answer["errors"][0]["problem"]


def _fire(stack: Stack, function: str) -> Json:
    """Let the schedule fire for a slot of this minute; return the answer of the run."""
    started = datetime.now(UTC)
    slot = stack.fire(stack.schedule(mode="act", function=function), started)
    return stack.wait_for_answer(function, started, slot=slot)


def _reasons(stack: Stack, answer: Json) -> dict[str, str]:
    return {each["target"]: each["reason"] for each in stack.report(answer)[1:]}


@pytest.fixture(scope="module")
def sealed(prober: Prober, secrets: Secrets) -> Json:
    """Probe with a canary wherever a secret can be, also where that fails and people hear."""
    bearer = {"secret": {"arn": secrets.token, "key": "token"}, "prefix": "Bearer "}
    basic = {"secret": {"arn": secrets.password}, "user": "probe"}
    prober.farm.set("lured", redirect="http://inner.example.com/")
    url = f"http://probe:{CANARY}@lured.example.com/health?key={CANARY}"
    answer = prober.run(
        "sealed",
        site("locked", auth=bearer),
        site("steady", auth=basic),
        site("lured", headers={"X-Key": CANARY}, body=CANARY, method="POST") | {"url": url},
        site("shop", auth={"secret": {"arn": secrets.other, "key": "token"}}),
        confirm={"failures": 1},
    )
    return dict(answer)


def test_secrets_reach_the_servers_that_they_are_meant_for(sealed: Json, prober: Prober) -> None:
    assert [told(sealed, name)[1] for name in ("locked", "steady", "lured")] == ["up", "up", "down"]
    basic = b64encode(f"probe:{CANARY}".encode()).decode()
    farm = prober.farm
    assert farm.received("locked", "Authorization", f"Bearer {CANARY}") == 1
    assert farm.received("steady", "Authorization", f"Basic {basic}") == 1
    assert farm.received("lured", "Authorization", f"Basic {basic}") == 1
    assert farm.received("lured", "X-Key", CANARY) == 1


def test_a_secret_that_the_stack_does_not_name_cannot_be_read(sealed: Json) -> None:
    assert told(sealed, "shop")[:2] == ("skip", "secret_unreadable")


def test_no_secret_is_in_an_answer_a_report_a_log_an_alert_or_the_table(
    sealed: Json, prober: Prober, healer: Healer
) -> None:
    stack = prober.stack
    alerts = [each.message for each in healer.told("/uptime/sealed/")]
    shown = [
        json.dumps(sealed),
        json.dumps(stack.report(sealed)),
        *stack.log_lines(prober.function),
        *alerts,
        *map(_as_text, remembered(stack)),
    ]

    assert any("target_down/lured" in each for each in alerts)
    assert any('"lured"' in each for each in shown[-len(remembered(stack)) :])
    basic = b64encode(f"probe:{CANARY}".encode()).decode()
    assert [each for each in shown if CANARY in each or basic in each] == []


def _as_text(item: Json) -> str:
    """Return an item with what is packed in it."""
    return " ".join(
        zlib.decompress(value["B"]).decode() if "B" in value else json.dumps(value)
        for value in item.values()
    )
