"""The Recycle Bin service on the wire (REST-JSON): its rules.

Source: Recycle Bin API reference.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.cloud.answers import Answer, ErrorText, render_error
from tests.cloud.recycle_bin import Pairs, Rule
from tests.cloud.refusals import Refusal

if TYPE_CHECKING:
    from tests.cloud.calls import Call
    from tests.cloud.extras import Where
    from tests.cloud.strict import StrictCloud

Json = dict[str, Any]

_TYPES = frozenset({"EBS_SNAPSHOT", "EC2_IMAGE", "EBS_VOLUME"})
_MOST_DAYS = 365
_MOST_RESULTS = 1000


class _RefusedError(Exception):
    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(message)
        self.text = ErrorText(status, code, message)


def operation_of(method: str, path: str) -> str:
    """Name the operation that a request asks for."""
    if path == "/list-rules":
        return "ListRules"
    if path == "/rules":
        return "CreateRule"
    names = {"GET": "GetRule", "DELETE": "DeleteRule", "PATCH": "UpdateRule"}
    return names.get(method, f"{method} {path}")


def read_rbin(operation: str, path: str, body: bytes | str | None) -> Json:
    """Return a request's parameters as boto3 names them."""
    named = {} if operation in {"ListRules", "CreateRule"} else {"Identifier": _last(path)}
    return named | dict(json.loads(body or b"{}"))


@dataclass(frozen=True)
class StrictRbin:
    """Answers for one account and region."""

    cloud: StrictCloud
    where: Where

    def answer(self, call: Call, path: str, body: bytes | str | None) -> Answer:
        """Do what is asked and render it."""
        asked = json.loads(body or b"{}")
        handlers = {
            "ListRules": self._list,
            "CreateRule": self._create,
            "GetRule": self._get,
            "UpdateRule": self._update,
            "DeleteRule": self._delete,
        }
        if call.operation not in handlers:
            return render_error(call, ErrorText(404, "UnknownOperationException", call.operation))
        try:
            status, found = handlers[call.operation](asked, _last(path))
        except _RefusedError as refused:
            return render_error(call, refused.text)
        return status, {"Content-Type": "application/json"}, json.dumps(found) if found else ""

    def _rules(self) -> dict[str, Rule]:
        return self.cloud.bin.rules.setdefault(self.where, {})

    def _rule(self, identifier: str) -> Rule:
        rule = self._rules().get(identifier)
        if rule is None:
            raise _RefusedError("ResourceNotFoundException", "Rule does not exist.", 404)
        return rule

    def _list(self, asked: Json, _: str) -> tuple[int, Json]:
        most = asked.get("MaxResults", _MOST_RESULTS)
        if not 1 <= most <= _MOST_RESULTS:
            raise _invalid("MaxResults is out of range")
        wanted, excluded = _pairs(asked, "ResourceTags"), _pairs(asked, "ExcludeResourceTags")
        found = [
            self._summary(each)
            for each in self._rules().values()
            if each.resource_type == _resource_type(asked)
            and set(wanted) <= set(each.tags)
            and set(excluded) <= set(each.excluded)
        ]
        try:
            page, token = self.cloud.pages.cut(
                "ListRules", found, lambda each: each["Identifier"], most, asked.get("NextToken")
            )
        except Refusal as refusal:
            raise _invalid(str(refusal)) from refusal
        return 200, {"Rules": page} | ({"NextToken": token} if token else {})

    def _create(self, asked: Json, _: str) -> tuple[int, Json]:
        tags, excluded = _pairs(asked, "ResourceTags"), _pairs(asked, "ExcludeResourceTags")
        if tags and excluded:
            raise _invalid("A tag-level rule has no exclusion tags.")
        rule = Rule(
            _days(asked), _resource_type(asked), tags, excluded, asked.get("Description", "")
        )
        return 201, self._shown(self.cloud.bin.add(self.where, rule))

    def _get(self, _: Json, identifier: str) -> tuple[int, Json]:
        return 200, self._shown(self._rule(identifier))

    def _update(self, asked: Json, identifier: str) -> tuple[int, Json]:
        rule = self._rule(identifier)
        if "RetentionPeriod" in asked:
            rule.days = _days(asked)
        if "ResourceTags" in asked:
            rule.tags = _pairs(asked, "ResourceTags")
        if "ExcludeResourceTags" in asked:
            rule.excluded = _pairs(asked, "ExcludeResourceTags")
        rule.description = asked.get("Description", rule.description)
        return 200, self._shown(rule)

    def _delete(self, _: Json, identifier: str) -> tuple[int, Json]:
        del self._rules()[self._rule(identifier).identifier]
        return 204, {}

    def _summary(self, rule: Rule) -> Json:
        account, region = self.where
        return {
            "Identifier": rule.identifier,
            "Description": rule.description,
            "RetentionPeriod": {"RetentionPeriodValue": rule.days, "RetentionPeriodUnit": "DAYS"},
            "RuleArn": f"arn:aws:rbin:{region}:{account}:rule/{rule.identifier}",
        }

    def _shown(self, rule: Rule) -> Json:
        return self._summary(rule) | {
            "ResourceType": rule.resource_type,
            "ResourceTags": _shown_pairs(rule.tags),
            "ExcludeResourceTags": _shown_pairs(rule.excluded),
            "Status": rule.status,
        }


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _invalid(message: str) -> _RefusedError:
    return _RefusedError("ValidationException", message, 400)


def _resource_type(asked: Json) -> str:
    given = str(asked.get("ResourceType"))
    if given not in _TYPES:
        raise _invalid(f"ResourceType {given} is not valid.")
    return given


def _days(asked: Json) -> int:
    period = asked.get("RetentionPeriod") or {}
    days = int(period.get("RetentionPeriodValue", 0))
    if period.get("RetentionPeriodUnit") != "DAYS" or not 1 <= days <= _MOST_DAYS:
        raise _invalid(f"RetentionPeriod is 1 to {_MOST_DAYS} DAYS.")
    return days


def _pairs(asked: Json, name: str) -> Pairs:
    given = asked.get(name) or ()
    return tuple((each["ResourceTagKey"], each.get("ResourceTagValue") or "") for each in given)


def _shown_pairs(pairs: Pairs) -> list[Json]:
    return [{"ResourceTagKey": key, "ResourceTagValue": value} for key, value in pairs]
