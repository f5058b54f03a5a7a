"""A web shop in a farm of real servers, told minute by minute: the scene of the docs' stories."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import UUID

import pycurl
import pytest
from moto.sns.models import sns_backends

from caretaker.aws import session
from functions.service_repair import app as service_repair
from functions.uptime import app, probing
from functions.uptime.prober import names, request
from functions.uptime.traces import Certificate, Phase
from tests.cloud import ACCOUNT, REGION, Account, ManualClock, ecs_life, strict_moto
from tests.cloud.internet import internet
from tests.farm import running_farm
from tests.support.stack import TOPIC, Stack
from tests.support.uptime_world import MINUTE, NAMES, UptimeWorld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call

_FIRST_BYTE: Final = 46.0
_TIMES: Final = {Phase.CONNECT: 9.0, Phase.TLS: 21.0, Phase.TRANSFER: 1.0}
_DNS: Final = 3.0
_FINGERPRINT: Final = "9f2c" * 16
_GOOD_DAYS: Final = 90


@dataclass
class Scene(UptimeWorld):
    """The shop; `times` are milliseconds to the first byte, by the first word of a host."""

    account: Account
    patched: pytest.MonkeyPatch
    times: dict[str, float] = field(default_factory=dict)
    to_do: list[dict[str, Any]] = field(default_factory=list)
    days: float = _GOOD_DAYS

    def minutes(self, number: int, *targets: Mapping[str, Any], **asked: Any) -> str:
        """Probe so many times and return what people were told, each with its time."""
        said = ""
        for _ in range(number):
            self.look(*targets, **asked)
            said += self.subjects() + self.repairs()
            self.clock.advance(MINUTE)
        return said

    def subjects(self) -> str:
        """Return what people were told just now."""
        now = self.clock.now()
        return "".join(f"{now:%d %b %H:%M}  {each['Subject']}\n" for each in self.stack.alerts())

    def repairs(self) -> str:
        """Carry out the repairs that were asked for, and return what people were told of them."""
        asked, self.to_do = self.to_do, []
        for each in asked:
            self.stack.run(service_repair.CHORE, each, seconds=300)
        return self.subjects()

    def mail(self) -> str:
        """Return the newest message for people, below its subject."""
        _, body, subject, *_ = sns_backends[ACCOUNT][REGION].topics[TOPIC].sent_notifications[-1]
        return f"{subject}\n\n{json.loads(body)['email']}"

    def line(self, item: Mapping[str, Any]) -> str:
        """Return what was decided, in a line."""
        now = self.clock.now()
        return f"{now:%H:%M}  {item['action']:8}{item['reason']:12}{item['result']}\n"

    def phases(self, handle: Any) -> dict[Phase, float]:
        """Return the phases that a request had, each as long as is set."""
        host = urlsplit(handle.getinfo(pycurl.EFFECTIVE_URL)).hostname or ""
        first_byte = self.times.get(host.partition(".")[0], _FIRST_BYTE)
        times = {**_TIMES, Phase.FIRST_BYTE: first_byte}
        return {phase: times[phase] for phase in _PHASES(handle)}

    def certificate(self, _chain: Any) -> Certificate:
        """Return the certificate that all hosts show; it lasts `days` from the beginning on."""
        ends = self.began + timedelta(days=self.days)
        return Certificate(_FINGERPRINT, ends, ends)

    def served(self, call: Call, perform: Callable[[], Answer]) -> Answer:
        """Take what the function asks other functions for."""
        if call.operation != "Invoke":
            return self.cloud_serves(call, perform)
        self.to_do.append(json.loads(call.params["Payload"]))
        return self.cloud_serves(call, lambda: (202, {}, ""))

    def __post_init__(self) -> None:
        """Stand before moto."""
        super().__post_init__()
        self.began = self.clock.now()
        self.cloud_serves = self.cloud.serve
        self.cloud.serve = self.served  # type: ignore[method-assign]


_PHASES: Final = request._phases  # noqa: SLF001 - what it measures is set here


@contextmanager
def scene(mode: str = "act") -> Iterator[Scene]:
    """Open a shop in a stack of this mode."""
    clock, numbers = ManualClock(), count(1)
    with (
        strict_moto(clock, page_size=200) as cloud,
        pytest.MonkeyPatch.context() as patched,
        running_farm() as farm,
        internet(NAMES, {80: farm.port("http"), 443: farm.port("https")}, ca=farm.ca) as net,
        patch.object(ecs_life, "uuid4", lambda: UUID(int=next(numbers))),
    ):
        session.forget()
        patched.setenv("CARETAKER_MODE", mode)
        patched.setattr(probing, "PAUSES", (0.01, 0.02))
        patched.setattr(app, "_RUNS", count(1))
        made = Scene(cloud, clock, Stack(clock), farm, net, Account(cloud), patched)
        patched.setattr(request, "_phases", made.phases)
        patched.setattr(request, "read_certificate", made.certificate)
        patched.setattr(names, "_ms_since", lambda _: _DNS)
        yield made
    session.forget()


def some(answer: Mapping[str, Any], *fields: str) -> dict[str, Any]:
    """Return some fields of an answer."""
    return {name: answer[name] for name in fields}
