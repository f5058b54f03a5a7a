from __future__ import annotations

from datetime import timedelta

from functions.instance_health.facts import ScheduledEvent
from functions.instance_health.ladder import Ending, Stand
from tests.support.builders import NOW
from tests.support.health import ID, OPEN, a_status
from tests.support.health_story import Story


def test_an_instance_whose_check_keeps_failing_climbs_its_whole_ladder() -> None:
    story = Story()
    story.add()

    assert story.polls(60) == [
        "0 report first_seen",
        "1 report just_impaired",
        "3 reboot impaired",
        "4 report repair_under_way",
        "13 reboot still_impaired",
        "14 report repair_under_way",
        "23 stop still_impaired",
        "24 start stopped_by_us",
        "25 report repair_under_way",
        "35 report ladder_ended",
        "36 report cooldown",
        "50 reboot impaired",
        "51 report repair_under_way",
    ]
    first = story.ladders[ID]
    assert len(first.begun) == 2
    assert first.streak == 2


def test_an_instance_that_a_reboot_fixes_is_rebooted_once() -> None:
    story = Story()
    story.add()
    story.on_step = lambda name, _: story.heals(name)

    assert story.polls(30) == [
        "0 report first_seen",
        "1 report just_impaired",
        "3 reboot impaired",
        "4 keep fixed",
        "5 keep healthy",
    ]
    assert story.ladders[ID].ending is Ending.FIXED
    assert story.sightings == {}


def test_a_host_that_failed_is_left_to_aws_for_ten_minutes() -> None:
    story = Story()
    story.add("system instance")

    assert story.polls(16) == [
        "0 report first_seen",
        "1 report just_impaired",
        "3 report aws_recovering",
        "10 stop impaired",
        "11 start stopped_by_us",
        "12 report repair_under_way",
    ]


def test_a_host_is_not_left_to_aws_when_aws_has_given_up() -> None:
    story = Story()
    story.add("system instance")
    story.known["left"] = frozenset({ID})

    assert story.steps(6) == ["3 stop", "4 start"]


def test_a_failed_volume_wakes_people_and_is_stopped_and_started() -> None:
    story = Story()
    story.add("ebs instance")
    paged = [next(v for v in story.poll().verdicts if v.id == ID) for _ in range(4)]

    assert [(v.decision.action, v.is_paged) for v in paged] == [
        ("report", False),
        ("report", False),
        ("report", False),
        ("stop", True),
    ]


def test_a_day_has_two_ladders_and_then_people() -> None:
    story = Story(event={"repairs": {"ladders": {"instance": ["reboot"]}}})
    story.add()

    assert story.steps(23 * 60) == ["3 reboot", "28 reboot"]
    assert story.polls(1) == ["0 report daily_budget"]


def test_the_wait_between_ladders_doubles() -> None:
    story = Story(event={"repairs": {"ladders": {"instance": ["reboot"]}}})
    story.add()
    story.steps(1440)

    # Of the third ladder in a row: a day after the first, which is longer than an hour.
    assert story.steps(10) == ["3 reboot"]
    assert story.ladders[ID].streak == 3


def test_one_that_fails_again_within_a_day_waits_longer_than_one_that_was_well() -> None:
    story = Story(event={"repairs": {"cooldown_minutes": 60}})
    story.add()
    story.on_step = lambda name, _: story.heals(name)
    story.polls(10)
    story.add()

    assert story.steps(100)[0] == "54 reboot"
    assert story.ladders[ID].streak == 2
    story.now += timedelta(days=2)
    story.add()
    assert story.steps(5) == ["3 reboot"]
    assert story.ladders[ID].streak == 1


def test_what_was_stopped_is_started_until_it_runs_ever_more_slowly() -> None:
    story = Story(event={"repairs": {"ladders": {"instance": ["stop-start"]}}})
    story.add()

    def falls_back(name: str, action: str) -> None:
        if action == "start":
            story.becomes(name, state="stopped")

    story.on_step = falls_back

    assert story.steps(80) == [
        "3 stop",
        "4 start",
        "5 start",
        "7 start",
        "11 start",
        "19 start",
        "34 start",
        "49 start",
        "64 start",
        "79 start",
    ]


