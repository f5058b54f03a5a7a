from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from caretaker.incidents import Check, Incident, Origin, Severity, Silence
from caretaker.transitions import (
    FLAP_SPAN,
    FLAPS_AT,
    Transitions,
    as_told,
    plan_transitions,
    recently,
)
from tests.support.builders import ACCOUNT, NOW, SLOT

KINDS = frozenset({"ill", "zone"})
ORIGIN = Origin("caretaker", "prod", ACCOUNT, "eu-west-1", "health", "default", "01JD", SLOT)
SCOPE = f"caretaker/{ACCOUNT}/eu-west-1/health/default"
BAD = Check("ill", "i-1", healthy=False, what="ill")
GOOD = replace(BAD, healthy=True, ending="fixed by a reboot")
UNKNOWN = replace(BAD, healthy=None)
ZONE = Check("zone", "a", healthy=False, what="many ill")
MINUTE = timedelta(minutes=1)


class Told:
    """A scope through time: what is open, what has just been, and what people hear."""

    def __init__(self, silence: str = "") -> None:
        self.now = NOW
        self.open: dict[str, Incident] = {}
        self.recent: dict[str, tuple[datetime, ...]] = {}
        self.heard: list[str] = []
        self.silences = [Silence(silence, NOW + timedelta(days=9))] if silence else []

    def run(self, *checks: Check, minutes: float = 5) -> Transitions:
        """Run once, as the store does: what is over leaves its last changes behind."""
        changed = plan_transitions(
            self.open.values(),
            checks,
            judged=KINDS,
            now=self.now,
            origin=ORIGIN,
            silences=self.silences,
            recent=self.recent,
        )
        for each in changed.opened:
            if each.told == self.now:
                self.heard.append(f"{self.minute} {each.what}")
        for each in changed.resolved:
            self.heard.append(f"{self.minute} OK {each.ending}".strip())
            self.recent[each.key] = each.changes
        self.open = {i.key: i for i in changed.still_open}
        self.now += timedelta(minutes=minutes)
        return changed

    @property
    def minute(self) -> int:
        return (self.now - NOW) // MINUTE


def test_four_changes_in_half_an_hour_are_told_once() -> None:
    told = Told()
    for _ in range(10):
        told.run(BAD, minutes=2)
        told.run(GOOD, minutes=2)

    assert told.heard == [
        "0 ill",
        "2 OK fixed by a reboot",
        "4 ill",
        "6 flapping, 4 changes in 30 minutes: ill",
    ]


def test_what_flaps_and_is_well_for_half_an_hour_is_over() -> None:
    told = Told()
    for check in (BAD, GOOD, BAD, GOOD):
        told.run(check, minutes=1)
    for _ in range(31):
        told.run(GOOD, minutes=1)

    assert told.heard[-1] == "33 OK fixed by a reboot"
    assert told.open == {}


def test_what_flaps_and_is_ill_for_half_an_hour_is_told_as_it_is() -> None:
    told = Told()
    for check in (BAD, GOOD, BAD, GOOD, BAD):
        told.run(check, minutes=1)
    for _ in range(31):
        told.run(replace(BAD, what="still ill"), minutes=1)

    assert told.heard[-2:] == ["3 flapping, 4 changes in 30 minutes: ill", "34 still ill"]
    (incident,) = told.open.values()
    assert not incident.flapping


def test_what_opens_for_the_second_time_within_half_an_hour_with_three_changes_is_told() -> None:
    told = Told()
    for check in (BAD, GOOD, BAD):
        told.run(check, minutes=9)

    assert told.heard == ["0 ill", "9 OK fixed by a reboot", "18 ill"]


@pytest.mark.parametrize(("minutes", "flaps"), [(9.99, True), (10, False)])
def test_changes_of_half_an_hour_ago_do_not_count(minutes: float, *, flaps: bool) -> None:
    told = Told()
    for check in (BAD, GOOD, BAD, GOOD):
        told.run(check, minutes=minutes)

    assert any("flapping" in each for each in told.heard) is flaps
    assert (told.open != {}) is flaps


