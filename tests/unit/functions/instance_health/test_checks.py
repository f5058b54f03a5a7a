from __future__ import annotations

from typing import Any

import pytest

from caretaker.decisions import Result
from caretaker.incidents import Severity
from caretaker.settings import Mode
from functions.instance_health.checks import JUDGED, findings_of
from tests.support.health import (
    ID,
    OPEN,
    ZONE,
    a_ladder,
    a_machine,
    a_sighting,
    a_status,
    ago,
    an_event,
    crowd,
)
from tests.unit.functions.instance_health.checking import (
    ERROR,
    ended,
    findings,
    unhealthy,
    verdicts,
)

ILL = (a_status(ID, "instance"), a_machine(), a_sighting(), *crowd(9))
STOPPED = (a_status(state="stopped"), a_machine(state="stopped"), *crowd(9))
STOPPING = a_ladder("stop-start", "stopping", minutes=1)
STARTING = a_ladder("stop-start", "starting", minutes=1)
REPORT = {"run": Mode.REPORT, "stack": Mode.REPORT, "result": Result.PLANNED, "taken": False}
ASKED = "caretaker/123456789012/eu-west-1/probes/default/down/shop"


def test_a_fleet_in_health_has_nothing_wrong() -> None:
    found = findings(*crowd(10))

    assert [(c.kind, c.healthy) for c in found.checks] == [("repairs_stopped", True)]
    assert found.judged == JUDGED
    assert found.gauges == {"InstancesWatched": 10, "InstancesImpaired": 0, "RepairsUnderWay": 0}
    assert found.summary == {"watched": 10, "impaired": 0, "under_repair": 0, "breaker": []}


def test_an_instance_under_repair_is_a_warning() -> None:
    check = unhealthy(*ILL)["instance_impaired"]

    assert (check.resource, check.severity) == (ID, Severity.WARNING)
    assert check.what == "instance check failed 5m, rebooted"
    assert check.done == "reboot at 03:00"
    assert check.stage == "2026-11-21T03:00 rung 1"
    assert check.next == "judged within 15 minutes; then the next step, or it is over"
    assert check.cause == "instance"
    assert check.evidence == {
        "checks": "system ok, EBS ok, instance impaired",
        "since": "2026-11-21 02:55 UTC",
        "zone": ZONE,
        "why": "impaired",
    }


def test_a_run_counts_what_is_impaired_and_under_repair() -> None:
    assert findings(*ILL).gauges == {
        "InstancesWatched": 10,
        "InstancesImpaired": 1,
        "RepairsUnderWay": 1,
    }


