"""The demo's last scene: a silence, a reminder, and what wakes people in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.cloud import demo_retention_tables as tables
from tests.cloud.demo_memory import incidents, let_pass
from tests.cloud.demo_screen import expect
from tests.cloud.demo_world import World
from tests.cloud.deployment import Json
from tests.cloud.subscribers import Heard

POLICY = "hourly"
MATCH = f"*/snapshot/{POLICY}/*"

type Row = tuple[str, list[Heard], list[Heard]]


def silence_and_reminder(world: World) -> None:
    """Tell nobody, then everybody, then again, then louder, then that it is over."""
    screen, ec2 = world.screen, world.cloud.ec2
    screen.heading(
        "A silence, a reminder, and an escalation",
        "Snapshots of api-1 fail for days: see who hears what, and when.",
    )
    api = next(each for each in world.account.instances if each.name.startswith("api"))
    rows: list[Row] = []
    world.channels.news()
    with screen.step(f'silence "{MATCH}" for 8 hours; then the run fails on api-1'):
        _silence(world, hours=8)
        ec2.add_fault("denied", operation="CreateSnapshots", match=api.id, times=None)
        slot = _take(world)["slot"]
        _look_after(world)
    rows.append(_row(world, "silenced, it fails", quietly=0, loudly=0))
    expect(len(incidents(world.stack, POLICY)) == 2, "both incidents are open all the same")
    with screen.step("the silence is ended; the alerts schedule fires"):
        _silence(world, hours=-1)
        _look_after(world)
    rows.append(_row(world, "the silence ends", quietly=1, loudly=0))
    for moment, hours, loudly in (("a day later", 25, 0), ("three days later", 48, 1)):
        with screen.step(f"{hours} hours pass; the alerts schedule fires, twice"):
            let_pass(world.stack, POLICY, hours=hours)
            _look_after(world)
            _look_after(world)
        rows.append(_row(world, moment, quietly=1, loudly=loudly))
    with screen.step("the permission is given back; the slot runs again and completes"):
        ec2.clear_faults()
        _take(world, slot)
        ec2.complete_pending()
        world.stack.invoke(world.function, {"policy": POLICY, "mode": "report"})
    rows.append(_row(world, "it works again", quietly=1, loudly=1))
    expect(incidents(world.stack, POLICY) == [], "no incident of the policy is open")
    _expect_words(rows)
    screen.show(tables.told_table(rows))


def _expect_words(rows: list[Row]) -> None:
    said = [each.subject for _, quietly, _ in rows for each in quietly]
    begins = ("ALARM: [WARN]", "ALARM: [WARN]", "ALARM: [WARN]", "OK: [WARN]")
    expect([each.startswith(b) for each, b in zip(said, begins, strict=True)] == [True] * 4, "so")
    expect("open for 1d" in said[1], "the reminder says for how long")
    expect("escalated" in said[2], "the escalation says that it is one")


def _silence(world: World, hours: float) -> None:
    until = (datetime.now(UTC) + timedelta(hours=hours)).isoformat(timespec="seconds")
    asked = {"silence": {"match": MATCH, "until": until, "reason": "api-1 is being moved"}}
    answer = world.stack.invoke(world.alerts, asked)
    expect(answer["counts"] == {"silence": {"done": 1}}, "the silence is written")


def _take(world: World, slot: str = "") -> Json:
    event = {"policy": POLICY, **({"scheduled_time": slot} if slot else {})}
    answer: Json = world.stack.invoke(world.function, event)
    return answer


def _look_after(world: World) -> None:
    answer = world.stack.run_schedule(world.alerts, mode="act", at=datetime.now(UTC))
    expect(answer["status"] == "ok", "the alerts run ends with status ok")


def _row(world: World, moment: str, *, quietly: int, loudly: int) -> Row:
    news = world.channels.news()
    numbers = {name: len(got) for name, got in news.items()}
    wanted = {"mail": quietly, "chat": quietly, "phone": loudly, "pager": loudly}
    expect(numbers == wanted, f"{moment}, {quietly} by e-mail and chat, {loudly} by SMS and pager")
    same = [each.subject for each in news["mail"]] == [each.subject for each in news["chat"]]
    expect(same, "chat and e-mail say the same")
    return moment, news["mail"], news["phone"]


SCENES = (silence_and_reminder,)
