"""The server's own endpoints, under `/_strict/`: JSON in, JSON out."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict, fields
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tests.cloud.account import Account
from tests.cloud.buckets import Bucket
from tests.cloud.demo_account import seed_demo
from tests.cloud.strict import ACCOUNT, REGION, StrictCloud
from tests.cloud.views import instance_view, snapshot_view, volume_view

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PREFIX = "/_strict/"

Body = dict[str, Any]

_ACCOUNT_METHODS = frozenset(
    {
        *("volume", "instance", "snapshot", "attach", "manage", "remove_volume", "tags_of", "tag"),
        *("image", "disable_image", "deprecate_image", "deregister_image", "launch_template"),
        *("network_interface", "elastic_ip", "security_group", "network_of", "resource", "crowd"),
        *("impair", "heal", "impaired_crowd", "scheduled_event", "complete_event", "cancel_event"),
        *("drop_event", "power_log", "refuse_start", "start_falls_back", "hang", "put_down"),
        *("ecs_service", "change_ecs_service", "deploy_ecs_service", "ecs_tasks", "load_balancer"),
        *("target_group", "agent", "document", "command_course", "commands", "secret", "parameter"),
        *("machine_with_volumes", "attachment", "fail_volumes", "hang_volumes", "refuse_volumes"),
        *("fail_root_tasks", "quota", "wipe_blocks", "corrupt_block", "bend_block_list"),
        *("lifecycle",),
        *("terminate", "key", "set_key_state", "deny_key", "members"),
        *("default_security_group", "once_tagged", "resource_tags", "refuse_tagging", "hide_tags"),
        *(
            "organization",
            "scaling_group",
            "fast_restore",
            "lock",
            "share",
            "archive",
            "bin_rule",
            "binned",
        ),
    },
)

_FLEET_METHODS: Mapping[str, frozenset[str]] = {
    "access": frozenset({"ask_iam", "role", "remove_role", "close", "reopen", "deny", "allow_all"}),
    "concurrency": frozenset({"set_limit", "reserve"}),
    "organization": frozenset({"unit", "join", "leave", "set_state"}),
    "regions": frozenset({"opt_in", "opt_out", "status"}),
}
"""What there is beside accounts' resources, by the attribute of the cloud that keeps it."""

_SECONDS = frozenset({"initializing_seconds", "replacing_seconds", "switching_seconds"})
_VOLUME_SECONDS = frozenset(
    {f"{each}_seconds" for each in ("creating", "attaching", "detaching", "deleting", "late")}
)


class UnknownEndpointError(Exception):
    """No such path."""


class Admin:
    """Does to a cloud what its tests ask from another process."""

    def __init__(self, cloud: StrictCloud, region: str = REGION) -> None:
        """Serve one cloud; seeding goes to `region` unless told otherwise."""
        self.cloud = cloud
        self.region = region
        self._paths: Mapping[str, Callable[[Body], object]] = {
            "health": lambda _: {"ok": True},
            "faults": self._add_fault,
            "faults/clear": lambda _: self.cloud.faults.clear(),
            "fail": lambda body: self.cloud.fail_snapshots_of(**body),
            "age": lambda body: self.cloud.age(**body),
            "complete": lambda _: self.cloud.complete_pending(),
            "settings": self._settings,
            "calls": lambda _: [_call(each) for each in self.cloud.calls],
            "calls/clear": lambda _: self.cloud.calls.clear(),
            "state": self._state,
            "notices": lambda body: self.cloud.take_notices(body.get("region", self.region)),
            "seed/demo": self._seed_demo,
            "blocks/write": self._write_blocks,
            "blocks/read": self._read_blocks,
        }

    def handle(self, path: str, body: Body) -> bytes:
        """Answer one request; raises UnknownEndpointError, TypeError or KeyError on a wrong one."""
        name = path.removeprefix(PREFIX).strip("/")
        of, _, method = name.partition("/")
        if of == "account":
            answer = self._account(method, body)
        elif name in self._paths:
            answer = self._paths[name](body)
        elif method in _FLEET_METHODS.get(of, ()):
            answer = getattr(getattr(self.cloud, of), method)(*body.pop("args", []), **body)
        else:
            raise UnknownEndpointError(path)
        return json.dumps(answer, default=_plain).encode()

    def _where(self, body: Body) -> Account:
        place = body.pop("region", self.region), body.pop("in_account", ACCOUNT)
        return Account(self.cloud, *place)

    def _account(self, method: str, body: Body) -> object:
        if method not in _ACCOUNT_METHODS:
            raise UnknownEndpointError(method)
        account = self._where(body)
        positional = body.pop("args", [])
        made = getattr(account, method)(*positional, **body)
        return asdict(made) if hasattr(made, "volume_ids") else made

    def _seed_demo(self, body: Body) -> object:
        return seed_demo(self._where(body), **body).to_json()

    def _write_blocks(self, body: Body) -> None:
        blocks = {int(index): b64decode(data) for index, data in body["blocks"].items()}
        self._where(body).write_blocks(body["resource"], blocks)

    def _read_blocks(self, body: Body) -> object:
        found = self._where(body).read_blocks(body["resource"])
        return {index: b64encode(data).decode() for index, data in found.items()}

    def _add_fault(self, body: Body) -> object:
        self.cloud.faults.add(body.pop("kind"), **body)
        return {"planned": len(list(self.cloud.faults))}

    def _settings(self, body: Body) -> object:
        cloud = self.cloud
        if "page_size" in body:
            cloud.pages.size = body["page_size"]
        self._set_seconds(body)
        if "pending_seconds" in body:
            cloud.lives.delay_seconds = body["pending_seconds"]
        known = {each.name for each in fields(cloud.limits)}
        for name, value in body.get("limits", {}).items():
            if name not in known:
                raise KeyError(name)
            setattr(cloud.limits, name, value)
        if "documented_buckets" in body:
            cloud.buckets.use_documented(share=float(body["documented_buckets"] or 0.0))
        for name, (burst, refill) in body.get("buckets", {}).items():
            cloud.buckets[name] = Bucket(burst, refill)
        return {"limits": asdict(cloud.limits), "page_size": cloud.pages.size}

    def _set_seconds(self, body: Body) -> None:
        extras = self.cloud.extras
        for names, of in ((_SECONDS, extras), (_VOLUME_SECONDS, extras.volumes)):
            for name in names & body.keys():
                setattr(of, name, body[name])
        if "root_step_seconds" in body:
            extras.root_tasks.step_seconds = body["root_step_seconds"]

    def _state(self, body: Body) -> object:
        cloud = self.cloud
        place = body.get("region", self.region), body.get("in_account", ACCOUNT)
        backend = cloud.backend(*place)
        now = cloud.clock.now()
        return {
            "volumes": [volume_view(v, backend, cloud.extras) for v in backend.volumes.values()],
            "instances": [
                instance_view(each, backend, cloud.extras) for each in backend.all_instances()
            ],
            "power": [asdict(act) for act in cloud.extras.health.power],
            "tags": {resource: dict(tags) for resource, tags in backend.tags.items() if tags},
            "snapshots": [
                snapshot_view(each, backend, cloud.lives, cloud.extras, now)
                for each in backend.snapshots.values()
            ],
        }


def _call(call: Any) -> Body:
    return {
        "service": call.service,
        "operation": call.operation,
        "at": call.at,
        "region": call.region,
        "account": call.account,
        "outcome": call.outcome,
        "params": dict(call.params),
    }


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)
