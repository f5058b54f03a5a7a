"""The demo's scenes of instance health, in their order; each checks all that it shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rich.text import Text

from tests.cloud import demo_health_tables as tables
from tests.cloud.demo_memory import incidents, let_minutes_pass
from tests.cloud.demo_screen import expect
from tests.cloud.demo_tables import mail_panel, subject_line
from tests.cloud.demo_workers import kill_when
from tests.cloud.demo_world import MAIL_TO, World
from tests.cloud.subscribers import Mailbox

if TYPE_CHECKING:
    from tests.cloud.account import SeededInstance
    from tests.cloud.deployment import Json
    from tests.cloud.subscribers import Heard

CHORE = "instance_health"
OPTED_IN = {"caretaker:remediate": "stop-start"}
REBOOTED, MOVED = "web-05", "db-2"
ON_DUTY = "+353867654321"
"""A phone that hears the alerts topic itself; the urgent topic is for what wakes people."""
SECONDS_TO_KILL = 2
FAILED_ZONE = "c"


@dataclass(frozen=True, slots=True)
class Patient:
    """An instance of the demo that is watched."""

    world: World
    machine: SeededInstance

    @property
    def state(self) -> str:
        """What EC2 says that it is."""
        found = self.world.cloud.ec2.state()["instances"]
        state = next(e for e in found if e["InstanceId"] == self.machine.id)["State"]
        return str(state["Name"])

    @property
    def log(self) -> list[str]:
        """What was done to it by calls."""
        return list(self.world.cloud.ec2.seed("power_log", self.machine.id))

    def look(self, minutes: int) -> Json:
        """Let minutes pass and the schedule fire; return what was decided of it."""
        items = _poll(self.world, minutes)
        return next(each for each in items if each["target"] == self.machine.id)


def reboot(world: World) -> None:
    """Let an instance fail, be rebooted, and recover."""
    screen, ec2 = world.screen, world.cloud.ec2
    patient = _opted_in(world, REBOOTED)
    screen.heading(
        f"{REBOOTED} fails its instance status check",
        "Seen twice, impaired for 3 minutes, opted in by its tag: rebooted once, and judged.",
        picture=True,
    )
    duty = _phone_on_duty(world)
    ec2.seed("impair", patient.machine.id, "instance", minutes_ago=2, seconds=60)
    moments: list[tables.Moment] = []
    heard: list[dict[str, Heard]] = []
    for name, minutes in (("first poll", 0), ("a minute later", 1), ("two more", 2)):
        with screen.step(f"{name}: the instance health schedule fires"):
            item = patient.look(minutes)
            news = _news(world, duty)
        heard += [news] if news else []
        moments.append((name, item, patient.state, _states(news)))
    decided = [(item["action"], item["reason"]) for _, item, *_ in moments]
    wanted = [("report", "first_seen"), ("reboot", "impaired"), ("keep", "fixed")]
    expect(decided == wanted, "seen, rebooted, fixed")
    expect(patient.log == ["reboot"], "it was rebooted exactly once")
    _expect_one_incident(heard, patient.machine.id)
    expect(incidents(world.stack, "default", CHORE) == [], "no incident is open any more")
    screen.show(tables.moments_table(moments, REBOOTED), tables.heard_table(heard), picture=True)
    screen.show(mail_panel(heard[0]["mail"], MAIL_TO))


def killed_between(world: World) -> None:
    """Kill the function between the stop and the start of an instance."""
    screen, ec2 = world.screen, world.cloud.ec2
    patient = _opted_in(world, MOVED)
    screen.heading(
        f"{MOVED} fails its system status check, and the function dies between stop and start",
        "EC2 had 10 minutes to recover it by itself; what is stopped is written down beforehand.",
        picture=True,
    )
    ec2.seed("impair", patient.machine.id, "system", minutes_ago=11, until_repaired_by="stop-start")
    moments: list[tables.Moment] = []
    with screen.step("first poll: the instance health schedule fires"):
        moments.append(("first poll", patient.look(0), patient.state, ""))
    with screen.step("a minute later it fires again; kill -9 as soon as the instance is stopped"):
        retry = _kill_in_the_middle(patient)
    moments.append(("a minute later", tables.KILLED, patient.state, ""))
    expect(patient.log == ["stop"], "it is stopped, and nobody has started it")
    moments.append(("Lambda's retry", retry, patient.state, ""))
    for name, minutes in (("a minute later", 1), ("another", 1), ("two more", 2)):
        with screen.step(f"{name}: the instance health schedule fires"):
            item = patient.look(minutes)
        moments.append((name, item, patient.state, _states(_news(world))))
    decided = [item["action"] for _, item, *_ in moments[3:]]
    expect(decided == ["start", "report", "keep"], "the next poll starts it; then it is judged")
    expect(patient.log == ["stop", "start"], "it was stopped once and started once")
    screen.show(tables.moments_table(moments, MOVED), picture=True)


def failed_zone(world: World) -> None:
    """Let most of a zone fail."""
    screen, ec2 = world.screen, world.cloud.ec2
    screen.heading(
        f"Six of eight instances in zone {FAILED_ZONE} fail at once",
        "That is no matter of single instances: nothing is repaired, and one alert goes out.",
        picture=True,
    )
    ids = ec2.seed("crowd", "instance", 8, zone=FAILED_ZONE, tags=OPTED_IN)
    ec2.seed("impair", ids[:6], "system", minutes_ago=20, until_repaired_by="nothing")
    done = len(ec2.seed("power_log"))
    with screen.step("the instance health schedule fires, and again a minute later"):
        _poll(world, 0)
        items = _poll(world, 1)
    news = world.channels.news()
    expect({name: len(got) for name, got in news.items()} == dict.fromkeys(news, 1), "one each")
    left = [each for each in items if each["target"] in ids[:6]]
    expect({each["reason"] for each in left} == {"zone_impaired"}, "each waits for the zone")
    expect(len(ec2.seed("power_log")) == done, "nothing was done to any instance")
    screen.show(
        tables.left_alone_table(left),
        Text("\n").join(subject_line(got[0].subject, f"{name:<8}") for name, got in news.items()),
        picture=True,
    )
    for each in ids:
        ec2.seed("heal", each)


def _opted_in(world: World, name: str) -> Patient:
    machine = next(each for each in world.account.instances if each.name == name)
    world.cloud.ec2.seed("tag", machine.id, OPTED_IN)
    world.channels.news()
    return Patient(world, machine)


def _phone_on_duty(world: World) -> Mailbox:
    phone = Mailbox(world.cloud, ON_DUTY)
    world.stack.client("sns").subscribe(
        TopicArn=world.stack.outputs["AlertsTopicArn"], Protocol="sms", Endpoint=ON_DUTY
    )
    return phone


def _poll(world: World, minutes: int) -> list[Json]:
    if minutes:
        let_minutes_pass(world.stack, CHORE, minutes)
    answer = world.stack.run_schedule(world.health, mode="act", at=datetime.now(UTC))
    expect(answer["status"] == "ok", "the poll ends with status ok")
    return world.stack.report(answer)[1:]


def _kill_in_the_middle(patient: Patient) -> Json:
    """Let a poll be killed once it has stopped the instance; return how its retry ended."""
    world, ec2 = patient.world, patient.world.cloud.ec2
    let_minutes_pass(world.stack, CHORE, 1)
    ec2.add_fault(
        "answer_lost",
        operation="StopInstances",
        match=patient.machine.id,
        seconds=SECONDS_TO_KILL,
    )
    retry = kill_when(world.stack, world.health, lambda: "stop" in patient.log)
    expect(retry["status"] == "skipped", "the retry meets the lease of the dead run")
    return {"action": retry["status"], "reason": retry["reason"], "result": "unchanged"}


def _news(world: World, duty: Mailbox | None = None) -> dict[str, Heard]:
    """Return what has come on each channel, one message at most."""
    news = world.channels.news() | ({"on duty": duty.news()} if duty else {})
    expect(all(len(got) <= 1 for got in news.values()), "one message at most")
    return {name: got[0] for name, got in news.items() if got}


def _states(news: dict[str, Heard]) -> str:
    return news["mail"].subject.split(":")[0] if news else ""


def _expect_one_incident(heard: list[dict[str, Heard]], instance: str) -> None:
    expect([_states(each) for each in heard] == ["ALARM", "OK"], "one ALARM, and one OK")
    asleep = all(set(each) == {"mail", "chat", "on duty"} for each in heard)
    expect(asleep, "what is being repaired comes by e-mail, chat and SMS, and wakes nobody")
    keys = {each["chat"].document["metadata"]["additionalContext"]["incident"] for each in heard}
    expect(len(keys) == 1, "chat names the same incident both times")
    named = all(key in each["mail"].message for key in keys for each in heard)
    expect(named, "and so does the e-mail")
    expect(all(instance in each["on duty"].message for each in heard), "the SMS names the instance")


SCENES = (reboot, killed_between, failed_zone)
