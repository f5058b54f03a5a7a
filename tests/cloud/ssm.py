"""Run Command of Systems Manager: agents, documents, and commands that take their time.

Source: Systems Manager API reference, "SendCommand", "ListCommandInvocations" (a command that is
pending is not found by its instance), "GetCommandInvocation"; user guide, "Understanding command
statuses".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from tests.cloud.json_services import JsonService, RefusedError
from tests.cloud.run_command import (
    FAILED,
    ONLINE,
    PENDING,
    SUCCESS,
    TIMED_OUT,
    Course,
    Invocation,
    RunCommand,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.cloud.calls import Params

View = dict[str, Any]

_MOST_LISTED = 50
_GONE = frozenset({"shutting-down", "terminated"})


class StrictSsm(JsonService):
    """Answers for one account and region."""

    name = "ssm"
    invalid = "ValidationException"
    invalid_token = "InvalidNextToken"

    def _send(self, asked: Params) -> View:
        instances = list(asked.get("InstanceIds") or ())
        if not instances or asked.get("Targets"):
            raise RefusedError("InvalidInstanceId", "Only InstanceIds are played here.")
        if len(set(instances)) != len(instances):
            raise RefusedError("DuplicateInstanceId")
        name = asked["DocumentName"].rpartition("/")[2]
        self._refuse_parameters(name, asked.get("Parameters") or {})
        lost = [each for each in instances if not self._can_be_sent_to(each)]
        if lost:
            message = f"Instances {[lost]} not in a valid state for account {self.where[0]}"
            raise RefusedError("InvalidInstanceId", message.replace("'", ""))
        command = str(uuid4())
        made = [self._invocation(command, each, name, asked) for each in instances]
        self._played.invocations += made
        return {"Command": self._command_view(made, asked)}

    def _list(self, asked: Params) -> View:
        command, instance = asked.get("CommandId", ""), asked.get("InstanceId", "")
        every = self._played.invocations
        if command and command not in {each.command for each in every}:
            raise RefusedError("InvalidCommandId")
        found = {
            f"{each.command}/{each.instance}": each
            for each in every
            if each.is_known(self.now)
            and command in {"", each.command}
            and instance in {"", each.instance}
            and not (instance and each.state(self.now) == PENDING)
        }
        size = asked.get("MaxResults", _MOST_LISTED)
        page, token = self.page("ListCommandInvocations", found, size, asked.get("NextToken"))
        views = [self._view(found[each]) for each in page if each in found]
        return {"CommandInvocations": views, "NextToken": token or ""}

    def _get(self, asked: Params) -> View:
        wanted = asked["CommandId"], asked["InstanceId"]
        for each in self._played.invocations:
            if (each.command, each.instance) == wanted and each.is_known(self.now):
                state = each.state(self.now)
                over = state in {SUCCESS, FAILED}
                code = each.course.code or int(state == FAILED)
                return self._view(each) | {"ResponseCode": code if over else -1}
        raise RefusedError("InvocationDoesNotExist")

    def _information(self, asked: Params) -> View:
        wanted: list[str] | None = None
        for each in asked.get("Filters") or ():
            if each["Key"] != "InstanceIds":
                raise RefusedError("InvalidFilterKey", f"Not played here: {each['Key']}")
            wanted = list(each["Values"])
        agents = {
            one: ping
            for one, ping in self._played.agents.items()
            if wanted is None or one in wanted
        }
        size = asked.get("MaxResults", _MOST_LISTED)
        page, token = self.page("DescribeInstanceInformation", agents, size, asked.get("NextToken"))
        views = [
            {"InstanceId": each, "PingStatus": agents[each], "ResourceType": "EC2Instance"}
            for each in page
            if each in agents
        ]
        return {"InstanceInformationList": views, "NextToken": token or ""}

    @property
    def _played(self) -> RunCommand:
        return self.cloud.extras.run_command

    def _can_be_sent_to(self, instance_id: str) -> bool:
        account, region = self.where
        backend = self.cloud.backend(region, account)
        instance = next((e for e in backend.all_instances() if e.id == instance_id), None)
        known = instance is not None and instance.state not in _GONE
        return known and instance_id in self._played.agents

    def _refuse_parameters(self, name: str, given: Mapping[str, Any]) -> None:
        document = self._played.documents.get(name)
        if document is None:
            raise RefusedError("InvalidDocument", f"Document with name {name} does not exist.")
        needed = {each for each, is_needed in document.parameters.items() if is_needed}
        unknown, missing = set(given) - set(document.parameters), needed - set(given)
        if unknown or missing:
            names = ", ".join(sorted(unknown | missing))
            raise RefusedError("InvalidParameters", f"Parameters: {names}")

    def _invocation(self, command: str, instance: str, name: str, asked: Params) -> Invocation:
        courses = self._played.courses
        course = courses.get(instance) or courses.get(name) or courses.get("*") or Course()
        return Invocation(
            command,
            instance,
            name,
            asked.get("Comment", ""),
            dict(asked.get("Parameters") or {}),
            self.now,
            course,
            float(asked.get("TimeoutSeconds", 3600)),
            self._played.agents[instance] == ONLINE,
        )

    def _command_view(self, made: list[Invocation], asked: Params) -> View:
        return {
            "CommandId": made[0].command,
            "DocumentName": asked["DocumentName"],
            "Comment": made[0].comment,
            "Parameters": made[0].parameters,
            "InstanceIds": [each.instance for each in made],
            "RequestedDateTime": self.now,
            "Status": PENDING,
            "StatusDetails": PENDING,
            "TargetCount": len(made),
            "CompletedCount": 0,
            "ErrorCount": 0,
        }

    def _view(self, each: Invocation) -> View:
        state = each.state(self.now)
        late = "DeliveryTimedOut" if not each.delivered else "ExecutionTimedOut"
        return {
            "CommandId": each.command,
            "InstanceId": each.instance,
            "DocumentName": each.document,
            "Comment": each.comment,
            "RequestedDateTime": each.sent,
            "Status": state,
            "StatusDetails": late if state == TIMED_OUT else state,
        }

    operations: ClassVar[Mapping[str, Callable[..., View]]] = {
        "SendCommand": _send,
        "ListCommandInvocations": _list,
        "GetCommandInvocation": _get,
        "DescribeInstanceInformation": _information,
    }