@pytest.mark.parametrize(
    ("machine", "reason", "said"),
    [
        (a_machine(remediate=None), "not opted in", "it has no tag caretaker:remediate"),
        (a_machine(remediate="none"), "opted out", "caretaker:remediate is none"),
        (a_machine(remediate="x"), "remediate unreadable", "a value that nobody knows"),
        (a_machine(is_managed=True), "service managed", "the service that manages it"),
        (a_machine(is_in_restore=True), "restore open", "the restore that is under way"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_instance_that_nobody_repairs_wakes_people(machine: Any, reason: str, said: str) -> None:
    check = unhealthy(a_status(ID, "system"), machine, a_sighting(), *crowd(9))["instance_impaired"]

    assert check.severity is Severity.CRITICAL
    assert check.what == f"system check failed 5m, {reason}"
    assert said in check.next
    assert check.done == "nothing"


def test_a_stack_that_reports_wakes_people_with_what_it_would_do() -> None:
    check = unhealthy(*ILL, **REPORT)["instance_impaired"]

    assert check.severity is Severity.CRITICAL
    assert check.what == "instance check failed 5m, to reboot in mode act"
    assert check.done == "nothing more: this run only reports; to act is reboot"


def test_a_look_by_hand_tells_nobody() -> None:
    found = findings(*ILL, result=Result.PLANNED, run=Mode.REPORT)

    assert (found.checks, found.judged) == ([], frozenset())


def test_what_was_seen_once_is_not_told() -> None:
    once = (a_status(ID, "instance"), a_machine(), *crowd(9))

    assert unhealthy(*once) == {}
    assert verdicts(*once)["instance_impaired"] is None


def test_what_is_well_again_is_over_and_says_how() -> None:
    ladder = a_ladder(minutes=2)
    found = findings(a_status(), a_machine(), a_sighting(), ladder)

    (check,) = [c for c in found.checks if c.kind == "instance_impaired"]
    assert (check.healthy, check.ending) == (True, "fixed by a reboot")


def test_what_got_well_by_itself_says_nothing_of_a_repair() -> None:
    for old in ((), (a_ladder(minutes=90, ended=60),)):
        found = findings(a_status(), a_machine(), a_sighting(), *old)
        (check,) = [c for c in found.checks if c.kind == "instance_impaired"]
        assert (check.healthy, check.ending) == (True, "")


@pytest.mark.parametrize("state", ["stopped", "terminated", "shutting-down"])
def test_what_people_stop_is_no_longer_impaired(state: str) -> None:
    for old in ((), (a_ladder(ended=1, ending="unknown"),), (a_ladder(),)):
        found = findings(a_status(state=state), a_machine(state=state), a_sighting(), *old)
        (check,) = [c for c in found.checks if c.kind == "instance_impaired"]
        assert (check.healthy, check.ending) == (True, f"no longer running: {state}")


def test_one_whose_repair_has_no_known_outcome_stays_open_until_it_is_well() -> None:
    status = a_status(ID, "instance", word="initializing")
    ladder = a_ladder(ended=1, ending="unknown")

    check = unhealthy(status, a_machine(), ladder)["instance_impaired"]
    assert check.what.startswith("under repair, running")
    assert unhealthy(a_status(), a_machine(), ladder) == {}


def test_one_that_is_ignored_is_not_told() -> None:
    machine = a_machine(tags={"caretaker:ignore": "true"})

    assert "instance_impaired" not in verdicts(a_status(ID, "instance"), machine, a_sighting())


def test_one_that_is_being_restarted_is_impaired_and_no_more() -> None:
    for ladder in (STOPPING, STARTING):
        found = verdicts(*STOPPED, ladder)
        assert found["instance_impaired"] is False
        assert found["instance_left_stopped"] is None


def test_one_that_cannot_be_started_is_the_worst_there_is() -> None:
    found = unhealthy(
        *STOPPED, a_ladder("stop-start", "starting", minutes=9), error=ERROR, result=Result.FAILED
    )
    check = found["instance_left_stopped"]

    assert check.severity is Severity.CRITICAL
    assert check.what == "stopped for a repair and not running again"
    assert check.evidence["error"] == "InsufficientInstanceCapacity: none left"
    assert check.evidence["starts tried"] == "2"
    assert check.evidence["state"] == "stopped"
    assert "start failed: InsufficientInstanceCapacity" in check.done
    assert "start it by hand if you can" in check.next
    assert found["instance_impaired"].within == f"instance_left_stopped/{ID}"


def test_one_that_is_stopped_when_the_stack_is_set_to_report_has_to_be_started_by_hand() -> None:
    check = unhealthy(*STOPPED, STOPPING, **REPORT)["instance_left_stopped"]

    assert check.next == "start it by hand: this chore has been set to report only"
    assert check.evidence["starts tried"] == "0"


def test_one_that_is_stuck_is_a_warning_unless_it_is_ours() -> None:
    stuck = (a_status(state="stopping"), a_machine(), a_sighting("stopping", minutes=95, polls=90))
    check = unhealthy(*stuck)["instance_stuck"]

    assert (check.severity, check.cause) == (Severity.WARNING, "stopping")
    assert check.what == "stopping for 1h 35m"
    ours = unhealthy(*stuck, a_ladder("stop-start", "stopping", minutes=11))
    assert set(ours) == {"instance_impaired", "instance_left_stopped"}


@pytest.mark.parametrize(("minutes", "is_told"), [(14.9, False), (15, True)])
def test_one_is_stuck_or_unknown_after_a_quarter_of_an_hour(
    minutes: float, *, is_told: bool
) -> None:
    stuck = (a_status(state="pending"), a_machine(), a_sighting("pending", minutes=minutes))
    unknown = (
        a_status(ID, "system", word="insufficient-data"),
        a_machine(),
        a_sighting("unknown", minutes=minutes),
    )

    assert ("instance_stuck" in unhealthy(*stuck)) is is_told
    assert ("instance_unknown" in unhealthy(*unknown)) is is_told
    assert "instance_impaired" not in unhealthy(*unknown)


def test_one_of_which_nothing_is_known_is_a_notice() -> None:
    unknown = a_status(ID, "system", word="insufficient-data")
    check = unhealthy(unknown, a_machine(), a_sighting("unknown", minutes=20))["instance_unknown"]

    assert check.severity is Severity.NOTICE


@pytest.mark.parametrize("state", ["stopped", "terminated", "shutting-down"])
def test_one_that_should_run_and_does_not_wakes_people(state: str) -> None:
    machine = a_machine(
        remediate=None,
        state=state,
        tags={"caretaker:expect": "running"},
        ended_why="Client.UserInitiatedShutdown",
    )
    check = unhealthy(a_status(state=state), machine)["instance_not_running"]

    assert (check.severity, check.cause) == (Severity.CRITICAL, state)
    assert check.what == f"{state}, although tagged to be running"
    assert check.evidence["state"] == "Client.UserInitiatedShutdown"


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"caretaker:expect": "running", "caretaker:ignore": "1"},
        {"caretaker:expect": "running", "caretaker:stop-after": "2026-11-21T00:00:00Z"},
        {"caretaker:expect": "running", "aws:autoscaling:groupName": "web"},
    ],
    ids=str,
)
def test_one_that_may_be_stopped_wakes_nobody(tags: dict[str, str]) -> None:
    machine = a_machine(state="stopped", tags=tags)

    assert unhealthy(a_status(state="stopped"), machine) == {}


