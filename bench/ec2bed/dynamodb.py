"""A state table in memory: items, conditions, updates, queries and batches.

Items lie by partition, so that a query costs the same however many others there are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from bench.ec2bed.expressions import Expression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.ec2bed.expressions import Item

type Answer = tuple[int, dict[str, Any]]

_PREFIX: Final = "com.amazonaws.dynamodb.v20120810#"
_PAGE: Final = 1000
_PARTITION: Final = re.compile(r"^pk = (:\w+)")


class Tables:
    """Tables with the keys `pk` and `sk`; each exists as soon as it is named."""

    def __init__(self) -> None:
        self._tables: defaultdict[str, _Partitions] = defaultdict(_new_partitions)
        self._actions: dict[str, Callable[[dict[str, Any]], Answer]] = {
            "GetItem": self._get,
            "PutItem": self._put,
            "UpdateItem": self._update,
            "DeleteItem": self._delete,
            "Query": self._query,
            "BatchWriteItem": self._batch,
        }

    def call(self, action: str, request: dict[str, Any]) -> Answer:
        """Return the HTTP status and the answer."""
        if action not in self._actions:
            return 400, {"__type": f"{_PREFIX}UnknownOperationException", "message": action}
        return self._actions[action](request)

    def items(self) -> list[Item]:
        """Return all items of all tables."""
        tables = self._tables.values()
        return [item for table in tables for part in table.values() for item in part.values()]

    def _place(self, table: str, key: Item) -> tuple[dict[str, Item], str]:
        """Return the partition of a key, and the rest of the key."""
        return self._tables[table][str(key["pk"]["S"])], str(key["sk"]["S"])

    def _get(self, request: dict[str, Any]) -> Answer:
        part, name = self._place(request["TableName"], request["Key"])
        found = part.get(name)
        return 200, {"Item": found} if found else {}

    def _put(self, request: dict[str, Any]) -> Answer:
        part, name = self._place(request["TableName"], request["Item"])
        if not _condition_holds(request, part.get(name)):
            return _refused(request, part.get(name))
        part[name] = request["Item"]
        return 200, {}

    def _update(self, request: dict[str, Any]) -> Answer:
        part, name = self._place(request["TableName"], request["Key"])
        if not _condition_holds(request, part.get(name)):
            return _refused(request, part.get(name))
        item = dict(part.get(name, request["Key"]))
        Expression(request.get("UpdateExpression", ""), request, item).apply()
        part[name] = item
        return 200, {"Attributes": item} if request.get("ReturnValues") == "ALL_NEW" else {}

    def _delete(self, request: dict[str, Any]) -> Answer:
        part, name = self._place(request["TableName"], request["Key"])
        if not _condition_holds(request, part.get(name)):
            return _refused(request, part.get(name))
        old = part.pop(name, None)
        return 200, {"Attributes": old} if old and request.get("ReturnValues") == "ALL_OLD" else {}

    def _query(self, request: dict[str, Any]) -> Answer:
        wanted = request["KeyConditionExpression"]
        (value,) = _PARTITION.findall(wanted)
        part = self._tables[request["TableName"]][request["ExpressionAttributeValues"][value]["S"]]
        start = request.get("ExclusiveStartKey")
        after = str(start["sk"]["S"]) if start else ""
        names = sorted(
            name for name, item in part.items() if Expression(wanted, request, item).holds()
        )
        page = [name for name in names if name > after][:_PAGE]
        answer: dict[str, Any] = {"Items": [part[name] for name in page], "Count": len(page)}
        if page and page[-1] != names[-1]:
            answer["LastEvaluatedKey"] = {key: part[page[-1]][key] for key in ("pk", "sk")}
        return 200, answer

    def _batch(self, request: dict[str, Any]) -> Answer:
        for table, writes in request["RequestItems"].items():
            for write in writes:
                if "PutRequest" in write:
                    item = write["PutRequest"]["Item"]
                    part, name = self._place(table, item)
                    part[name] = item
                else:
                    part, name = self._place(table, write["DeleteRequest"]["Key"])
                    part.pop(name, None)
        return 200, {"UnprocessedItems": {}}


type _Partitions = defaultdict[str, dict[str, Item]]


def _new_partitions() -> _Partitions:
    return defaultdict(dict)


def _condition_holds(request: Mapping[str, Any], item: Item | None) -> bool:
    return Expression(request.get("ConditionExpression", ""), request, item or {}).holds()


def _refused(request: Mapping[str, Any], item: Item | None) -> Answer:
    kind = f"{_PREFIX}ConditionalCheckFailedException"
    body: dict[str, Any] = {"__type": kind, "message": "The conditional request failed"}
    if item and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        body["Item"] = item
    return 400, body
