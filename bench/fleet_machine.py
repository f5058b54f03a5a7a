"""Step Functions as far as the machine of fleets needs it, upon a stage.

Of Amazon States Language what `statemachines/fleet.asl.json` uses. A distributed map starts its
children at no more than the documented rate, and writes how they ended as the service does:
https://docs.aws.amazon.com/step-functions/latest/dg/input-output-resultwriter.html
"""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Protocol

from bench.bed import ROOT
from bench.machine import MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.stage import Stage

type Json = Any

PAYLOAD_BYTES: Final = 256 * 1024
"""https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html"""
START_RATES: Final = {"STANDARD": 100, "EXPRESS": 1000}
"""Children a second, as AWS is quoted with; not checked on an account."""
TRANSITION_SECONDS: Final = {"STANDARD": 0.03, "EXPRESS": 0.005}
MAP_SECONDS: Final = 2.0
"""Assumed: AWS documents neither what a transition takes, nor a map before and after its items."""
_FILE: Final = ROOT / "statemachines/fleet.asl.json"
_ARN: Final = "arn:aws:states:eu-west-1:123456789012"
STEP: Final = f"{_ARN}:function:caretaker-fleet".replace("states", "lambda")


class TaskFailedError(RuntimeError):
    """A task has failed, as often as its definition has it tried again."""


class Objects(Protocol):
    """The bucket, as the machine sees it."""

    def get_json(self, key: str) -> Json:
        """Return an object."""

    def put_json(self, key: str, document: Json) -> None:
        """Write an object."""


def definition() -> dict[str, Any]:
    """Return the machine of fleets with what the template fills in."""
    text = _FILE.read_text(encoding="utf-8").replace("${FleetFunction}", STEP)
    filled: dict[str, Any] = json.loads(text.replace("${Partition}", "aws"))
    return filled


@dataclass(slots=True)
class _Child:
    """An execution: its kind, its name, and what it was given."""

    kind: str
    name: str
    given: Json


class FleetMachine:
    """Plays the definition; `invoke` is Lambda's, by the function's name and the payload.

    `counted` are transitions, retries and executions by kind; `largest` is the largest payload of
    each state in bytes, `child_seconds` what all Express children took.
    """

    def __init__(
        self, invoke: Callable[[str, Json], Json], objects: Objects, stage: Stage, *, quick: bool
    ) -> None:
        self._machine = definition()
        self._invoke = invoke
        self._objects = objects
        self._stage = stage
        self._quick = quick
        self._random = random.Random(len(self._machine))
        self._runs = count(1)
        self.counted: Counter[str] = Counter()
        self.largest: Counter[str] = Counter()
        self.child_seconds = 0.0
        self.maps: list[dict[str, Any]] = []

    def play(self, name: str, given: Json) -> None:
        """Play an execution of this name to its end."""
        self._play(self._machine, _Child("STANDARD", name, given))

    def _play(self, machine: Mapping[str, Any], child: _Child) -> Json:
        self.counted[f"executions {child.kind}"] += 1
        data, name = child.given, machine["StartAt"]
        while name:
            state = machine["States"][name]
            self._pass_on(name, data)
            self.counted[f"transitions {child.kind}"] += 1
            self._stage.sleep(0.0 if self._quick else TRANSITION_SECONDS[child.kind])
            match state["Type"]:
                case "Task":
                    data = self._put(state, data, self._task(name, state, data, child))
                case "Map":
                    self._map(name, state, data)
                case "Pass" if "Parameters" in state:
                    data = _filled(state["Parameters"], data, {})
                case "Fail":
                    raise MachineError(f"{state['Error']}: {_at(state['CausePath'], data)}")
            data = _at(state.get("OutputPath", "$"), data)
            name = _chosen(state, data) if state["Type"] == "Choice" else state.get("Next")
        return data

    def _pass_on(self, name: str, data: Json) -> None:
        self.largest[name] = max(self.largest[name], len(json.dumps(data)))

    def _put(self, state: Mapping[str, Any], data: Json, result: Json) -> Json:
        path = state.get("ResultPath", "$")
        return result if path == "$" else {**data, path[2:]: result}

    def _task(self, name: str, state: Mapping[str, Any], data: Json, child: _Child) -> Json:
        *_, retry = state["Retry"]
        context = {"Execution": {"Name": child.name}}
        asked = _filled(state["Parameters"], data, context)
        for tried in range(retry["MaxAttempts"] + 1):
            try:
                payload = self._invoke(asked["FunctionName"], asked["Payload"])
            except RuntimeError as error:
                if tried == retry["MaxAttempts"]:
                    raise TaskFailedError(str(error)) from error
            else:
                self._pass_on(f"{name}: answer", payload)
                result = {"Payload": payload}
                return _filled(state["ResultSelector"], result, {}) if _selects(state) else result
            self.counted.update(("retries", f"transitions {child.kind}"))
            most = retry["IntervalSeconds"] * retry["BackoffRate"] ** tried
            self._stage.sleep(self._random.uniform(0, min(most, retry["MaxDelaySeconds"])))
        raise AssertionError

    def _map(self, name: str, state: Mapping[str, Any], data: Json) -> None:
        """Run a child for each item, so many at once, and write what each came to."""
        begun = self._stage.seconds
        read, processor = state["ItemReader"], state["ItemProcessor"]
        kind = processor["ProcessorConfig"]["ExecutionType"]
        key = _filled(read["Parameters"], data, {})["Key"]
        items = self._objects.get_json(key)
        self._stage.sleep(0.0 if self._quick else MAP_SECONDS)
        ends: list[dict[str, Any]] = []
        turns = _Turns(self._stage, START_RATES[kind])
        children = [
            partial(self._child, processor, _Child(kind, f"{name}-{n}", item), turns, ends)
            for n, item in enumerate(items)
        ]
        self._stage.gather(children, _at(state["MaxConcurrencyPath"], data))
        self._write(_filled(state["ResultWriter"]["Parameters"], data, {})["Prefix"], ends)
        seconds = self._stage.seconds - begun
        self.maps.append({"items": len(items), "seconds": seconds, "kind": kind, "key": key})

    def _child(
        self, machine: Mapping[str, Any], child: _Child, turns: _Turns, ends: list[dict[str, Any]]
    ) -> None:
        turns.wait()
        begun = self._stage.seconds
        told: dict[str, Any] = {"Status": "SUCCEEDED"}
        try:
            told["Output"] = json.dumps(self._play(machine, child))
        except TaskFailedError as error:
            told = {"Status": "FAILED", "Error": "Lambda.Unknown", "Cause": str(error)}
        self.child_seconds += self._stage.seconds - begun
        ends.append(ended(child.name, child.given, told))

    def _write(self, prefix: str, ends: list[dict[str, Any]]) -> None:
        write_ends(self._objects, f"{prefix}/{next(self._runs):036}", ends)


