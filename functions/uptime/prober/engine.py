"""The engine: takes the steps of many scripts at once, in one thread."""

from __future__ import annotations

import heapq
from collections import deque
from dataclasses import dataclass
from itertools import count
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final

import pycurl

from functions.uptime.prober.names import Names, resolve
from functions.uptime.prober.request import Request, UnfitError
from functions.uptime.traces import Failure, Fault, Fetch, Fetched, Pause, Resolve, Resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from functions.uptime.traces import Script, Step

_TICK: Final = 0.005
"""How long a name that is resolved may wait to be seen; no time that is told is longer by it."""
_LONGEST_WAIT: Final = 1.0
_STARTS: Final = 4
"""How many requests are sent between two looks at what has come back."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Runs scripts, at most `at_once` of them on the wire; who pauses is not."""

    at_once: int = 50
    look_up: Callable[[Resolve], Resolved] = resolve

    def run[T](self, scripts: Iterable[Script[T]], until: float) -> list[T | None]:
        """Return what each script came to, in their order; None for those cut off at `until`.

        That is a time of the monotonic clock.
        """
        return _Round(self, scripts, until).run()


@dataclass(frozen=True, slots=True, eq=False)
class _Turn[T]:
    """A script on its way, and the place of its result."""

    place: int
    script: Script[T]


class _Round[T]:
    """One call of the engine."""

    def __init__(self, engine: Engine, scripts: Iterable[Script[T]], until: float) -> None:
        turns = [_Turn(place, script) for place, script in enumerate(scripts)]
        self._at_once = engine.at_once
        self._until = until
        self._ended: list[T | None] = [None] * len(turns)
        self._left = len(turns)
        self._ready: deque[_Turn[T]] = deque(turns)
        self._paused: list[tuple[float, int, _Turn[T]]] = []
        self._asking: dict[int, tuple[float, _Turn[T]]] = {}
        self._requests: dict[pycurl.Curl, tuple[Request, _Turn[T]]] = {}
        self._on_the_wire = 0
        self._to_send: deque[tuple[Fetch, _Turn[T]]] = deque()
        self._numbers = count()
        self._names: Names[int] = Names(engine.at_once, engine.look_up)
        self._multi = pycurl.CurlMulti()

    def run(self) -> list[T | None]:
        """Take turns until all have ended, or the time is up."""
        try:
            while self._left and monotonic() < self._until:
                self._wait()
                self._begin()
                self._take_names()
                self._launch()
                self._multi.perform()
                self._take_ended()
        finally:
            self._close()
        return self._ended

    def _begin(self) -> None:
        """Start those that may: who has paused comes after those that wait for their first turn."""
        now = monotonic()
        while self._paused and self._paused[0][0] <= now:
            *_, turn = heapq.heappop(self._paused)
            self._ready.append(turn)
        while self._ready and self._on_the_wire < self._at_once:
            self._on_the_wire += 1
            self._go_on(self._ready.popleft(), None)

    def _wait(self) -> None:
        """Wait for a socket, or for as long as nothing else is due."""
        if self._to_send or (self._ready and self._on_the_wire < self._at_once):
            return
        due = min(self._until, monotonic() + self._tick())
        if self._paused:
            due = min(due, self._paused[0][0])
        seconds = max(0.0, due - monotonic())
        if self._requests:
            self._multi.select(seconds)
        else:
            sleep(seconds)

    def _tick(self) -> float:
        """Return how long nobody has to be looked after: libcurl tells what it needs."""
        needed = self._multi.timeout()
        longest = _TICK if self._asking else _LONGEST_WAIT
        return longest if needed < 0 else min(longest, needed / 1000)

    def _go_on(self, turn: _Turn[T], answer: Resolved | Fetched | None) -> None:
        """Give a script its answer and take its next step."""
        try:
            step: Step = turn.script.send(answer)
        except StopIteration as end:
            self._ended[turn.place] = end.value
            self._left -= 1
            self._on_the_wire -= 1
            return
        match step:
            case Fetch():
                self._to_send.append((step, turn))
            case Resolve():
                number = next(self._numbers)
                self._asking[number] = monotonic() + step.seconds, turn
                self._names.ask(number, step)
            case Pause():
                self._on_the_wire -= 1
                due = monotonic() + step.seconds
                heapq.heappush(self._paused, (due, next(self._numbers), turn))

    def _launch(self) -> None:
        """Send a few: a crowd of handshakes would keep what has been answered from being seen."""
        for _ in range(min(_STARTS, len(self._to_send))):
            self._send(*self._to_send.popleft())

    def _send(self, fetch: Fetch, turn: _Turn[T]) -> None:
        try:
            request = Request(fetch)
        except UnfitError:
            self._go_on(turn, Fetched({}, Failure(Fault.CONFIG, "unfit")))
            return
        self._requests[request.handle] = request, turn
        self._multi.add_handle(request.handle)

    def _take_names(self) -> None:
        """Go on with those whose names are resolved, or took too long."""
        for number, resolved in self._names.answers():
            _, turn = self._asking.pop(number, (0.0, None))
            if turn is not None:
                self._go_on(turn, resolved)
        now = monotonic()
        for number in [n for n, (due, _) in self._asking.items() if due <= now]:
            _, turn = self._asking.pop(number)
            self._names.give_up(number)
            self._go_on(turn, Resolved((), 0.0, Failure(Fault.DNS, "no_answer")))

    def _take_ended(self) -> None:
        """Go on with those whose requests have ended."""
        more = 1
        while more:
            more, well, failed = self._multi.info_read()
            ended: list[tuple[Any, int]] = [(handle, 0) for handle in well]
            for handle, code in [*ended, *((handle, code) for handle, code, _ in failed)]:
                request, turn = self._requests.pop(handle)
                fetched = request.ended(code)
                self._multi.remove_handle(handle)
                request.close()
                self._go_on(turn, fetched)

    def _close(self) -> None:
        for handle, (request, _) in self._requests.items():
            self._multi.remove_handle(handle)
            request.close()
        self._multi.close()
        self._names.close()
