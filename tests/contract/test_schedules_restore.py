"""What the schedules of restore and drill send."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker.request import parse_request
from functions.drill.request import DrillRequest
from functions.restore.request import RestoreRequest
from tests.contract.template import expanded, properties, with_values, written

if TYPE_CHECKING:
    from tests.contract.template import Properties

JUDGE: Final = "arn:aws:lambda:eu-west-1:123456789012:function:judge"


def _event(schedule: Properties, **values: str) -> Any:
    return json.loads(with_values(schedule["Target"]["Input"], expanded(), **values))


def test_restores_are_looked_after_and_none_is_asked_for() -> None:
    schedule = properties("AWS::Scheduler::Schedule")["RestoreFunctionWatch"]
    event = _event(schedule)
    request = parse_request(RestoreRequest, event | {"scheduled_time": None})

    assert event.keys() == {"policy", "scheduled_time"}
    assert (request.is_asked, request.step) == (False, None)
    assert written()["Parameters"]["RestoreSchedule"]["Default"] == "rate(15 minutes)"


def _drill(**parameters: str) -> DrillRequest:
    schedule = properties("AWS::Scheduler::Schedule")["DrillFunctionDaily"]
    event = _event(schedule, **parameters) | {"scheduled_time": None}
    return parse_request(DrillRequest, event)


def test_a_drill_is_sent_what_the_parameters_say() -> None:
    numbers = {"DrillSamplePercent": "11", "DrillBlocks": "12", "DrillMaxProofAgeDays": "13"}
    plain, given = _drill(), _drill(**numbers, DrillHow="volume", DrillRtoMinutes="14")

    assert (plain.how, plain.rto_minutes, plain.judge) == ("blocks", None, False)
    assert (plain.sample.percent, plain.blocks, plain.max_proof_age_days) == (10, 64, 90)
    assert (given.how, given.rto_minutes, given.judge) == ("volume", 14, False)
    assert (given.sample.percent, given.blocks, given.max_proof_age_days) == (11, 12, 13)


@pytest.mark.parametrize(
    ("how", "arn", "is_asked"),
    [("blocks", JUDGE, False), ("volume", "", False), ("volume", JUDGE, True)],
)
def test_a_judge_is_asked_where_there_is_one_and_a_volume_to_judge(
    how: str, arn: str, *, is_asked: bool
) -> None:
    assert _drill(DrillHow=how, DrillJudgeArn=arn, DrillRtoMinutes="9").judge is is_asked
