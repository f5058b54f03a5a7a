"""The EBS direct APIs on the wire (REST-JSON), as far as snapshots are read.

Source: EBS API reference, "ListSnapshotBlocks", "GetSnapshotBlock"; EBS user guide, "Concepts for
EBS direct APIs", "Frequently asked questions for EBS direct APIs": indexes are unique and in order,
only what was written is listed, only completed snapshots can be read, a block token holds for seven
days and a page token for an hour. Quotas of requests a second: 50 listings, 1,000 blocks, for each
account and each snapshot (Service Quotas, L-C125AE42 and L-028ACFB9 are those of blocks).
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tests.cloud.answers import Answer, ErrorText, render_error
from tests.cloud.aws_keys import is_usable
from tests.cloud.block_store import BLOCK_BYTES, BLOCKS_PER_GIB
from tests.cloud.constraints import broken_constraint
from tests.cloud.refusals import Refusal
from tests.cloud.views import key_of

if TYPE_CHECKING:
    from tests.cloud.block_store import Blocks
    from tests.cloud.calls import Call, Params
    from tests.cloud.extras import Where
    from tests.cloud.strict import StrictCloud

OPERATIONS = frozenset({"ListSnapshotBlocks", "GetSnapshotBlock"})
_MOST_BLOCKS = 10_000
_TOKEN_HOLDS = timedelta(days=7)
_INVALID = "ValidationException"
_SEAL = 16
_NAMES = {
    "maxResults": "MaxResults",
    "pageToken": "NextToken",
    "startingBlockIndex": "StartingBlockIndex",
    "blockToken": "BlockToken",
}
_NUMBERS = frozenset({"MaxResults", "StartingBlockIndex", "BlockIndex"})


class _RefusedError(Exception):
    def __init__(self, code: str, reason: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.text, self.reason = ErrorText(status, code, message), reason


def direct_operation(method: str, path: str) -> str:
    """Name the operation that a request asks for; what is not played by its method and path."""
    parts = path.strip("/").split("/")
    if method == "GET" and parts[::2] == ["snapshots", "blocks"] and len(parts) == 3:
        return "ListSnapshotBlocks"
    if method == "GET" and parts[::2] == ["snapshots", "blocks"]:
        return "GetSnapshotBlock"
    return f"{method} {path}"


def read_direct(path: str, query: str) -> Params:
    """Return a request's parameters as boto3 names them."""
    parts = path.strip("/").split("/")
    asked: dict[str, Any] = {"SnapshotId": parts[1]}
    if len(parts) > 3:
        asked["BlockIndex"] = parts[3]
    asked |= {_NAMES[name]: values[0] for name, values in parse_qs(query).items() if name in _NAMES}
    return {key: int(value) if key in _NUMBERS else value for key, value in asked.items()}


