"""The demo's scenes, in their order; each checks all that it shows."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

from rich.text import Text

from tests.cloud import (
    demo_fleet,
    demo_health,
    demo_restore,
    demo_retention,
    demo_tagging,
    demo_telling,
    demo_uptime,
)
from tests.cloud import demo_tables as tables
from tests.cloud.demo_screen import expect
from tests.cloud.demo_world import FUNCTION, MAIL_TO, World, event_file

WRONG_EVENT = {
    "policy": "Daily!",
    "select": {"everthing": True},
    "scheduled_time": "2026-11-21 03:00",
}


def account(world: World) -> None:
    """Show what is there before anything happens."""
    world.screen.heading(
        "The account", "Who is backed up is said by tags; see how many volumes of each kind are."
    )
    world.before, world.others = world.count(), world.strangers()
    expect(world.before["instances"] == 30, "30 instances are there")
    expect(world.before["volumes"] == 70, "70 volumes are there")
    expect(len(world.others) == len(world.account.foreign_snapshots), "others have snapshots too")
    world.screen.show(tables.account_table(world.account))


def ask_first(world: World) -> None:
    """Ask what a run would do."""
    screen = world.screen
    screen.heading("Ask first", "Mode report tells what a run would do: planned, and nothing made.")
    with screen.step(
        "sam remote invoke SnapshotFunction --event-file events/snapshot/dry-run.json"
    ):
        answer = world.stack.remote_invoke(FUNCTION, event_file("dry-run"))
    items = world.stack.report(answer)[1:]
    planned = {each["target"] for each in items if each["result"] == "planned"}
    expect(answer["status"] == "ok", "a dry run ends with status ok")
    expect(planned == world.account.selected("daily"), "every selected volume is planned")
    expect(world.snapshots() == [], "a dry run takes no snapshot")
    screen.show(tables.decisions_table(items, world.account, "Planned, volume by volume"))


def first_night(world: World) -> None:
    """Let the schedule take the first snapshots."""
    screen, ec2 = world.screen, world.cloud.ec2
    screen.heading(
        "The nightly schedule fires",
        "One call takes the volumes of one instance, at one moment; each left out has its reason.",
        picture=True,
    )
    ec2.clear_calls()
    with screen.step("EventBridge Scheduler invokes the function; wait for the run to end"):
        at = world.nights[0]
        world.night = world.stack.run_schedule(world.function, mode="act", at=at)
    slot = world.night["slot"]
    heading, *items = world.stack.report(world.night)
    taken = world.snapshots(slot=slot)
    selected = world.account.selected("daily")
    expect(heading["status"] == "ok", "the run ends with status ok")
    expect(len(items) == 70, "the report has an item for every volume")
    expect(
        Counter(each["VolumeId"] for each in taken) == Counter(selected),
        "each selected volume has exactly one snapshot of the slot",
    )
    starts: defaultdict[str, set[str]] = defaultdict(set)
    for each in taken:
        starts[each["Tags"].get(tables.INSTANCE, "")].add(each["StartTime"])
    together = all(len(times) == 1 for instance, times in starts.items() if instance)
    expect(together, "all snapshots of one instance have the same start time")
    decided = f"Decided and done, slot {slot}"
    web = next(each for each in world.account.instances if each.name == "web-01")
    one = next(each for each in taken if each["VolumeId"] == web.volume_ids[0])
    screen.show(
        tables.decisions_table(items, world.account, decided),
        tables.calls_table(ec2.calls(), taken, world.account),
        picture=True,
    )
    screen.show(tables.tags_table(one))


def ebs_fails_a_set(world: World) -> None:
    """Let EBS fail what it had accepted, and tell."""
    screen, ec2 = world.screen, world.cloud.ec2
    screen.heading(
        "EBS fails a snapshot that it had accepted",
        "The set of web-03 ended in error; EBS's own event starts the retake, again as a set.",
    )
    names = tables.names_of_volumes(world.account)
    ec2.complete_pending()
    failed = [each for each in world.snapshots() if each["State"] == "error"]
    members = world.account.members_of_failing_set()
    expect({each["VolumeId"] for each in failed} == members, "the set of web-03 is in error")
    with screen.step(
        "EventBridge brings the event; the function waits 15 s, as EBS asks, and retakes"
    ):
        world.cloud.deliver_notices()
        slot = world.night["slot"]
        world.stack.wait_for_answer(world.function, slot=slot, progress=len(members))
    ec2.complete_pending()
    left = [each for each in world.snapshots(slot=slot) if each["VolumeId"] in members]
    expect([each["State"] for each in left] == ["completed"] * len(members), "the set is complete")
    expect({e["Tags"]["caretaker:attempt"] for e in left} == {"2"}, "it is the second attempt")
    screen.show(tables.snapshots_table((names[each["VolumeId"]], each) for each in failed + left))


def twice(world: World) -> None:
    """Run a slot again."""
    screen = world.screen
    screen.heading("The same slot again", "Nothing is done twice: what the slot has is kept.")
    before = world.cloud.ec2.snapshots()
    event = {"policy": "daily", "scheduled_time": world.night["slot"]}
    with screen.step("invoke the function with the slot of that night"):
        answer = world.stack.invoke(world.function, event)
    expect(answer["progress"] == 0, "a second run of a slot changes nothing")
    expect(world.cloud.ec2.snapshots() == before, "the account's snapshots are the same as before")
    title = f"Slot {answer['slot']}, second run"
    screen.show(tables.decisions_table(answer["outcomes"], world.account, title))


def wrong_event(world: World) -> None:
    """Send nonsense."""
    screen = world.screen
    screen.heading("A wrong event", "It changes nothing, every wrong field is named, people hear.")
    with screen.step("invoke the function with three wrong fields"):
        answer = world.stack.invoke(world.function, WRONG_EVENT)
    named = {error["path"] for error in answer["errors"]}
    expect(answer["status"] == "refused", "a wrong event is refused")
    expect(named == {"policy", "select.everthing", "scheduled_time"}, "every wrong field is named")
    http, _ = world.heard("ALARM", "event_refused")
    sent = Text(f"sent: {json.dumps(WRONG_EVENT)}", "bright_black")
    screen.show(sent, tables.errors_table(answer), tables.subject_line(http.subject))


def second_night(world: World) -> None:
    """Refuse the snapshots of one instance."""
    screen, ec2 = world.screen, world.cloud.ec2
    screen.heading(
        "The next night, AWS refuses one instance",
        "vault-1 fails, all others are taken, and people get one message, not one per volume.",
    )
    ec2.age(hours=24)
    vault = next(each for each in world.account.instances if each.name.startswith("vault"))
    ec2.add_fault("denied", operation="CreateSnapshots", match=vault.id, times=None)
    with screen.step("24 hours pass; a new organization policy denies vault-1; the schedule fires"):
        answer = world.stack.run_schedule(world.function, mode="act", at=world.nights[1])
    items = world.stack.report(answer)[1:]
    failed = {each["target"] for each in items if each["result"] == "failed"}
    expect(answer["status"] == "partial", "the run ends with status partial")
    expect(failed == set(vault.volume_ids), "only the volumes of vault-1 fail")
    done = len(world.account.selected("daily")) - len(failed)
    expect(answer["counts"]["create"]["done"] == done, "all other volumes are taken")
    alarm, _ = world.heard("ALARM", "backup_failed")
    recovered, _ = world.heard("OK", "event_refused")
    title = f"Decided and done, slot {answer['slot']}"
    screen.show(
        tables.decisions_table(items, world.account, title),
        Text("\n").join(tables.subject_line(each.subject) for each in (alarm, recovered)),
    )
    ec2.complete_pending()


def backups_grow_old(world: World) -> None:
    """Let the backups of that instance grow older than allowed."""
    screen = world.screen
    screen.heading(
        "Seven hours later the backups of vault-1 are too old",
        "The hourly measurement finds them older than 30 h: this is the e-mail that ops gets.",
        picture=True,
    )
    world.cloud.ec2.age(hours=(world.now - world.nights[1]).total_seconds() / 3600)
    with screen.step("the freshness schedule fires"):
        world.stack.run_schedule(world.function, mode="report")
    http, mail = world.heard("ALARM", "backup_stale")
    vault = next(each for each in world.account.instances if each.name.startswith("vault"))
    stale = {each["resource"] for each in http.document["incidents"]}
    age = world.stack.metrics(world.function)[-1]["NewestBackupAgeHours"]
    expect(stale == set(vault.volume_ids), "only the backups of vault-1 are stale")
    expect(http.document["severity"] == "critical", "stale backups are critical")
    expect(all(each in mail.message for each in stale), "the e-mail names both volumes")
    expect(age[0] > 30, "the metric NewestBackupAgeHours says so too")
    screen.show(tables.mail_panel(mail, MAIL_TO), picture=True)
    screen.show(tables.document_panel(http))


def recovery(world: World) -> None:
    """Give the permission back."""
    screen, ec2 = world.screen, world.cloud.ec2
    screen.heading(
        "The policy is corrected",
        "One run by hand takes all that is due, and one OK message ends the incidents.",
    )
    ec2.clear_faults()
    with screen.step("sam remote invoke SnapshotFunction --event-file events/snapshot/empty.json"):
        answer = world.stack.remote_invoke(FUNCTION, event_file("empty"))
    expect(answer["status"] == "ok", "the run ends with status ok")
    ec2.complete_pending()
    with screen.step("the snapshots complete; the freshness schedule fires"):
        world.stack.run_schedule(world.function, mode="report")
    http, _ = world.heard("OK", "backup_stale")
    ended = Counter(each["kind"] for each in http.document["incidents"])
    expect(ended == {"backup_failed": 2, "backup_stale": 2}, "one OK ends all four incidents")
    expect(http.document["incidents_open"] == 0, "no incident is open any more")
    screen.show(tables.subject_line(http.subject))


def what_is_left(world: World) -> None:
    """Compare the account with the beginning."""
    world.screen.heading(
        "What is left in the account", "Three nights of snapshots, and nobody else's touched."
    )
    after = world.count()
    selected = len(world.account.selected("daily"))
    made = 3 * selected - 2
    expect(after["snapshots made by Caretaker"] == made, f"{made} snapshots were made and kept")
    expect(after["  of them in error"] == 0, "none of them is in error")
    expect(world.strangers().keys() == world.others.keys(), "the snapshots of others are all there")
    same = all(each["Tags"] == world.others[i]["Tags"] for i, each in world.strangers().items())
    expect(same, "their tags are as they were")
    told = Counter(each.document["state"] for each in world.http.received)
    expect(told == {"ALARM": 3, "OK": 2}, "people got three ALARM and two OK messages in all")
    world.screen.show(
        tables.before_after_table(world.before, after),
        Text("Messages in all that time: 3 ALARM, 2 OK."),
    )


SCENES = (
    account,
    ask_first,
    first_night,
    ebs_fails_a_set,
    twice,
    wrong_event,
    second_night,
    backups_grow_old,
    recovery,
    what_is_left,
    *demo_retention.SCENES,
    *demo_tagging.SCENES,
    *demo_health.SCENES,
    *demo_uptime.SCENES,
    *demo_restore.SCENES,
    *demo_fleet.SCENES,
    *demo_telling.SCENES,
)
