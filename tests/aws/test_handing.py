"""What cells hand on is told by the judge of their run, with its own: once, and to each channel."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.alerting import CHANNELS, HOUR, bad, good, warning
from tests.support.fleet_office import Office, account, office_of
from tests.support.fleets import RUN

if TYPE_CHECKING:
    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

ONE, TWO, THREE = account(1), account(2), account(3)
OTHER: Final = "snapshot-weekly"
MOST_PAGES: Final = 20


@pytest.fixture
def office(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Office:
    return office_of(stack, monkeypatch, "watchdog")


def test_cells_tell_nobody(office: Office) -> None:
    office.cell(bad("vol-1"), account=ONE)

    assert office.desk.heard_everywhere() == {channel: [] for channel in CHANNELS}
    assert office.desk.open() == ["vol-1"]
    assert office.handed() == ["ALARM vol-1"]


def test_the_judge_tells_its_own_and_what_was_handed_on_in_one_message(office: Office) -> None:
    office.cell(bad("vol-1"), warning("vol-2"), account=ONE)
    office.cell(bad("vol-3"), account=TWO)
    office.judge(bad("cell"))

    assert office.heard() == ["ALARM cell vol-1 vol-2 vol-3"]
    assert office.heard("urgent") == ["ALARM cell vol-1 vol-3"]


def test_openings_and_recoveries_are_one_alarm_and_one_ok_for_each_channel(office: Office) -> None:
    office.cell(bad("vol-1"), account=ONE)
    office.judge(bad("cell"))
    office.desk.heard_everywhere()
    office.desk.wait(HOUR)

    office.cell(good("vol-1"), bad("vol-2"), account=ONE)
    office.cell(bad("vol-3"), account=TWO)
    office.judge(good("cell"), bad("other"))
    assert office.heard() == ["ALARM other vol-2 vol-3", "OK cell vol-1"]
    for channel in ("urgent", "chat"):
        turns = [words.split()[0] for words in office.desk.heard(channel)]
        assert turns == ["ALARM", "OK"], channel


def test_what_is_told_keeps_the_account_that_it_is_of(office: Office) -> None:
    office.cell(bad("vol-1"), account=ONE)
    office.judge()

    (alarm,) = office.stack.alerts()
    (told,) = alarm["incidents"]
    assert told["key"] == f"caretaker/{ONE}/eu-west-1/snapshot/daily/backup_stale/vol-1"


def test_what_the_judge_found_itself_is_named_before_what_cells_have(office: Office) -> None:
    office.cell(bad("vol-1"), warning("vol-2"), account=ONE)
    office.judge(bad("cell"), warning("region"))

    (alarm,) = office.stack.alerts()
    assert [i["resource"] for i in alarm["incidents"]] == ["cell", "vol-1", "region", "vol-2"]


def test_a_judge_that_finds_nothing_itself_still_tells_what_was_handed_on(office: Office) -> None:
    office.cell(warning("vol-1"), account=ONE)
    office.judge()

    assert office.heard() == ["ALARM vol-1"]


def test_what_is_told_waits_no_more(office: Office) -> None:
    office.cell(bad("vol-1"), account=ONE)
    office.judge(bad("cell"))
    office.desk.heard_everywhere()
    assert office.handed() == []

    office.desk.wait(60)
    office.judge(bad("cell"))
    assert office.desk.heard_everywhere() == {channel: [] for channel in CHANNELS}


def test_each_judge_tells_what_the_cells_of_its_own_fleet_have_handed_on(office: Office) -> None:
    office.cell(bad("vol-1"), account=ONE)
    office.cell(bad("vol-2"), account=TWO, fleet=OTHER)
    office.judge(fleet=OTHER)

    assert office.heard() == ["ALARM vol-2"]
    assert (office.handed(), office.handed(OTHER)) == (["ALARM vol-1"], [])


def test_what_a_run_that_was_never_judged_has_left_the_next_one_s_judge_tells(
    office: Office,
) -> None:
    """Its cells find those incidents open, and hand them on no more."""
    office.cell(bad("vol-1"), account=ONE, run=RUN)
    office.desk.wait(HOUR)
    again = office.cell(bad("vol-1"), good("vol-2"), account=ONE, run=f"{RUN}-r2")
    assert again["opened"] == 0

    office.judge()
    assert (office.heard(), office.handed()) == (["ALARM vol-1"], [])


def test_a_usual_run_tells_nothing_that_cells_have_handed_on(office: Office) -> None:
    office.cell(bad("vol-1"), account=ONE)
    office.desk.look(bad("vol-9"))

    assert office.heard() == ["ALARM vol-9"]
    assert office.handed() == ["ALARM vol-1"]


def test_rounds_of_a_cell_hand_on_an_opening_and_a_recovery_once_each(office: Office) -> None:
    for check in (bad("vol-1"), bad("vol-1"), good("vol-1")):
        office.cell(check, account=ONE)
    assert office.handed() == ["ALARM vol-1", "OK vol-1"]

    office.judge()
    assert office.heard() == ["ALARM vol-1", "OK vol-1"]


def test_what_is_silenced_is_not_handed_on_and_neither_is_its_recovery(office: Office) -> None:
    until = (office.desk.clock.now() + timedelta(hours=4)).isoformat()
    office.desk.alerts(silence={"match": "*/vol-1", "until": until})
    office.desk.heard_everywhere()
    opened = office.cell(bad("vol-1"), bad("vol-2"), account=ONE)
    assert (office.handed(), opened["opened"], opened["open"]) == (["ALARM vol-2"], 1, 2)

    ended = office.cell(good("vol-1"), account=ONE)
    assert (office.handed(), ended["resolved"]) == (["ALARM vol-2"], 0)
    office.judge()
    assert office.heard() == ["ALARM vol-2"]


def test_a_cell_s_incident_is_reminded_of_as_any_other(office: Office) -> None:
    office.cell(bad("vol-1"), account=ONE)
    office.judge()
    office.desk.heard_everywhere()

    office.desk.next_run(25 * HOUR)
    assert office.heard() == ["ALARM vol-1"]


# Pages.


def test_the_pager_has_an_alarm_for_each_scope(office: Office) -> None:
    office.cell(bad("vol-1"), bad("vol-2"), account=ONE)
    office.cell(bad("vol-3"), account=TWO)
    office.cell(warning("vol-4"), account=THREE)
    office.judge(bad("cell"))

    assert office.pages() == [
        f"ALARM {ONE} daily",
        f"ALARM {TWO} daily",
        "ALARM 123456789012 snapshot-daily",
    ]


def test_a_page_ends_when_nothing_urgent_is_open_in_its_scope(office: Office) -> None:
    office.cell(bad("vol-1"), bad("vol-2"), account=ONE)
    office.judge()
    office.pages()
    office.cell(good("vol-1"), account=ONE)
    office.judge()
    assert office.pages() == [], "vol-2 is open"

    office.cell(good("vol-2"), account=ONE)
    office.judge()
    assert office.pages() == [f"OK {ONE} daily"]


def test_at_most_twenty_alarms_of_a_run_are_paged_and_the_message_has_all(office: Office) -> None:
    for number in range(1, 26):
        office.cell(bad(f"vol-{number}"), account=account(number))
    office.judge()

    assert len([page for page in office.pages() if page.startswith("ALARM")]) == MOST_PAGES
    (words,) = office.heard()
    assert len(words.split()) == 1 + 25

    for number in range(1, 26):
        office.cell(good(f"vol-{number}"), account=account(number))
    office.judge()
    assert len(office.pages()) == 25, "an alarm that nobody raised is ended without harm"


def test_without_a_pager_nothing_is_rendered_for_one(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, cloud: StrictCloud
) -> None:
    office = office_of(stack, monkeypatch, "watchdog", "pager", "chat", "urgent")
    office.cell(bad("vol-1"), account=ONE)
    cloud.calls.clear()
    office.judge(bad("cell"))

    assert len(cloud.calls.of("Publish")) == 1
