"""Names: resolved by the system, in threads of their own, for it answers when it likes."""

from __future__ import annotations

import socket
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from time import perf_counter
from typing import TYPE_CHECKING, Final

from functions.uptime.traces import Failure, Fault, Resolve, Resolved

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_FAMILIES: Final = {"4": socket.AF_INET, "6": socket.AF_INET6, "both": socket.AF_UNSPEC}
_NO_SUCH_NAME: Final = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None)})


def resolve(step: Resolve) -> Resolved:
    """Return the addresses of a host, in the order in which the system gives them."""
    started = perf_counter()
    try:
        found = socket.getaddrinfo(
            step.host, None, family=_FAMILIES[step.ip_version], type=socket.SOCK_STREAM
        )
    except socket.gaierror as error:
        why = "no_such_name" if error.errno in _NO_SUCH_NAME else "no_answer"
        return Resolved((), _ms_since(started), Failure(Fault.DNS, why))
    except (OSError, UnicodeError):
        return Resolved((), _ms_since(started), Failure(Fault.DNS, "no_answer"))
    addresses = dict.fromkeys(str(place[0]) for *_, place in found)
    return Resolved(tuple(addresses), _ms_since(started))


def _ms_since(started: float) -> float:
    return (perf_counter() - started) * 1000


_MOST_STUCK: Final = 4


class Names[K]:
    """Resolves names for many at once.

    Its threads die with the process: a resolver may take longer than there is time.
    """

    def __init__(self, workers: int, look_up: Callable[[Resolve], Resolved] = resolve) -> None:
        """Make it; a thread starts when none is idle, up to so many, and for each that is stuck."""
        self._workers = workers
        self._spare = _MOST_STUCK * workers
        self._given_up: set[K] = set()
        self._look_up = look_up
        self._asked: SimpleQueue[tuple[K, Resolve] | None] = SimpleQueue()
        self._answers: SimpleQueue[tuple[K, Resolved]] = SimpleQueue()
        self._threads = self._started = 0
        self.waiting = 0

    def ask(self, key: K, step: Resolve) -> None:
        """Have a name resolved, for whom the key says."""
        self.waiting += 1
        if self._threads < min(self._workers, self.waiting):
            self._threads += 1
            self._started += 1
            Thread(target=self._work, name="names", daemon=True).start()
        self._asked.put((key, step))

    def give_up(self, key: K) -> None:
        """Wait no longer; whoever looks it up is not counted on any more."""
        self._given_up.add(key)
        self.waiting -= 1
        if self._spare:
            self._spare -= 1
            self._threads -= 1

    def answers(self) -> Iterator[tuple[K, Resolved]]:
        """Yield what is there by now."""
        with suppress(Empty):
            while True:
                key, resolved = self._answers.get_nowait()
                if key not in self._given_up:
                    self.waiting -= 1
                    yield key, resolved

    def close(self) -> None:
        """Send the threads home; those that still look something up are not waited for."""
        for _ in range(self._started):
            self._asked.put(None)

    def _work(self) -> None:
        while (asked := self._asked.get()) is not None:
            key, step = asked
            if key in self._given_up:
                continue
            self._answers.put((key, self._look_up(step)))
