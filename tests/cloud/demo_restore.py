"""The demo's scenes of drill and restore, in their order; each checks all that it shows."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from tests.cloud import demo_restore_tables as tables
from tests.cloud.demo_memory import incidents
from tests.cloud.demo_orders import APPLICATION, POLICY, TIERS, Orders, holds, seed_orders
from tests.cloud.demo_screen import expect
from tests.cloud.demo_tables import errors_table, subject_line
from tests.cloud.demo_world import World

if TYPE_CHECKING:
    from datetime import datetime

    from tests.cloud.demo_orders import Place
    from tests.cloud.deployment import Json

FUNCTION = "RestoreFunction"
PROVEN_AT = "caretaker:proven-at"
QUICK = {f"{each}_seconds": 0.5 for each in ("creating", "attaching", "detaching", "deleting")}
OLD, GOOD, WANTED, BAD = 3, 2, 1.5, 1
"""Hours ago: three slots, and the moment to which the operator wants to go back."""
_SECONDS = 120.0


def prove(world: World) -> None:
    """Drill backups that are good, two and then the others."""
    screen = world.screen
    screen.heading(
        "Backups are proven, not believed",
        "Blocks are held against their checksums; what was least recently proven comes first.",
    )
    world.cloud.ec2.settings(**QUICK, initializing_seconds=1, switching_seconds=0.5)
    orders = world.orders = seed_orders(world)
    good = orders.hours_ago(GOOD)
    with screen.step("an order system is backed up at two full hours; orders go on coming in"):
        for slot in (orders.hours_ago(OLD), good):
            orders.write(slot)
            orders.back_up(slot)
    with screen.step('invoke drill with "sample": {"count": 2}, then with 4'):
        first, second = (orders.drill({"count": number}) for number in (2, 4))
    volumes = [{each["target"] for each in items} for items in (first, second)]
    expect([len(each) for each in volumes] == [2, 4], "so many are drilled")
    expect(set.union(*volumes) == set(orders.seats().values()), "all six, each of them once")
    _expect_proven(orders, first + second, good)
    title = "Two in the first run, the four that were never drilled in the second"
    screen.show(tables.drills_table(first + second, orders.places, title))


def wreck(world: World) -> None:
    """Encrypt the disks, back that up, and let a drill find it."""
    screen, orders = world.screen, _orders(world)
    screen.heading(
        "Somebody encrypts all disks, and the next backup takes them as they are",
        "The newest backups are complete, and worth nothing: the drill says so.",
        picture=True,
    )
    with screen.step("all six volumes are overwritten; the snapshot function takes the next slot"):
        orders.encrypt()
        orders.back_up(orders.hours_ago(BAD))
    expect(set(orders.texts().values()) == {"unreadable"}, "the data is gone")
    with screen.step('invoke drill with "sample": {"everything": true}'):
        items = orders.drill({"everything": True})
    codes = [each["error"]["code"] for each in items if each["result"] == "failed"]
    expect(codes == ["signature_lost"] * 6, "no file system is found any more, on any of them")
    screen.show(tables.drills_table(items, orders.places), picture=True)
    http, mail = world.heard("ALARM", "drill_failed")
    told = {each["resource"] for each in http.document["incidents"]}
    expect(told == set(orders.seats().values()), "one message tells of all six")
    screen.show(tables.mail_in_short(mail))


def bring_back(world: World) -> None:
    """Plan, approve, and follow a restore to the hour before."""
    screen, orders = world.screen, _orders(world)
    screen.heading(
        "All three come back as they were in the hour before",
        "A plan is read, and its id approves just that. The database comes first.",
        picture=True,
    )
    event = {
        "mode": "report",
        "policy": POLICY,
        "select": {"tags_all": [f"Application={APPLICATION}"]},
        "at": f"{orders.hours_ago(WANTED):%Y-%m-%dT%H:%M:%SZ}",
        "how": "swap",
        "order": {"tag": "Tier", "values": ["database", "web"]},
        "check_minutes": 1,
    }
    before = world.cloud.ec2.state()
    with screen.step("sam remote invoke RestoreFunction --event-file restore.json"):
        plan = _remote_invoke(world, event)
    _expect_plan(world, plan)
    asked = Text(f"restore.json: {json.dumps(event)}", "bright_black")
    screen.show(asked, tables.plan_table(plan, orders.names), picture=True)
    with screen.step('the same with "mode": "act", and nothing approved'):
        refused = world.stack.invoke(world.restore, {**event, "mode": "act"})
    expect(refused["reason"] == "plan_needed", "nothing begins that nobody has approved")
    expect(world.cloud.ec2.state() == before, "nothing has changed so far")
    screen.show(errors_table(refused))
    _carry_out(world, {**event, "mode": "act", "approve": plan["plan_id"]})


def _expect_plan(world: World, plan: Json) -> None:
    orders = _orders(world)
    items = {orders.names[each["target"]]: each for each in plan["outcomes"]}
    expect(plan["status"] == "ok", "the plan can be approved")
    expect(items["orders-cache"]["reason"] == "no_backup", "what has no backup says so")
    told = [plan["summary"][each] for each in ("targets", "stops", "volumes", "gib", "waves")]
    expect(told == [3, 3, 6, 84, 2], "the summary counts what is there")
    lost = [items[name]["detail"]["lost_hours"] for name in TIERS]
    expect(all(GOOD <= each < GOOD + 0.5 for each in lost), "what was written since is lost")
    waves = {name: items[name]["detail"]["wave"] for name in TIERS}
    expect(waves == {name: 1 if tier == "database" else 2 for name, tier in TIERS.items()}, "waves")
    backups = {
        each["VolumeId"]: each["SnapshotId"] for each in orders.snapshots(orders.hours_ago(GOOD))
    }
    made_of = {
        volume["volume"]: volume["snapshot"]
        for name in TIERS
        for volume in items[name]["detail"]["volumes"]
    }
    expect(made_of == backups, "each volume comes from the last slot before that moment")


def _carry_out(world: World, approved: Json) -> None:
    screen, orders = world.screen, _orders(world)
    lost, originals = orders.texts(), orders.seats()
    with screen.step(f'the same with "approve": "{approved["approve"]}": the machine starts'):
        answer = _remote_invoke(world, approved)
    execution = {each["detail"].get("execution") for each in answer["outcomes"]} - {None}
    expect(answer["counts"]["restore"] == {"done": 3} and len(execution) == 1, "one machine")
    with screen.step("the state machine brings them back; its waits are cut to a twentieth"):
        status = _ended(world, execution.pop())
    expect(status == "SUCCEEDED", "the state machine came to its end")
    stand = {"mode": "report", "step": {"do": "wave", "plan": approved["approve"]}}
    items: list[Json] = world.stack.invoke(world.restore, stand)["outcomes"]
    expect([each["detail"]["ending"] for each in items] == ["restored"] * 3, "all are restored")
    _expect_order(world)
    screen.show(tables.waves_table(items, orders.names), picture=True)
    back, seats = orders.texts(), orders.seats()
    expect(
        back == orders.written[orders.hours_ago(GOOD)],
        "each volume reads as in that hour, at its device",
    )
    _expect_originals(world, originals, seats)
    pairs = {place: (originals[place], seats[place]) for place in seats}
    screen.show(tables.contents_table(lost, back, pairs), picture=True)


def _expect_order(world: World) -> None:
    """Each is stopped and started once, and the database runs before the others are stopped."""
    told = _orders(world).power()
    expect(told[:2] == [("orders-db", "stop"), ("orders-db", "start")], "the database is first")
    expect(sorted(told) == sorted((n, w) for n in TIERS for w in ("start", "stop")), "once each")


def _expect_originals(world: World, originals: dict[Place, str], seats: dict[Place, str]) -> None:
    """No original is gone; each says what took its place."""
    state = world.cloud.ec2.state()
    shown = {each["VolumeId"]: each["State"] for each in state["volumes"]}
    for place, volume in originals.items():
        replaced_by = world.cloud.ec2.seed("tags_of", volume).get("caretaker:replaced-by")
        expect((shown[volume], replaced_by) == ("available", seats[place]), "originals are kept")


def proven_again(world: World) -> None:
    """Back up what came back, prove it, and measure how long one takes."""
    screen, orders = world.screen, _orders(world)
    screen.heading(
        "What came back is backed up, and proven again",
        "The new volumes go on in the history of the old ones; the incidents end.",
    )
    with screen.step("the next slot is taken; invoke drill for everything"):
        orders.back_up(orders.hours_ago(0))
        items = orders.drill({"everything": True})
    _expect_proven(orders, items, orders.hours_ago(0))
    http, _ = world.heard("OK", "drill_failed")
    expect(incidents(world.stack, POLICY) == [], "no incident of the policy is open any more")
    screen.show(tables.drills_table(items, orders.places), subject_line(http.subject))
    with screen.step('invoke drill with "how": "volume", "sample": {"count": 1}, "rto_minutes": 1'):
        made = orders.drill({"count": 1}, how="volume", rto_minutes=1)
    expect([each["result"] for each in made] == ["done"], "a volume was made of it")
    there = world.cloud.ec2.state()["volumes"]
    left = {each["VolumeId"] for each in there if each["State"] != "deleting"}
    expect(made[0]["detail"]["volume"] not in left, "and is deleted again")
    expect(0 < made[0]["detail"]["seconds"] <= 60, "it took less than it may")
    screen.show(tables.measured_line(made[0], orders.places))


def _orders(world: World) -> Orders:
    expect(world.orders, "the order system is there")
    assert world.orders
    return world.orders


def _expect_proven(orders: Orders, items: list[Json], slot: datetime) -> None:
    """Each is proven by all of its blocks, by what it holds, and its backup says so."""
    expect([each["result"] for each in items] == ["done"] * 6, "all six are proven")
    details = [each["detail"] for each in items]
    expect(all(each["sampled"] == each["blocks"] for each in details), "every block was read")
    found = {orders.places[each["target"]]: each["detail"]["found"] for each in items}
    expect(found.keys() == orders.seats().keys(), "each volume has its proof")
    expect(all(holds(place) in them for place, them in found.items()), "file systems are found")
    tagged = [each for each in orders.snapshots(slot) if PROVEN_AT in each["Tags"]]
    expect(len(tagged) == 6, "the backups of that slot say that they are proven")


def _remote_invoke(world: World, event: Json) -> Json:
    with tempfile.TemporaryDirectory(prefix="caretaker-demo-") as folder:
        file = Path(folder) / "restore.json"
        file.write_text(json.dumps(event), encoding="utf-8")
        answer: Json = world.stack.remote_invoke(FUNCTION, file)
    return answer


def _ended(world: World, execution: str) -> str:
    client, until = world.stack.client("stepfunctions"), time.monotonic() + _SECONDS
    status = "RUNNING"
    while status == "RUNNING" and time.monotonic() < until:
        time.sleep(0.5)
        status = client.describe_execution(executionArn=execution)["status"]
    return str(status)


SCENES = (prove, wreck, bring_back, proven_again)
