"""The Resource Groups Tagging API on the wire (JSON): what has tags, whatever service owns it.

Source: Resource Groups Tagging API reference, "GetResources", "TagResources", "FailureInfo".
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from moto.core.resource_tagging import make_tag_matcher, match_resource_type

from tests.cloud.answers import Answer, ErrorText, render_error
from tests.cloud.refusals import Refusal
from tests.cloud.taggables import Taggable, find, taggables
from tests.cloud.tagging import MAX_KEY, MAX_VALUE
from tests.cloud.views import tag_set

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.cloud.calls import Call, Params
    from tests.cloud.extras import Where
    from tests.cloud.strict import StrictCloud

_TYPE = re.compile(r"[\w-]+(:[\w./-]+)?")
_USUAL_PAGE = 50
_MOST_RESOURCES = 100
_MOST_TAGS = (100, 500)
_MOST_ARNS = 20
_MOST_ASKED = 100
Failure = dict[str, Any]


class _RefusedError(Exception):
    def __init__(self, message: str, code: str = "InvalidParameterException") -> None:
        super().__init__(message)
        self.text = ErrorText(400, code, message)


@dataclass(frozen=True)
class StrictTagging:
    """Answers for one account and region."""

    OPERATIONS: ClassVar[frozenset[str]] = frozenset(
        {"GetResources", "TagResources", "UntagResources"}
    )

    cloud: StrictCloud
    where: Where

    def answer(self, call: Call) -> Answer:
        """Do what is asked and render it; a bucket that is empty throttles."""
        handlers: Mapping[str, Callable[[Params], object]] = {
            "GetResources": self._get,
            "TagResources": self._tag,
            "UntagResources": self._untag,
        }
        bucket = self.cloud.buckets.get(call.operation)
        if bucket is not None and not bucket.take(call.at, "/".join(self.where)):
            return render_error(call, ErrorText(400, "ThrottledException", "Rate exceeded"))
        try:
            found = handlers[call.operation](call.params)
        except _RefusedError as refused:
            return render_error(call, refused.text)
        return 200, {"Content-Type": "application/x-amz-json-1.1"}, json.dumps(found)

    def _get(self, asked: Params) -> object:
        """Page through what has a tag, or had one: the rest is never shown."""
        kinds, arns = asked.get("ResourceTypeFilters") or (), asked.get("ResourceARNList") or ()
        _refuse_listing(asked)
        size = int(asked.get("ResourcesPerPage") or _USUAL_PAGE)
        matches = make_tag_matcher(list(asked.get("TagFilters") or ()))
        found = {
            each.arn: each
            for each in taggables(self.cloud, self.where, kinds)
            if self._shown(each)
            and match_resource_type(each.kind, list(kinds))
            and matches(dict(each.tags))
            and (not arns or each.arn in arns)
        }
        token = asked.get("PaginationToken") or None
        try:
            page, following = self.cloud.pages.cut_keys("GetResources", found.keys(), size, token)
        except Refusal:
            raise _RefusedError(
                "The specified PaginationToken has expired.", "PaginationTokenExpiredException"
            ) from None
        mappings = [
            {"ResourceARN": arn, "Tags": tag_set(found[arn].tags)} for arn in page if arn in found
        ]
        return {"PaginationToken": following or "", "ResourceTagMappingList": mappings}

    def _shown(self, each: Taggable) -> bool:
        if each.tags:
            self.cloud.extras.once_tagged.add(each.arn)
        return each.arn in self.cloud.extras.once_tagged

    def _tag(self, asked: Params) -> object:
        """Tag each resource by itself; what fails is told by ARN, the others are done."""
        arns, tags = _asked_arns(asked), dict(asked.get("Tags") or {})
        _refuse_tags(tags)
        return self._each(arns, lambda each: self._tag_one(each, tags))

    def _untag(self, asked: Params) -> object:
        arns, keys = _asked_arns(asked), list(asked.get("TagKeys") or ())
        if not keys:
            raise _RefusedError("TagKeys must not be empty")

        def untag(each: Taggable) -> None:
            self._shown(each)
            each.untag(keys)

        return self._each(arns, untag)

    def _tag_one(self, each: Taggable, tags: Mapping[str, str]) -> Failure | None:
        own = [key for key in {*each.tags, *tags} if not key.startswith("aws:")]
        if len(own) > self.cloud.limits.tags:
            most = self.cloud.limits.tags
            return _failure(400, "InvalidParameterException", f"At most {most} tags fit.")
        each.tag(tags)
        self.cloud.extras.once_tagged.add(each.arn)
        return None

    def _each(
        self, arns: Sequence[str], change: Callable[[Taggable], Failure | None]
    ) -> dict[str, dict[str, Failure]]:
        failed: dict[str, Failure] = {}
        for arn in arns:
            known = find(self.cloud, self.where, arn)
            refused = self.cloud.extras.untaggable.get(arn)
            if refused is not None:
                failed[arn] = _failure(*refused)
                continue
            try:
                failure = self._missing(arn) if known is None else change(known)
            except NotImplementedError:
                failure = _failure(400, "InternalServiceException", f"{arn} cannot be tagged")
            if failure is not None:
                failed[arn] = failure
        return {"FailedResourcesMap": failed}

    def _missing(self, arn: str) -> Failure:
        """Say in its service's words that there is no such resource here."""
        service = arn.split(":")[2]
        code = _NOT_FOUND.get(service)
        if code is None:
            text = f"Unsupported service {service}"
            return _failure(400, "InternalServiceException", text)
        return _failure(404 if service in _BY_404 else 400, code, f"{arn} not found")