def ill(number: int, polls: int = 2) -> dict[str, Any]:
    names = [f"i-ill{n}" for n in range(number)]
    return {
        "things": [a_status(each, "system") for each in names],
        "sightings": dict.fromkeys(names, a_sighting(polls=polls, slot="2026-11-21T03:00Z")),
    }


def test_a_zone_that_fails_is_told_once_for_all() -> None:
    those = ill(5)
    things, sightings = those["things"], those["sightings"]
    machines = [a_machine(each.id) for each in things]
    found = unhealthy(
        *things, *machines, *crowd(5), *crowd(20, zone="eu-west-1b"), sightings=sightings
    )

    check = found["zone_impaired"]
    assert (check.resource, check.severity) == (ZONE, Severity.CRITICAL)
    assert check.what == "5 of 10 instances impaired (50 %)"
    assert check.evidence == {"limit": "20 %"}
    assert check.within == ""
    assert found["instance_impaired"].within == f"zone_impaired/{ZONE}"


def test_a_fleet_that_fails_stands_for_its_zones() -> None:
    those = ill(5)
    machines = [a_machine(each.id) for each in those["things"]]
    found = unhealthy(*those["things"], *machines, sightings=those["sightings"])

    assert found["fleet_impaired"].resource == "eu-west-1"
    assert found["zone_impaired"].within == "fleet_impaired/eu-west-1"
    assert found["instance_impaired"].within == f"zone_impaired/{ZONE}"


@pytest.mark.parametrize(("number", "polls", "said"), [(3, 1, None), (3, 2, False)])
def test_a_zone_that_fails_is_believed_after_two_polls(
    number: int, polls: int, *, said: bool | None
) -> None:
    those = ill(number, polls)
    found = verdicts(*those["things"], sightings=those["sightings"])

    assert (found["zone_impaired"], found["fleet_impaired"]) == (said, said)


