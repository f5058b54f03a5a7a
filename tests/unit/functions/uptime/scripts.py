"""Drives the script of a probe by hand: answers each step as a table of hosts says."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from functions.uptime.probing import Credentials, probe
from functions.uptime.traces import Failure, Fetch, Fetched, Pause, Phase, Resolve, Resolved
from tests.unit.functions.uptime.building import ADDRESS, a_target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from functions.uptime.probing import Probed, Try
    from functions.uptime.targets import Target
    from functions.uptime.traces import Step

type Answer = Fetched | Failure | Callable[[Fetch], Fetched]


def answer(
    status: int = 200, location: str = "", *, ms: float = 20, body: str = "", **odd: Any
) -> Fetched:
    """Return an answer that took so long; with a location it leads elsewhere."""
    headers = {"location": location} if location else {}
    known: dict[str, Any] = {
        "phases": {Phase.CONNECT: ms / 2, Phase.FIRST_BYTE: ms / 2},
        "status": status,
        "headers": headers,
        "body": body.encode(),
        "http_version": "1.1",
    }
    return Fetched(**known | odd)


def failed(failure: Failure, ms: float = 20) -> Fetched:
    """Return what is left of a request that failed."""
    return Fetched({Phase.CONNECT: ms}, failure)


def to(location: str, status: int = 302, ms: float = 20) -> Fetched:
    """Return a redirect."""
    return answer(status, location, ms=ms)


@dataclass
class Drive:
    """What a script asked for, in order, and what it came to."""

    names: Mapping[str, Sequence[str] | Failure] = field(default_factory=dict)
    answers: Mapping[str, Sequence[Fetched] | Fetched] = field(default_factory=dict)
    dns_ms: float = 5
    steps: list[Step] = field(default_factory=list)
    probed: Probed | None = None
    _asked: dict[str, int] = field(default_factory=dict)

    def run(self, target: Target, allowed: Any = (), secret: Credentials | None = None) -> Drive:
        """Run the script to its end."""
        script = probe(target, allowed, secret or Credentials())
        reply: Any = None
        try:
            while True:
                step = script.send(reply)
                self.steps.append(step)
                reply = self._reply(step)
        except StopIteration as end:
            self.probed = end.value
        return self

    @property
    def tries(self) -> list[list[Try]]:
        """Return all tries."""
        assert self.probed
        return [list(each) for each in self.probed.tries]

    @property
    def last(self) -> Try:
        """Return the only try of the last look."""
        (last,) = self.tries[-1]
        return last

    @property
    def fetches(self) -> list[Fetch]:
        """Return the requests."""
        return [step for step in self.steps if isinstance(step, Fetch)]

    @property
    def resolved(self) -> list[str]:
        """Return the names that were looked up."""
        return [step.host for step in self.steps if isinstance(step, Resolve)]

    @property
    def pauses(self) -> list[float]:
        """Return the pauses."""
        return [step.seconds for step in self.steps if isinstance(step, Pause)]

    def _reply(self, step: Step) -> Any:
        match step:
            case Pause():
                return None
            case Resolve():
                found = self.names.get(step.host, [ADDRESS])
                if isinstance(found, Failure):
                    return Resolved((), self.dns_ms, found)
                return Resolved(tuple(found), self.dns_ms)
            case Fetch():
                return self._answer(step)

    def _answer(self, step: Fetch) -> Fetched:
        """Return the answer for an address, or else a URL: the next of several, then the last."""
        key = step.address if step.address in self.answers else step.url.text
        given = self.answers.get(key, answer())
        if isinstance(given, Fetched):
            return given
        number = self._asked.get(key, 0)
        self._asked[key] = number + 1
        return given[min(number, len(given) - 1)]


def drive(
    answers: Mapping[str, Any] | Fetched | None = None,
    names: Mapping[str, Any] | None = None,
    *,
    url: str = "http://a.example/",
    allowed: Any = (),
    secret: Credentials | None = None,
    dns_ms: float = 5,
    **target: Any,
) -> Drive:
    """Probe a target at this URL; one answer alone is for whatever is asked."""
    given = {ADDRESS: answers} if isinstance(answers, Fetched) else answers or {}
    return Drive(names or {}, given, dns_ms).run(a_target(url=url, **target), allowed, secret)