def test_an_opening_may_be_the_change_that_makes_it_flap() -> None:
    told = Told()
    told.recent["ill/i-1"] = tuple(NOW - n * MINUTE for n in (9, 6, 3))
    (opened,) = told.run(BAD).opened

    assert (opened.flapping, opened.calm, opened.told) == (True, False, NOW)
    assert opened.what.startswith("flapping, 4 changes")
    assert opened.next == "quiet until nothing has changed for 30 minutes"


def test_what_flaps_is_one_incident_as_old_as_its_last_opening() -> None:
    told = Told()
    for check in (BAD, GOOD, BAD, GOOD, BAD, GOOD):
        told.run(check, minutes=1)

    (incident,) = told.open.values()
    assert (incident.opened, incident.calm) == (NOW + 2 * MINUTE, True)
    assert len(incident.changes) == 6


def test_what_flaps_and_gets_worse_is_told() -> None:
    told = Told()
    for check in (BAD, GOOD, BAD, GOOD):
        told.run(check, minutes=1)
    told.run(replace(BAD, severity=Severity.CRITICAL, what="bad"), minutes=1)

    assert told.heard[-1] == "4 flapping, 5 changes in 30 minutes: bad"
    told.run(replace(BAD, severity=Severity.CRITICAL, stage="next"), minutes=1)
    assert len(told.heard) == 5


def test_what_flaps_while_it_is_ill_and_gets_worse_is_told() -> None:
    told = Told()
    for check in (BAD, GOOD, BAD, GOOD, BAD):
        told.run(check, minutes=1)
    told.run(replace(BAD, severity=Severity.CRITICAL), minutes=1)

    assert told.heard[-1] == "5 flapping, 5 changes in 30 minutes: ill"


def test_a_stage_of_what_flaps_is_no_news() -> None:
    told = Told()
    for n, check in enumerate((BAD, GOOD, BAD, GOOD, BAD)):
        told.run(replace(check, stage=str(n)), minutes=1)
    changed = told.run(replace(BAD, stage="x"), minutes=1)

    assert changed.opened == ()
    assert len(told.heard) == 4


def test_what_cannot_be_told_is_no_change() -> None:
    told = Told()
    for check in (BAD, UNKNOWN, BAD, UNKNOWN, BAD, UNKNOWN, GOOD):
        told.run(check, minutes=1)

    assert told.heard == ["0 ill", "6 OK fixed by a reboot"]


def test_what_is_written_without_being_told_changed() -> None:
    told = Told()
    for check in (BAD, GOOD, BAD, GOOD):
        told.run(check, minutes=1)

    (noted,) = told.run(BAD, minutes=1).noted
    assert not noted.calm
    assert not told.run(BAD, minutes=1)
    assert told.run(GOOD, minutes=1).noted[0].calm
    assert not told.run(GOOD, minutes=1)


def test_how_it_became_healthy_is_told_cut_to_what_is_shown() -> None:
    told = Told()
    told.run(BAD)
    (over,) = told.run(replace(GOOD, ending="x" * 300)).resolved

    assert over.ending == "x" * 256


def test_what_is_gone_ends_without_a_word() -> None:
    told = Told()
    told.run(BAD)

    assert [each.ending for each in told.run().resolved] == [""]


def test_a_part_of_an_open_incident_is_not_told() -> None:
    told = Told()
    part = replace(BAD, within="zone/a")
    changed = told.run(ZONE, part)

    assert {i.key: i.told for i in changed.opened} == {"ill/i-1": None, "zone/a": NOW}
    assert told.heard == ["0 many ill"]


def test_a_part_of_one_that_opened_before_is_not_told_either() -> None:
    told = Told()
    told.run(ZONE)
    told.run(ZONE, replace(BAD, within="zone/a"))

    assert told.heard == ["0 many ill"]


def test_a_part_of_one_that_is_over_is_told() -> None:
    told = Told()
    told.run(ZONE)
    told.run(replace(ZONE, healthy=True), replace(BAD, within="zone/a"))

    assert "5 ill" in told.heard


