"""Caretaker's errors.

CaretakerError
+-- RefusedError            the request may not run as it stands; nothing was changed
+-- BusyError               another run holds the lease
+-- OutOfTimeError          no new change may start any more
+-- HaltError               a limit was met that stops all further changes of this kind
+-- CallError               an AWS call failed; `failure` says how
|   +-- ListingError        a listing failed or stopped half-way: nothing may be decided
|   +-- StateError          the state table cannot be reached
+-- SettingsError           the function's environment is wrong: a deployment fault
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from caretaker.failures import Failure, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence


class CaretakerError(Exception):
    """Base of all errors that Caretaker raises itself."""


class RefusedError(CaretakerError):
    """A gate or the event's own check stopped the run before its first change."""

    def __init__(self, reason: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.errors = tuple(errors)


class FieldError(dict[str, str]):
    """One wrong field of an event: `path`, `problem`, `expected`."""

    def __init__(self, path: str, problem: str, expected: str = "") -> None:
        super().__init__(path=path, problem=problem, expected=expected)


class BusyError(CaretakerError):
    """Another run holds the lease; `slot` is the slot it works on."""

    def __init__(self, key: str, slot: str) -> None:
        super().__init__(
            f"lease {key!r} is held by a run of slot {slot}; "
            "try again when it has ended (a lease of a dead run ends within a minute)"
        )
        self.key = key
        self.slot = slot


class OutOfTimeError(CaretakerError):
    """The run has no time left to start this change."""


class HaltError(CaretakerError):
    """A limit of the account: further changes of this kind would meet it too."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class CallError(CaretakerError):
    """An AWS call failed."""

    def __init__(self, operation: str, failure: Failure) -> None:
        super().__init__(f"{operation}: {failure.code}: {failure.message}")
        self.operation = operation
        self.failure = failure

    @property
    def may_pass(self) -> bool:
        """Tell whether the same call may well succeed later."""
        return self.failure.kind in {Kind.UNKNOWN, Kind.THROTTLED}


class ListingError(CallError):
    """A listing failed or stopped half-way."""


class StateError(CallError):
    """The state table cannot be reached."""


class SettingsError(CaretakerError):
    """The function's environment lacks a variable or holds a wrong one."""
