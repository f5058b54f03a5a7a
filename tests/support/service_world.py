"""An account with services and agents behind targets, and a chore that is asked to repair them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3

from caretaker.incidents import Incident
from functions.service_repair import app
from tests.cloud import ACCOUNT, REGION
from tests.cloud.ecs_life import EcsService
from tests.support.stack import TABLE
from tests.support.tagging_world import state_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cloud import Account, ManualClock, StrictCloud
    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call
    from tests.support.stack import Stack

SCOPE: Final = f"caretaker/{ACCOUNT}/{REGION}/uptime/default"
CLUSTER: Final = "prod"
REPAIRS: Final = frozenset({"StopTask", "UpdateService", "SendCommand"})
RESTART: Final = {"caretaker:remediate": "restart"}
DOCUMENT: Final = "restart-web"
_HAPPENED: Final = frozenset({"ok", "answer_lost"})


@dataclass
class ServiceWorld:
    """Asks for repairs, as the chore `uptime` does while a target is down.

    `unwritten` are the repairs that came to AWS before their intent stood in the table.
    """

    cloud: StrictCloud
    clock: ManualClock
    stack: Stack
    account: Account
    unwritten: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Hold every repair against the table."""
        self.account.document(DOCUMENT, takes=["token", "unit"])
        serve = self.cloud.serve

        def served(call: Call, perform: Callable[[], Answer]) -> Answer:
            if call.operation in REPAIRS and not self._is_written(call):
                self.unwritten.append(call.operation)
            return serve(call, perform)

        self.cloud.serve = served  # type: ignore[method-assign]

    def service(
        self,
        name: str = "web",
        tasks: int = 2,
        *,
        health: tuple[str, ...] = (),
        **how: Any,
    ) -> EcsService:
        """Add a service whose tasks were started an hour apart, the first the longest ago."""
        groups = [self.account.target_group(name, *health)] if health else []
        how = {"tags": RESTART, **how}
        self.account.ecs_service(name, CLUSTER, running=tasks, target_groups=groups, **how)
        made = self.cloud.extras.ecs.clusters[ACCOUNT, REGION, CLUSTER][name]
        for number, task in enumerate(made.tasks):
            task.started = self.clock.now() - timedelta(hours=tasks - number)
        return made

    def machine(self, ping: str = "Online", remediate: str = "restart", **launch: Any) -> str:
        """Add an instance whose agent answers so."""
        made = self.account.instance({}, tags={"caretaker:remediate": remediate}, **launch).id
        if ping:
            self.account.agent(made, ping)
        return made

    def incident(self, target: str = "shop") -> str:
        """Open the incident of a target that is down, and return its full key."""
        opened = Incident(kind="target_down", resource=target, opened=self.clock.now())
        item = {**_place(opened.key), "document": {"S": json.dumps(opened.as_document())}}
        boto3.client("dynamodb", REGION).put_item(TableName=TABLE, Item=item)
        return f"{SCOPE}/{opened.key}"

    def close(self, incident: str) -> None:
        """Let an incident be over."""
        key = _place(incident.removeprefix(f"{SCOPE}/"))
        boto3.client("dynamodb", REGION).delete_item(TableName=TABLE, Key=key)

    def ask(
        self, what: Any, incident: str, *, target: str = "shop", request: str = "", **event: Any
    ) -> dict[str, Any]:
        """Ask for the repair of a service or an instance, as the chore `uptime` does."""
        if isinstance(what, EcsService):
            repair: dict[str, Any] = {
                "ecs_service": {"cluster": what.cluster, "service": what.name}
            }
        else:
            repair = {"ssm_document": {"name": DOCUMENT, "instance": what}}
        asked = {**repair, "incident": incident, "target": target}
        seconds = event.pop("seconds", 300)
        return self.stack.run(
            app.CHORE, {"repair": asked, **event}, seconds=seconds, request=request
        )

    def repairs(self) -> list[str]:
        """Return the repairs that were asked of AWS, in order."""
        return [call.operation for call in self.cloud.calls.of(*REPAIRS)]

    def happened(self) -> list[str]:
        """Return the repairs that took effect, in order."""
        calls = self.cloud.calls.of(*REPAIRS)
        return [call.operation for call in calls if call.outcome in _HAPPENED]

    def stopped(self) -> list[str]:
        """Return the tasks that were stopped by a call."""
        return [call.params["task"] for call in self.cloud.calls.of("StopTask")]

    def heard(self) -> list[str]:
        """Return the subjects of what people were told since they were asked last."""
        return [alert["Subject"] for alert in self.stack.alerts()]

    @property
    def open_incidents(self) -> list[str]:
        """Return the incidents of this chore that are open."""
        ours = (i for i in self.stack.items() if "service_repair" in str(i["pk"]))
        keys = (str(i["sk"]) for i in ours if str(i["pk"]).startswith("incidents#"))
        return sorted(key for key in keys if not key.startswith("#"))

    @property
    def attempts(self) -> dict[str, dict[str, Any]]:
        """Return the attempts as they stand in the table, read behind everybody's back."""
        held = (each for bucket in state_table().items.values() for each in bucket.values())
        items = [{k: v.value for k, v in each.attrs.items()} for each in held]
        return {
            i["sk"]: json.loads(i["document"])
            for i in items
            if str(i["pk"]).startswith("attempts#")
        }

    def _is_written(self, call: Call) -> bool:
        stands = {name: each["stand"] for name, each in self.attempts.items()}
        params = call.params
        if call.operation == "SendCommand":
            return stands.get(params["InstanceIds"][0]) == "taken"
        if call.operation == "UpdateService":
            return stands.get(f"{params['cluster']}/{params['service']}") == "taken"
        return any(
            each["subject"] == params["task"] and each["stand"] == "taken"
            for each in self.attempts.values()
        )


def _place(key: str) -> dict[str, Any]:
    """Return where an open incident of the chore `uptime` stands."""
    return {"pk": {"S": f"incidents#{SCOPE}"}, "sk": {"S": key}}
