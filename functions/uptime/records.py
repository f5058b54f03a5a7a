"""What is remembered of a target from run to run. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from .spans import NOTHING, SPANS, State, Sum, lasted, probed

if TYPE_CHECKING:
    from collections.abc import Iterator

_LATENCIES: Final = 5


class Closed(NamedTuple):
    """A span that is over: its length and its beginning in seconds, and what it came to."""

    length: int
    begun: int
    sum: Sum


@dataclass(frozen=True, slots=True)
class Record:
    """A target as the last run left it; times are seconds since 1970.

    `bad` and `good` count the runs in a row that failed and passed, the last of them that of
    `slot`; it `is_down` as long as people are told so. `running` are the sums of the spans that go
    on, in the order of `SPANS`. `first` is the first run that saw it, `since` the first failure of
    the row that opened, or may open, an incident. `asked` is when a repair was asked for in this
    outage; with `is_owed` whoever was asked is not yet told that it is over.
    """

    state: State = State.UNKNOWN
    seen: int = 0
    first: int = 0
    since: int = 0
    bad: int = 0
    good: int = 0
    is_down: bool = False
    asked: int = 0
    is_owed: bool = False
    slot: str = ""
    latencies: tuple[int, ...] = ()
    running: tuple[Sum, ...] = (NOTHING,) * len(SPANS)

    @property
    def median_ms(self) -> int:
        """Return the median of the last five times; 0 as long as there are fewer."""
        enough = len(self.latencies) == _LATENCIES
        return sorted(self.latencies)[_LATENCIES // 2] if enough else 0


def account(record: Record, now: int, longest_gap: int) -> tuple[Record, list[Closed]]:
    """Add the time since the last run to the sums, and close the spans that are over.

    A state lasts until the next run tells otherwise; of a longer gap nobody knows.
    """
    if not record.seen or now <= record.seen:
        return record, []
    until = min(now, record.seen + longest_gap)
    running, closed = [], []
    for length, before in zip(SPANS, record.running, strict=True):
        sums = dict(_spread(record.state, record.seen, until, length))
        begun = record.seen - record.seen % length
        sums[begun] = before + sums.get(begun, NOTHING)
        current = now - now % length
        closed += [Closed(length, each, sum_) for each, sum_ in sums.items() if each != current]
        running.append(sums.get(current, NOTHING))
    return replace(record, running=tuple(running)), closed


def _spread(state: State, begin: int, end: int, length: int) -> Iterator[tuple[int, Sum]]:
    """Yield what each span has of the time from begin to end."""
    while begin < end:
        span = begin - begin % length
        edge = min(end, span + length)
        yield span, lasted(state, edge - begin)
        begin = edge


def timed(record: Record, ms: float | None) -> Record:
    """Return the record with the time of one probe more; None where its time does not count."""
    if ms is None:
        return record
    latencies, one = (*record.latencies, round(ms))[-_LATENCIES:], probed(ms)
    running = tuple(each + one for each in record.running)
    return replace(record, latencies=latencies, running=running)


def counted(record: Record, *, failed: bool, failures: int, successes: int, now: int) -> Record:
    """Return the record with one run more: so many in a row that fail open, that pass close."""
    bad, good = (record.bad + 1, 0) if failed else (0, record.good + 1)
    is_down = good < successes if record.is_down else bad >= failures
    is_over = record.is_down and not is_down
    return replace(
        record,
        bad=bad,
        good=good,
        is_down=is_down,
        since=(record.since or now) if bad or is_down else 0,
        asked=0 if is_over else record.asked,
        is_owed=not bad and (record.is_owed or (is_over and bool(record.asked))),
    )


def moved(record: Record, state: State, now: int, slot: str) -> Record:
    """Return the record as of now, in this state; a clock that was set back is waited for."""
    first, seen = record.first or now, max(record.seen, now)
    return replace(record, state=state, seen=seen, first=first, slot=slot)
