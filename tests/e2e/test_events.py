"""Every ready event, sent to the deployed function, as the pages say by `sam remote invoke`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from caretaker.incidents import Incident
from tests.cloud.demo_account import DemoAccount
from tests.cloud.deployment import Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.tools import ROOT
from tests.contract.template import function_of
from tests.farm import Farm

EVENTS = sorted(path for path in (ROOT / "events").glob("*/*.json") if path.parent.name != "fleet")
"""Those of fleets need a stack that has one: tests/aws/test_fleet_events.py sends them."""

OTHERWISE: Mapping[str, tuple[str, str | None]] = {
    "snapshot/ebs-snapshot-failed": ("ok", "nothing_of_ours"),
    "snapshot/ebs-snapshot-set-failed": ("ok", "nothing_of_ours"),
    "snapshot/other-region": ("refused", "target_not_allowed"),
    **{
        f"drill/{name}": ("ok", "no_backups_of_policy")
        for name in (
            *("accept-found", "blocks", "by-tags", "daily", "empty", "everything", "one-volume"),
            *("report", "volume"),
        )
    },
    "drill/judge": ("refused", "judge_missing"),
    "drill/other-region": ("refused", "target_not_allowed"),
    "drill/wrong-event": ("refused", "event_invalid"),
    "instance_health/act": ("refused", "mode_not_allowed"),
    "instance_health/other-region": ("refused", "target_not_allowed"),
    "instance_health/wrong-ladder": ("refused", "event_invalid"),
    "instance_health/wrong-windows": ("refused", "event_invalid"),
    **{
        f"restore/{name}": ("refused", "nothing_to_restore")
        for name in (
            *("at", "everything", "gone-instance", "gone-volume", "instances", "root", "swap"),
            *("tags", "volumes", "waves"),
        )
    },
    "restore/approve": ("refused", "mode_not_allowed"),
    "restore/end": ("refused", "mode_not_allowed"),
    "restore/stand": ("refused", "plan_unknown"),
    "restore/wrong-event": ("refused", "event_invalid"),
    "retention/approve": ("refused", "plan_unknown"),
    "retention/empty": ("refused", "event_invalid"),
    "retention/other-region": ("refused", "target_not_allowed"),
    "tagging/approve": ("refused", "plan_unknown"),
    "tagging/empty": ("refused", "event_invalid"),
    "tagging/other-region": ("refused", "target_not_allowed"),
    "tagging/reserved-key": ("refused", "event_invalid"),
    "tagging/wrong-rules": ("refused", "event_invalid"),
    "service_repair/other-region": ("refused", "event_invalid"),
    "service_repair/wrong-bounds": ("refused", "event_invalid"),
    "service_repair/wrong-repair": ("refused", "event_invalid"),
    "uptime/act": ("refused", "mode_not_allowed"),
    "uptime/from-s3": ("failed", "listing_failed"),
    "uptime/other-region": ("refused", "event_invalid"),
    "uptime/private": ("refused", "network_not_allowed"),
    "uptime/wrong-event": ("refused", "event_invalid"),
}
"""Status and reason of those that do not simply end `ok`: what they name are examples."""
IN_FULL = {"snapshot", "retention", "alerts"}
"""Chores whose events all go the long way by the SAM CLI; of the others one does."""


def _name(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


@pytest.fixture(scope="module")
def organized(demo: DemoAccount, stack: Stack) -> DemoAccount:
    """The account as part of an organization that has tagged it."""
    stack.cloud.ec2.seed("organization", role="management", tags={"CostCenter": "4711"})
    return demo


@pytest.fixture(scope="module")
def examples(farm: Farm) -> None:
    """The sites of the events, which are all well."""
    farm.set("www.example.com/", body="Example Domain")
    farm.set("api.example.com/health", json={"database": {"connected": True}})
    checks = [{"name": "database", "state": "ok"}]
    farm.set("www.example.com/checkout/status", json={"status": "ok", "checks": checks})


@pytest.fixture(scope="module")
def outages(stack: Stack) -> Iterator[None]:
    """The open incidents that repairs are asked for in the events."""
    scope = "caretaker/123456789012/eu-west-1/uptime/default"
    keys = [f"target_down/{target}" for target in ("api", "batch")]
    table, place = stack.outputs["StateTableName"], {"pk": {"S": f"incidents#{scope}"}}
    for key in keys:
        kind, _, target = key.partition("/")
        opened = Incident(kind=kind, resource=target, opened=datetime.now(UTC), scope=scope)
        item = {**place, "sk": {"S": key}, "document": {"S": json.dumps(opened.as_document())}}
        stack.client("dynamodb").put_item(TableName=table, Item=item)
    yield
    for key in keys:
        stack.client("dynamodb").delete_item(TableName=table, Key={**place, "sk": {"S": key}})


@pytest.mark.usefixtures("organized", "examples", "outages")
@pytest.mark.parametrize("file", EVENTS, ids=_name)
def test_every_ready_event_answers_as_its_page_says(
    file: Path, stack: Stack, ec2: RemoteCloud
) -> None:
    ec2.complete_pending()
    ec2.age(hours=1)

    chore = file.parent.name
    if chore in IN_FULL or file.stem in {"dry-run", "report"}:
        answer = stack.remote_invoke(function_of(chore), file)
    else:
        name = stack.outputs[f"{function_of(chore)}Name"]
        answer = stack.invoke(name, json.loads(file.read_text()))

    assert (answer["status"], answer["reason"]) == OTHERWISE.get(_name(file), ("ok", None))
    assert {each["result"] for each in answer["outcomes"]} <= {"done", "planned", "unchanged"}
