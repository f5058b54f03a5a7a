"""A state table in memory: items, conditions, updates, queries and batches."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from bench.ec2bed.expressions import Expression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from bench.ec2bed.expressions import Item

type Answer = tuple[int, dict[str, Any]]

_PREFIX: Final = "com.amazonaws.dynamodb.v20120810#"
_PAGE: Final = 1000


class Tables:
    """Tables with the keys `pk` and `sk`; each exists as soon as it is named."""

    def __init__(self) -> None:
        self._tables: defaultdict[str, dict[tuple[str, str], Item]] = defaultdict(dict)
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
        return [item for table in self._tables.values() for item in table.values()]

    def _get(self, request: dict[str, Any]) -> Answer:
        found = self._tables[request["TableName"]].get(_key(request["Key"]))
        return 200, {"Item": found} if found else {}

    def _put(self, request: dict[str, Any]) -> Answer:
        table, key = self._tables[request["TableName"]], _key(request["Item"])
        if not _condition_holds(request, table.get(key)):
            return _refused(request, table.get(key))
        table[key] = request["Item"]
        return 200, {}

    def _update(self, request: dict[str, Any]) -> Answer:
        table, key = self._tables[request["TableName"]], _key(request["Key"])
        if not _condition_holds(request, table.get(key)):
            return _refused(request, table.get(key))
        item = dict(table.get(key, request["Key"]))
        Expression(request.get("UpdateExpression", ""), request, item).apply()
        table[key] = item
        return 200, {"Attributes": item} if request.get("ReturnValues") == "ALL_NEW" else {}

    def _delete(self, request: dict[str, Any]) -> Answer:
        table, key = self._tables[request["TableName"]], _key(request["Key"])
        if not _condition_holds(request, table.get(key)):
            return _refused(request, table.get(key))
        old = table.pop(key, None)
        return 200, {"Attributes": old} if old and request.get("ReturnValues") == "ALL_OLD" else {}

    def _query(self, request: dict[str, Any]) -> Answer:
        table = self._tables[request["TableName"]]
        start = request.get("ExclusiveStartKey")
        after = _key(start) if start else ("", "")
        wanted = request["KeyConditionExpression"]
        keys = sorted(
            key for key, item in table.items() if Expression(wanted, request, item).holds()
        )
        page = [key for key in keys if key > after][:_PAGE]
        answer: dict[str, Any] = {"Items": [table[key] for key in page], "Count": len(page)}
        if page and page[-1] != keys[-1]:
            answer["LastEvaluatedKey"] = {name: table[page[-1]][name] for name in ("pk", "sk")}
        return 200, answer

    def _batch(self, request: dict[str, Any]) -> Answer:
        for name, writes in request["RequestItems"].items():
            for write in writes:
                if "PutRequest" in write:
                    item = write["PutRequest"]["Item"]
                    self._tables[name][_key(item)] = item
                else:
                    self._tables[name].pop(_key(write["DeleteRequest"]["Key"]), None)
        return 200, {"UnprocessedItems": {}}


def _key(item: Item) -> tuple[str, str]:
    return str(item["pk"]["S"]), str(item["sk"]["S"])


def _condition_holds(request: Mapping[str, Any], item: Item | None) -> bool:
    return Expression(request.get("ConditionExpression", ""), request, item or {}).holds()


def _refused(request: Mapping[str, Any], item: Item | None) -> Answer:
    kind = f"{_PREFIX}ConditionalCheckFailedException"
    body: dict[str, Any] = {"__type": kind, "message": "The conditional request failed"}
    if item and request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD":
        body["Item"] = item
    return 400, body
