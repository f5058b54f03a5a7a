"""Time that passes by itself: of many workers one works at a time, and waiting costs nothing.

So what is measured depends on what waits for what, and not on this machine's cores.
"""

from __future__ import annotations

import heapq
from collections import deque
from itertools import count
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    type Work = Callable[[], object]


class Stage:
    """A clock, and the workers that live by it; whoever waits the shortest goes on next."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._waiting: list[tuple[float, int, Event]] = []
        self._order = count()
        self._paused = Semaphore(0)
        self._raised: list[BaseException] = []

    def run(self, work: Work) -> None:
        """Do some work to its end; raises what was raised first in it."""
        self._begin(work, lambda: None)
        while self._waiting:
            self.seconds, _, woken = heapq.heappop(self._waiting)
            woken.set()
            self._paused.acquire()
        if self._raised:
            raise self._raised[0]

    def sleep(self, seconds: float) -> None:
        """Let others work until then."""
        woken = self._wake_at(self.seconds + max(0.0, seconds))
        self._paused.release()
        woken.wait()

    def gather(self, works: Iterable[Work], at_once: int) -> None:
        """Do all, so many at once, and wait for the last of them."""
        todo, woken = deque(works), Event()
        left = number = min(at_once, len(todo))

        def next_ones() -> None:
            while todo:
                todo.popleft()()

        def ended() -> None:
            nonlocal left
            left -= 1
            if not left:
                heapq.heappush(self._waiting, (self.seconds, next(self._order), woken))

        for _ in range(number):
            self._begin(next_ones, ended)
        self._paused.release()
        woken.wait()

    def _begin(self, work: Work, ended: Work) -> None:
        woken = self._wake_at(self.seconds)
        Thread(target=self._work, args=(work, ended, woken), daemon=True).start()

    def _work(self, work: Work, ended: Work, woken: Event) -> None:
        woken.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - it is raised by `run`
            self._raised.append(error)
        finally:
            ended()
            self._paused.release()

    def _wake_at(self, seconds: float) -> Event:
        woken = Event()
        heapq.heappush(self._waiting, (seconds, next(self._order), woken))
        return woken