def test_a_part_of_one_that_is_not_open_is_told() -> None:
    told = Told()
    told.run(replace(BAD, within="zone/a"))
    told.run(replace(BAD, within="zone/b"), replace(BAD, within="zone/a", resource="i-2"))

    assert told.heard == ["0 ill", "5 ill"]


def test_a_parent_may_be_in_another_scope() -> None:
    (incident,) = Told().run(replace(BAD, within=f"{SCOPE}-2/zone/a")).opened

    fresh = replace(incident, told=None)
    assert as_told(fresh, [], NOW, {f"{SCOPE}-2/zone/a"}).told is None
    assert as_told(fresh, [], NOW, {f"{SCOPE}/zone/a"}).told == NOW
    assert as_told(fresh, [], NOW).told == NOW


def test_a_silence_covers_what_flaps() -> None:
    told = Told(silence="*")
    for check in (BAD, GOOD, BAD, GOOD):
        told.run(check, minutes=1)

    assert not any("flapping" in each for each in told.heard)
    (incident,) = told.open.values()
    assert incident.flapping


def test_only_the_changes_of_the_last_half_hour_are_recent() -> None:
    times = [NOW - FLAP_SPAN, NOW - FLAP_SPAN + MINUTE, NOW]

    assert recently(times, NOW) == tuple(times[1:])


def test_an_incident_that_flaps_is_read_back_as_it_was_written() -> None:
    told = Told()
    for check in (BAD, GOOD, BAD, GOOD):
        told.run(replace(check, within="zone/a"), minutes=1)

    (incident,) = told.open.values()
    assert Incident.from_document(incident.as_document()) == incident


def test_documents_of_an_older_version_are_read() -> None:
    told = Told()
    told.run(BAD)
    (incident,) = told.open.values()
    older = incident.as_document()
    for name in ("changes", "flapping", "calm", "ending", "within"):
        del older[name]

    read = Incident.from_document(older)
    assert read == replace(incident, changes=())
    told.open = {read.key: read}
    told.run(BAD)
    told.run(GOOD)
    assert told.heard == ["0 ill", "10 OK fixed by a reboot"]


def test_documents_of_a_newer_version_are_read() -> None:
    told = Told()
    told.run(BAD)
    (incident,) = told.open.values()

    assert Incident.from_document({**incident.as_document(), "colour": "red"}) == incident


words = st.sampled_from([BAD, GOOD, UNKNOWN, replace(BAD, severity=Severity.CRITICAL), None])
lives = st.lists(st.tuples(words, st.integers(1, 20)), min_size=1, max_size=60)


@settings(max_examples=150, deadline=None)
@given(lives)
def test_each_incident_opens_once_and_closes_once(life: list[tuple[Any, int]]) -> None:
    told, opened, closed = Told(), [], []
    for check, minutes in life:
        before = set(told.open)
        changed = told.run(*([check] if check else []), minutes=minutes)
        opened += [(i.key, i.opened) for i in changed.opened if i.key not in before]
        closed += [(i.key, i.opened) for i in changed.resolved]

    assert len(opened) == len(set(opened))
    assert len(closed) == len(set(closed))
    assert set(closed) <= set(opened)
    still = {(i.key, i.opened) for i in told.open.values()}
    assert still == set(opened) - set(closed)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([BAD, GOOD, UNKNOWN]), st.integers(1, 20)), max_size=80))
def test_in_half_an_hour_people_hear_of_one_thing_four_times_at_most(
    life: list[tuple[Check, int]],
) -> None:
    told = Told()
    for check, minutes in life:
        told.run(check, minutes=minutes)

    times = [NOW + int(each.split()[0]) * MINUTE for each in told.heard]
    bursts = [
        n for n, t in enumerate(times) if n >= FLAPS_AT and t - times[n - FLAPS_AT] < FLAP_SPAN
    ]
    assert bursts == []


@settings(max_examples=60, deadline=None)
@given(lives)
def test_half_an_hour_in_health_ends_everything(life: list[tuple[Any, int]]) -> None:
    told = Told()
    for check, minutes in life:
        told.run(*([check] if check else []), minutes=minutes)
    for _ in range(3):
        told.run(GOOD, minutes=30)

    assert told.open == {}