_NOT_FOUND = {
    "ec2": "InvalidParameterException",
    "ecs": "InvalidParameterException",
    "eks": "ResourceNotFoundException",
    "elasticloadbalancing": "LoadBalancerNotFound",
    "lambda": "ResourceNotFoundException",
    "logs": "ResourceNotFoundException",
    "rds": "DBInstanceNotFound",
    "s3": "NoSuchBucket",
    "dynamodb": "ResourceNotFoundException",
    "sns": "NotFound",
    "sqs": "AWS.SimpleQueueService.NonExistentQueue",
}
_BY_404 = frozenset({"eks", "lambda", "rds", "s3", "sns"})


def _failure(status: int, code: str, message: str) -> Failure:
    return {"StatusCode": status, "ErrorCode": code, "ErrorMessage": message}


def _asked_arns(asked: Params) -> list[str]:
    arns = list(asked.get("ResourceARNList") or ())
    if not 1 <= len(arns) <= _MOST_ARNS:
        raise _RefusedError(
            f"ResourceARNList has {len(arns)} ARNs; it must have 1 to {_MOST_ARNS}."
        )
    for arn in arns:
        if not re.fullmatch(r"arn:aws:[\w-]+:[\w-]*:\d*:.+", arn):
            raise _RefusedError(f"{arn} is not a valid ARN of this partition")
    return list(dict.fromkeys(arns))


def _refuse_tags(tags: Mapping[str, str]) -> None:
    if not 1 <= len(tags) <= 50:
        raise _RefusedError("Tags must have 1 to 50 entries")
    for key, value in tags.items():
        if key.lower().startswith("aws:"):
            raise _RefusedError("Tag keys starting with 'aws:' are reserved for system use")
        if not 1 <= len(key) <= MAX_KEY or len(value) > MAX_VALUE:
            raise _RefusedError(f"Tag {key[:MAX_KEY]} is too long or empty")


def _refuse_listing(asked: Params) -> None:
    size = int(asked.get("ResourcesPerPage") or _USUAL_PAGE)
    most_tags = int(asked.get("TagsPerPage") or _MOST_TAGS[0])
    if asked.get("ResourcesPerPage") is not None and not 1 <= size <= _MOST_RESOURCES:
        raise _RefusedError("ResourcesPerPage must be between 1 and 100")
    if asked.get("ResourcesPerPage") == 0 or not _MOST_TAGS[0] <= most_tags <= _MOST_TAGS[1]:
        raise _RefusedError("TagsPerPage must be between 100 and 500")
    arns = asked.get("ResourceARNList") or ()
    others = {"ResourceTypeFilters", "TagFilters", "PaginationToken", "ResourcesPerPage"}
    if len(arns) > _MOST_ASKED or (arns and any(asked.get(each) for each in others)):
        raise _RefusedError("ResourceARNList has at most 100 ARNs and goes with nothing else")
    for kind in asked.get("ResourceTypeFilters") or ():
        if not _TYPE.fullmatch(kind):
            raise _RefusedError(f"{kind} is not a resource type")
