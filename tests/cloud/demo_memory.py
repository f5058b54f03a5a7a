"""What the stack's state table holds, and a way to let time pass for it."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from tests.cloud.deployment import Json, Stack

STOP_AFTER = "caretaker:stop-after"
_MINUTE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_SECONDS = frozenset({"since", "held_until"})
_OF_RECORDS = ("first", "seen", "since", "asked")
"""Seconds since 1970 in the records of targets, which are packed."""


def remembered(stack: Stack) -> list[Json]:
    """Return all items of the state table."""
    pages = stack.client("dynamodb").get_paginator("scan")
    name = stack.outputs["StateTableName"]
    items = [item for page in pages.paginate(TableName=name) for item in page["Items"]]
    return sorted(items, key=lambda item: (item["pk"]["S"], item["sk"]["S"]))


def incidents(stack: Stack, policy: str, chore: str = "") -> list[Json]:
    """Return the open incidents of a policy, of every chore unless one is named."""
    found = [item for item in _open(stack, policy) if chore in item["pk"]["S"]]
    return [json.loads(item["document"]["S"]) for item in found]


def let_pass(stack: Stack, policy: str, hours: float) -> None:
    """Make the open incidents of a policy, and the last word on them, so much older."""
    for item in _open(stack, policy):
        document = json.loads(item["document"]["S"])
        for key in ("opened", "told"):
            moment = datetime.fromisoformat(document[key]) - timedelta(hours=hours)
            document[key] = moment.isoformat()
        _put(stack, {**item, "document": {"S": json.dumps(document)}})


def let_stop_come(stack: Stack, policy: str, instance_id: str) -> None:
    """Let the time pass until a marked instance is due: on its tag, and in what is remembered."""
    past = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)
    tags = {STOP_AFTER: past.strftime("%Y-%m-%dT%H:%M:%SZ")}
    stack.cloud.ec2.seed("tag", instance_id, tags)
    for item in remembered(stack):
        if item["sk"]["S"] == instance_id and f"tagging/{policy}/" in item["pk"]["S"]:
            _put(stack, {**item, "marked_until": {"N": str(int(past.timestamp()))}})


def let_minutes_pass(
    stack: Stack, chore: str, minutes: int, *, also: Collection[str] = (), opened: bool = True
) -> None:
    """Make all that a chore remembers, or others `also`, and EC2 with it, so much older.

    Without `opened` its incidents stay as young as they are, for a thread is named by that time.
    """
    stack.cloud.ec2.age(hours=minutes / 60)
    for item in remembered(stack):
        kind, _, scope = item["pk"]["S"].partition("#")
        if {chore, *also} & {*scope.split("/")} and kind != "resolved":
            older = {name: _older(name, value, minutes) for name, value in item.items()}
            if kind == "targets":
                older["content"] = {"B": _records_older(item["content"]["B"], minutes)}
            if not opened and "document" in item:
                older["document"] = {"S": _as_young(older["document"]["S"], item["document"]["S"])}
            _put(stack, {**older, "pk": item["pk"], "sk": item["sk"]})


def _older(name: str, value: Json, minutes: int) -> Json:
    if name in _SECONDS:
        return {"N": str(int(value["N"]) - minutes * 60)}
    if name == "changes":
        return {"S": " ".join(str(int(each) - minutes * 60) for each in value["S"].split())}
    if "S" in value:
        return {"S": _MINUTE.sub(lambda found: _earlier(found[0], minutes), value["S"])}
    return value


def _records_older(content: bytes, minutes: int) -> bytes:
    records = json.loads(zlib.decompress(content))
    for record in records.values():
        record |= {name: record[name] - minutes * 60 for name in _OF_RECORDS if name in record}
    return zlib.compress(json.dumps(records).encode())


def _earlier(minute: str, minutes: int) -> str:
    moment = datetime.fromisoformat(minute) - timedelta(minutes=minutes)
    return moment.isoformat(timespec="minutes")


def _as_young(older: str, document: str) -> str:
    was = json.loads(document)
    return json.dumps(json.loads(older) | {key: was[key] for key in ("opened",) if key in was})


def outbox(stack: Stack, policy: str) -> list[Json]:
    """Return the messages about a policy that were not sent."""
    return [i for i in _partition(stack, "outbox") if policy in i["body"]["S"]]


def let_be_sent(stack: Stack, policy: str) -> None:
    """Let the time pass in which messages are their own run's to publish."""
    now = str(int(datetime.now(UTC).timestamp()))
    for item in outbox(stack, policy):
        _put(stack, {**item, "send_after": {"N": now}})


def _open(stack: Stack, policy: str) -> list[Json]:
    """Return the items of a policy's incidents, whatever chore they are of."""
    return [
        item
        for item in remembered(stack)
        if item["pk"]["S"].startswith("incidents#")
        and item["pk"]["S"].endswith(f"/{policy}")
        and "document" in item
    ]


def _partition(stack: Stack, name: str) -> list[Json]:
    return [item for item in remembered(stack) if item["pk"]["S"] == name]


def _put(stack: Stack, item: Json) -> None:
    stack.client("dynamodb").put_item(TableName=stack.outputs["StateTableName"], Item=item)
