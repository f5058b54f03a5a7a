"""How a target stands, in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.restore.facts import How, Reason
from functions.restore.journal import Ending, Journal
from functions.restore.telling import (
    left_over,
    named,
    named_some,
    new_volumes,
    problem_of,
    reason_of,
    told_of,
)
from tests.support.builders import NOW
from tests.support.restoring import ID, a_journal, on_its_way_back, under_way


def ended(ending: Ending, **odd: object) -> Journal:
    return replace(under_way(**odd).ends(ending, NOW), problem=str(odd.get("problem", "")))


@pytest.mark.parametrize(
    ("journal", "reason"),
    [
        (a_journal(turned=None), Reason.NOT_BEGUN),
        (a_journal(), Reason.UNDER_WAY),
        (under_way(), Reason.UNDER_WAY),
        (on_its_way_back(), Reason.GOING_BACK),
        (under_way().ends(Ending.RESTORED, NOW), Reason.OVER),
    ],
)
def test_how_far_it_is(journal: Journal, reason: Reason) -> None:
    assert reason_of(journal) is reason


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", ""),
        ("attaching_stuck", "a volume did not attach"),
        ("in_scaling_group", "in scaling group"),
        ("InsufficientVolumeCapacity", "EC2 refused it: InsufficientVolumeCapacity"),
    ],
)
def test_a_problem_is_a_sentence(code: str, said: str) -> None:
    assert problem_of(on_its_way_back(problem=code)) == said


@pytest.mark.parametrize(
    ("journal", "said"),
    [
        (ended(Ending.RESTORED), "restored"),
        (a_journal(how=How.VOLUMES), "under way"),
        (under_way(ran=False), "under way; was stopped before"),
        (
            under_way(waiting_for="instance to run", history=("04:00:05 stop", "04:01:00 start")),
            "under way; started by it at 04:01:00 UTC; waits for instance to run",
        ),
        (
            ended(Ending.ROLLED_BACK, ran=False),
            "rolled back; on its originals again, stopped as before",
        ),
        (
            a_journal(problem="volume_failed").ends(Ending.ROLLED_BACK, NOW),
            "rolled back: EC2 could not make a new volume, mostly for its KMS key; untouched",
        ),
    ],
)
def test_whether_it_runs_and_on_what(journal: Journal, said: str) -> None:
    assert told_of(journal) == said


def test_new_volumes_of_what_is_left_are_data_and_of_no_other() -> None:
    left = ended(Ending.LEFT, left_over=("vol-9",))
    back = ended(Ending.ROLLED_BACK, left_over=("vol-9",))

    assert (left_over(left), new_volumes(left)) == ((), ("vol-9",))
    assert (left_over(back), new_volumes(back)) == (("vol-9",), ())


def test_people_read_names() -> None:
    web, bare = a_journal(name="web-1"), a_journal()

    assert (named(web), named(bare)) == (f"web-1 {ID}", ID)
    assert named_some([web, bare]) == f"web-1, {ID}"
    assert named_some([web, bare, web, bare, web]) == f"web-1, {ID}, web-1 and 2 more"