def test_a_repair_that_was_asked_for_is_within_what_asked_for_it() -> None:
    event = {"repair": {"instance": ID, "incident": ASKED}}
    found = unhealthy(a_status(), a_machine(), event=event, open_incidents=frozenset({ASKED}))

    check = found["repair_asked"]
    assert (check.within, check.severity) == (ASKED, Severity.WARNING)
    assert check.what == "repair asked for by another chore, rebooted"


def test_a_repair_that_was_asked_for_is_over_with_what_asked_for_it() -> None:
    found = verdicts(a_status(), a_machine(), a_ladder(cause="asked", incident=ASKED))

    assert found["repair_asked" if "repair_asked" in found else "instance_impaired"] is True


def test_a_run_that_stopped_says_so() -> None:
    run = ended(*ILL, result=Result.FAILED, error=ERROR)
    stopped = findings_of(type(run)(**{**_fields(run), "is_stopped": True}))

    (check,) = [c for c in stopped.checks if c.kind == "repairs_stopped"]
    assert check.healthy is False


def test_a_run_that_could_list_nothing_says_so_and_resolves_nothing() -> None:
    found = findings_of(ended(*STOPPED, STOPPING, is_whole=False).cut_short(ValueError("no")))

    assert found.judged == frozenset()
    assert found.gauges == {}
    (check,) = [c for c in found.checks if c.kind == "run_failed"]
    assert (check.severity, check.evidence) == (Severity.CRITICAL, {"message": "no"})
    assert [o.decision.reason for o in found.outcomes][-1] == "listing_failed"


def test_the_rungs_that_were_tried_are_told() -> None:
    ladder = a_ladder(minutes=11, rung=2, history=("reboot at 02:39: not fixed",))
    check = unhealthy(
        a_status(ID, "instance", since=30), a_machine(), a_sighting(minutes=30), ladder
    )

    said = check["instance_impaired"]
    assert said.what == "instance check failed 30m, stopped to be started"
    assert said.done == (
        "reboot at 02:39: not fixed; reboot at 02:49: not fixed; stop-start at 03:00"
    )
    assert said.stage == "2026-11-21T02:49 rung 3"


def test_a_second_reboot_is_called_one() -> None:
    check = unhealthy(
        a_status(ID, "instance", since=15), a_machine(), a_sighting(minutes=15), a_ladder()
    )

    assert check["instance_impaired"].what == "instance check failed 15m, rebooted again"


def test_a_ladder_of_older_trouble_is_not_told() -> None:
    old = a_ladder(minutes=500, ended=480, history=("reboot at 20:00: fixed",))
    check = unhealthy(a_status(ID, "instance"), a_machine(remediate="none"), a_sighting(), old)

    assert check["instance_impaired"].done == "nothing"


def test_a_step_that_failed_is_told_and_the_next_follows() -> None:
    check = unhealthy(*ILL, result=Result.FAILED, error=ERROR)["instance_impaired"]

    assert check.severity is Severity.WARNING
    assert check.what == "instance check failed 5m, reboot failed"
    assert check.done.endswith("reboot failed: InsufficientInstanceCapacity")


