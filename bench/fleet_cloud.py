"""The fleet function as it is, upon a stage: a bucket that lists, and time that its work takes."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from bench.ec2bed.app import Bed
from bench.ec2bed.http import Answer
from bench.lambda_stage import Cloud, Lambda

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bench.ec2bed.http import Request

BUCKET: Final = "reports"
STEP_MIB: Final = 1024
"""Memory of the fleet function, by the template's default."""
STEP_SHARE: Final = STEP_MIB / 1769
_S3_SECONDS: Final = 0.04
_TIMEOUT_SECONDS: Final = 900
_TAKEN: Final = b"<Error><Code>PreconditionFailed</Code><Message>there is one</Message></Error>"
_NONE: Final = b"<Error><Code>NoSuchKey</Code><Message>there is none</Message></Error>"


class Folder:
    """A bucket in a folder, so that what lies there takes no memory of this process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_json(self, key: str) -> Any:
        """Return an object."""
        return json.loads(self.get(key))

    def put_json(self, key: str, document: Any) -> None:
        """Write an object."""
        self.put(key, json.dumps(document).encode())

    def get(self, key: str) -> bytes:
        """Return the bytes of an object."""
        return self._path(key).read_bytes()

    def put(self, key: str, body: bytes) -> None:
        """Write the bytes of an object."""
        self._path(key).write_bytes(body)

    def has(self, key: str) -> bool:
        """Tell whether there is such an object."""
        return self._path(key).exists()

    def sizes(self) -> dict[str, int]:
        """Return all keys, sorted, and the bytes of each."""
        found = {
            each.name.replace("!", "/"): each.stat().st_size for each in self._folder.iterdir()
        }
        return dict(sorted(found.items()))

    def _path(self, key: str) -> Path:
        return self._folder / key.replace("/", "!")


class FleetCloud(Cloud):
    """The bed's account, and a bucket in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.objects = Folder(folder)
        born = time.time()
        self.bed: FleetBed = FleetBed(self.objects, lambda: born + self.stage.seconds)


class FleetBed(Bed):
    """The bed, and beside it the bucket; `counted` are calls of S3."""

    def __init__(self, objects: Folder, clock: Callable[[], float]) -> None:
        super().__init__(clock, clock)
        self._folder = objects
        self.counted: Counter[str] = Counter()

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        bucket, _, key = request.path.lstrip("/").partition("/")
        if request.service != "s3" or bucket != BUCKET:
            return super().answer(request)
        name, status, body = self._s3(request, key)
        self.counted[name] += 1
        return Answer(body, status, _S3_SECONDS, "application/xml")

    def put_item(self, table: str, item: dict[str, Any]) -> None:
        """Write an item of the state table without a call."""
        self._tables.call("PutItem", {"TableName": table, "Item": item})

    def state_calls(self) -> dict[str, int]:
        """Return the calls of all services but S3."""
        return dict(self._calls)

    def _s3(self, request: Request, key: str) -> tuple[str, int, bytes]:
        if request.method == "PUT":
            if "if-none-match" in request.headers and self._folder.has(key):
                return "PutObject", 412, _TAKEN
            self._folder.put(key, request.body)
            return "PutObject", 200, b""
        if key:
            has = self._folder.has(key)
            return "GetObject", 200 if has else 404, self._folder.get(key) if has else _NONE
        return "ListObjectsV2", 200, self._listed(parse_qs(request.query)["prefix"][0])

    def _listed(self, prefix: str) -> bytes:
        found = [key for key in self._folder.sizes() if key.startswith(prefix)]
        contents = "".join(f"<Contents><Key>{escape(key)}</Key></Contents>" for key in found)
        more = "<IsTruncated>false</IsTruncated>"
        return f"<ListBucketResult>{more}{contents}</ListBucketResult>".encode()


class Steps:
    """The fleet function; what its processor works is played at the share that it has there."""

    def __init__(self, cloud: FleetCloud) -> None:
        self._stage = cloud.stage
        self._function = Lambda(cloud, "fleet", _TIMEOUT_SECONDS)
        self.taken: list[dict[str, Any]] = []
        self.last: dict[str, Any] = {}

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke it."""
        begun, busy = self._stage.seconds, time.thread_time()
        self.last = answer = self._function.invoke(event)
        cpu = time.thread_time() - busy
        self._stage.sleep(cpu / STEP_SHARE)
        step = event["step"]
        self.taken.append(
            {
                "do": step["do"],
                "after": step["after"],
                "seconds": self._stage.seconds - begun,
                "cpu_seconds": cpu,
                "bytes": len(json.dumps(answer)),
            }
        )
        return answer