def test_people_are_woken_when_the_second_start_is_needed() -> None:
    story = Story(event={"repairs": {"ladders": {"instance": ["stop-start"]}}})
    story.add()
    story.polls(5)
    story.becomes(state="stopped")
    again = story.poll().verdicts[0]
    story.becomes(state="pending")
    after = story.poll().verdicts[0]

    assert (again.decision.action, after.is_paged) == ("start", True)


def test_what_was_stopped_is_started_whatever_its_tags_say_by_then() -> None:
    story = Story(event={"repairs": {"ladders": {"instance": ["stop-start"]}}})
    story.add()
    story.polls(4)
    assert story.statuses[ID].state == "stopped"
    story.tag(remediate=None, ignore="true")

    assert story.steps(1) == ["0 start"]


def test_what_was_stopped_is_started_in_a_window_and_while_the_breaker_is_open() -> None:
    story = Story(event={"repairs": {"ladders": {"instance": ["stop-start"]}}})
    story.add()
    story.polls(4)
    for n in range(5):
        story.add("system", f"i-bad{n}")
    story.event["maintenance_windows"] = [{"start": "00:00", "duration_minutes": 1440}]

    assert story.steps(1) == ["0 start"]


def test_an_opt_out_ends_a_ladder_at_its_next_rung() -> None:
    for tags, reason in (
        ({"remediate": None}, "not_opted_in"),
        ({"remediate": "none"}, "opted_out"),
        ({"remediate": "Reboot"}, "remediate_unreadable"),
    ):
        story = Story()
        story.add()
        story.polls(4)
        story.tag(**tags)

        assert story.polls(40) == ["0 report repair_under_way", f"9 report {reason}"]
        assert not story.ladders[ID].is_open


def test_an_instance_that_is_ignored_from_now_on_is_not_repaired_on() -> None:
    story = Story()
    story.add()
    story.polls(4)
    story.tag(ignore="yes")

    assert story.polls(30) == ["0 skip ignored"]
    assert not story.ladders[ID].is_open


def test_a_lost_stop_is_sent_again_and_people_hear_when_it_never_comes() -> None:
    story = Story(event={"repairs": {"ladders": {"instance": ["stop-start"]}}})
    story.add()
    story.on_step = lambda name, _: story.becomes(name, state="running")

    assert story.polls(40) == [
        "0 report first_seen",
        "1 report just_impaired",
        "3 stop impaired",
        "4 report repair_under_way",
        "5 stop stop_lost",
        "6 report repair_under_way",
        "7 stop stop_lost",
        "8 report repair_under_way",
        "22 report ladder_ended",
        "23 report cooldown",
        "37 stop impaired",
        "38 report repair_under_way",
        "39 stop stop_lost",
    ]


def test_a_lost_stop_is_not_sent_again_to_one_that_got_well() -> None:
    story = Story(event={"repairs": {"ladders": {"instance": ["stop-start"]}}})
    story.add()
    story.on_step = lambda name, _: story.heals(name)

    assert story.polls(25)[2:] == [
        "3 stop impaired",
        "4 report repair_under_way",
        "18 keep healthy",
    ]
    assert story.ladders[ID].why == "it never stopped"


def test_a_ladder_of_one_that_is_not_known_well_or_bad_ends_after_a_quarter_of_an_hour() -> None:
    story = Story()
    story.add()
    story.on_step = lambda name, _: story.becomes(name, instance="initializing", since=None)

    assert story.polls(30)[2:] == [
        "3 reboot impaired",
        "4 report repair_under_way",
        "18 report outcome_unknown",
        "19 keep initializing",
    ]
    assert story.ladders[ID].ending is Ending.UNKNOWN


def test_a_repair_that_people_interrupt_is_over() -> None:
    for state in ("stopped", "stopping", "terminated", "shutting-down"):
        story = Story()
        story.add()
        story.polls(4)
        story.becomes(state=state)

        assert story.polls(1) == ["0 skip gone"]
        assert story.ladders[ID].ending is Ending.GONE


