from __future__ import annotations

import pytest

from caretaker.slots import slot_of
from functions.instance_health.sightings import Sighting, Trouble, observe, trouble_of
from tests.support.builders import NOW, SLOT
from tests.support.health import ID, a_sighting, a_status, ago

ILL = a_status(ID, "instance")


@pytest.mark.parametrize(
    ("failed", "word", "state", "trouble"),
    [
        ("", "", "running", None),
        ("instance", "impaired", "running", Trouble.IMPAIRED),
        ("system", "insufficient-data", "running", Trouble.UNKNOWN),
        ("system", "initializing", "running", None),
        ("", "", "stopping", Trouble.STOPPING),
        ("", "", "pending", Trouble.PENDING),
        ("", "", "stopped", None),
        ("", "", "terminated", None),
        ("", "", "shutting-down", None),
    ],
)
def test_trouble_is_what_may_be_the_matter(
    failed: str, word: str, state: str, trouble: Trouble | None
) -> None:
    assert trouble_of(a_status(ID, failed, word=word, state=state)) is trouble


def test_one_of_which_nothing_is_known_and_that_failed_has_failed() -> None:
    status = a_status(ID, "instance")
    object.__setattr__(status, "system", "insufficient-data")

    assert trouble_of(status) is Trouble.IMPAIRED


def test_trouble_is_counted_from_its_first_poll() -> None:
    first = observe(ILL, None, slot=SLOT, now=NOW)

    assert first == Sighting(Trouble.IMPAIRED, NOW, 1, SLOT)


def test_each_poll_counts_once() -> None:
    known = a_sighting(polls=3)
    later = observe(ILL, known, slot=SLOT, now=NOW)

    assert later == Sighting(Trouble.IMPAIRED, known.since, 4, SLOT)
    assert observe(ILL, later, slot=SLOT, now=NOW) is later
    assert observe(ILL, later, slot=slot_of(ago(3)), now=NOW) is later


def test_other_trouble_is_counted_anew() -> None:
    known = a_sighting("unknown", polls=9)

    assert observe(ILL, known, slot=SLOT, now=NOW) == Sighting(Trouble.IMPAIRED, NOW, 1, SLOT)


def test_what_is_over_is_forgotten() -> None:
    assert observe(a_status(), a_sighting(), slot=SLOT, now=NOW) is None


@pytest.mark.parametrize(("minutes", "polls"), [(15, 4), (16, 1)])
def test_after_a_quarter_of_an_hour_without_polls_nobody_knows_what_was(
    minutes: int, polls: int
) -> None:
    known = a_sighting(minutes=30, polls=3, slot=slot_of(ago(minutes)))
    seen = observe(ILL, known, slot=SLOT, now=NOW)

    assert seen
    assert seen.polls == polls
    assert seen.since == (known.since if polls == 4 else NOW)
