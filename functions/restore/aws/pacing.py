"""One pace for all workers of a restore: AWS's buckets kept in the state table.

A worker alone knows nothing of the others; a share for each would leave most of a bucket unused.
Whose turn is far waits in the state machine, and not in here: his tokens stay taken, and the
journal says from when on they may be used.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from caretaker.aws.errors import classify
from caretaker.aws.pacing import Pacer, Turn, documented_rate
from caretaker.aws.state import ConditionFailedError
from caretaker.errors import OutOfTimeError
from caretaker.failures import Kind
from functions.restore.journal import Booked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from caretaker.aws.state import Table
    from caretaker.clock import Clock, Deadline
    from caretaker.run import Scene

NEAR_SECONDS: Final = 2
"""A turn that comes within them is waited for in the function, which is paid for."""
HELD_SECONDS: Final = 60
"""For so long tokens wait for whoever comes late; then others have used what they stand for."""
_LONGEST_SECONDS: Final = 600
_SPARE: Final = 2
_REFUSED_COSTS_SECONDS: Final = 2
"""Who is refused comes again later than it would be waited for in the function."""
_COUNTED_EVERY_SECONDS: Final = 1
_KEPT_SECONDS: Final = 3600


class FarTurnError(OutOfTimeError):
    """A turn is too far away to be waited for in the function: it comes in so many `seconds`."""

    def __init__(self, action: str, seconds: float) -> None:
        super().__init__(action)
        self.seconds = min(max(1, ceil(seconds)), _LONGEST_SECONDS)


def shared_pacer(scene: Scene, pace: float) -> SharedPacer:
    """Return a pacer whose buckets all workers of the place share."""
    place = scene.account.place
    buckets = SharedBuckets(scene.state.table, f"pace#{place.account}/{place.region}", scene.clock)
    return SharedPacer(buckets, scene.clock, scene.deadline, pace)


class SharedPacer(Pacer):
    """One worker's: sends at once what it holds tokens for, and all else where its turn is near."""

    def __init__(
        self, buckets: SharedBuckets, clock: Clock, deadline: Deadline, pace: float
    ) -> None:
        super().__init__(buckets, clock, deadline, pace)
        self._shared, self._held = buckets, Counter[str]()

    def book(self, calls: Mapping[str, int], booked: Iterable[Booked]) -> tuple[Booked, ...]:
        """Return tokens for these calls: those that are booked, and new ones for the rest."""
        known = {each.action: each for each in booked if self._is_kept(each)}
        return tuple(self._booked(action, count, known) for action, count in calls.items())

    def _booked(self, action: str, count: int, known: Mapping[str, Booked]) -> Booked:
        one = known.get(action, Booked(action, 0, 0.0))
        if one.count > count:
            self._shared.give_back(action, 0, self._pace, one.count - count)
        if one.count >= count:
            return Booked(action, count, one.at)
        turn = self._shared.reserve(action, 0, self._pace, count - one.count)
        return Booked(action, count, max(one.at, self._now + turn.seconds))

    def wait(self, booked: Iterable[Booked]) -> None:
        """Wait until all tokens may be used, and hold them; `FarTurnError` where that is far."""
        tokens = tuple(booked)
        seconds = self.seconds_until(tokens)
        if seconds > NEAR_SECONDS or not self._deadline.allows(seconds):
            raise FarTurnError(tokens[0].action, seconds)
        self._clock.sleep(seconds)
        self._held.update({each.action: each.count for each in tokens})

    def seconds_until(self, booked: Iterable[Booked]) -> float:
        """Return when the last of these tokens may be used."""
        return max((0.0, *(each.at - self._now for each in booked)))

    def give_back(self, booked: Iterable[Booked]) -> None:
        """Return tokens that are not used after all."""
        for each in booked:
            if self._is_kept(each):
                self._shared.give_back(each.action, 0, self._pace, each.count)

    def let_go(self) -> None:
        """Return what is held."""
        for action in list(self._held):
            self._let_go(action)

    def most_at_once(self, action: str) -> int:
        """Return how many calls of an action may be sent at once."""
        return self._shared.most_at_once(action, self._pace)

    def call[T](self, action: str, send: Callable[[], T]) -> T:
        """Send in turn; send again when AWS refused it by rate, which all workers then know."""
        while True:
            self._take(action)
            try:
                return send()
            except ClientError as error:
                if classify(error).kind is not Kind.THROTTLED:
                    raise
                self._let_go(action)
                self._shared.throttled(action, 0, self._pace)

    def _take(self, action: str) -> None:
        """Use a token that is held, or another one whose turn is near."""
        if not self._held[action]:
            turn = self._shared.reserve(action, 0, self._pace)
            try:
                self.wait([Booked(action, 1, self._now + turn.seconds)])
            except FarTurnError:
                self._shared.give_back(action, 0, self._pace)
                raise
        if not self._deadline.allows():
            raise OutOfTimeError(action)
        self._held[action] -= 1

    def _let_go(self, action: str) -> None:
        count = self._held.pop(action, 0)
        if count:
            self._shared.give_back(action, 0, self._pace, count)

    def _is_kept(self, booked: Booked) -> bool:
        return self._now - booked.at <= HELD_SECONDS

    @property
    def _now(self) -> float:
        return self._clock.now().timestamp()


