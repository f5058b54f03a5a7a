"""What people are told of a restore."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from caretaker.incidents import Check, Severity
from functions.restore.checks import checks_of
from functions.restore.journal import Ending, Goal, Journal
from functions.restore.memory import Restore
from tests.support.builders import NOW
from tests.support.restoring import PLAN, a_journal, ago, under_way

IDS = tuple(f"i-0000000{number}" for number in range(1, 6))
MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:caretaker-restore"
ABOUT = "policy daily, slot 2026-11-20T03:00Z, swap, begun 2026-11-21 01:00 UTC"


def a_restore(*, started: float = 120, ended: float | None = None) -> Restore:
    over = None if ended is None else ago(ended)
    return Restore(PLAN, "daily", IDS, (), (), 0.5, ago(started), over)


def ended(target: str, ending: str, problem: str = "") -> Journal:
    over = under_way(target=target).ends(Ending(ending), NOW)
    return replace(over, problem=problem)


def evidence(check: Check) -> dict[str, str]:
    """Return what is told of targets."""
    said = dict(check.evidence)
    assert said.pop("restore").startswith("policy daily, slot 2026-11-20T03:00Z, swap, begun ")
    return said


def told(restore: Restore, *journals: Journal, **at: Any) -> dict[str, Check]:
    now = NOW + timedelta(**at)
    checks = {check.kind: check for check in checks_of(restore, journals, now)}
    assert set(checks) == {"restore_failed", "restore_stalled", "restore_stuck"}
    assert {check.resource for check in checks.values()} == {PLAN}
    return checks


def test_what_is_under_way_or_restored_is_well() -> None:
    checks = told(
        a_restore(), under_way(moved=ago(1)), ended(IDS[0], "restored"), a_journal(target=IDS[1])
    )

    assert {check.healthy for check in checks.values()} == {True}


def test_those_that_went_back_are_told_with_what_they_run_on() -> None:
    failed = told(
        a_restore(), ended(IDS[0], "rolled_back", "checks_failed"), ended(IDS[1], "restored")
    )

    check = failed["restore_failed"]
    assert (check.healthy, check.severity, check.cause) == (False, Severity.WARNING, "rolled_back")
    assert (check.name, check.what) == ("restore of daily", f"1 rolled back of 2: {IDS[0]}")
    assert evidence(check) == {
        IDS[0]: (
            "rolled back: its status checks did not pass on the new volumes; "
            "on its originals again, running as before"
        )
    }
    assert check.done == "the originals are in their seats again; none was deleted"
    assert f'{{"mode": "report", "step": {{"do": "wave", "plan": "{PLAN}"}}}}' in check.next


def test_those_that_never_began_are_told_to_be_untouched() -> None:
    some = [a_journal(target=each).ends(Ending("not_started"), NOW) for each in IDS[:2]]
    check = told(a_restore(), *some)["restore_failed"]

    assert check.what == f"2 not started of 2: {IDS[0]}, {IDS[1]}"
    assert evidence(check)[IDS[0]] == "not started: a wave before its own failed; untouched"
    assert check.done == "no instance was touched"


def test_it_is_told_of_which_restore_and_where_its_execution_is_seen() -> None:
    journal = replace(ended(IDS[0], "rolled_back"), name="orders-web-1")
    checks = {c.kind: c for c in checks_of(a_restore(), [journal], NOW, MACHINE)}

    check = checks["restore_failed"]
    assert check.what == "1 rolled back of 1: orders-web-1"
    assert check.evidence["restore"] == ABOUT
    assert f"orders-web-1 {IDS[0]}" in check.evidence
    execution = f"{MACHINE.replace('stateMachine', 'execution')}:{PLAN}"
    page = f"states/home?region=eu-west-1#/v2/executions/details/{execution}"
    assert {each.console for each in checks.values()} == {page}


def test_those_that_are_left_come_first_and_are_critical() -> None:
    some = [ended(IDS[0], "rolled_back"), ended(IDS[1], "left", "instance_gone")]
    check = told(a_restore(), *some)["restore_failed"]

    assert (check.severity, check.cause) == (Severity.CRITICAL, "left")
    assert check.what == f"1 left, 1 rolled back of 2: {IDS[1]}"
    assert [*evidence(check)] == [IDS[1], IDS[0]]
    assert check.done == "all volumes are kept, the originals and the new ones"
    assert "delete nothing" in check.next


def test_the_new_volumes_of_one_that_is_left_are_restored_data() -> None:
    left = replace(ended(IDS[0], "left", "instance_gone"), left_over=("vol-9",))
    check = told(a_restore(), left)["restore_failed"]

    said = evidence(check)[IDS[0]]
    assert said.startswith("left: the instance is gone; ")
    assert said.endswith("; restored data, free: vol-9")


def test_three_are_named_and_nine_are_in_the_evidence() -> None:
    many = [f"i-000000{number:02}" for number in range(12)]
    check = told(a_restore(), *(ended(each, "rolled_back") for each in many))["restore_failed"]

    assert check.what == f"12 rolled back of 12: {', '.join(many[:3])} and 9 more"
    assert [*evidence(check)] == many[:9]


def test_what_stays_of_it_is_told() -> None:
    left = replace(ended(IDS[0], "rolled_back", "checks_failed"), left_over=("vol-9",))
    check = told(a_restore(), left)["restore_failed"]

    assert evidence(check)[IDS[0]].endswith("; of no use and not deleted: vol-9")


def test_a_volume_that_is_left_over_though_all_is_restored_is_told_mildly() -> None:
    untidy = replace(ended(IDS[0], "restored"), left_over=("vol-9",), refused="discard: Denied")
    check = told(a_restore(), untidy, ended(IDS[1], "restored"))["restore_failed"]

    assert (check.healthy, check.severity, check.cause) == (False, Severity.NOTICE, "left_over")
    assert check.what == "restored; of no use and not deleted: vol-9 (Denied)"
    assert evidence(check) == {IDS[0]: "restored; of no use and not deleted: vol-9"}
    assert check.done == "the new volumes are in their seats; the originals are kept"
    assert check.next == "delete by hand: aws ec2 delete-volume --volume-id vol-9"

    worse = told(a_restore(), untidy, ended(IDS[1], "rolled_back"))["restore_failed"]
    assert (worse.severity, worse.cause) == (Severity.WARNING, "rolled_back")
    assert worse.what == f"1 rolled back of 2: {IDS[1]}"
    assert [*evidence(worse)] == [IDS[1], IDS[0]]


def test_a_day_after_its_end_it_is_told_no_more() -> None:
    journal = ended(IDS[0], "rolled_back")
    day = 24 * 60

    assert told(a_restore(ended=day - 1), journal)["restore_failed"].healthy is False
    over = told(a_restore(ended=day), journal)["restore_failed"]
    assert (over.healthy, over.lapsed, over.ending) == (True, True, "told for a day, no longer")
    assert told(a_restore(started=9 * day), journal)["restore_failed"].healthy is False


def test_what_is_left_to_a_person_is_told_until_one_says_that_it_is_put_right() -> None:
    left, old = ended(IDS[0], "left", "instance_gone"), a_restore(ended=90 * 24 * 60)

    check = told(old, left)["restore_failed"]
    assert not check.healthy
    assert f'{{"mode": "act", "step": {{"do": "end", "plan": "{PLAN}"}}}}' in check.next
    assert told(replace(old, is_closed=True), left)["restore_failed"].healthy


def test_one_that_nobody_moves_for_half_an_hour_stands_still() -> None:
    journal = under_way(target=IDS[0], moved=ago(30))

    check = told(a_restore(), journal)["restore_stalled"]
    assert (check.healthy, check.severity) == (False, Severity.CRITICAL)
    assert check.what == f"1 of 1 not over, nothing moves; perhaps stopped: {IDS[0]}"
    assert evidence(check) == {IDS[0]: "under way; runs, as far as is known"}
    assert f'RestoreFunction, {{"mode": "act", "approve": "{PLAN}"}}' in check.next
    stopped = replace(journal, history=("04:00:05 stop", "04:00:30 detach vol-1 /dev/sda1"))
    check = told(a_restore(), stopped)["restore_stalled"]
    assert evidence(check) == {IDS[0]: "under way; stopped by this restore at 04:00:05 UTC"}
    assert told(a_restore(), replace(journal, moved=ago(29)))["restore_stalled"].healthy


def test_one_that_stands_still_is_told_though_another_moves() -> None:
    """Its worker fails each time; the other waits for capacity."""
    some = [under_way(target=IDS[0], moved=ago(30)), under_way(target=IDS[1], moved=ago(5))]
    waiting = a_journal(target=IDS[2], turned=None, moved=ago(90))

    assert not told(a_restore(), *some)["restore_stalled"].healthy
    assert told(a_restore(), some[1], waiting)["restore_stalled"].healthy


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({"waiting_for": "instance to run", "since": ago(30)}, "waits for instance to run"),
        (
            {"refused": "start: InsufficientInstanceCapacity", "refused_since": ago(30)},
            "was refused start: InsufficientInstanceCapacity",
        ),
        (
            {"goal": Goal.BACK, "problem": "checks_failed", "turned": ago(30), "about_to": "stop"},
            "on the way back (its status checks did not pass on the new volumes); waits for stop",
        ),
    ],
)
def test_one_that_is_touched_and_held_up_for_half_an_hour_is_stuck(
    held: dict[str, Any], said: str
) -> None:
    journal = under_way(target=IDS[0], moved=ago(1), **held)

    check = told(a_restore(), journal)["restore_stuck"]
    assert (check.healthy, check.severity) == (False, Severity.CRITICAL)
    assert check.what == f"1 of 1 half-way and come no further: {IDS[0]}"
    assert evidence(check) == {IDS[0]: said}
    assert told(a_restore(), journal, minutes=-1)["restore_stuck"].healthy


def test_what_is_not_touched_or_is_over_is_not_stuck() -> None:
    waits = a_journal(waiting_for="volumes to be made", since=ago(90))
    over = replace(under_way(since=ago(90)).ends(Ending.LEFT, ago(60)), since=ago(90))

    assert told(a_restore(), waits, over)["restore_stuck"].healthy


def test_one_that_never_moved_stands_still_from_its_start() -> None:
    journal = a_journal(turned=None)

    assert told(a_restore(started=29), journal)["restore_stalled"].healthy
    check = told(a_restore(started=30), journal)["restore_stalled"]
    assert (check.healthy, check.what) == (False, "1 of 1 not over, nothing moves")
    assert evidence(check) == {journal.target: "not begun; untouched"}


def test_what_is_over_cannot_stand_still() -> None:
    over = a_restore(ended=60)

    assert told(over, ended(IDS[0], "restored"))["restore_stalled"].healthy
