"""What the drill may be asked, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from caretaker.errors import RefusedError
from caretaker.request import parse_request
from functions.drill.facts import How
from functions.drill.request import DrillRequest, Sample, check_judge


def test_an_empty_event_reads_blocks_of_a_tenth() -> None:
    request = parse_request(DrillRequest, {})
    assert (request.policy, request.how, request.sample) == (
        "daily",
        How.BLOCKS,
        Sample(percent=10),
    )
    assert (request.blocks, request.max_proof_age_days, request.judge) == (64, 90, False)


ONE = "vol-00000001"


@pytest.mark.parametrize(
    ("event", "path"),
    [
        ({"sample": {}}, "sample"),
        ({"sample": {"percent": 10, "count": 3}}, "sample"),
        ({"sample": {"everything": False}}, "sample.everything"),
        ({"sample": {"percent": 0}}, "sample.percent"),
        ({"sample": {"percent": 101}}, "sample.percent"),
        ({"sample": {"count": 0}}, "sample.count"),
        ({"sample": 10}, "sample"),
        ({"how": "read"}, "how"),
        ({"blocks": 0}, "blocks"),
        ({"blocks": 1001}, "blocks"),
        ({"rto_minutes": 10}, "rto_minutes"),
        ({"judge": True}, "judge"),
        ({"how": "blocks", "judge": True}, "judge"),
        ({"accept_found": True}, "accept_found"),
        ({"accept_found": True, "select": {"everything": True}}, "accept_found"),
        ({"accept_found": True, "select": {"volumes": [ONE], "tags_any": ["a"]}}, "accept_found"),
        ({"accept_found": True, "select": {"volumes": [ONE]}, "how": "volume"}, "accept_found"),
        ({"how": "volume", "rto_minutes": 0}, "rto_minutes"),
        ({"max_proof_age_days": 0}, "max_proof_age_days"),
        ({"judge": "yes"}, "judge"),
        ({"speed": 3}, "speed"),
    ],
)
def test_a_wrong_event_is_refused_by_name(event: dict[str, Any], path: str) -> None:
    with pytest.raises(RefusedError) as refused:
        parse_request(DrillRequest, event)
    assert [each["path"] for each in refused.value.errors] == [path]


def test_what_is_found_is_accepted_of_volumes_by_their_ids() -> None:
    event = {"accept_found": True, "select": {"volumes": [ONE]}}
    assert parse_request(DrillRequest, event).accept_found
    assert not parse_request(DrillRequest, {"accept_found": False}).accept_found


def test_what_the_schedule_leaves_out_is_no_error() -> None:
    request = parse_request(DrillRequest, {"rto_minutes": None, "judge": False})
    assert (request.rto_minutes, request.judge) == (None, False)


def test_a_wrong_event_is_told_in_words_of_json() -> None:
    with pytest.raises(RefusedError) as refused:
        parse_request(DrillRequest, {"sample": {"everything": False}})
    assert refused.value.errors[0]["expected"] == "true, or left out"


@pytest.mark.parametrize(
    ("select", "is_whole"),
    [
        ({}, True),
        ({"everything": True}, True),
        ({"volumes": [ONE]}, False),
        ({"tags_any": ["Role=database"]}, False),
        ({"exclude_tags": ["Role=database"]}, False),
        ({"states": ["in-use"]}, False),
    ],
)
def test_only_a_run_that_leaves_nothing_out_is_about_the_whole_policy(
    select: dict[str, Any], *, is_whole: bool
) -> None:
    assert parse_request(DrillRequest, {"select": select}).is_whole is is_whole


def test_a_judge_that_the_stack_does_not_name_is_refused() -> None:
    asked = parse_request(DrillRequest, {"how": "volume", "judge": True})
    with pytest.raises(RefusedError, match="judge_missing"):
        check_judge(asked, "")
    check_judge(asked, "arn:aws:lambda:eu-west-1:123456789012:function:judge")
    check_judge(parse_request(DrillRequest, {}), "")