class _Turns:
    """Lets children start one after the other at a rate."""

    def __init__(self, stage: Stage, rate: float) -> None:
        self._stage = stage
        self._gap = 1 / rate
        self._next = stage.seconds

    def wait(self) -> None:
        now = self._stage.seconds
        at = max(now, self._next)
        self._next = at + self._gap
        self._stage.sleep(at - now)


def ended(name: str, given: Json, told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a child as the map's result writer tells of it."""
    at = "2026-11-21T03:00:00.000Z"
    return {
        "ExecutionArn": f"{_ARN}:execution:caretaker-fleet/Cells:{name:>036}",
        "Input": json.dumps(given),
        "InputDetails": {"Included": True},
        "Name": f"{name:>036}",
        "OutputDetails": {"Included": True},
        "RedriveCount": 0,
        "RedriveStatus": "NOT_REDRIVABLE",
        "RedriveStatusReason": "Execution is SUCCEEDED and cannot be redriven",
        "StartDate": at,
        "StateMachineArn": f"{_ARN}:stateMachine:caretaker-fleet/Cells",
        "StopDate": at,
        **told,
    }


def write_ends(objects: Objects, folder: str, ends: list[dict[str, Any]]) -> None:
    """Write the files of a map run, and its manifest beside them."""
    files: dict[str, list[dict[str, Any]]] = {"FAILED": [], "PENDING": [], "SUCCEEDED": []}
    for status, listed in files.items():
        children = [each for each in ends if each["Status"] == status]
        if children:
            key = f"{folder}/{status}_0.json"
            objects.put_json(key, children)
            listed.append({"Key": key, "Size": 0})
    objects.put_json(f"{folder}/manifest.json", {"ResultFiles": files})


def _selects(state: Mapping[str, Any]) -> bool:
    return "ResultSelector" in state


def _chosen(state: Mapping[str, Any], data: Json) -> str:
    rules = (rule["Next"] for rule in state["Choices"] if _holds(rule, data))
    return str(next(rules, state["Default"]))


def _holds(rule: Mapping[str, Any], data: Json) -> bool:
    if "Not" in rule:
        return not _holds(rule["Not"], data)
    if "Or" in rule:
        return any(_holds(each, data) for each in rule["Or"])
    found = _at(rule["Variable"], data)
    if "IsPresent" in rule:
        return (found is not None) is bool(rule["IsPresent"])
    return bool(found == rule.get("StringEquals", rule.get("BooleanEquals")))


def _at(path: str, data: Json) -> Json:
    for name in filter(None, path.lstrip("$.").split(".")):
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _filled(template: Json, data: Json, context: Json) -> Json:
    if not isinstance(template, dict):
        return template
    return {
        key.removesuffix(".$"): _at(value, context if value.startswith("$$") else data)
        if key.endswith(".$")
        else _filled(value, data, context)
        for key, value in template.items()
    }
