from __future__ import annotations

import pytest

from functions.instance_health.ladder import Ending, Ladder, Stand, start_waits
from tests.support.builders import NOW
from tests.support.health import a_ladder, ago


@pytest.mark.parametrize(
    ("stand", "is_open", "is_owed"),
    [
        ("taken", True, False),
        ("stopping", True, True),
        ("starting", True, True),
        ("refused", True, False),
        ("ended", False, False),
    ],
)
def test_a_ladder_is_open_until_it_has_ended_and_owed_until_what_it_stopped_runs(
    stand: str, *, is_open: bool, is_owed: bool
) -> None:
    ladder = a_ladder(stand=stand)

    assert (ladder.is_open, ladder.is_owed) == (is_open, is_owed)


@pytest.mark.parametrize(
    ("ending", "is_settled"),
    [("fixed", True), ("gone", True), ("not_fixed", False), ("unknown", False)],
)
def test_what_a_ladder_is_about_is_over_when_it_is_fixed_or_gone(
    ending: str, *, is_settled: bool
) -> None:
    assert a_ladder(ended=1, ending=ending).is_settled is is_settled
    assert not a_ladder().is_settled


def test_the_ladders_of_a_day_are_those_of_less_than_24_hours() -> None:
    times = (ago(1440), ago(1439), ago(1))

    assert a_ladder(begun=times).begun_within_a_day(NOW) == times[1:]


def test_a_call_that_is_sent_again_is_one_more_try() -> None:
    ladder = a_ladder(stand="stopping", minutes=3)
    again = ladder.sent(Stand.STOPPING, NOW)
    other = again.sent(Stand.STARTING, NOW)

    assert (again.tries, again.at, again.stand) == (2, NOW, Stand.STOPPING)
    assert (other.tries, other.stand) == (1, Stand.STARTING)


def test_a_ladder_that_ends_says_how_and_when() -> None:
    ended = a_ladder(minutes=11).ended_as(Ending.NOT_FIXED, NOW, "spot")

    assert (ended.stand, ended.ended, ended.ending) == (Stand.ENDED, NOW, Ending.NOT_FIXED)
    assert ended.why == "spot"
    assert ended.history == ("reboot at 02:49: not fixed",)
    assert a_ladder().ended_as(Ending.FIXED, NOW).why == ""


def test_the_last_eight_words_on_its_steps_are_kept() -> None:
    ladder = a_ladder()
    for n in range(9):
        ladder = ladder.noted(str(n))

    assert [line[-1] for line in ladder.history] == list("12345678")


@pytest.mark.parametrize(
    ("tries", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 15), (6, 15), (5000, 15)]
)
def test_the_wait_between_starts_doubles_up_to_a_quarter_of_an_hour(
    tries: int, minutes: int
) -> None:
    assert start_waits(a_ladder(tries=tries)).total_seconds() == minutes * 60


def test_a_ladder_that_nobody_wrote_has_no_version() -> None:
    ladder = a_ladder()

    assert Ladder(ladder.cause, NOW, 1, "reboot", Stand.TAKEN, NOW).version == 0
