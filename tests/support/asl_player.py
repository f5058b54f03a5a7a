"""Plays a state machine's definition: its tasks are calls of this process, its waits a clock's.

Of Amazon States Language just what the definitions here use, by JSONPath, and strictly: a path that
is not there fails the execution, as `States.Runtime` does, which nothing retries.
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from __future__ import annotations

import heapq
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from tests.cloud import ManualClock

type Json = Any
type Playing = Generator[float, None, Json]
"""Yields the seconds that it waits; returns its output."""

MOST_EVENTS: Final = 25_000
"""Events in the history of a standard execution:

https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
"""
_EVENTS: Final = {"Task": 5, "Choice": 2, "Wait": 2, "Map": 6, "Pass": 2, "Succeed": 2, "Fail": 2}


class TaskError(Exception):
    """A task has failed as often as its definition has it tried again."""


class PlayError(Exception):
    """The definition cannot go on: a state, or a path, is not there."""


class FailedError(Exception):
    """A state of type Fail was reached: its error, and cause."""


@dataclass(frozen=True)
class Player:
    """Plays one definition; `invoke` answers a Lambda task's payload, or raises."""

    definition: Mapping[str, Any]
    invoke: Callable[[Json], Json]
    clock: ManualClock

    def play(self, given: Json, *, waits: int) -> Json:
        """Play it to its end, in so many waits at most, by the clock; return its output."""
        playing = self._machine(self.definition, given, {})
        for _ in range(waits):
            try:
                self.clock.advance(next(playing))
            except StopIteration as ended:
                return ended.value
        raise PlayError(f"does not end in {waits} waits")

    def _machine(self, machine: Mapping[str, Any], given: Json, context: Json) -> Playing:
        name, data, events = machine["StartAt"], given, 0
        while True:
            state = machine["States"][name]
            events += _EVENTS[state["Type"]]
            if events > MOST_EVENTS:
                raise TaskError("States.ExecutionLimit: too many events")
            if state["Type"] == "Choice":
                name = _chosen(state, data)
                continue
            data = yield from getattr(self, f"_{state['Type'].lower()}")(state, data, context)
            if "Next" not in state:
                return data
            name = state["Next"]

    def _succeed(self, _state: Mapping[str, Any], data: Json, _context: Json) -> Playing:
        yield from ()
        return data

    def _pass(self, state: Mapping[str, Any], _data: Json, _context: Json) -> Playing:
        yield from ()
        return state["Result"]

    def _fail(self, state: Mapping[str, Any], data: Json, _context: Json) -> Playing:
        yield from ()
        raise FailedError(f"{state['Error']}: {_at(state['CausePath'], data)}")

    def _wait(self, state: Mapping[str, Any], data: Json, _context: Json) -> Playing:
        seconds = _at(state["SecondsPath"], data) if "SecondsPath" in state else state["Seconds"]
        if not isinstance(seconds, int) or isinstance(seconds, bool) or seconds < 0:
            raise PlayError(f"{seconds!r} are no seconds to wait")
        yield seconds
        return data

    def _task(self, state: Mapping[str, Any], data: Json, context: Json) -> Playing:
        asked = _filled(state["Parameters"], data, context)["Payload"]
        (retry,) = state["Retry"]
        waits = float(retry["IntervalSeconds"])
        for tried in range(retry["MaxAttempts"] + 1):
            try:
                payload = self.invoke(json.loads(json.dumps(asked)))
            except Exception as error:
                if tried == retry["MaxAttempts"]:
                    raise TaskError(str(error)) from error
            else:
                answer = {"Payload": json.loads(json.dumps(payload))}
                return _put(state["ResultPath"], data, _filled(state["ResultSelector"], answer, {}))
            yield min(waits, retry["MaxDelaySeconds"])
            waits *= retry["BackoffRate"]
        raise AssertionError

    def _map(self, state: Mapping[str, Any], data: Json, _context: Json) -> Playing:
        """Play all items beside each other, so many at once: whoever waits the shortest goes on."""
        tolerated = state["ToleratedFailurePercentage"] / 100
        todo = [
            self._machine(state["ItemProcessor"], _filled(state["ItemSelector"], data, item), {})
            for value in _at(state["ItemsPath"], data)
            if (item := {"Map": {"Item": {"Value": value}}})
        ]
        number, failed, turns = len(todo), 0, list[tuple[float, int]]()
        children = dict(enumerate(todo))
        waiting = list(children)
        while waiting or turns:
            while waiting and len(turns) < state["MaxConcurrency"]:
                heapq.heappush(turns, (self.clock.monotonic(), waiting.pop(0)))
            at, which = heapq.heappop(turns)
            if at > self.clock.monotonic():
                yield at - self.clock.monotonic()
            try:
                waits = next(children[which])
            except StopIteration:
                continue
            except TaskError:
                failed += 1
                continue
            heapq.heappush(turns, (self.clock.monotonic() + waits, which))
        if failed > number * tolerated:
            raise TaskError("States.ExceedToleratedFailureThreshold")
        return data if state["ResultPath"] is None else _put(state["ResultPath"], data, [])


def _chosen(state: Mapping[str, Any], data: Json) -> str:
    for rule in state["Choices"]:
        if _holds(rule, data):
            return str(rule["Next"])
    return str(state["Default"])


def _holds(rule: Mapping[str, Any], data: Json) -> bool:
    if "And" in rule:
        return all(_holds(each, data) for each in rule["And"])
    if "IsPresent" in rule:
        return _is_there(rule["Variable"], data) is rule["IsPresent"]
    found = _at(rule["Variable"], data)
    if "StringEquals" in rule:
        return bool(found == rule["StringEquals"])
    return found is rule["BooleanEquals"]


def _is_there(path: str, data: Json) -> bool:
    try:
        _at(path, data)
    except PlayError:
        return False
    return True


def _at(path: str, data: Json) -> Json:
    for name in path.removeprefix("$").removeprefix(".").split("."):
        if not isinstance(data, dict) or name not in data:
            raise PlayError(f"States.Runtime: {path} is not there")
        data = data[name]
    return data


def _filled(template: Json, data: Json, context: Json) -> Json:
    """Return a template with what its `.$` fields point to; `$$` points into the context."""
    if not isinstance(template, dict):
        return template
    return dict(_field(key, value, data, context) for key, value in template.items())


def _field(key: str, value: Json, data: Json, context: Json) -> tuple[str, Json]:
    if not key.endswith(".$"):
        return key, _filled(value, data, context)
    if value.startswith("$$"):
        return key[:-2], _at(value.removeprefix("$$"), context)
    return key[:-2], _at(value, data)


def _put(path: str, data: Json, result: Json) -> Json:
    return {**data, path.removeprefix("$."): result}
