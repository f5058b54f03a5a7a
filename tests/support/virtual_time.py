"""Threads in virtual time: one runs at a time, and waiting costs nothing."""

from __future__ import annotations

import heapq
from itertools import count
from random import Random
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING, Any

from tests.cloud import ManualClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.cloud import StrictCloud


class VirtualTime(ManualClock):
    """A clock, and the workers that live by it; whoever waits the shortest goes on next.

    The order is the same in every run: of two that wake at one moment, the first to wait. A worker
    may have others work for it as long as it waits for them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[tuple[float, int, Event]] = []
        self._order = count()
        self._paused = Semaphore(0)
        self._works = False

    def sleep(self, seconds: float) -> None:
        """Let the others work until then."""
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move the time forward; a worker of `run` waits until it is there."""
        if not self._works:
            super().advance(max(0.0, seconds))
            return
        woken = self._wake_in(seconds)
        self._paused.release()
        woken.wait()

    def run(self, workers: Iterable[Callable[[], Any]]) -> None:
        """Let all workers work until they are done; raises what the first of them raised."""
        raised: list[BaseException] = []
        threads = [Thread(target=self._work, args=(w, self._wake_in(0), raised)) for w in workers]
        self._works = True
        for thread in threads:
            thread.start()
        while self._waiting:
            self._seconds, _, woken = heapq.heappop(self._waiting)
            woken.set()
            self._paused.acquire()
        self._works = False
        for thread in threads:
            thread.join()
        if raised:
            raise raised[0]

    def _work(self, worker: Callable[[], Any], woken: Event, raised: list[BaseException]) -> None:
        woken.wait()
        try:
            worker()
        except BaseException as error:  # noqa: BLE001 - it is raised by `run`
            raised.append(error)
        finally:
            self._paused.release()

    def _wake_in(self, seconds: float) -> Event:
        woken = Event()
        until = self._seconds + max(0.0, seconds)
        heapq.heappush(self._waiting, (until, next(self._order), woken))
        return woken


def at_once(cloud: StrictCloud, clock: VirtualTime, seed: int, *runs: Callable[[], Any]) -> None:
    """Let runs go on beside each other, each call after a while; `seed` stands for their order."""
    chance, serve = Random(seed), cloud.serve

    def served(call: Any, perform: Any) -> Any:
        clock.sleep(chance.uniform(0.005, 0.05))
        return serve(call, perform)

    def later(run: Callable[[], Any], seconds: float) -> Callable[[], Any]:
        def begin() -> None:
            clock.sleep(seconds)
            run()

        return begin

    cloud.serve = served  # type: ignore[method-assign]
    try:
        clock.run([later(run, chance.uniform(0, 0.4)) for run in runs])
    finally:
        cloud.serve = serve  # type: ignore[method-assign]
