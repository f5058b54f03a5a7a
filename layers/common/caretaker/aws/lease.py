"""Hold a lease for as long as a run lives."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

from caretaker.errors import BusyError, StateError
from caretaker.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from caretaker.aws.state import State
    from caretaker.clock import Clock

RENEW_EVERY_SECONDS: Final = 15


@contextmanager
def renewed_lease(state: State, clock: Clock, key: str, token: str, slot: str) -> Iterator[Lease]:
    """Keep a lease that was just taken: renew it from a thread, give it back at the end."""
    lease = Lease()
    ended = Event()

    def renew() -> None:
        while not ended.wait(RENEW_EVERY_SECONDS):
            lease.renew(lambda: state.acquire(key, token, slot, clock.now()))

    thread = Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        ended.set()
        thread.join()  # a renewal that came after the release would take it anew, for nobody
        _release(state, key, token)


class Lease:
    """A lease that may get lost: then no new change starts.

    `unreachable` says why there is none to be had, for a chore that goes on without.
    """

    def __init__(self, unreachable: str = "") -> None:
        self.unreachable = unreachable
        self._lost = False

    def is_held(self) -> bool:
        """Tell whether new changes may start."""
        return not self._lost

    def renew(self, acquire: Callable[[], None]) -> None:
        """Prolong it. Lost is what another run has taken; an unreachable table is tried again."""
        try:
            acquire()
        except BusyError:
            self._lost = True
        except StateError as error:
            logger.warning("lease not renewed", error=error.failure.as_error())


def _release(state: State, key: str, token: str) -> None:
    try:
        state.release(key, token)
    except StateError as error:
        logger.warning("lease not released", error=error.failure.as_error())
