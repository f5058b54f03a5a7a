"""The log of every call that reached the local cloud."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

Params = Mapping[str, Any]


@dataclass
class Call:
    """One request on the wire: an SDK's retry is a call of its own.

    `service` is boto3's name (`ec2`), `operation` AWS's (`CreateSnapshots`), `outcome` is `ok`, the
    code of the error answered, or the kind of the fault that left the caller without an answer.
    """

    service: str
    operation: str
    at: datetime
    region: str = ""
    account: str = ""
    outcome: str = "ok"
    read_params: Callable[[], Params] = field(default=dict, repr=False, compare=False)

    @cached_property
    def params(self) -> Params:
        """The request's parameters under the names boto3 gives them."""
        return self.read_params()

    @property
    def action(self) -> str:
        """The call as IAM names it in most cases, `ec2:CreateSnapshots`."""
        return f"{self.service}:{self.operation}"

    def mentions(self, text: str) -> bool:
        """Tell whether any parameter, at any depth, equals `text`."""
        return not text or _holds(self.params, text)


def _holds(value: object, text: str) -> bool:
    if isinstance(value, Mapping):
        return any(_holds(each, text) for each in value.values())
    if isinstance(value, list | tuple):
        return any(_holds(each, text) for each in value)
    return value == text


class CallLog:
    """Every call in the order in which it arrived; iterable, countable, searchable."""

    def __init__(self) -> None:
        """Start empty."""
        self._calls: list[Call] = []

    def __iter__(self) -> Iterator[Call]:
        """Go through a copy, so that threads may go on calling."""
        return iter(tuple(self._calls))

    def __len__(self) -> int:
        """Count all calls."""
        return len(self._calls)

    def __getitem__(self, index: int) -> Call:
        """Return one call by its place."""
        return self._calls[index]

    def append(self, call: Call) -> None:
        """Write one down."""
        self._calls.append(call)

    def clear(self) -> None:
        """Forget all."""
        self._calls.clear()

    def of(self, *operations: str) -> list[Call]:
        """Return the calls of these operations, in order."""
        return [call for call in self if call.operation in operations]

    def count(self, operation: str) -> int:
        """Count the calls of one operation."""
        return len(self.of(operation))

    def operations(self) -> Counter[str]:
        """Count by operation name."""
        return Counter(call.operation for call in self)

    def actions(self) -> set[str]:
        """Return every `service:Operation` seen."""
        return {call.action for call in self}
