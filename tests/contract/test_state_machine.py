"""The state machine of restores: sound, patient, and small in what it hands on."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

import pytest

from caretaker import settings
from caretaker.request import parse_request
from functions.restore.request import RestoreRequest
from functions.restore.turns import LATER, SOON
from tests.contract.asl import MAX_NAME, MAX_PAYLOAD, lint, reached_from, resolved
from tests.contract.iam import policies_of
from tests.contract.template import ROOT, environment, functions, properties, written
from tests.contract.test_iam_restore_machine import LABEL
from tests.support.docs_pages import fields_of, texts_in

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.template import Properties

MACHINE: Final = "RestoreMachine"
ROLE: Final = "RestoreMachineRole"
MADE: Final = written()["Resources"][MACHINE]["Properties"]
TEXT: Final = (ROOT / MADE["DefinitionUri"]).read_text(encoding="utf-8")
PLACED: Final = {"Partition": "aws", "RestoreFunction": "arn:f:restore", "MaxConcurrency": "300"}
DEFINITION: Final[Properties] = json.loads(
    re.sub(r"\$\{(\w+)}", lambda match: PLACED[match[1]], TEXT)
)
TARGETS: Final[Properties] = DEFINITION["States"]["Targets"]
TARGET: Final[Properties] = TARGETS["ItemProcessor"]
SCOPES: Final = (DEFINITION, TARGET)


def parameter_of(name: str) -> Properties:
    """Return a parameter of the template."""
    found: Properties = written()["Parameters"][name]
    return found


def _states(kind: str) -> dict[str, Properties]:
    return {
        name: state
        for scope in SCOPES
        for name, state in scope["States"].items()
        if state["Type"] == kind
    }


def test_it_is_what_the_language_of_states_allows(tmp_path: Path) -> None:
    assert lint(json.dumps(DEFINITION), tmp_path) == ""


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('"Type": "Wait"', '"Type": "Sleep"'),
        ('"MaxConcurrency": 300', '"MaxConcurrency": "many"'),
    ],
)
def test_what_it_does_not_allow_is_noticed(right: str, wrong: str, tmp_path: Path) -> None:
    text = json.dumps(DEFINITION)

    assert right in text
    assert lint(text.replace(right, wrong), tmp_path) != ""


@pytest.mark.parametrize("scope", SCOPES, ids=["machine", "target"])
def test_every_way_leads_to_a_state_and_every_state_is_on_a_way(scope: Properties) -> None:
    assert reached_from(scope) == scope["States"].keys()


def test_every_substitution_is_given_and_none_for_nothing() -> None:
    named = set(re.findall(r"\$\{(\w+)}", TEXT))

    assert named == MADE["DefinitionSubstitutions"].keys() == PLACED.keys()
    assert MADE["DefinitionSubstitutions"]["RestoreFunction"] == {
        "Fn::GetAtt": ["RestoreFunction", "Arn"]
    }


def test_targets_are_taken_at_once_as_a_parameter_says_and_one_that_fails_stops_no_other() -> None:
    parameter = parameter_of("RestoreConcurrency")

    assert MADE["DefinitionSubstitutions"]["MaxConcurrency"] == {"Ref": "RestoreConcurrency"}
    assert '"MaxConcurrency": ${MaxConcurrency},' in TEXT
    assert (parameter["Default"], parameter["MinValue"]) == (300, 1)
    assert TARGETS["ToleratedFailurePercentage"] == 100
    assert TARGETS["Label"] == LABEL
    assert TARGET["ProcessorConfig"] == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}
    assert MADE["Type"] == "STANDARD"


@pytest.mark.parametrize("name", [*_states("Task"), "Targets"])
def test_what_fails_is_tried_again_for_long_and_not_for_ever(name: str) -> None:
    state = {**_states("Task"), "Targets": TARGETS}[name]
    (retry,) = state["Retry"]
    waits = [
        min(retry["IntervalSeconds"] * retry["BackoffRate"] ** n, retry["MaxDelaySeconds"])
        for n in range(retry["MaxAttempts"])
    ]

    assert retry["ErrorEquals"] == ["States.ALL"]
    assert retry["JitterStrategy"] == "FULL"
    assert 10 * 60 < sum(waits) < 6 * 3600


@pytest.mark.parametrize("name", _states("Task"))
def test_a_step_outlives_its_function_and_not_much_longer(name: str) -> None:
    timeout = functions()["RestoreFunction"]["Timeout"]

    assert timeout < _states("Task")[name]["TimeoutSeconds"] <= timeout + 60


@pytest.mark.parametrize("name", _states("Task"))
def test_a_step_is_an_event_that_the_function_takes(name: str) -> None:
    task = _states("Task")[name]
    known = {
        "$.policy": "daily",
        "$.pace": 0.5,
        "$.plan": "p-0123456789abcdef",
        "$.target": "i-0a1b2c3d4e5f60718",
    }
    request = parse_request(RestoreRequest, resolved(task["Parameters"]["Payload"], known))

    assert request.step is not None
    assert (request.step.plan, request.pace) == ("p-0123456789abcdef", 0.5)
    assert request.step.do == name.lower()
    assert task["Resource"] == "arn:aws:states:::lambda:invoke"
    assert task["Parameters"]["FunctionName"] == PLACED["RestoreFunction"]


@pytest.mark.parametrize(
    ("scope", "place", "step"),
    [(DEFINITION, "$.wave", "_wave"), (TARGET, "$.turn", "_advance")],
    ids=["wave", "advance"],
)
def test_it_goes_by_what_a_step_answers(scope: Properties, place: str, step: str) -> None:
    asked = re.findall(rf"{re.escape(place)}\.summary\.(\w+)", json.dumps(scope))
    answered = texts_in("functions/restore/stepping.py", step)

    assert asked
    assert set(asked) <= answered


def test_of_an_answer_its_status_and_summary_alone_are_handed_on() -> None:
    kept = {name: f"$.Payload.{name[:-2]}" for name in ("status.$", "reason.$", "summary.$")}

    assert [task["ResultSelector"] for task in _states("Task").values()] == [kept, kept]
    assert TARGETS["ResultPath"] is None


def test_the_largest_wave_fits_into_a_payload() -> None:
    """Its answer names all targets; of what becomes of each, nothing is handed back."""
    (_, largest) = fields_of(RestoreRequest)["wave"]
    targets = ["i-0a1b2c3d4e5f60718"] * int(largest)
    ended = TARGET["States"]["At its end"]

    assert ended == {"Type": "Pass", "Result": {}, "End": True}
    assert parameter_of("RestoreConcurrency")["MaxValue"] >= largest
    assert len(json.dumps({"summary": {"targets": targets}})) < MAX_PAYLOAD / 8


def test_it_waits_as_long_as_a_step_says_and_a_minute_where_none_could_say() -> None:
    waits = _states("Wait")

    assert waits["Wait"]["SecondsPath"] == "$.turn.summary.seconds"
    assert {each.get("Seconds") for each in waits.values()} == {None, LATER}
    assert SOON >= 1


@pytest.mark.parametrize(
    ("scope", "choice", "place", "end"),
    [
        (DEFINITION, "More?", "$.wave", "Refused"),
        (TARGET, "Over?", "$.turn", "Target refused"),
    ],
    ids=["wave", "advance"],
)
def test_what_is_refused_is_a_failure_and_not_asked_for_again(
    scope: Properties, choice: str, place: str, end: str
) -> None:
    first, *_ = scope["States"][choice]["Choices"]

    assert first == {"Variable": f"{place}.status", "StringEquals": "refused", "Next": end}
    assert scope["States"][end] == {
        "Type": "Fail",
        "Error": "Refused",
        "CausePath": f"{place}.reason",
    }


def test_the_function_and_the_roles_know_the_machine_by_the_name_that_it_has() -> None:
    made = properties("AWS::StepFunctions::StateMachine")[MACHINE]
    known = environment("RestoreFunction")[settings.CARETAKER_RESTORE_MACHINE]

    assert made["StateMachineName"] == {"Fn::Sub": "${AWS::StackName}-restore"}
    assert known["Fn::Sub"].endswith(":stateMachine:${AWS::StackName}-restore")
    assert len(made["StateMachineName"]["Fn::Sub"].replace("${AWS::StackName}", "")) < MAX_NAME / 4


def test_its_log_holds_what_failed_and_nothing_that_was_said() -> None:
    made = properties("AWS::StepFunctions::StateMachine")[MACHINE]
    group = properties("AWS::Logs::LogGroup")["RestoreMachineLogGroup"]

    assert made["LoggingConfiguration"] == {
        "Level": "ERROR",
        "IncludeExecutionData": False,
        "Destinations": [
            {
                "CloudWatchLogsLogGroup": {
                    "LogGroupArn": {"Fn::GetAtt": ["RestoreMachineLogGroup", "Arn"]}
                }
            }
        ],
    }
    assert group["LogGroupName"]["Fn::Sub"].startswith("/aws/vendedlogs/states/${AWS::StackName}")
    assert group["RetentionInDays"] == {"Ref": "LogRetentionDays"}


@pytest.mark.parametrize(("tracing", "is_on"), [("Active", True), ("PassThrough", False)])
def test_it_is_traced_where_the_functions_are(tracing: str, *, is_on: bool) -> None:
    made = properties("AWS::StepFunctions::StateMachine")[MACHINE]
    traces = {each["Sid"] for each in policies_of(ROLE, Tracing=tracing)} & {"SendTraces"}

    assert made["TracingConfiguration"] == {"Enabled": {"Fn::If": ["IsTracing", True, False]}}
    assert bool(traces) is is_on
