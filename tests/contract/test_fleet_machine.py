"""The state machine of fleets: sound, patient, and one cell stops no other."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from caretaker import settings
from caretaker.aws.state import LEASE_SECONDS
from caretaker.errors import BusyError
from caretaker.request import parse_request
from functions.fleet.request import FleetRequest
from tests.contract.asl import MAX_NAME, lint, reached_from, resolved
from tests.contract.template import ROOT, environment, functions, properties, written
from tests.support.docs_pages import texts_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.template import Properties

MADE: Final = written()["Resources"]["FleetMachine"]["Properties"]
TEXT: Final = (ROOT / MADE["DefinitionUri"]).read_text(encoding="utf-8")
PLACED: Final = {"Partition": "aws", "FleetFunction": "arn:f:fleet"}
DEFINITION: Final[Properties] = json.loads(
    re.sub(r"\$\{(\w+)}", lambda match: PLACED[match[1]], TEXT)
)
CELLS: Final[Properties] = DEFINITION["States"]["Cells"]
QUICK: Final[Properties] = DEFINITION["States"]["Quick cells"]
SCOPES: Final = (DEFINITION, CELLS["ItemProcessor"], QUICK["ItemProcessor"])
EXPRESS_SECONDS: Final = 300
"""What an Express workflow may take. Source: AWS Step Functions developer guide, "Quotas"."""


def _tasks() -> dict[str, Properties]:
    return {
        name: state
        for scope in SCOPES
        for name, state in scope["States"].items()
        if state["Type"] == "Task"
    }


def test_it_is_what_the_language_of_states_allows(tmp_path: Path) -> None:
    assert lint(json.dumps(DEFINITION), tmp_path) == ""


@pytest.mark.parametrize("scope", SCOPES, ids=["machine", "cell", "quick cell"])
def test_every_way_leads_to_a_state_and_every_state_is_on_a_way(scope: Properties) -> None:
    assert reached_from(scope) == scope["States"].keys()


def test_a_name_of_a_state_is_there_once() -> None:
    names = [name for scope in SCOPES for name in scope["States"]]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("cells", [CELLS, QUICK], ids=["cells", "quick cells"])
def test_no_cell_that_fails_stops_another(cells: Properties) -> None:
    """The default is 0. Source: AWS Step Functions developer guide, "Distributed Map state"."""
    assert cells["ToleratedFailurePercentage"] == 100
    assert cells["ItemProcessor"]["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
    assert "ToleratedFailureCount" not in cells


def test_cells_are_standard_and_quick_ones_express_and_else_alike() -> None:
    types = [each["ItemProcessor"]["ProcessorConfig"]["ExecutionType"] for each in (CELLS, QUICK)]
    apart = {"ItemProcessor", "Label"}
    rest = [{k: v for k, v in each.items() if k not in apart} for each in (CELLS, QUICK)]

    assert types == ["STANDARD", "EXPRESS"]
    assert rest[0] == rest[1]


def test_a_wave_is_read_from_the_bucket_and_its_ends_are_written_there() -> None:
    place = "$.step.summary"

    assert CELLS["ItemReader"]["Parameters"] == {
        "Bucket.$": f"{place}.bucket",
        "Key.$": f"{place}.key",
    }
    assert CELLS["ResultWriter"]["Parameters"] == {
        "Bucket.$": f"{place}.bucket",
        "Prefix.$": f"{place}.results",
    }
    assert CELLS["MaxConcurrencyPath"] == f"{place}.concurrency"
    assert CELLS["ResultPath"] is None


def test_it_goes_by_what_a_step_answers() -> None:
    asked = set(re.findall(r"\$\.step\.summary\.(\w+)", TEXT))

    assert asked == {"more", "express", "number", "concurrency", "bucket", "key", "results"}
    assert asked <= texts_in("functions/fleet/stepping.py", "_wave")


def test_a_cell_is_asked_again_with_the_event_that_it_names() -> None:
    states = CELLS["ItemProcessor"]["States"]

    assert states["Run"]["Parameters"] == {"FunctionName.$": "$.function", "Payload.$": "$.event"}
    assert states["Next round"]["Parameters"]["event.$"] == "$.turn.answer.next"
    assert states["Ended"]["OutputPath"] == "$.turn.answer"


@pytest.mark.parametrize("name", ["Wave", "Judge"])
def test_a_step_is_an_event_that_the_function_takes(name: str) -> None:
    known = {
        "$.policy": "snapshot-daily",
        "$.scheduled_time": "2026-11-21T03:00:00+00:00",
        "$$.Execution.Name": "r-1",
        "$.wave.number": 3,
    }
    payload = resolved(_tasks()[name]["Parameters"]["Payload"], known)
    request = parse_request(FleetRequest, payload)

    assert request.step is not None
    assert (request.step.do, request.step.run, request.step.after) == (name.lower(), "r-1", 3)
    assert (request.policy, request.lease_scope) == ("snapshot-daily", "r-1")


@pytest.mark.parametrize("name", [*_tasks(), "Cells", "Quick cells"])
def test_what_fails_is_tried_again_and_not_for_ever(name: str) -> None:
    state = {**_tasks(), "Cells": CELLS, "Quick cells": QUICK}[name]
    *first, retry = state["Retry"]
    waits = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** n, retry["MaxDelaySeconds"])
        for n in range(retry["MaxAttempts"])
    ]

    assert retry["ErrorEquals"] == ["States.ALL"]
    assert retry["JitterStrategy"] == "FULL"
    assert 10 < sum(waits) < 3600
    assert len(first) <= 1


@pytest.mark.parametrize("name", ["Wave", "Judge", "Run"])
def test_a_held_lease_is_waited_for_longer_than_a_run_may_last(name: str) -> None:
    """That of a dead run ends within a minute; one that lives may take its 15 minutes."""
    busy, _ = _tasks()[name]["Retry"]

    assert busy["ErrorEquals"] == [BusyError.__name__]
    assert busy["IntervalSeconds"] > LEASE_SECONDS
    assert busy["IntervalSeconds"] * busy["MaxAttempts"] > 900


def test_a_quick_cell_that_took_too_long_is_not_begun_beside_itself() -> None:
    first, _ = _tasks()["Run quickly"]["Retry"]

    assert first == {"ErrorEquals": ["States.Timeout"], "MaxAttempts": 0}


def test_a_step_outlives_its_function() -> None:
    default = 900
    for name in ("Wave", "Judge", "Run"):
        assert default < _tasks()[name]["TimeoutSeconds"] <= default + 60
    assert _tasks()["Run quickly"]["TimeoutSeconds"] < EXPRESS_SECONDS
    assert functions()["FleetFunction"].get("Timeout", default) == default


def test_the_function_and_the_roles_know_the_machine_by_the_name_that_it_has() -> None:
    made = properties("AWS::StepFunctions::StateMachine")["FleetMachine"]
    known = environment("FleetFunction")[settings.CARETAKER_FLEET_MACHINE]

    assert made["StateMachineName"] == {"Fn::Sub": "${AWS::StackName}-fleet"}
    assert known["Fn::Sub"].endswith(":stateMachine:${AWS::StackName}-fleet")
    assert len("-fleet") < MAX_NAME / 4
    assert MADE["Type"] == "STANDARD"


def test_the_chores_of_a_fleet_stand_in_one_list_with_their_functions() -> None:
    text = environment("FleetFunction")[settings.CARETAKER_FLEET_CHORES]["Fn::Sub"]
    chores = json.loads(text)

    assert chores == {
        name: f"${{{name.title()}Function.Arn}}"
        for name in ("drill", "retention", "snapshot", "tagging")
    }


def test_all_of_it_is_there_only_where_the_fleet_is_on() -> None:
    made = {name: each for name, each in written()["Resources"].items() if name.startswith("Fleet")}

    assert len(made) >= 9
    assert {each["Condition"] for each in made.values()} == {"HasFleet"}
