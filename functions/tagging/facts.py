"""What a run judges by, gathered before anything is decided."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.failures import Failure
    from caretaker.plans import StoredPlan
    from caretaker.tags import Tags

    from .rules import Source


MAX_VIOLATIONS: Final = 200_000
"""So many are remembered, the first by name."""


class Action(StrEnum):
    """What may happen to a resource."""

    SET = "set"
    TELL = "tell"
    MARK = "mark"
    UNMARK = "unmark"
    STOP = "stop"
    START = "start"
    REPORT = "report"
    KEEP = "keep"
    SKIP = "skip"


STEPS: Final = frozenset({Action.TELL, Action.MARK, Action.UNMARK, Action.STOP, Action.START})
"""Of the escalation of an instance, and of its undoing."""


class Reason(StrEnum):
    """Why; each is explained on the chore's page."""

    MISSING = "missing"
    WRONG_VALUE = "wrong_value"
    WRONG_CASE = "wrong_case"
    SOURCE_UNKNOWN = "source_unknown"
    NO_ROOM = "no_room"
    TOLD = "told"
    WAITING = "waiting"
    STOPPED = "stopped"
    MARK_UNREADABLE = "mark_unreadable"
    NOT_APPROVED = "not_approved"
    COMPLIANT = "compliant"
    IGNORED = "ignored"
    SERVICE_MANAGED = "service_managed"
    TOO_YOUNG = "too_young"
    REPORTED_AT_GROUP = "reported_at_group"
    TERMINATING = "terminating"
    LISTING_FAILED = "listing_failed"
    GONE = "gone"
    CHANGED_MEANWHILE = "changed_meanwhile"
    STOP_PROTECTED = "stop_protected"


ENDED: Final = frozenset({"shutting-down", "terminated", "deleting", "deleted", "deregistered"})
"""States of what is going, or gone and still listed."""


class Links(NamedTuple):
    """What stands behind a resource: ids, empty where there is nothing."""

    instance: str = ""
    volume: str = ""
    group: str = ""
    template: str = ""
    vpc: str = ""
    subnet: str = ""


ALONE: Final = Links()


@dataclass(frozen=True, slots=True)
class Resource:
    """Anything with tags.

    To hold 200,000 of them, `tags` has only what the rules and this chore ask for; `tag_count` is
    how many there are that count against the limit. `created` is None where AWS does not tell,
    `launched` the last start of an instance, `is_stoppable` whether stopping it loses nothing by
    its kind.
    """

    id: str
    type: str
    tags: Tags
    tag_count: int
    created: datetime | None = None
    state: str = ""
    links: Links = ALONE
    is_managed: bool = False
    launched: datetime | None = None
    is_stoppable: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """How far the escalation of one instance has come, as the state table knows it.

    `told` is the slot in which its owner was told; `marked_until` what was written on it;
    `stopped` when this chore stopped it, or was about to.
    """

    told: str
    marked_until: datetime | None = None
    stopped: datetime | None = None


@dataclass(frozen=True, slots=True)
class Compliance:
    """What the last run saw: how many per cent were right, and a short name for each violation.

    `stage` names the last time that it became worse.
    """

    percent: float
    violations: frozenset[str]
    stage: str = ""

    def new_among(self, names: Collection[str]) -> frozenset[str]:
        """Return the violations that were not there; what a full list cannot hold is none."""
        new = frozenset(names) - self.violations
        if len(self.violations) < MAX_VIOLATIONS:
            return new
        last = max(self.violations)
        return frozenset(name for name in new if name < last)


@dataclass(frozen=True, slots=True)
class Facts:
    """What was gathered.

    `resources` are judged, those `behind` them are not. `unlisted` are types whose listing failed.
    `sources` holds the tags of what values are derived from, by its id; None where they could not
    be read. `groups` are the tags that an Auto Scaling
    group passes on, `templates` those that a launch template sets, by type of resource. `creator`
    are the names of who made what was born, the fullest first. `read_at` is monotonic.
    """

    resources: tuple[Resource, ...]
    behind: tuple[Resource, ...] = ()
    unlisted: Mapping[str, Failure] = field(default_factory=dict)
    sources: Mapping[Source, Mapping[str, Tags] | None] = field(default_factory=dict)
    groups: Mapping[str, Tags] = field(default_factory=dict)
    templates: Mapping[str, Mapping[str, Tags]] = field(default_factory=dict)
    account: str = ""
    creator: tuple[str, ...] = ()
    steps: Mapping[str, Step] = field(default_factory=dict)
    last_seen: Compliance | None = None
    approved: frozenset[str] = frozenset()
    plan: StoredPlan | None = None
    read_at: float = 0


def of_type(resources: Iterable[Resource], wanted: str) -> dict[str, Resource]:
    """Return the resources of one type by id."""
    return {each.id: each for each in resources if each.type == wanted}
