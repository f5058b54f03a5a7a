"""Web services in a farm of real servers, probed minute by minute."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import boto3

from caretaker.incidents import Incident
from functions.uptime import app
from functions.uptime.shelves import unpack
from tests.cloud import ACCOUNT, REGION
from tests.support.stack import INSTALLATION, INSTANCE_REPAIRS, SERVICE_REPAIRS, TABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud import ManualClock, StrictCloud
    from tests.cloud.outside.sitecustomize import World
    from tests.farm import Farm
    from tests.support.stack import Stack

MINUTE: Final = 60
SHOP: Final = {"name": "shop", "url": "http://shop.example.com/"}
SHOP_AT: Final = "93.184.215.10"
CANARY_AT: Final = "93.184.215.11"
NAMES: Final = {
    "shop.example.com": SHOP_AT,
    "checkip.amazonaws.com": CANARY_AT,
}


def https(**more: Any) -> dict[str, Any]:
    """Return the shop as a target of https."""
    return {**SHOP, "url": "https://shop.example.com/", **more}


def http(name: str = "shop", **more: Any) -> dict[str, Any]:
    """Return a target of that name at a host of that name."""
    return {"name": name, "url": f"http://{name}.example.com/", **more}


@dataclass
class UptimeWorld:
    """Runs the chore once a minute, as its schedule does."""

    cloud: StrictCloud
    clock: ManualClock
    stack: Stack
    farm: Farm
    net: World

    def __post_init__(self) -> None:
        """Number the addresses of further hosts."""
        self._hosts = count(20)

    def host(self, name: str, **behaviour: Any) -> str:
        """Give a name of example.com an address of its own, which is returned."""
        self.net.names[f"{name}.example.com"] = [address := f"93.184.216.{next(self._hosts)}"]
        self.farm.set(name, **behaviour)
        return address

    def place(self, port: str, at: str = SHOP_AT) -> None:
        """Let both ports of an address lead to one of the farm's, by its name."""
        there = self.farm.port(port)
        self.net.places[at] = {80: there, 443: there}

    def run(
        self,
        *targets: Mapping[str, Any],
        seconds: float = 240,
        request: str = "",
        **event: Any,
    ) -> dict[str, Any]:
        """Run in the slot of this minute, and let the minute pass."""
        answer = self.look(*targets, seconds=seconds, request=request, **event)
        self.clock.advance(MINUTE)
        return answer

    def look(
        self,
        *targets: Mapping[str, Any],
        seconds: float = 240,
        request: str = "",
        **event: Any,
    ) -> dict[str, Any]:
        """Run in the slot of this minute."""
        slot = self.clock.now().strftime("%Y-%m-%dT%H:%M:00Z")
        asked = {"scheduled_time": slot, "targets": list(targets), **event}
        if not {"targets_from", "discover"} & event.keys():
            asked["targets"] = asked["targets"] or [SHOP]
        return self.stack.run(app.CHORE, asked, seconds=seconds, request=request)

    def runs(self, number: int, *targets: Mapping[str, Any], **event: Any) -> list[dict[str, Any]]:
        """Run so many times."""
        return [self.run(*targets, **event) for _ in range(number)]

    def heard(self) -> list[str]:
        """Return the subjects that people got since they were asked for last."""
        return [message["Subject"] for message in self.stack.alerts()]

    def told(self) -> list[str]:
        """Return what people heard, each as `ALARM kind resource ...`."""
        return [
            " ".join(
                [
                    message["Subject"].partition(":")[0],
                    message["incidents"][0]["kind"],
                    *(each["resource"] for each in message["incidents"]),
                ]
            )
            for message in self.stack.alerts()
        ]

    def functions(self) -> None:
        """Let Lambda know the functions that repair; nothing comes of asking them by itself."""
        role = boto3.client("iam").create_role(RoleName="repair", AssumeRolePolicyDocument="{}")
        code = io.BytesIO()
        with zipfile.ZipFile(code, "w") as package:
            package.writestr("app.py", "")
        for function in (INSTANCE_REPAIRS, SERVICE_REPAIRS):
            boto3.client("lambda", REGION).create_function(
                FunctionName=function.rpartition(":")[2],
                Runtime="python3.13",
                Role=role["Role"]["Arn"],
                Handler="app.lambda_handler",
                Code={"ZipFile": code.getvalue()},
            )
        self.cloud.calls.clear()

    def open_of_instance(self, kind: str, instance_id: str) -> None:
        """Let the chore instance_health have an open incident of an instance."""
        opened = Incident(kind=kind, resource=instance_id, opened=self.clock.now())
        item = {**_of_instances(opened.key), "document": {"S": json.dumps(opened.as_document())}}
        boto3.client("dynamodb", REGION).put_item(TableName=TABLE, Item=item)

    def close_of_instance(self, kind: str, instance_id: str) -> None:
        """Let that be over."""
        key = _of_instances(f"{kind}/{instance_id}")
        boto3.client("dynamodb", REGION).delete_item(TableName=TABLE, Key=key)

    @property
    def asked(self) -> list[tuple[str, dict[str, Any]]]:
        """Return what was asked to be repaired: of which function, by which event."""
        return [
            (str(call.params["FunctionName"]), json.loads(call.params["Payload"]))
            for call in self.cloud.calls.of("Invoke")
        ]

    def come_to_today(self) -> None:
        """Let it be the machine's time: certificates are made by that."""
        self.clock.advance((datetime.now(UTC) - self.clock.now()).total_seconds())

    def kept(self, kind: str) -> dict[str, Any]:
        """Return what the table holds of one kind (`targets`, `past`, ...), unpacked."""
        found: dict[str, Any] = {}
        for item in self.stack.items():
            if str(item["pk"]).partition("#")[0] == kind:
                found |= unpack(item["content"])
        return found

    @property
    def open_incidents(self) -> list[str]:
        """Return the keys of the incidents of this chore that are open."""
        keys = [
            str(i["sk"])
            for i in self.stack.items()
            if str(i["pk"]).startswith("incidents#") and "/uptime/" in str(i["pk"])
        ]
        return sorted(key for key in keys if not key.startswith("#"))


def _of_instances(key: str) -> dict[str, Any]:
    scope = f"{INSTALLATION}/{ACCOUNT}/{REGION}/instance_health/default"
    return {"pk": {"S": f"incidents#{scope}"}, "sk": {"S": key}}


def told(answer: Mapping[str, Any], target: str = "shop") -> tuple[str, str, str]:
    """Return what happened about a target, why, and how it ended."""
    item = item_of(answer, target)
    return item["action"], item["reason"], item["result"]


def reason(answer: Mapping[str, Any], target: str = "shop") -> str:
    """Return why that happened."""
    return told(answer, target)[1]


def item_of(answer: Mapping[str, Any], target: str = "shop") -> dict[str, Any]:
    """Return what an answer says of a target."""
    (item,) = [each for each in answer["outcomes"] if each["target"] == target]
    return dict(item)


def failure(answer: Mapping[str, Any], target: str = "shop") -> tuple[str, str, str]:
    """Return the fault of a target, why, and the phase of a timeout."""
    detail = item_of(answer, target)["detail"]
    return detail.get("fault", ""), detail.get("why", ""), detail.get("phase", "")
