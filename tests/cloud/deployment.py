"""A stack deployed by `sam`, and what can be asked of it."""

from __future__ import annotations

import gzip
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.cloud.tools import sam

if TYPE_CHECKING:
    from tests.cloud.stack import LocalCloud

Json = dict[str, Any]

INVOKE_SECONDS = 300
SCHEDULED = "2026-11-21T03:00:00Z"
"""Makes an event look like a schedule's: of a person's wrong one people hear mildly."""


class FunctionFailedError(Exception):
    """A function raised; the text holds what it said."""


class NoAnswerError(Exception):
    """No run ended as wanted in time; the text says which did."""


@dataclass
class Stack:
    """One deployed stack."""

    cloud: LocalCloud
    name: str
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        """Return a client of the cloud, made once."""
        if service not in self._clients:
            self._clients[service] = self.cloud.client(service)
        return self._clients[service]

    @cached_property
    def outputs(self) -> dict[str, str]:
        """The stack's outputs by name, as they were when first asked for."""
        stacks = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stacks[0].get("Outputs", ())}

    def resources(self, kind: str = "") -> dict[str, str]:
        """Return physical ids by logical id, of one resource type (`AWS::SNS::Topic`) or of all."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for page in pages.paginate(StackName=self.name)
            for each in page["StackResourceSummaries"]
            if kind in {"", each["ResourceType"]}
        }

    def invoke(self, function: str, event: object = None) -> Any:
        """Invoke a function by its name and return its answer; raise FunctionFailedError."""
        answer = self.client("lambda").invoke(
            FunctionName=function, Payload=json.dumps({} if event is None else event).encode()
        )
        payload = answer["Payload"].read().decode()
        if answer.get("FunctionError"):
            raise FunctionFailedError(payload)
        return json.loads(payload)

    def remote_invoke(self, function: str, event_file: Path) -> Any:
        """Invoke by `sam remote invoke`, with a logical id and a file of `events/`."""
        output = sam(
            self.cloud,
            "remote",
            "invoke",
            function,
            "--stack-name",
            self.name,
            "--region",
            self.cloud.region,
            "--event-file",
            str(event_file.resolve()),
            seconds=INVOKE_SECONDS,
        )
        return json.loads(output)

    def log_lines(self, function: str, since: datetime | None = None) -> list[str]:
        """Return a function's log lines, oldest first."""
        settings = self.client("lambda").get_function_configuration(FunctionName=function)
        group = settings.get("LoggingConfig", {}).get("LogGroup") or f"/aws/lambda/{function}"
        logs = self.client("logs")
        with suppress(logs.exceptions.ResourceNotFoundException):
            pages = logs.get_paginator("filter_log_events").paginate(
                logGroupName=group, startTime=int(since.timestamp() * 1000) if since else 0
            )
            events = [event for page in pages for event in page["events"]]
            events.sort(key=lambda event: int(event["timestamp"]))
            return [line for event in events for line in event["message"].splitlines()]
        return []

    def log_documents(self, function: str, since: datetime | None = None) -> list[Json]:
        """Return those of its log lines that are JSON objects."""
        return list(_objects(self.log_lines(function, since)))

    def wait_for_answer(
        self,
        function: str,
        since: datetime | None = None,
        seconds: float = 90.0,
        **wanted: object,
    ) -> Json:
        """Return the answer of a run that nobody waits for, as its last log line tells it.

        `wanted` are values of the answer, such as slot and mode. It has no outcomes; the report
        that it names has.
        """
        end = time.monotonic() + seconds
        answers: list[Json] = []
        while time.monotonic() < end:
            answers = [
                dict(each["answer"])
                for each in self.log_documents(function, since)
                if each.get("message") == "run ended"
            ]
            for answer in reversed(answers):
                if wanted.items() <= answer.items():
                    return answer
            time.sleep(0.2)
        raise NoAnswerError(f"no run ended with {wanted}; the last one: {answers[-1:]}")

    def report(self, answer: Json) -> list[Json]:
        """Return the lines of the whole report that an answer points to: heading, then items."""
        bucket, _, key = str(answer["report"]).removeprefix("s3://").partition("/")
        body = self.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return [json.loads(line) for line in gzip.decompress(body).splitlines()]

    def metrics(self, function: str, since: datetime | None = None) -> list[Json]:
        """Return its EMF documents: log lines that carry metrics."""
        return [
            each
            for each in self.log_documents(function, since)
            if isinstance(each.get("_aws"), dict)
        ]

    def schedules(self) -> list[Json]:
        """Return the stack's schedules in full."""
        scheduler = self.client("scheduler")
        own = set(self.resources("AWS::Scheduler::Schedule").values())
        listed = scheduler.list_schedules()["Schedules"]
        found = [
            scheduler.get_schedule(Name=each["Name"], GroupName=each["GroupName"])
            for each in listed
        ]
        return [each for each in found if own & {each["Name"], each["Arn"], _short(each)}]

    def schedule(self, *, mode: str, function: str = "") -> Json:
        """Return the one schedule of a function whose input asks for `report`, or not: `act`.

        Without a function there must be one in the whole stack.
        """
        (found,) = [
            each
            for each in self.schedules()
            if json.loads(each["Target"]["Input"]).get("mode", "act") == mode
            and function in {"", each["Target"]["Arn"].partition(":function:")[2].split(":")[0]}
        ]
        return found

    def run_schedule(self, function: str, *, mode: str, at: datetime | None = None) -> Json:
        """Let the function's schedule of this mode fire once; return the answer of its run."""
        started = datetime.now(UTC)
        slot = self.fire(self.schedule(mode=mode, function=function), at)
        return self.wait_for_answer(function, started, slot=slot, mode=mode)

    def fire(self, schedule: Json, at: datetime | None = None) -> str:
        """Let a schedule's own target and input be fired once by the scheduler; return the slot.

        Without `at` in a moment; a time in the past is fired at once, with that time in its input.
        """
        when = at or datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=2)
        self.client("scheduler").create_schedule(
            Name=f"once-{time.time_ns()}",
            GroupName=schedule["GroupName"],
            ScheduleExpression=f"at({when:%Y-%m-%dT%H:%M:%S})",
            FlexibleTimeWindow={"Mode": "OFF"},
            ActionAfterCompletion="DELETE",
            Target=schedule["Target"],
        )
        return f"{when:%Y-%m-%dT%H:%MZ}"


def _short(schedule: Json) -> str:
    return f"{schedule['GroupName']}/{schedule['Name']}"


def _objects(lines: list[str]) -> Iterator[Json]:
    for line in lines:
        start = line.find("{")
        if start < 0:
            continue
        with suppress(json.JSONDecodeError):
            document = json.loads(line[start:])
            if isinstance(document, dict):
                yield document
