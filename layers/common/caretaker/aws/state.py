"""The state table: leases, what was first seen, failed attempts.

Its keys are `pk` and `sk`, its TTL is `expires_at`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.errors import BusyError, StateError
from caretaker.failures import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from caretaker.clock import Clock

type Value = str | int | bytes
type Item = Mapping[str, Value]

LEASE_SECONDS: Final = 45
"""A lease is renewed while its run lives; that of a killed run ends before Lambda's first retry,

which comes after a minute: https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
"""
_KEEP: Final = timedelta(days=90)
_TRIES: Final = 3
_CONDITION_FAILED: Final = "ConditionalCheckFailedException"


class ConditionFailedError(StateError):
    """A conditional write met another state than it expected; `item` is what it met."""

    def __init__(self, operation: str, error: ClientError) -> None:
        super().__init__(operation, classify(error))
        self.item = decoded(cast("dict[str, Any]", error.response.get("Item", {})))


def encoded(item: Item) -> dict[str, Any]:
    """Return an item as DynamoDB writes it; only texts, whole numbers and bytes."""
    return {key: _encoded(value) for key, value in item.items()}


def _encoded(value: Value) -> dict[str, Any]:
    if isinstance(value, bytes):
        return {"B": value}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def decoded(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as plain values."""
    return {
        key: int(value["N"]) if "N" in value else value.get("B", value.get("S", ""))
        for key, value in item.items()
    }


