"""What comes next once EC2 has refused a step."""

from __future__ import annotations

from datetime import timedelta

import pytest

from caretaker.failures import Failure, kind_of
from functions.restore.journal import Goal, Journal
from functions.restore.refusals import after_refusal
from functions.restore.turns import Move, Step, Turn
from tests.support.builders import NOW
from tests.support.restoring import DATA, OLD, ROOT, a_journal, a_part, on_its_way_back, under_way

ATTACH = Move(Step.ATTACH, DATA, "vol-f0000002")
CREATE = Move(Step.CREATE, DATA)
START = Move(Step.START)


def refused(move: Move, code: str, journal: Journal | None = None, minutes: float = 0) -> Turn:
    """Return what follows a refusal that is the first, or has come for so many minutes."""
    failure = Failure(kind_of(code, 400), code, "no")
    journal = journal or under_way()
    first = after_refusal(journal, move, failure, NOW - timedelta(minutes=minutes))
    return after_refusal(first.journal, move, failure, NOW) if minutes else first


PASSING = [
    "IncorrectState",
    "RequestLimitExceeded",
    "ResourceLimitExceeded",
    "InsufficientVolumeCapacity",
    "VolumeLimitExceeded",
    "MaxIOPSLimitExceeded",
    "VolumeInUse",
]


@pytest.mark.parametrize("code", PASSING)
def test_what_has_no_room_just_now_is_asked_for_again_for_ten_minutes(code: str) -> None:
    turn = refused(ATTACH, code)
    assert (turn.journal.goal, turn.seconds) == (Goal.FORWARD, 30)
    assert refused(ATTACH, code, minutes=9.9).journal.goal is Goal.FORWARD
    late = refused(ATTACH, code, minutes=10)
    assert (late.journal.goal, late.journal.problem, late.seconds) == (Goal.BACK, code, 5)


@pytest.mark.parametrize(
    "code", ["UnauthorizedOperation", "InvalidSnapshot.NotFound", "InvalidParameterValue"]
)
def test_what_does_not_pass_goes_back_at_once(code: str) -> None:
    turn = refused(ATTACH, code)

    assert (turn.journal.goal, turn.journal.problem) == (Goal.BACK, code)


@pytest.mark.parametrize(
    "code", ["InsufficientInstanceCapacity", "InstanceLimitExceeded", "VcpuLimitExceeded"]
)
def test_a_start_without_room_is_asked_for_as_long_as_it_takes(code: str) -> None:
    turn = refused(START, code, minutes=600)

    assert (turn.journal.goal, turn.journal.starts, turn.seconds) == (Goal.FORWARD, 0, 60)


def test_a_start_that_is_refused_for_good_goes_back() -> None:
    assert refused(START, "UnauthorizedOperation").journal.goal is Goal.BACK


@pytest.mark.parametrize("code", [*PASSING, "UnauthorizedOperation", "InvalidParameterValue"])
def test_on_the_way_back_everything_is_asked_for_again(code: str) -> None:
    turn = refused(ATTACH, code, on_its_way_back(), minutes=600)

    assert (turn.journal.goal, turn.journal.is_open, turn.seconds) == (Goal.BACK, True, 30)
    assert turn.journal.problem == "checks_failed"


def test_a_token_that_is_used_up_is_burned_for_another_and_the_third_goes_back() -> None:
    code = "IdempotentParameterMismatch"

    once = refused(CREATE, code, a_journal()).journal
    assert [part.burned for part in once.parts] == [0, 1]
    assert not once.parts[1].is_sent
    journal = a_journal(a_part(0), a_part(1, burned=2, is_sent=True))
    late = refused(CREATE, code, journal).journal
    assert (late.goal, late.problem) == (Goal.BACK, "token_used")


def test_a_tag_that_is_refused_is_done_without() -> None:
    turn = refused(Move(Step.TAG, disk=OLD[0]), "TagLimitExceeded")

    assert (turn.journal.goal, turn.journal.tagged) == (Goal.FORWARD, (OLD[0],))
    assert turn.journal.history[-1].endswith("refused: tag: TagLimitExceeded")


def test_a_volume_that_may_not_be_deleted_is_kept_and_nothing_goes_back_for_it() -> None:
    spare = Move(Step.DISCARD, disk="vol-f0000009")

    for journal in (under_way(), on_its_way_back()):
        turn = refused(spare, "UnauthorizedOperation", journal)
        assert (turn.journal.goal, turn.journal.kept) == (journal.goal, ("vol-f0000009",))
        assert refused(spare, "VolumeInUse", journal, minutes=9.9).journal.kept == ()
        late = refused(spare, "VolumeInUse", journal, minutes=10).journal
        assert (late.goal, late.kept) == (journal.goal, ("vol-f0000009",))


def test_the_time_runs_from_the_first_refusal_of_this_kind() -> None:
    first = refused(ATTACH, "VolumeInUse", minutes=9).journal
    assert (first.refused, first.refused_since) == (
        "attach: VolumeInUse",
        NOW - timedelta(minutes=9),
    )
    other = refused(Move(Step.DETACH, DATA), "VolumeInUse", first).journal
    assert other.refused_since == NOW
    assert refused(ATTACH, "IncorrectState", first).journal.refused_since == NOW


def test_the_history_tells_of_each_kind_once() -> None:
    told = refused(ATTACH, "VolumeInUse", minutes=9).journal.history

    assert [line.split(" ", 1)[1] for line in told] == ["refused: attach: VolumeInUse"]


def test_what_happens_at_the_instances_end_is_done_without_where_it_is_refused() -> None:
    turn = refused(Move(Step.PROTECT), "UnauthorizedOperation")

    assert (turn.journal.goal, turn.journal.unlike) == (Goal.FORWARD, (ROOT, DATA))
    passing = refused(Move(Step.PROTECT), "RequestLimitExceeded")
    assert passing.journal.unlike == ()
