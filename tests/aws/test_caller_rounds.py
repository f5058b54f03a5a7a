"""Cells that need more than one round: who asks for the next, and what the last one says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from functions.snapshot import app
from tests.support.fleets import CALLER, POLICY, RUN
from tests.support.snapshots import BACKUP, DAILY

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud import Account, StrictCloud
    from tests.support.stack import Stack

CALLED: Final = {**DAILY, **CALLER}
MANY: Final = 24


@pytest.fixture
def many(cloud: StrictCloud, stack: Stack, account: Account) -> Stack:
    """More volumes than one round has the time for."""
    cloud.pages.size = None
    for _ in range(MANY):
        account.volume(tags=BACKUP)
    cloud.seconds_per_call = 3
    return stack


def play(stack: Stack, event: Mapping[str, Any] = CALLED) -> list[dict[str, Any]]:
    """Be the state machine: ask again as long as there is a next event."""
    answers = [stack.run(app.CHORE, event, seconds=105)]
    while "next" in answers[-1]:
        assert len(answers) < 25
        answers.append(stack.run(app.CHORE, answers[-1]["next"], seconds=105))
    return answers


def handed(stack: Stack) -> set[str]:
    """Return the turns and kinds of what is handed on, as `ALARM work_left_over`."""
    found = [i for i in stack.items() if i["pk"] == f"handed#{POLICY}"]
    return {f"{i['turn']} {str(i['sk']).split('/')[5]}" for i in found}


@pytest.mark.usefixtures("one_at_a_time")
def test_out_of_time_the_caller_is_to_ask_again_and_nobody_else_does(
    many: Stack, cloud: StrictCloud
) -> None:
    first, *_ = play(many)

    assert (first["complete"], first["status"]) == (False, "partial")
    assert first["next"]["caller"]["run"] == RUN
    assert {**first["next"], **CALLER} == CALLED
    assert first["next"]["caller"]["so_far"]["done"] == {"create": first["progress"]}
    assert cloud.calls.of("Invoke") == []
    assert handed(many) == set()


@pytest.mark.usefixtures("one_at_a_time")
def test_rounds_add_up_in_the_last_answer(many: Stack) -> None:
    *before, last = play(many)

    assert len(before) >= 2
    assert last["counts"]["create"] == {"done": MANY}
    assert last["counts"]["keep"]["unchanged"] == MANY - last["progress"]
    assert last["rounds"] == len(before) + 1
    assert len(set(last["reports"])) == len(before) + 1
    assert (last["status"], last["complete"]) == ("ok", True)
    assert all(each["next"]["caller"]["run"] == RUN for each in before)


@pytest.mark.usefixtures("one_at_a_time")
def test_the_twentieth_round_is_the_last_and_leaves_it_to_the_judge_to_tell_so(many: Stack) -> None:
    so_far = {"rounds": 19, "done": {"create": 7}}
    (answer,) = play(many, {**DAILY, "caller": {**CALLER["caller"], "so_far": so_far}})

    assert (answer["complete"], answer["rounds"]) == (False, 20)
    assert answer["counts"]["create"]["done"] == 7 + answer["progress"]
    assert handed(many) == set()


def test_a_round_that_fails_still_says_what_those_before_did(
    cloud: StrictCloud, stack: Stack
) -> None:
    cloud.faults.add("denied", operation="DescribeVolumes", times=None)
    so_far = {"rounds": 2, "done": {"create": 7}, "reports": ["s3://b/one"], "opened": 1}
    answer = stack.run(app.CHORE, {**DAILY, "caller": {**CALLER["caller"], "so_far": so_far}})

    assert (answer["status"], answer["rounds"], answer["opened"]) == ("unreachable", 3, 1)
    assert answer["counts"] == {"create": {"done": 7}}
    assert answer["reports"] == ["s3://b/one"]