def test_why_a_stop_is_not_possible_is_told() -> None:
    system = (a_status(ID, "system", since=30), a_sighting(minutes=30))
    address = unhealthy(*system, a_machine(public_address="192.0.2.1"))["instance_impaired"]
    key = unhealthy(*system, a_machine(), bad_keys={ID: "k is Disabled"})["instance_impaired"]

    assert address.evidence["address"] == "192.0.2.1"
    assert "would change its public address" in address.next
    assert key.evidence["key"] == "k is Disabled"
    assert key.severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("hours", "stage", "severity"),
    [
        (25, "", Severity.NOTICE),
        (24, "24h", Severity.WARNING),
        (1.01, "24h", Severity.WARNING),
        (1, "1h", Severity.WARNING),
        (-5, "1h", Severity.WARNING),
    ],
)
def test_an_event_is_told_when_announced_a_day_and_an_hour_before(
    hours: float, stage: str, severity: Severity
) -> None:
    event = an_event(hours=hours)
    check = unhealthy(a_status(events=[event]), a_machine())["instance_event"]

    assert check.stage.split(" ")[0] == (stage or check.what[-20:-10])
    assert (check.severity, check.resource) == (severity, "instance-event-1")
    assert check.what.startswith("instance-retirement from 2026-11-2")
    assert check.evidence["instance"] == ID


def test_an_event_without_a_time_is_told_at_once() -> None:
    check = unhealthy(a_status(events=[an_event(hours=None)]), a_machine())["instance_event"]

    assert check.what == "instance-retirement from a time that EC2 does not tell"
    assert check.severity is Severity.NOTICE


@pytest.mark.parametrize(
    ("code", "remediate", "windows", "said"),
    [
        ("instance-retirement", "stop-start", [OPEN], "EC2 may list it for another hour"),
        ("instance-retirement", "stop-start", [{**OPEN, "start": "10:00"}], "acted on in the next"),
        ("instance-retirement", "stop-start", [], "stop and start (for instance-reboot: reboot)"),
        ("instance-retirement", "reboot", [OPEN], "stop and start (for instance-reboot: reboot)"),
        ("instance-reboot", "reboot", [{**OPEN, "start": "10:00"}], "acted on in the next"),
        ("instance-stop", None, [OPEN], "stop and start (for instance-reboot: reboot)"),
        ("system-maintenance", "stop-start", [OPEN], "AWS does it; be ready for it"),
    ],
)
def test_an_event_says_who_is_going_to_act(
    code: str, remediate: str | None, windows: list[Any], said: str
) -> None:
    status = a_status(events=[an_event(code)])
    event = {"maintenance_windows": windows}
    check = unhealthy(status, a_machine(remediate=remediate), event=event)["instance_event"]

    assert check.next.startswith(said)


def test_events_of_one_that_is_ignored_are_not_told() -> None:
    machine = a_machine(tags={"caretaker:ignore": "true"})

    assert unhealthy(a_status(events=[an_event()]), machine) == {}


def health(**detail: str) -> dict[str, Any]:
    known = {
        "eventArn": "arn:aws:health:eu-west-1::event/EC2/X/1",
        "eventTypeCode": "AWS_EC2_OPERATIONAL_ISSUE",
        "eventTypeCategory": "issue",
        "statusCode": "open",
        "affectedEntities": [{"entityValue": "i-0"}],
    }
    return {"event": {"source": "aws.health", "detail": known | detail}}


def test_an_issue_of_aws_is_told_until_it_is_closed() -> None:
    said = unhealthy(event=health(), is_whole=False)["health_issue"]
    over = verdicts(event=health(statusCode="closed"), is_whole=False)

    assert said.what == "AWS tells of an issue: AWS_EC2_OPERATIONAL_ISSUE"
    assert said.evidence["instances"] == "1: i-0"
    assert over == {"health_issue": True}


def test_what_is_no_issue_is_not_told() -> None:
    for category in ("scheduledChange", "accountNotification"):
        assert verdicts(event=health(eventTypeCategory=category), is_whole=False) == {}


def test_times_of_a_sighting_count_when_ec2_tells_none() -> None:
    status = a_status(ID, "instance", since=None)
    check = unhealthy(status, a_machine(), a_sighting(minutes=7))["instance_impaired"]

    assert "failed 7m" in check.what
    assert "since" not in check.evidence
    assert ago(7) < ago(5)


def _fields(run: Any) -> dict[str, Any]:
    return {name: getattr(run, name) for name in run.__dataclass_fields__}
