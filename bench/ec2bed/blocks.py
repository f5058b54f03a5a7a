"""The EBS direct APIs: lists of snapshots' blocks, and blocks.

Every snapshot holds the same: a disk with a partition table, a boot partition and one of ext4, and
every second block of the rest. https://docs.aws.amazon.com/ebs/latest/APIReference/
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from random import Random
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

from bench.ec2bed.http import Answer
from tests.support.disk_images import BLOCK, partitioned

if TYPE_CHECKING:
    from bench.ec2bed.http import Request
    from bench.ec2bed.world import Snapshot, World

_BLOCKS_PER_GIB: Final = 2**30 // BLOCK
_BYTES: Final = "application/octet-stream"
_JSON: Final = "application/json"
_LONG: Final = 90
"""Characters of a token, about as many as AWS's have."""
_EXPIRES: Final = 4_102_444_800


def action_of(request: Request) -> str:
    """Return the action that a request is."""
    return "ListSnapshotBlocks" if request.path.endswith("/blocks") else "GetSnapshotBlock"


def answer(request: Request, delay: float, world: World) -> Answer:
    """Answer either."""
    _, _, snapshot_id, _, *index = request.path.split("/")
    snapshot = world.snapshots.get(snapshot_id)
    if snapshot is None:
        return refusal("ResourceNotFoundException", 404, delay)
    return _block(int(index[0]), delay) if index else _page(request, snapshot, delay)


def refusal(code: str, status: int, delay: float) -> Answer:
    """Return an error as EBS writes it."""
    body = json.dumps({"Message": code, "Reason": code}).encode()
    return Answer(body, status, delay, _JSON, {"x-amzn-ErrorType": code})


def _page(request: Request, snapshot: Snapshot, delay: float) -> Answer:
    asked = dict(parse_qsl(request.query))
    first = int(asked.get("pageToken") or asked.get("startingBlockIndex") or 0)
    size = int(asked.get("maxResults", 10_000))
    return Answer(_listed(snapshot.gib, first, size), 200, delay, _JSON)


@cache
def _listed(gib: int, first: int, size: int) -> bytes:
    """Return the page that begins with a block, the same for all snapshots of that size."""
    numbers = [number for number in _written(gib) if number >= first]
    blocks = [
        {"BlockIndex": number, "BlockToken": str(number).zfill(_LONG)} for number in numbers[:size]
    ]
    page: dict[str, object] = {"Blocks": blocks, "VolumeSize": gib, "BlockSize": BLOCK}
    page["ExpiryTime"] = _EXPIRES
    if len(numbers) > size:
        page["NextToken"] = str(numbers[size])
    return json.dumps(page).encode()


@cache
def _written(gib: int) -> list[int]:
    return sorted({*range(0, gib * _BLOCKS_PER_GIB, 2), *_image()})


def _block(index: int, delay: float) -> Answer:
    data, checksum = _image().get(index) or _any_block()
    headers = {
        "x-amz-Data-Length": str(len(data)),
        "x-amz-Checksum": checksum,
        "x-amz-Checksum-Algorithm": "SHA256",
    }
    return Answer(data, 200, delay, _BYTES, headers)


@cache
def _image() -> dict[int, tuple[bytes, str]]:
    disk = partitioned(p1="fat32", p2="ext4")
    return {index: (data, _checksum(data)) for index, data in disk.written.items()}


@cache
def _any_block() -> tuple[bytes, str]:
    data = Random(BLOCK).randbytes(BLOCK)
    return data, _checksum(data)


def _checksum(data: bytes) -> str:
    return b64encode(sha256(data).digest()).decode()
