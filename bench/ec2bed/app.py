"""The bed itself: sends each request to its service, with AWS's buckets, latency and faults."""

from __future__ import annotations

import gzip
import json
import random
import time
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from bench.ec2bed import blocks, services
from bench.ec2bed.buckets import Buckets, bucket_name
from bench.ec2bed.dynamodb import Tables
from bench.ec2bed.ec2 import Ec2
from bench.ec2bed.errors import Ec2Error, error_document
from bench.ec2bed.http import Answer
from bench.ec2bed.options import Options
from bench.ec2bed.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.ec2bed.http import Request

    type Clock = Callable[[], float]

_READ_SECONDS: Final = (0.030, 0.080)
_CHANGE_SECONDS: Final = (0.150, 0.300)
_REFUSED_SECONDS: Final = (0.005, 0.015)
_STATE_SECONDS: Final = (0.003, 0.008)
_OTHER_SECONDS: Final = (0.020, 0.060)
_GZIP: Final = b"\x1f\x8b"


class Bed:
    """One account, and the counters of what was asked of it; it lives by two clocks."""

    def __init__(self, time_of_day: Clock = time.time, monotonic: Clock = time.monotonic) -> None:
        self._time_of_day = time_of_day
        self._monotonic = monotonic
        self._reset(Options())

    def answer(self, request: Request) -> Answer:
        """Answer a request of any service, or of the bed's own."""
        if request.path.startswith("/_bed/"):
            return self._admin(request)
        if request.service == "ec2":
            return self._ec2(dict(parse_qsl(request.body.decode(), keep_blank_values=True)))
        if request.service == "dynamodb":
            return self._dynamodb(request)
        if request.service == "ebs":
            return self._ebs(request)
        return self._other(request)

    def _reset(self, options: Options) -> None:
        self._options = options
        self._world = World(options, self._time_of_day)
        self._ec2_api = Ec2(self._world)
        self._buckets = Buckets(options.share)
        self._tables = Tables()
        self._calls: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()
        self._invocations: list[Any] = []
        self._messages: list[str] = []
        self._report = b""
        self._objects: dict[str, bytes] = {}
        self._random = random.Random(options.seed)

    def _admin(self, request: Request) -> Answer:
        if request.path == "/_bed/reset":
            self._reset(Options(**json.loads(request.body or b"{}")))
        elif request.path == "/_bed/invocations":
            taken, self._invocations = self._invocations, []
            return _json(taken)
        elif request.path == "/_bed/advance":
            self._world.ahead_seconds += json.loads(request.body)["seconds"]
        elif request.path == "/_bed/left-behind":
            return _json(self._left_behind())
        return _json(
            {
                "options": asdict(self._options),
                "world": self._world.summary(),
                "calls": dict(self._calls),
                "refused": dict(self._refused),
                "failed": dict(self._failed),
            }
        )

    def _left_behind(self) -> dict[str, list[Any]]:
        lines = gzip.decompress(self._report).splitlines() if self._report else []
        return {
            "impaired": list(self._world.impaired),
            "messages": self._messages,
            "items": self._tables.items(),
            "report": [json.loads(line) for line in lines],
        }

    def _ec2(self, params: dict[str, str]) -> Answer:
        action = params.get("Action", "")
        self._calls[action] += 1
        name = bucket_name(action, params)
        if self._options.throttled and not self._buckets.take(name, self._monotonic()):
            self._refused[action] += 1
            problem = Ec2Error("RequestLimitExceeded", "Request limit exceeded.", 503)
            return self._ec2_error(problem, self._delay(_REFUSED_SECONDS))
        delay = self._delay(_READ_SECONDS if action.startswith("Describe") else _CHANGE_SECONDS)
        fails = self._random.random() < self._options.error_rate
        lands = not fails or self._random.random() < self._options.errors_land
        try:
            body = self._ec2_api.call(action, params) if lands else ""
        except Ec2Error as error:
            return self._ec2_error(error, delay)
        if fails:
            self._failed[action] += 1
            problem = Ec2Error("InternalError", "An internal error has occurred.", 500)
            return self._ec2_error(problem, delay)
        return Answer(body.encode(), delay=delay)

    def _ebs(self, request: Request) -> Answer:
        action = blocks.action_of(request)
        self._calls[action] += 1
        if self._options.throttled and not self._buckets.take(action, self._monotonic()):
            self._refused[action] += 1
            return blocks.refusal("ThrottlingException", 400, self._delay(_REFUSED_SECONDS))
        return blocks.answer(request, self._delay(_READ_SECONDS), self._world)

    def _ec2_error(self, error: Ec2Error, delay: float) -> Answer:
        return Answer(error_document(error).encode(), error.status, delay)

    def _dynamodb(self, request: Request) -> Answer:
        action = request.headers.get("x-amz-target", "").rpartition(".")[2]
        self._calls[f"dynamodb:{action}"] += 1
        status, body = self._tables.call(action, json.loads(request.body))
        kind = "application/x-amz-json-1.0"
        return Answer(json.dumps(body).encode(), status, self._delay(_STATE_SECONDS), kind)

    def _other(self, request: Request) -> Answer:
        delay = self._delay(_OTHER_SECONDS)
        name, answer = services.answer(request, delay, self._world, self._objects)
        self._calls[name] += 1
        if name == "lambda:Invoke":
            self._invocations.append(json.loads(request.body))
        elif name == "sns:Publish":
            self._messages.append(dict(parse_qsl(request.body.decode())).get("Message", ""))
        elif name == "s3:PutObject" and request.body.startswith(_GZIP):
            self._report = request.body
        return answer

    def _delay(self, bounds: tuple[float, float]) -> float:
        return self._random.uniform(*bounds) if self._options.latency else 0.0


def _json(content: object) -> Answer:
    return Answer(json.dumps(content).encode(), content_type="application/json")
