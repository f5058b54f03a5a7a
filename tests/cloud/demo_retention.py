"""The demo's scenes of retention, in their order; each checks all that it shows."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.text import Text

from tests.cloud import demo_retention_tables as tables
from tests.cloud.demo_history import MARK, History, Past, let_marks_age, nights_kept
from tests.cloud.demo_screen import expect
from tests.cloud.demo_tables import subject_line
from tests.cloud.demo_world import World
from tests.cloud.deployment import Json

if TYPE_CHECKING:
    from collections.abc import Mapping

NIGHTS = 90
POLICY = "daily"
GIB = 6.0
GUARDS = {
    "image": "used_by_image",
    "launch_template": "used_by_launch_template",
    "shared": "shared",
    "locked": "locked",
    "kept": "keep_tag",
}
RULES = {"daily": 14, "weekly": 8, "monthly": 12, "within_days": 3}


def three_months(world: World) -> None:
    """Let the schedule judge three months of one volume."""
    screen = world.screen
    screen.heading(
        "Three months of snapshots, and the retention schedule fires for the first time",
        "Each has its reason. More than a quarter would go at once: the run refuses all of it.",
        picture=True,
    )
    with screen.step("put 90 nights of a volume of db-1 there; AMI, lock and share need some"):
        history = world.history = _seeded(world)
    world.channels.news()
    with screen.step("EventBridge Scheduler invokes the retention function"):
        at = world.nights[1] + timedelta(hours=2)
        answer = world.refused = world.stack.run_schedule(world.retention, mode="act", at=at)
    items = {each["target"]: each for each in world.stack.report(answer)[1:]}
    planned = {i for i, each in items.items() if each["action"] == "mark"}
    expect((answer["status"], answer["reason"]) == ("refused", "blast_radius"), "it is refused")
    shared = history.guarded["shared"]
    expect(planned == _going(history, world) | {shared}, "only what no rule keeps would go")
    listed = {guard: i for guard, i in history.guarded.items() if i != shared}
    expect(_reasons(listed, items).items() < GUARDS.items(), "what something needs is kept")
    by_hand = items[history.foreign["tagged_by_hand"]]
    expect(by_hand["reason"] == "not_made_here", "what was tagged by hand is not Caretaker's")
    expect(history.foreign["of_another_account"] not in items, "others' are not even listed")
    expect(_marked(world) == set(), "a refused run marks nothing")
    title = f"Judged, slot {answer['slot']}: status {answer['status']}, {answer['reason']}"
    screen.show(tables.judged_table(items.values(), title), picture=True)


def four_channels(world: World) -> None:
    """Show the same alert as every channel brings it."""
    plan = world.refused["plan_id"]
    world.screen.heading(
        "What people heard of it on the four channels",
        "A refused deletion is critical: it wakes people, and names the plan to look at.",
        picture=True,
    )
    news = world.channels.news()
    expect({name: len(got) for name, got in news.items()} == dict.fromkeys(news, 1), "one each")
    mail, chat, phone, pager = (got[0] for got in news.values())
    expect(plan in mail.message, "the e-mail names the plan")
    expect(len(phone.message) <= 160, "the SMS is one SMS")
    expect(chat.document["source"] == "custom", "chat gets a custom notification")
    expect(pager.document["NewStateValue"] == "ALARM", "the pager gets an alarm")
    way_out = next(line for line in mail.message.splitlines() if plan in line and "Next" in line)
    world.screen.show(
        tables.channels_table(mail, chat, phone, pager),
        Text(" ".join(way_out.split()), "bright_black"),
        picture=True,
    )


def approval(world: World) -> None:
    """Let exactly this plan through."""
    screen, plan = world.screen, world.refused["plan_id"]
    screen.heading(
        "Somebody looks at the report and approves this very plan",
        "It marks, and deletes nothing: two days remain to object. The alert ends.",
    )
    history = _history(world)
    scheduled = world.stack.schedule(mode="act", function=world.retention)
    event = json.loads(scheduled["Target"]["Input"])
    del event["scheduled_time"]
    with screen.step(f'invoke the function with the schedule\'s input and "approve": "{plan}"'):
        answer = world.stack.invoke(world.retention, {**event, "approve": plan, "pace": 1.0})
    items = {each["target"]: each for each in world.stack.report(answer)[1:]}
    going = _going(history, world)
    expect(_reasons(history.guarded, items) == GUARDS, "a last look finds the shared one too")
    expect(answer["counts"]["mark"] == {"done": len(going)}, "all of the plan is marked")
    expect(_marked(world) == going, "nothing else is marked")
    expect(history.all <= _present(world), "nothing is deleted")
    ended = [[each.subject[:3] for each in got] for got in world.channels.news().values()]
    expect(ended == [["OK:"]] * 4, "every channel hears of the end, once")
    http, _ = world.heard("OK", "retention_refused")
    until = next(t for t in (each["Tags"] for each in world.snapshots()) if MARK in t)[MARK]
    screen.show(Text(f"{len(going)} snapshots carry {MARK}={until}"), subject_line(http.subject))


def two_days_later(world: World) -> None:
    """Delete what is still marked."""
    screen, history = world.screen, _history(world)
    screen.heading(
        "Two days later",
        "Judged again and looked at once more, what was marked goes, and nothing else.",
        picture=True,
    )
    going, before = _going(history, world), _present(world)
    with screen.step("49 hours pass since the marks; the retention schedule fires"):
        let_marks_age(world.cloud.ec2, hours=49)
        answer = world.stack.run_schedule(world.retention, mode="act")
    expect(answer["status"] == "ok", "the run ends with status ok")
    expect(answer["counts"]["delete"] == {"done": len(going)}, "all that was marked is deleted")
    expect(before - _present(world) == going, "and nothing else is gone")
    expect(going <= set(world.cloud.ec2.seed("binned")), "they lie in the Recycle Bin")
    summary = world.stack.report(answer)[0]["summary"]
    expect(summary["recycle_bin_days"] == 14, "the report says for how long")
    gib = round(GIB * len(going), 2)
    expect(summary["gib_at_most"] == gib, "and what was freed at most")
    screen.show(
        tables.left_table(history, _present(world), len(going)),
        Text(
            f"{len(going)} snapshots deleted, at most {gib:g} GiB and "
            f"{summary['saving_per_month_at_most']:.2f} USD a month; "
            f"{summary['recycle_bin_days']} days in the Recycle Bin."
        ),
        picture=True,
    )
    expect(not any(world.channels.news().values()), "nobody is disturbed")


def _seeded(world: World) -> History:
    volume = next(each for each in world.account.instances if each.name == "db-1").volume_ids[0]
    past = Past(world.cloud.ec2, "caretaker", world.nights[0] - timedelta(days=1))
    nights = past.nights(POLICY, (volume,), NIGHTS, gib=GIB)
    midweek = [n for n in nights if n > 20 and past.night(n).isoweekday() in {2, 3}]
    not_last = [n for n in midweek if past.night(n).day <= 20]
    guarded = {guard: nights[n][0] for guard, n in zip(GUARDS, not_last, strict=False)}
    past.guard(**guarded)
    return History(POLICY, nights, guarded, past.foreign(POLICY, volume, NIGHTS - 10))


def _history(world: World) -> History:
    expect(world.history is not None, "the three months are there")
    return world.history or History("", {}, {}, {})


def _going(history: History, world: World) -> set[str]:
    """Work out by hand what is to go."""
    volume = next(each for each in world.account.instances if each.name == "db-1").volume_ids[0]
    slots = {
        each["SnapshotId"]: _time(each["Tags"]["caretaker:slot"])
        for each in world.snapshots(policy=POLICY)
        if each["VolumeId"] == volume and each["SnapshotId"] not in history.foreign.values()
    }
    kept = nights_kept(slots.values(), **RULES)
    return {i for i, slot in slots.items() if slot not in kept} - set(history.guarded.values())


def _time(slot: str) -> datetime:
    return datetime.strptime(slot, "%Y-%m-%dT%H:%MZ").replace(tzinfo=UTC)


def _reasons(guarded: Mapping[str, str], items: Mapping[str, Json]) -> dict[str, str]:
    return {guard: items[i]["reason"] for guard, i in guarded.items()}


def _marked(world: World) -> set[str]:
    return {each["SnapshotId"] for each in world.snapshots() if MARK in each["Tags"]}


def _present(world: World) -> set[str]:
    return {each["SnapshotId"] for each in world.cloud.ec2.snapshots()}


SCENES = (three_months, four_channels, approval, two_days_later)
