"""How records and history are packed: a hundred targets to an item, compressed. Pure.

An item is billed by the kilobyte: packed, a thousand targets cost as much as ten.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

import json
import zlib
from array import array
from bisect import bisect_left
from dataclasses import dataclass, field, fields
from itertools import batched, chain
from typing import TYPE_CHECKING, Any, Final

from .records import Record
from .spans import DAY, HOUR, State, Sum, as_sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence, Sized

    from .records import Closed

TARGETS_AN_ITEM: Final = 100
HOURS_KEPT: Final = 24
DAYS_KEPT: Final = 90
_NUMBER: Final = "I"
_COLUMNS: Final = 1 + len(fields(Sum))


@dataclass(frozen=True, slots=True)
class Spans:
    """Sums by when they began, oldest first: in one array, for of 10,000 targets it is a million.

    Of each: when it began, and its values.
    """

    numbers: array[int] = field(default_factory=lambda: array(_NUMBER))

    @classmethod
    def of(cls, sums: Mapping[int, Sum]) -> Spans:
        """Return these."""
        rows = ((begun, *each.values) for begun, each in sorted(sums.items()))
        return cls(array(_NUMBER, chain.from_iterable(rows)))

    def items(self) -> Iterator[tuple[int, Sum]]:
        """Yield each with when it began."""
        for begun, *values in batched(self.numbers, _COLUMNS, strict=True):
            yield begun, Sum(*values)

    def after(self, sums: Mapping[int, Sum], number: int) -> Spans:
        """Return the last ones of these and those together."""
        if not sums:
            return self
        return Spans(Spans.of({**dict(self.items()), **sums}).numbers[-number * _COLUMNS :])

    def total(self, since: int) -> Sum:
        """Return all together that began then or later."""
        first = bisect_left(self.numbers[::_COLUMNS], since) * _COLUMNS
        *added, slowest = (self.numbers[first + each :: _COLUMNS] for each in range(1, _COLUMNS))
        return Sum(*[*map(sum, added), max(slowest, default=0)])


@dataclass(frozen=True, slots=True)
class Past:
    """What was: the sums of the last hours and days of a target, by when they began."""

    hours: Spans = field(default_factory=Spans)
    days: Spans = field(default_factory=Spans)

    def after(self, closed: Sequence[Closed]) -> Past:
        """Return it with the spans that are over now; the oldest are forgotten."""
        hours = {c.begun: c.sum for c in closed if c.length == HOUR}
        days = {c.begun: c.sum for c in closed if c.length == DAY}
        if not hours and not days:
            return self
        return Past(self.hours.after(hours, HOURS_KEPT), self.days.after(days, DAYS_KEPT))


def names_of_items(values: Sized) -> list[str]:
    """Return the names of the items that hold so many values."""
    return [f"{number:03}" for number in range(-(-len(values) // TARGETS_AN_ITEM))]


def pack[T](values: Mapping[str, T], write: Callable[[T], Any]) -> Iterator[tuple[str, bytes]]:
    """Yield the items that hold these values by target: the name of each and its content.

    What is written of a value is made as late as its item, for all together is much.
    """
    parts = batched(sorted(values.items()), TARGETS_AN_ITEM, strict=False)
    for name, part in zip(names_of_items(values), parts, strict=True):
        text = json.dumps({key: write(each) for key, each in part}, separators=(",", ":"))
        yield name, zlib.compress(text.encode())


def unpack(content: bytes) -> dict[str, Any]:
    """Return the values of an item by target."""
    unpacked: dict[str, Any] = json.loads(zlib.decompress(content))
    return unpacked


def write_record(record: Record) -> dict[str, Any]:
    """Return a record as it is kept: what is as in a new one is left out."""
    kept = {name: getattr(record, name) for name in _FIELDS}
    kept["running"] = [each.values for each in record.running]
    return {name: value for name, value in kept.items() if value != _NEW[name]}


def read_record(kept: Mapping[str, Any]) -> Record:
    """Read a record back; another version may have written more, or less."""
    read = {name: value for name, value in kept.items() if name in _FIELDS}
    known = read.get("state", "") in set(State)
    read["state"] = State(read["state"]) if known else State.UNKNOWN
    read["latencies"] = tuple(read.get("latencies", ()))
    if "running" in read:
        read["running"] = as_sums(read["running"])
    return Record(**read)


_FIELDS: Final = tuple(each.name for each in fields(Record))
_NEW: Final = {name: getattr(Record(), name) for name in _FIELDS}


def write_past(past: Past) -> list[list[int]]:
    """Return the past as it is kept."""
    return [past.hours.numbers.tolist(), past.days.numbers.tolist()]


def read_past(kept: Sequence[Sequence[int]]) -> Past:
    """Read the past back."""
    hours, days = (Spans(array(_NUMBER, each)) for each in kept)
    return Past(hours, days)
