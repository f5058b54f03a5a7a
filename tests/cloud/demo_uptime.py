"""The demo's scenes of uptime and service repair, in their order; each checks all it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from tests.cloud import demo_uptime_tables as tables
from tests.cloud.demo_memory import incidents, let_minutes_pass
from tests.cloud.demo_screen import expect
from tests.cloud.demo_tables import mail_panel
from tests.cloud.demo_uptime_farm import (
    CLUSTER,
    SERVICE,
    SHOP,
    SLOW_MS,
    TARGETS_FROM,
    write_history,
)
from tests.cloud.demo_world import MAIL_TO, World

if TYPE_CHECKING:
    from tests.cloud.deployment import Json

CHORES = ("uptime", "service_repair")
RESTART = {"caretaker:remediate": "restart"}
CONFIRM = {"failures": 1, "successes": 1}
"""By default three runs in a row that fail open an incident: so long nobody wants to watch."""
LURES = {
    "lambda-itself": "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next",
    "metadata": "http://169.254.169.254/latest/meta-data/iam/",
    "decimal": "http://2130706433/",
    "name": "http://inner.example.com/",
    "redirect": "http://lure.example.com/",
}


@dataclass
class Shop:
    """The web shop of the demo, probed every minute; what was seen of it, and heard of it."""

    world: World
    began: datetime
    moments: list[tables.Moment] = field(default_factory=list)
    heard: list[tables.News] = field(default_factory=list)
    """What came by e-mail, SMS and chat, turn by turn."""

    @property
    def tasks(self) -> list[str]:
        """The tasks of the service behind it."""
        return list(self.world.cloud.ec2.seed("ecs_tasks", SERVICE, CLUSTER))

    def look(self) -> Json:
        """Let a minute pass and probe; return what was decided."""
        world, number = self.world, len(self.moments)
        if not number:
            answer = world.stack.run_schedule(world.uptime, mode="act", at=self.began)
        else:
            let_minutes_pass(world.stack, CHORES[0], 1, also=CHORES[1:])
            slot = f"{self.began + timedelta(minutes=number):%Y-%m-%dT%H:%MZ}"
            event = {"policy": "default", "targets_from": TARGETS_FROM, "confirm": CONFIRM}
            answer = world.stack.invoke(world.uptime, {**event, "scheduled_time": slot})
        expect(answer["status"] == "ok", "the run ends with status ok")
        item: Json = next(e for e in world.stack.report(answer)[1:] if e["target"] == SHOP["name"])
        self.moments.append((str(number + 1), item, self._hear()))
        return item

    def looks(self, number: int) -> list[str]:
        """Probe so many times; return the reasons of what was decided."""
        return [str(self.look()["reason"]) for _ in range(number)]

    def _hear(self) -> str:
        """Take what came on each channel, one message at most; return what e-mail says."""
        news = self.world.channels.news()
        expect(all(len(got) <= 1 for got in news.values()), "one message at most")
        got = {name: each[0] for name, each in news.items() if each}
        if "phone" in got:
            self.heard.append(got)
        if not got:
            return ""
        state, _, rest = got["mail"].subject.partition(": ")
        return f"{state} {rest.partition(']')[0]}]"


def restarted(world: World) -> None:
    """Let a service go slow, then down, be restarted, and recover."""
    screen = world.screen
    screen.heading(
        "The web shop goes slow, then down, and its container is restarted",
        "Probed every minute from a list in S3: see states, messages, and who is asked for what.",
        picture=True,
    )
    world.cloud.ec2.seed("ecs_service", SERVICE, CLUSTER, tags=RESTART)
    write_history(world.stack)
    shop = Shop(world, datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=40))
    world.channels.news()
    before = _go_slow(shop)
    tasks = _go_down(shop)
    after = _recover(shop)
    _expect_one_incident(shop)
    expect(after["down_seconds"] > before["down_seconds"], "the outage counts")
    expect(after["90d"] < before["90d"] < 100, "and so does what was before")
    screen.show(tables.moments_table(shop.moments), picture=True)
    screen.show(tables.tasks_table(tasks, shop.tasks))
    screen.show(
        tables.messages_table(shop.heard), tables.figures_table(before, after), picture=True
    )
    screen.show(mail_panel(shop.heard[1]["mail"], MAIL_TO))


def _go_slow(shop: Shop) -> Json:
    """Probe it while it is well, and until it is slow; return its figures."""
    world = shop.world
    with world.screen.step("the uptime schedule fires; a minute later the next run, and the next"):
        expect(shop.looks(3) == ["up"] * 3, "the shop is up")
    figures: Json = shop.moments[-1][1]["detail"]["uptime"]
    world.farm.set("shop", delay_ms=SLOW_MS * 2)
    with world.screen.step(f"the shop answers in {SLOW_MS * 2} ms; three more runs"):
        seen = shop.looks(3)
    expect(seen == ["up", "up", "slow"], "three slow ones of five make it slow")
    world.screen.show(tables.phases_line(shop.moments[-1][1]))
    return figures


def _go_down(shop: Shop) -> list[str]:
    """Let it fail until a task was stopped; return the tasks that there were."""
    world, tasks = shop.world, shop.tasks
    world.farm.set("shop", status=503)
    with world.screen.step("the shop answers 503; a run tries it again after 2 s and after 10 s"):
        expect(shop.look()["reason"] == "down", "the shop is down")
    asked = datetime.now(UTC)
    with world.screen.step("the next run asks for a repair; service_repair stops one of two tasks"):
        item = shop.look()
        answer = world.stack.wait_for_answer(world.repairs, asked)
    expect((item["action"], item["result"]) == ("fix", "done"), "a repair is asked for")
    expect(answer["counts"] == {"stop_task": {"done": 1}}, "one task is stopped")
    expect(len(set(tasks) & set(shop.tasks)) == 1, "the other one runs on")
    world.farm.set("shop")
    return tasks


def _recover(shop: Shop) -> Json:
    """Probe it until it is up again; return its figures."""
    with shop.world.screen.step("the task that hung is gone and the shop answers; three more runs"):
        seen = shop.looks(3)
    expect(seen[-1] == "up", "the shop is up again")
    expect(incidents(shop.world.stack, "default", "uptime") == [], "no incident is open any more")
    figures: Json = shop.moments[-1][1]["detail"]["uptime"]
    return figures


def _expect_one_incident(shop: Shop) -> None:
    states = [each["mail"].subject.split(":")[0] for each in shop.heard]
    expect(states == ["ALARM", "ALARM", "OK"], "told when it is down, when repaired, when over")
    keys = {_incident(each) for each in shop.heard}
    expect(len(keys) == 1, "chat names the same incident every time")
    named = all(key in each["mail"].message for key in keys for each in shop.heard)
    expect(named, "and so does the e-mail")
    expect(all("shop" in each["phone"].message for each in shop.heard), "the SMS names the shop")


def _incident(news: tables.News) -> str:
    return str(news["chat"].document["metadata"]["additionalContext"]["incident"])


def lured(world: World) -> None:
    """Ask for what must not be probed."""
    screen, farm = world.screen, world.farm
    screen.heading(
        "A list of targets that leads inwards",
        "Lambda's own API, credentials, private networks: blocked, whatever the spelling.",
    )
    farm.reset()
    farm.set("lure", redirect="http://169.254.169.254/latest/meta-data/iam/")
    targets = [{"name": name, "url": url} for name, url in LURES.items()]
    with screen.step("invoke the uptime function with such targets"):
        answer = world.stack.invoke(world.uptime, {"policy": "lures", "targets": targets})
    items = sorted(answer["outcomes"], key=lambda item: [*LURES].index(item["target"]))
    expect({e["detail"]["fault"] for e in items} == {"blocked"}, "each is blocked")
    expect(farm.count() == farm.count("lure") == 1, "one request went out, to the public address")
    requests = {name: int(name == "redirect") for name in LURES}
    screen.show(tables.lures_table(items, requests))


SCENES = (restarted, lured)