def test_a_zone_that_fails_is_not_repaired_and_begins_again_by_itself() -> None:
    story = Story()
    for n in range(10):
        story.add("instance", f"i-{n:08}")

    assert story.steps(20) == []
    for n in range(2, 10):
        story.heals(f"i-{n:08}")
    assert story.polls(1, "i-00000000") == ["0 reboot impaired"]


def test_a_breaker_that_opens_holds_a_ladder_between_its_rungs() -> None:
    story = Story()
    for n in range(10):
        story.add("", f"i-other{n}")
    story.add()
    assert story.steps(4) == ["3 reboot"]
    for n in range(3):
        story.becomes(f"i-other{n}", instance="impaired")
    held = story.polls(15)
    for n in range(3):
        story.heals(f"i-other{n}")

    assert held == ["0 report repair_under_way", "9 report fleet_impaired"]
    assert story.polls(1) == ["0 reboot still_impaired"]


def test_a_window_holds_repairs_of_faults() -> None:
    story = Story(event={"maintenance_windows": [OPEN]})
    story.add()

    assert story.polls(40) == [
        "0 report first_seen",
        "1 report just_impaired",
        "3 report maintenance_window",
        "30 reboot impaired",
        "31 report repair_under_way",
    ]


def test_an_event_is_acted_on_once_in_a_window() -> None:
    story = Story(event={"maintenance_windows": [OPEN]})
    story.add("")
    event = ScheduledEvent("e-1", "instance-retirement", "", NOW + timedelta(days=9))
    story.becomes(events=(event,))

    assert story.polls(15) == [
        "0 stop scheduled_event",
        "1 start stopped_by_us",
        "2 report repair_under_way",
        "3 keep fixed",
        "4 keep healthy",
    ]
    assert story.ladders[ID].events == ("e-1",)


def test_a_second_event_in_the_window_waits_for_the_cooldown() -> None:
    story = Story(event={"maintenance_windows": [OPEN]})
    story.add("")
    events = [
        ScheduledEvent(f"e-{n}", "system-reboot", "", NOW + timedelta(days=9)) for n in (1, 2)
    ]
    story.becomes(events=tuple(events[:1]))
    story.polls(5)
    story.becomes(events=tuple(events[1:]))

    assert story.polls(20) == [
        "0 report cooldown",
        "13 stop scheduled_event",
        "14 start stopped_by_us",
        "15 report repair_under_way",
        "16 keep fixed",
        "17 keep healthy",
    ]


def test_a_clock_that_jumps_ahead_starts_the_count_of_polls_anew() -> None:
    story = Story()
    story.add()
    story.polls(2)
    story.now += timedelta(minutes=16)

    assert story.polls(3) == [
        "0 report first_seen",
        "1 reboot impaired",
        "2 report repair_under_way",
    ]


def test_a_clock_that_jumps_while_one_is_stopped_starts_it_at_once() -> None:
    story = Story(event={"repairs": {"ladders": {"instance": ["stop-start"]}}})
    story.add()
    story.polls(4)
    story.now += timedelta(days=3)

    assert story.steps(1) == ["0 start"]
    assert story.ladders[ID].stand is Stand.STARTING


def test_one_that_is_not_listed_any_more_is_gone() -> None:
    story = Story()
    story.add()
    story.polls(4)
    del story.statuses[ID], story.machines[ID]

    assert story.polls(1) == ["0 skip gone"]
    assert story.sightings == {}


def test_one_that_we_stopped_and_that_is_not_listed_is_looked_for_an_hour_long() -> None:
    story = Story(event={"repairs": {"ladders": {"instance": ["stop-start"]}}})
    story.add()
    story.polls(4)
    del story.statuses[ID], story.machines[ID]

    assert story.polls(61) == [
        "0 report repair_under_way",
        "10 report stuck",
        "60 skip gone",
    ]


def test_an_instance_that_is_well_is_nobodys_business() -> None:
    story = Story()
    story.statuses[ID] = a_status()

    assert story.polls(5) == ["0 keep healthy"]
