"""Step Functions as far as the machine of restores needs it.

Of Amazon States Language what `statemachines/restore.asl.json` uses. A map plays its items beside
each other, so many at once; a task that fails is tried again with full jitter, as it says itself.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from bench.bed import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.stage import Stage

type Json = Any

_FILE: Final = ROOT / "statemachines/restore.asl.json"


class MachineError(RuntimeError):
    """The machine ended otherwise than well."""


def definition(concurrency: int) -> dict[str, Any]:
    """Return the machine of restores with what the template fills in."""
    text = _FILE.read_text(encoding="utf-8").replace("${MaxConcurrency}", str(concurrency))
    filled: dict[str, Any] = json.loads(text)
    return filled


class Machine:
    """Plays a definition; `invoke` is its Lambda. `counted` are transitions, retries, executions.

    Every state that is entered is a transition, and so is every retry.
    https://aws.amazon.com/step-functions/pricing/
    """

    def __init__(
        self, machine: Mapping[str, Any], invoke: Callable[[Json], Json], stage: Stage
    ) -> None:
        self._machine = machine
        self._invoke = invoke
        self._stage = stage
        self._random = random.Random(len(machine))
        self.counted: Counter[str] = Counter()

    def play(self, given: Json) -> None:
        """Play it to its end."""
        self._play(self._machine, given)

    def _play(self, machine: Mapping[str, Any], data: Json) -> None:
        self.counted["executions"] += 1
        name = machine["StartAt"]
        while name:
            state = machine["States"][name]
            self.counted["transitions"] += 1
            match state["Type"]:
                case "Task":
                    data = {**data, state["ResultPath"][2:]: self._task(state, data)}
                case "Wait":
                    path = state.get("SecondsPath")
                    self._stage.sleep(_at(path, data) if path else state["Seconds"])
                case "Map":
                    self._map(state, data)
                case "Fail":
                    raise MachineError(f"{state['Error']}: {_at(state['CausePath'], data)}")
            name = _chosen(state, data) if state["Type"] == "Choice" else state.get("Next")

    def _task(self, state: Mapping[str, Any], data: Json) -> Json:
        (retry,) = state["Retry"]
        for tried in range(retry["MaxAttempts"] + 1):
            try:
                payload = self._invoke(_filled(state["Parameters"], data)["Payload"])
            except RuntimeError:
                if tried == retry["MaxAttempts"]:
                    raise
            else:
                return _filled(state["ResultSelector"], {"Payload": payload})
            self.counted.update(("retries", "transitions"))
            most = retry["IntervalSeconds"] * retry["BackoffRate"] ** tried
            self._stage.sleep(self._random.uniform(0, min(most, retry["MaxDelaySeconds"])))
        raise AssertionError

    def _map(self, state: Mapping[str, Any], data: Json) -> None:
        items = [{**data, "Map": {"Item": {"Value": e}}} for e in _at(state["ItemsPath"], data)]
        given = (_filled(state["ItemSelector"], each) for each in items)
        children = [partial(self._play, state["ItemProcessor"], each) for each in given]
        self._stage.gather(children, state["MaxConcurrency"])


def _chosen(state: Mapping[str, Any], data: Json) -> str:
    rules = (rule["Next"] for rule in state["Choices"] if _holds(rule, data))
    return str(next(rules, state["Default"]))


def _holds(rule: Mapping[str, Any], data: Json) -> bool:
    if "And" in rule:
        return all(_holds(each, data) for each in rule["And"])
    found = _at(rule["Variable"], data)
    if "IsPresent" in rule:
        return (found is not None) is bool(rule["IsPresent"])
    return bool(found == rule.get("StringEquals", rule.get("BooleanEquals")))


def _at(path: str, data: Json) -> Json:
    """Return what a path points to; `$$` is the context, which lies beside the data here."""
    for name in path.lstrip("$.").split("."):
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _filled(template: Json, data: Json) -> Json:
    if not isinstance(template, dict):
        return template
    return {
        key.removesuffix(".$"): _at(value, data) if key.endswith(".$") else _filled(value, data)
        for key, value in template.items()
    }
