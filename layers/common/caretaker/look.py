"""The last look: what is to be changed is read again shortly before the change."""

from __future__ import annotations

import math
from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from caretaker.clock import Clock

MAX_AGE_SECONDS: Final = 60
AT_ONCE: Final = 200
"""Values that one filter of a listing may have."""


class Seen[T](NamedTuple):
    """What the last look saw and when; no item means that it is gone."""

    item: T | None
    at: float


NEVER: Final = Seen[object](None, -math.inf)


class LastLook[T]:
    """Reads items in batches, in the order in which they are to be changed.

    `read` returns those of the ids that exist. Many threads share one last look.
    """

    def __init__(
        self,
        ids: Sequence[str],
        read: Callable[[Sequence[str]], Mapping[str, T]],
        clock: Clock,
    ) -> None:
        self._ids = ids
        self._place = {item_id: place for place, item_id in enumerate(ids)}
        self._read = read
        self._clock = clock
        self._seen: dict[str, Seen[T]] = {}
        self._batches: deque[tuple[float, Sequence[str]]] = deque()
        self._lock = Lock()

    def at(self, item_id: str) -> Seen[T]:
        """Return what was seen of an item at most a minute ago, reading it again if need be."""
        with self._lock:
            seen = self._seen.get(item_id)
            if seen is None or not self.is_fresh(seen):
                self._look(self._place[item_id])
            return self._seen[item_id]

    def is_fresh(self, seen: Seen[Any]) -> bool:
        """Tell whether a change may still be based on it."""
        return self._clock.monotonic() - seen.at < MAX_AGE_SECONDS

    def forget(self, item_id: str) -> None:
        """Read this one again the next time."""
        with self._lock:
            self._seen.pop(item_id, None)

    def _look(self, first: int) -> None:
        batch = self._ids[first : first + AT_ONCE]
        at = self._clock.monotonic()
        found = self._read(batch)
        self._seen |= {each: Seen(found.get(each), at) for each in batch}
        self._batches.append((at, batch))
        self._forget_stale()

    def _forget_stale(self) -> None:
        while len(self._batches) > 1 and not self.is_fresh(Seen(None, self._batches[0][0])):
            at, batch = self._batches.popleft()
            for each in batch:
                if each in self._seen and self._seen[each].at == at:
                    del self._seen[each]