@dataclass(frozen=True, slots=True)
class SharedBuckets:
    """The generic cell rate algorithm: of each action, until when its tokens are used up.

    `StateError` when the table is out of reach: nobody then knows what others use.
    https://en.wikipedia.org/wiki/Generic_cell_rate_algorithm
    """

    table: Table
    scope: str
    clock: Clock

    def reserve(self, action: str, now: float, pace: float, count: int = 1) -> Turn:  # noqa: ARG002 - own time
        """Take tokens of this action's bucket; return when all of them may be used at once.

        Those of one target are taken together: one after the other, all targets would come to
        their last volume at the same time, and none would go on before.
        """
        at, each = self._now, _milliseconds(action, pace)
        used_until = self._add(action, count * each, at)
        return Turn(max(0.0, (used_until - at - _room(action, pace) * each) / 1000), 0)

    def most_at_once(self, action: str, pace: float) -> int:
        """Return how many tokens there are at once."""
        return int(_room(action, pace))

    def still_holds(self, action: str, turn: Turn) -> bool:  # noqa: ARG002 - whatever came between
        """A turn holds: what was refused meanwhile has put off the later ones."""
        return True

    def give_back(self, action: str, now: float, pace: float, count: int = 1) -> None:  # noqa: ARG002 - own time
        """Return tokens: the queue would grow by each worker that does not wait for its turn."""
        less = -count * _milliseconds(action, pace)
        values = {":less": less, ":e": self._now // 1000 + _KEPT_SECONDS}
        self.table.update(self.scope, action, _LESS, values)

    def throttled(self, action: str, now: float, pace: float) -> None:  # noqa: ARG002 - own time
        """Learn that AWS refused this action by rate: no burst is left, and all wait a little.

        What many are refused at the same time counts once: it is one empty bucket.
        """
        at = self._now
        values = {":at": at, ":ago": at - _COUNTED_EVERY_SECONDS * 1000}
        try:
            self.table.update(self.scope, action, _REFUSED, values, _NOT_LATELY)
        except ConditionFailedError:
            return
        room = round(_room(action, pace) * _milliseconds(action, pace))
        self._add(action, _REFUSED_COSTS_SECONDS * 1000, at + room)

    def _add(self, action: str, milliseconds: int, at: int) -> int:
        """Add to the time until which tokens are used up, which is at least `at`."""
        expires = at // 1000 + _KEPT_SECONDS
        later = {":more": milliseconds, ":at": at, ":e": expires}
        anew = {":then": at + milliseconds, ":at": at, ":e": expires}
        while True:
            for (expression, condition), values in zip(_WAYS, (later, anew), strict=True):
                try:
                    item = self.table.update(self.scope, action, expression, values, condition)
                except ConditionFailedError:
                    continue
                return int(item["used_until"])

    @property
    def _now(self) -> int:
        return int(self.clock.now().timestamp() * 1000)


def _milliseconds(action: str, pace: float) -> int:
    """Return how long a token of an action takes to come."""
    return max(1, round(1000 / (documented_rate(action).refill * pace)))


def _room(action: str, pace: float) -> float:
    """Return the tokens of the burst that may be used."""
    return max(1.0, documented_rate(action).burst * pace - _SPARE)


_LESS: Final = "SET expires_at = :e ADD used_until :less"
_REFUSED: Final = "SET refused_at = :at"
_NOT_LATELY: Final = "attribute_not_exists(refused_at) OR refused_at <= :ago"
_WAYS: Final = (
    ("SET used_until = used_until + :more, expires_at = :e", "used_until > :at"),
    (
        "SET used_until = :then, expires_at = :e",
        "attribute_not_exists(used_until) OR used_until <= :at",
    ),
)
