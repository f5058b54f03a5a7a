"""Lambda and AWS upon a stage: the handlers as they are, the bed, and time that is played.

A call takes what the bed says. The processor is counted as what a call costs it on average, at the
share of a core that 512 MB have; a new environment starts with a whole one.
"""

from __future__ import annotations

import io
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib import import_module
from math import ceil
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from botocore.awsrequest import AWSResponse

from bench.ec2bed.app import Bed
from bench.ec2bed.http import Request
from bench.ec2bed.options import ACCOUNT, REGION
from bench.stage import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.session import Session

SHARE_OF_A_CORE: Final = 512 / 1769
"""https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"""
CALL_CPU_SECONDS: Final = 0.003
"""35 ms a step of the restore function, in which it makes some twelve calls."""
START_SECONDS: Final = 0.57
"""A new environment: docs/performance.md, "Cold start"."""
_MS: Final = 1000


class FailedInvocationError(RuntimeError):
    """The handler has raised."""


class Cloud:
    """An account on a stage, of which sessions are made to call nothing else."""

    def __init__(self) -> None:
        self.stage = Stage()
        self.slept: Counter[str] = Counter()
        self._born = time.time()
        self.bed = Bed(lambda: self._born + self.stage.seconds, lambda: self.stage.seconds)
        # By it botocore's waiters wait, and its repetitions.
        time.sleep = self.stage.sleep  # type: ignore[assignment]

    def attach(self, session: Session) -> None:
        """Have all clients of a session answered from here."""
        session.register("before-send", self._answer)  # type: ignore[arg-type]

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.fromtimestamp(self._born, UTC) + timedelta(seconds=self.stage.seconds)

    def _answer(self, request: Any, **_: Any) -> AWSResponse:
        self.stage.sleep(CALL_CPU_SECONDS / SHARE_OF_A_CORE)
        answer = self.bed.answer(_request(request))
        self.stage.sleep(answer.delay)
        headers: Any = {"Content-Type": answer.content_type, **answer.headers}
        return AWSResponse(request.url, answer.status, headers, _Body(answer.body))


class Lambda:
    """One function; `billed_ms` is what it took, starts included, as Lambda bills it.

    `slept_seconds` is what of that its clock was asked to wait: for its turn in a bucket, mostly.
    """

    def __init__(self, cloud: Cloud, chore: str, timeout_seconds: float) -> None:
        self._cloud = cloud
        self._chore = chore
        self._timeout_seconds = timeout_seconds
        self._idle = 0
        self._running = 0
        self.most_running = 0
        self.starts = 0
        self.invocations = 0
        self.billed_ms = 0
        self.slept_seconds = 0.0
        self.errors: list[str] = []
        self._handler = self._imported()

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke the function and return its answer; `FailedInvocationError` when it raises."""
        started = self._cloud.stage.seconds
        self._enter()
        try:
            answer: dict[str, Any] = self._handler(
                event, _Context(self._cloud.stage, self._chore, self._timeout_seconds)
            )
        except Exception as error:
            self.errors.append(f"{type(error).__name__}: {error}")
            raise FailedInvocationError(self.errors[-1]) from error
        finally:
            self._idle, self._running = self._idle + 1, self._running - 1
            self.billed_ms += ceil((self._cloud.stage.seconds - started) * _MS)
        return answer

    def _enter(self) -> None:
        """Take an environment that is idle, or wait for a new one."""
        self.invocations += 1
        self._running += 1
        self.most_running = max(self.most_running, self._running)
        if self._idle:
            self._idle -= 1
            return
        self.starts += 1
        self._cloud.stage.sleep(START_SECONDS)

    def _imported(self) -> Any:
        from caretaker import clock  # noqa: PLC0415 - only where the layer is on the path
        from caretaker.aws import lease, places  # noqa: PLC0415 - ditto

        cloud, function = self._cloud, self

        class StageClock(clock.SystemClock):
            def now(self) -> datetime:
                return cloud.now()

            def monotonic(self) -> float:
                return cloud.stage.seconds

            def sleep(self, seconds: float) -> None:
                function.slept_seconds += seconds
                cloud.stage.sleep(seconds)

        clock.SystemClock = StageClock  # type: ignore[misc]
        # Its thread lives by the clock on the wall; nobody else wants these leases.
        lease.RENEW_EVERY_SECONDS = 86_400  # type: ignore[misc]
        cloud.attach(places.own_session())
        return import_module(f"functions.{self._chore}.app").lambda_handler


@dataclass(slots=True)
class _Context:
    """What a handler reads of Lambda's context."""

    stage: Stage
    chore: str
    timeout_seconds: float
    started: float = 0.0
    aws_request_id: str = field(default_factory=lambda: str(uuid4()))
    memory_limit_in_mb: int = 512

    def __post_init__(self) -> None:
        self.started = self.stage.seconds

    @property
    def function_name(self) -> str:
        return f"caretaker-{self.chore}"

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.timeout_seconds - (self.stage.seconds - self.started)) * _MS)


class _Body(io.BytesIO):
    """A body as urllib3 hands it on."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        if content := self.read():
            yield content


def _request(sent: Any) -> Request:
    parts = urlsplit(sent.url)
    body = sent.body.read() if hasattr(sent.body, "read") else sent.body or b""
    body = body.encode() if isinstance(body, str) else body
    headers = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value)
        for name, value in sent.headers.items()
    }
    return Request(sent.method, unquote(parts.path), headers, body, parts.query)