class Table:
    """The table's calls; each is safe to send twice by what it writes, so each is tried thrice.

    `StateError` when no try was answered, `ConditionFailedError` when a condition did not hold.
    """

    def __init__(self, client: DynamoDBClient, name: str, clock: Clock) -> None:
        self._client = client
        self._name = name
        self._clock = clock

    def put(self, item: Item, condition: str = "", values: Item | None = None) -> None:
        """Write an item, whole, if the condition holds."""
        guard: dict[str, Any] = {}
        if condition:
            guard["ConditionExpression"] = condition
            guard["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if values:
            guard["ExpressionAttributeValues"] = encoded(values)
        self._send(
            "PutItem",
            lambda: self._client.put_item(TableName=self._name, Item=encoded(item), **guard),
        )

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """Return an item, read consistently; None where there is none."""
        answer = self._send(
            "GetItem",
            lambda: self._client.get_item(
                TableName=self._name,
                Key={"pk": {"S": pk}, "sk": {"S": sk}},
                ConsistentRead=True,
            ),
        )
        return decoded(answer["Item"]) if "Item" in answer else None

    def update(
        self, pk: str, sk: str, expression: str, values: Item, condition: str = ""
    ) -> dict[str, Any]:
        """Update an item, if the condition holds, and return it as it then is."""
        guard: dict[str, Any] = {"ConditionExpression": condition} if condition else {}
        answer = self._send(
            "UpdateItem",
            lambda: self._client.update_item(
                TableName=self._name,
                Key={"pk": {"S": pk}, "sk": {"S": sk}},
                UpdateExpression=expression,
                ExpressionAttributeValues=encoded(values),
                ReturnValues="ALL_NEW",
                **guard,
            ),
        )
        return decoded(answer.get("Attributes", {}))

    def delete(self, pk: str, sk: str, condition: str, values: Item) -> None:
        """Delete an item if the condition holds."""
        self._send(
            "DeleteItem",
            lambda: self._client.delete_item(
                TableName=self._name,
                Key={"pk": {"S": pk}, "sk": {"S": sk}},
                ConditionExpression=condition,
                ExpressionAttributeValues=encoded(values),
            ),
        )

    def query(self, pk: str) -> Iterator[dict[str, Any]]:
        """Yield all items of a partition, read consistently."""
        start: dict[str, Any] = {}
        while True:
            page = self._send(
                "Query",
                lambda: self._client.query(
                    TableName=self._name,
                    KeyConditionExpression="pk = :pk",
                    ExpressionAttributeValues={":pk": {"S": pk}},
                    ConsistentRead=True,
                    **start,  # noqa: B023 - sent before the loop goes on
                ),
            )
            yield from map(decoded, page["Items"])
            if not page.get("LastEvaluatedKey"):
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def write_batch(self, puts: list[Item], deletes: list[tuple[str, str]]) -> None:
        """Write and delete many items, 25 a call; what DynamoDB leaves over is sent again."""
        requests: list[Any] = [{"PutRequest": {"Item": encoded(item)}} for item in puts]
        requests += [
            {"DeleteRequest": {"Key": encoded({"pk": pk, "sk": sk})}} for pk, sk in deletes
        ]
        while requests:
            now, requests = requests[:25], requests[25:]
            answer = self._send(
                "BatchWriteItem",
                lambda: self._client.batch_write_item(RequestItems={self._name: now}),  # noqa: B023
            )
            left = answer.get("UnprocessedItems", {}).get(self._name, [])
            if left:
                self._clock.sleep(0.2)
            requests = [*left, *requests]

    def _send(self, operation: str, call: Callable[[], Any], tried: int = 1) -> Any:  # noqa: ANN401
        try:
            return call()
        except AWS_ERRORS as error:
            failure = classify(error)
            if failure.code == _CONDITION_FAILED and isinstance(error, ClientError):
                raise ConditionFailedError(operation, error) from None
            if tried == _TRIES or failure.kind not in {Kind.UNKNOWN, Kind.THROTTLED}:
                raise StateError(operation, failure) from error
        self._clock.sleep(0.1 * 4 ** (tried - 1))
        return self._send(operation, call, tried + 1)


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """One try of a slot that AWS accepted and could not finish."""

    resource: str
    slot: str
    attempt: int
    reason: str


class State:
    """What a chore remembers between runs."""

    def __init__(self, table: Table) -> None:
        self.table = table

    def acquire(
        self, key: str, token: str, slot: str, now: datetime, seconds: int = LEASE_SECONDS
    ) -> None:
        """Take or renew the lease `key`; `BusyError` when another token holds it.

        The token is part of the condition, so a write whose answer got lost is simply sent again.
        """
        until = int(now.timestamp()) + seconds
        item: Item = {
            "pk": f"lease#{key}",
            "sk": "-",
            "holder": token,
            "slot": slot,
            "held_until": until,
            "expires_at": until + 86_400,
        }
        free = "attribute_not_exists(pk) OR held_until < :now OR holder = :me"
        try:
            self.table.put(item, free, {":now": int(now.timestamp()), ":me": token})
        except ConditionFailedError as lost:
            raise BusyError(key, str(lost.item.get("slot", "?"))) from None

    def release(self, key: str, token: str) -> None:
        """Give the lease back if it is still ours."""
        try:
            self.table.delete(f"lease#{key}", "-", "holder = :me", {":me": token})
        except ConditionFailedError:
            return

    def remember(self, kind: str, name: str, value: str, now: datetime) -> str:
        """Return the first value ever remembered under this name; this one if there was none."""
        stored = self.table.update(
            f"{kind}#{name}",
            "-",
            "SET first_value = if_not_exists(first_value, :value), expires_at = :until",
            {":value": value, ":until": int((now + _KEEP).timestamp())},
        )
        return str(stored["first_value"])

    def recall(self, kind: str, name: str) -> str:
        """Return what was remembered under this name, empty if nothing was."""
        return next((str(i["first_value"]) for i in self.table.query(f"{kind}#{name}")), "")

    def count_failed_attempt(self, scope: str, failed: FailedAttempt, now: datetime) -> None:
        """Remember that an attempt of a slot failed; the same one twice counts once."""
        self.table.put(
            {
                "pk": f"failed#{scope}",
                "sk": f"{failed.resource}#{failed.slot}#{failed.attempt}",
                "reason": failed.reason or "-",
                "expires_at": int((now + _KEEP).timestamp()),
            }
        )

    def failed_attempts(self, scope: str) -> dict[str, dict[str, int]]:
        """Return, by resource and slot, the highest attempt that failed."""
        counted: dict[str, dict[str, int]] = {}
        for item in self.table.query(f"failed#{scope}"):
            resource, slot, attempt = item["sk"].split("#")
            slots = counted.setdefault(resource, {})
            slots[slot] = max(slots.get(slot, 0), int(attempt))
        return counted