@dataclass(frozen=True)
class StrictDirect:
    """Answers for one account and region."""

    cloud: StrictCloud
    where: Where

    def answer(self, call: Call) -> Answer:
        """Do what is asked and render it."""
        try:
            self._refuse_by_rate(call)
            _refuse_broken(call)
            snapshot = self._snapshot(call.params["SnapshotId"])
            if call.operation == "ListSnapshotBlocks":
                return self._list(snapshot, call.params)
            return self._get(snapshot, call.params)
        except _RefusedError as refused:
            status, headers, body = render_error(call, refused.text)
            return status, headers, json.dumps(json.loads(body) | {"Reason": refused.reason})

    @property
    def _blocks(self) -> Blocks:
        return self.cloud.extras.blocks

    def _refuse_by_rate(self, call: Call) -> None:
        buckets, scope, now = self.cloud.buckets, "/".join(self.where), self.cloud.clock.now()
        for name, of, reason in (
            (call.operation, scope, "ACCOUNT_THROTTLED"),
            (
                f"{call.operation}:snapshot",
                f"{scope}/{call.params['SnapshotId']}",
                "RESOURCE_LEVEL_THROTTLE",
            ),
        ):
            if not buckets.take(name, {}, now, of):
                raise _RefusedError("RequestThrottledException", reason, "Rate exceeded", 400)

    def _snapshot(self, snapshot_id: str) -> Any:
        account, region = self.where
        snapshot = self.cloud.backend(region, account).snapshots.get(snapshot_id)
        if snapshot is None or account not in {
            snapshot.owner_id,
            *snapshot.create_volume_permission_userids,
        }:
            raise _RefusedError(
                "ResourceNotFoundException",
                "SNAPSHOT_NOT_FOUND",
                f"The snapshot '{snapshot_id}' does not exist.",
                404,
            )
        if snapshot.status != "completed" or snapshot.storage_tier == "archive":
            state = "archived" if snapshot.status == "completed" else snapshot.status
            raise _RefusedError(
                _INVALID, "INVALID_SNAPSHOT_ID", f"The snapshot '{snapshot_id}' is {state}."
            )
        self._refuse_key(key_of(snapshot))
        return snapshot

    def _refuse_key(self, key: str | None) -> None:
        if not key or is_usable(key, self.where, self.cloud.extras):
            return
        if key in self.cloud.extras.denied_keys:
            raise _RefusedError(
                "AccessDeniedException", "DEPENDENCY_ACCESS_DENIED", f"{key} may not be used.", 403
            )
        raise _RefusedError(_INVALID, "INVALID_CUSTOMER_KEY", f"{key} can not be used.")

    def _list(self, snapshot: Any, asked: Params) -> Answer:
        written = self._blocks.read(snapshot.id)
        size = min(asked.get("MaxResults", _MOST_BLOCKS), self.cloud.pages.size or _MOST_BLOCKS)
        token = asked.get("NextToken")
        start = 0 if token else asked.get("StartingBlockIndex", 0)
        indexes = [str(each) for each in written if each >= start]
        bent = self._blocks.bent.get(snapshot.id, "")
        operation = f"ListSnapshotBlocks {snapshot.id}"
        try:
            page, following = self.cloud.pages.cut_keys(
                operation, _bent(indexes, bent, snapshot.volume.size), size, token
            )
        except Refusal as refusal:
            raise _RefusedError(_INVALID, "INVALID_PAGE_TOKEN", str(refusal)) from refusal
        expiry = self.cloud.clock.now() + _TOKEN_HOLDS
        found = {
            "Blocks": [
                {"BlockIndex": int(each), "BlockToken": _token(snapshot.id, int(each), expiry)}
                for each in page
            ],
            "ExpiryTime": expiry.timestamp(),
            "VolumeSize": snapshot.volume.size + (1 if bent == "resized" and token else 0),
            "BlockSize": BLOCK_BYTES,
        }
        body = json.dumps(found | ({"NextToken": following} if following else {}))
        return 200, {"Content-Type": "application/json"}, body

    def _get(self, snapshot: Any, asked: Params) -> Answer:
        index = asked["BlockIndex"]
        data = self._blocks.written.get(snapshot.id, {}).get(index)
        if data is None or not self._holds(snapshot.id, index, asked["BlockToken"]):
            raise _RefusedError(
                _INVALID, "INVALID_BLOCK_TOKEN", f"The token of block {index} is not valid."
            )
        checksum = b64encode(sha256(data).digest()).decode()
        seat = snapshot.id, index
        if seat in self._blocks.corrupt:
            data = bytes([data[0] ^ 1]) + data[1:]
        headers = {
            "Content-Type": "application/octet-stream",
            "x-amz-Data-Length": str(len(data)),
            "x-amz-Checksum": checksum,
            "x-amz-Checksum-Algorithm": "SHA256",
        }
        return 200, headers, data[: self._blocks.cut.get(seat, len(data))]

    def _holds(self, snapshot_id: str, index: int, token: str) -> bool:
        """Tell whether a token is that of this block, and not too old."""
        try:
            micros = int.from_bytes(b64decode(token, validate=True)[_SEAL:])
            expiry = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
        except (Base64Error, OverflowError):
            return False
        return token == _token(snapshot_id, index, expiry) and self.cloud.clock.now() < expiry


def _refuse_broken(call: Call) -> None:
    wrong = broken_constraint("ebs", call.operation, call.params)
    if wrong:
        raise _RefusedError(_INVALID, "INVALID_PARAMETER_VALUE", wrong)


def _token(snapshot_id: str, index: int, expiry: datetime) -> str:
    """Make a block's token: another one at another time, and of use to nothing else."""
    micros = (expiry - datetime.fromtimestamp(0, UTC)) // timedelta(microseconds=1)
    seal = sha256(f"{snapshot_id}/{index}/{micros}".encode()).digest()[:_SEAL]
    return b64encode(seal + micros.to_bytes(8)).decode()


def _bent(indexes: list[str], how: str, gib: int) -> list[str]:
    if how == "beyond":
        return [*indexes, str(gib * BLOCKS_PER_GIB)]
    if how == "doubled":
        return [*indexes[:1], *indexes]
    if how == "unordered":
        return [*indexes[1:2], *indexes[:1], *indexes[2:]]
    return indexes
