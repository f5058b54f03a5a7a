"""What a run judges by, gathered before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from caretaker.errors import FieldError

    from .probing import Probed
    from .records import Record
    from .shelves import Past
    from .targets import Target


class Action(StrEnum):
    """What may happen about a target."""

    FIX = "fix"
    REPORT = "report"
    KEEP = "keep"
    SKIP = "skip"


class Reason(StrEnum):
    """Why; each is explained on the chore's page."""

    DOWN = "down"
    FAILING = "failing"
    RECOVERING = "recovering"
    RECOVERED = "recovered"
    PARTIAL = "partial"
    SLOW = "slow"
    UNSTABLE = "unstable"
    UP = "up"
    MAINTENANCE = "maintenance"
    NOT_PROBED = "not_probed"
    BLIND = "blind"
    WRONG = "wrong"
    SECRET_UNREADABLE = "secret_unreadable"  # noqa: S105 - a reason


@dataclass(frozen=True, slots=True)
class Wrong:
    """A target that cannot be probed, and why."""

    name: str
    errors: Sequence[FieldError]


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was read and probed.

    `probed` lacks those for which there was no time; `unreadable` tells, by target, why its secret
    could not be read, `behind` the open incident, by its full key, of the instance behind it. In a
    run that `is_blind` the prober itself is cut off; in one that `is_cold` times do not count.
    Unless it `is_remembered`, the table was out of reach: then nothing is known of earlier runs.
    """

    targets: Mapping[str, Target]
    wrong: Sequence[Wrong] = ()
    probed: Mapping[str, Probed] = field(default_factory=dict)
    records: Mapping[str, Record] = field(default_factory=dict)
    past: Mapping[str, Past] = field(default_factory=dict)
    unreadable: Mapping[str, str] = field(default_factory=dict)
    behind: Mapping[str, str] = field(default_factory=dict)
    is_blind: bool = False
    is_cold: bool = False
    is_remembered: bool = True

    def with_records(self, records: Mapping[str, Record]) -> Facts:
        """Return the same with other records."""
        return replace(self, records=records)
