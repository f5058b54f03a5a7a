"""What the demo's scenes of uptime meet: real servers, the service behind one, and its past."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from functions.uptime.shelves import Past, Spans, pack, write_past
from functions.uptime.spans import DAY, HOUR, Sum
from tests.cloud.strict import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.cloud.deployment import Json, Stack
    from tests.cloud.stack import LocalCloud
    from tests.farm import Farm

CLUSTER, SERVICE = "prod", "shop"
BUCKET, KEY = "web-team", "targets.json"
TARGETS_FROM = f"s3://{BUCKET}/{KEY}"
SLOW_MS = 150
SHOP: Json = {
    "name": "shop",
    "url": "https://shop.example.com/health",
    "max_latency_ms": SLOW_MS,
    "slo": 99.9,
    "fix": {"ecs_service": {"cluster": CLUSTER, "service": SERVICE}},
}
NAMES = {
    "shop.example.com": "93.184.215.10",
    "checkip.amazonaws.com": "93.184.215.11",
    "lure.example.com": "93.184.215.12",
    "inner.example.com": "10.0.0.7",
}
PARAMETERS = {
    "UptimeMode": "act",
    "UptimeTargets": TARGETS_FROM,
    "UptimeEcsServices": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{CLUSTER}/*",
}
_OUTAGES = {20: 12 * 60, 47: 40 * 60}
"""Seconds of down time, so many days ago."""


def go_online(cloud: LocalCloud, farm: Farm) -> None:
    """Put the farm on the internet, where every address leads, and list it in the bucket."""
    ports = {80: farm.port("http"), 443: farm.port("https"), 9001: farm.port("http")}
    cloud.internet(NAMES, ports, ca=farm.ca)
    s3 = cloud.client("s3")
    place = {"LocationConstraint": cloud.region}
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps([SHOP]).encode())


def write_history(stack: Stack) -> None:
    """Let the shop have been probed for 90 days, with two outages."""
    now = int(datetime.now(UTC).timestamp())
    past = Past(_spans(now, HOUR, 24, {}), _spans(now, DAY, 90, _OUTAGES))
    for name, content in pack({SHOP["name"]: past}, write_past):
        item = {
            "pk": {"S": f"past#uptime/default/{ACCOUNT}/{REGION}"},
            "sk": {"S": name},
            "content": {"B": content},
        }
        stack.client("dynamodb").put_item(TableName=stack.outputs["StateTableName"], Item=item)


def _spans(now: int, length: int, number: int, outages: Mapping[int, int]) -> Spans:
    """Return so many spans of a length that are over."""
    begun = now - now % length
    downs = {ago: outages.get(ago, 0) for ago in range(1, number)}
    sums = {begun - ago * length: Sum(up=length - down, down=down) for ago, down in downs.items()}
    return Spans.of(sums)
