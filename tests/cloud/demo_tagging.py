"""The demo's scenes of tagging, in their order; each checks all that it shows."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from rich.text import Text

from tests.cloud import demo_tagging_tables as tables
from tests.cloud.demo_births import birth_of
from tests.cloud.demo_memory import STOP_AFTER, let_stop_come
from tests.cloud.demo_screen import expect
from tests.cloud.demo_tables import subject_line
from tests.cloud.demo_tagging_fleet import GROUP, OF_SUBNET, RULES, WRONG, Fleet, seed_fleet
from tests.cloud.demo_world import World
from tests.cloud.deployment import Json

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

POLICY = "default"
MANY = ("web", "build-01", "build-02")


def first_look(world: World) -> None:
    """Ask, then let the schedule set what it can."""
    screen = world.screen
    screen.heading(
        "Required tags: the tagging schedule fires for the first time",
        "What can be derived is set, each with its source; what cannot is left, and told.",
        picture=True,
    )
    with screen.step(
        "tag the fleet as people do: some forget, some misspell; add three of a group"
    ):
        fleet = world.fleet = seed_fleet(world.cloud.ec2, world.account)
    before = _scores(fleet)
    with screen.step("ask first: the rules in mode report"):
        asked = world.stack.invoke(world.tagging, {"rules": RULES, "mode": "report"})
    expect(_scores(fleet) == before, "mode report sets nothing")
    _expect_scores(asked, before)
    world.channels.news()
    with screen.step("EventBridge Scheduler invokes the tagging function"):
        answer = world.stack.run_schedule(world.tagging, mode="act", at=_day(world, 1))
    items = world.stack.report(answer)[1:]
    done = [each for each in items if each["action"] == "set"]
    after = _scores(fleet)
    _expect_set(fleet, done)
    _expect_scores(answer, after)
    expect(answer["status"] == "ok", "the run ends with status ok")
    screen.show(tables.compliance_table(before, after), picture=True)
    screen.show(tables.set_table(done))
    _show_left(world, fleet, [e for e in items if e["action"] in {"report", "tell"}])


def _show_left(world: World, fleet: Fleet, left: list[Json]) -> None:
    at_group = [each for each in left if each["target"] == f"auto-scaling-group/{GROUP}"]
    expect([each["detail"]["resources"] for each in at_group] == [3], "a group is told once")
    wrong = {each["target"] for each in left} & fleet.instance_of.keys()
    expect(not wrong & set(fleet.ids(GROUP)), "its instances are not told of besides")
    letter = world.letters.wait_for_one(lambda each: fleet.wrong in each.message)
    told = {each["target"] for each in left if each["action"] == "tell"}
    expect(told == {fleet.wrong}, "only what may be stopped for it is told to its owner")
    _, mail = world.heard("ALARM", "tags_violated")
    listed = next(line.strip() for line in mail.message.splitlines() if ".csv.gz" in line)
    world.screen.show(
        tables.left_table(left, fleet.names),
        Text("\n").join(subject_line(each.subject) for each in (letter, mail)),
        Text(listed, "bright_black"),
    )


def escalation(world: World) -> None:
    """Tell, mark, stop; then start again."""
    screen, fleet = world.screen, _fleet(world)
    screen.heading(
        f"Nobody corrects {WRONG}",
        "Told, marked, a week to object, judged again, stopped; and started when it is right.",
        picture=True,
    )
    moments = [_moment("day 1", ["tell"], fleet)]
    with screen.step("a day passes; the tagging schedule fires"):
        moments.append(_moment("day 2", _run(world, 2, {"mark"}), fleet))
    until = datetime.fromisoformat(moments[-1][3])
    expect(timedelta(days=6.9) < until - datetime.now(UTC) < timedelta(days=7.1), "a week ahead")
    with screen.step("a week passes; the tagging schedule fires"):
        let_stop_come(world.stack, POLICY, fleet.wrong)
        moments.append(_moment("day 9", _run(world, 3, {"stop"}), fleet))
    expect(moments[-1][2] == "stopped", "it is stopped, not terminated")
    world.channels.news()
    with screen.step("dora sets CostCenter=4714; the tagging schedule fires"):
        fleet.ec2.seed("tag", fleet.wrong, {"CostCenter": "4714"})
        moments.append(_moment("day 10", _run(world, 4, {"start"}), fleet))
    expect(moments[-1][2:] == ("running", ""), "it runs again, and the mark is gone")
    screen.show(tables.steps_table(moments, WRONG), picture=True)


def birth(world: World) -> None:
    """Tag what somebody makes, at once."""
    screen, fleet = world.screen, _fleet(world)
    screen.heading(
        "Ann launches an instance without tags",
        "CloudTrail tells EventBridge, whose rule starts the function: seconds later it has them.",
        picture=True,
    )
    made = fleet.ec2.instance({}, {}, name="new-1", age_hours=0)
    started, clock = datetime.now(UTC), time.monotonic()
    with screen.step("EventBridge brings the event of RunInstances"):
        world.cloud.deliver_call(birth_of(made.id))
        answer = world.stack.wait_for_answer(world.tagging, started)
        took = time.monotonic() - clock
    items = [each for each in world.stack.report(answer)[1:] if each["action"] == "set"]
    born = (made.id, *made.volume_ids)
    tags = {each: fleet.ec2.seed("tags_of", each) for each in born}
    wanted = {"Owner": "ann", "CostCenter": OF_SUBNET}
    expect(sorted(each["target"] for each in items) == sorted(born), "its volumes are tagged too")
    expect(all(wanted.items() <= each.items() for each in tags.values()), "each has its tags")
    expect(not any("Environment" in each for each in tags.values()), "no default before its grace")
    screen.show(
        tables.born_table(items, tags),
        Text(f"Tagged {took:.1f} s after the event; on AWS it comes a while after the call."),
        picture=True,
    )


def mass_escalation(world: World) -> None:
    """Refuse to go against many."""
    screen, fleet = world.screen, _fleet(world)
    screen.heading(
        "A script overwrites the cost center of twelve instances",
        "To mark them all at once is refused: somebody has to look, and to approve.",
    )
    many = fleet.ids(*MANY)
    with screen.step("the tags are overwritten; the tagging schedule fires on two days"):
        for each in many:
            fleet.ec2.seed("tag", each, {"CostCenter": "tbd"})
        _run(world, 5, {"tell"}, many)
        answer = world.stack.run_schedule(world.tagging, mode="act", at=_day(world, 6))
    expect((answer["status"], answer["reason"]) == ("refused", "blast_radius"), "it is refused")
    marked = [each for each, tags in fleet.tags().items() if STOP_AFTER in tags]
    expect(marked == [], "none of them is marked")
    _, mail = world.heard("ALARM", "tagging_refused")
    expect(answer["plan_id"] in mail.message, "the e-mail names the plan")
    way_out = next(t for t in mail.message.splitlines() if answer["plan_id"] in t and "Next" in t)
    screen.show(subject_line(mail.subject), Text(" ".join(way_out.split()), "bright_black"))


def _day(world: World, day: int) -> datetime:
    """Return when the run of a day is due; slots only have to follow each other."""
    return world.now.replace(second=0, microsecond=0) - timedelta(days=20 - day)


def _run(world: World, day: int, wanted: Collection[str], of: Collection[str] = ()) -> list[str]:
    """Let the schedule fire; return what was done with the wrong instance, or with these."""
    fleet = _fleet(world)
    answer = world.stack.run_schedule(world.tagging, mode="act", at=_day(world, day))
    expect(answer["status"] == "ok", "the run ends with status ok")
    ids = set(of or {fleet.wrong})
    items = [e for e in world.stack.report(answer)[1:] if e["target"] in ids]
    expect({each["target"] for each in items} == ids, "each has its item")
    actions = sorted({each["action"] for each in items})
    expect(set(actions) <= set(wanted), f"{', '.join(wanted)}, and nothing else")
    return actions


def _moment(when: str, actions: list[str], fleet: Fleet) -> tables.Moment:
    found = fleet.ec2.state()["instances"]
    state = next(each for each in found if each["InstanceId"] == fleet.wrong)["State"]["Name"]
    return when, actions, str(state), fleet.tags()[fleet.wrong].get(STOP_AFTER, "")


def _fleet(world: World) -> Fleet:
    expect(world.fleet is not None, "the fleet is tagged")
    return world.fleet or Fleet(world.cloud.ec2, {}, {})


def _scores(fleet: Fleet) -> dict[str, tables.Scores]:
    by_key, by_owner = fleet.scores()
    return {"key": by_key, "owner": by_owner}


def _expect_scores(answer: Json, scores: Mapping[str, tables.Scores]) -> None:
    for name, counted in scores.items():
        told = {k: (v["right"], v["of"]) for k, v in answer["summary"][f"by_{name}"].items()}
        expect(told == counted, f"the run counts by {name} what is counted by hand")


def _expect_set(fleet: Fleet, done: list[Json]) -> None:
    tags = fleet.tags()
    expect({each["result"] for each in done} == {"done"}, "all that is set succeeds")
    has = all(each["detail"]["set"].items() <= tags[each["target"]].items() for each in done)
    expect(has, "the account has every tag that the report says was set")


SCENES = (first_look, escalation, birth, mass_escalation)
