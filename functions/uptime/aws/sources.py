"""Where targets are written: an object of S3, and tags of instances and load balancers."""

from __future__ import annotations

import json
from itertools import batched
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.aws.ec2 import list_pages
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.session import home
from caretaker.errors import FieldError, ListingError, RefusedError
from functions.uptime.addresses import is_blocked
from functions.uptime.request import MAX_TARGETS
from functions.uptime.wanted import Found

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_elbv2.type_defs import LoadBalancerTypeDef, TagTypeDef

    from caretaker.run import Scene
    from functions.uptime.addresses import Network

_MAX_OBJECT: Final = 32 * 1024 * 1024
_LOAD_BALANCERS_AT_ONCE: Final = 20
"""https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html"""


def read_object(scene: Scene, url: str) -> list[Any]:
    """Return the targets that an object holds; `ListingError` when it cannot be read."""
    bucket, _, key = url.removeprefix("s3://").partition("/")
    client = home(scene.settings.region).s3
    try:
        answer = scene.pacer.call("GetObject", lambda: client.get_object(Bucket=bucket, Key=key))
        text = answer["Body"].read(_MAX_OBJECT + 1)
    except AWS_ERRORS as error:
        raise ListingError("GetObject", classify(error)) from error
    try:
        written = json.loads(text)
    except (ValueError, RecursionError):
        written = None
    targets = written.get("targets") if isinstance(written, dict) else written
    if len(text) > _MAX_OBJECT or not isinstance(targets, list) or len(targets) > MAX_TARGETS:
        expected = f"a JSON list of at most {MAX_TARGETS} targets"
        raise RefusedError(
            "targets_unreadable", [FieldError("targets_from", "holds none", expected)]
        )
    return targets


def discover(scene: Scene, networks: Sequence[Network]) -> Iterator[Found]:
    """Yield what carries the tag, each with its own host: a tag aims the prober nowhere else."""
    yield from _instances(scene, networks)
    yield from _load_balancers(scene)


def _instances(scene: Scene, networks: Sequence[Network]) -> Iterator[Found]:
    reservations = list_pages(
        scene.pacer,
        scene.account.ec2.describe_instances,
        "DescribeInstances",
        "Reservations",
        Filters=[
            {"Name": "tag-key", "Values": [tag.PROBE]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ],
    )
    for reservation in reservations:
        for item in reservation["Instances"]:
            tags = {each["Key"]: each["Value"] for each in item.get("Tags", [])}
            if not tag.is_ignored(tags):
                yield Found(item["InstanceId"], _host(item, networks), tags[tag.PROBE])


def _host(item: Mapping[str, Any], networks: Sequence[Network]) -> str:
    """Return the address of an instance that may be probed, the private one first."""
    addresses = (item.get("PrivateIpAddress", ""), item.get("PublicIpAddress", ""))
    return next((a for a in addresses if a and not is_blocked(a, networks)), "")


def _load_balancers(scene: Scene) -> Iterator[Found]:
    pacer, client = scene.pacer, scene.account.load_balancers
    pages = client.get_paginator("describe_load_balancers")
    try:
        listed = pacer.call(
            "DescribeLoadBalancers",
            lambda: [each for page in pages.paginate() for each in page["LoadBalancers"]],
        )
        for part in batched(listed, _LOAD_BALANCERS_AT_ONCE, strict=False):
            arns = [each["LoadBalancerArn"] for each in part]
            answer = pacer.call(
                "DescribeTags",
                lambda: client.describe_tags(ResourceArns=arns),  # noqa: B023 - called at once
            )
            tags = {each["ResourceArn"]: each.get("Tags", []) for each in answer["TagDescriptions"]}
            yield from _tagged(part, tags)
    except AWS_ERRORS as error:
        raise ListingError("DescribeLoadBalancers", classify(error)) from error


def _tagged(
    part: Sequence[LoadBalancerTypeDef], tags: Mapping[str, Sequence[TagTypeDef]]
) -> Iterator[Found]:
    for each in part:
        its = {t["Key"]: t.get("Value", "") for t in tags.get(each["LoadBalancerArn"], [])}
        if tag.PROBE in its and not tag.is_ignored(its):
            yield Found(each["LoadBalancerName"], each.get("DNSName", ""), its[tag.PROBE])
