"""What a run judges by, gathered before anything is decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from caretaker import tags as tag

if TYPE_CHECKING:
    from datetime import datetime

    from caretaker.tags import Tags

    from .ladder import Ladder
    from .sightings import Sighting


class Action(StrEnum):
    """What may happen to an instance."""

    REBOOT = "reboot"
    STOP = "stop"
    START = "start"
    REPLACE = "replace"
    REPORT = "report"
    KEEP = "keep"
    SKIP = "skip"


class Reason(StrEnum):
    """Why; each is explained on the chore's page."""

    IMPAIRED = "impaired"
    STILL_IMPAIRED = "still_impaired"
    ASKED = "asked"
    SCHEDULED_EVENT = "scheduled_event"
    STOP_LOST = "stop_lost"
    STOPPED_BY_US = "stopped_by_us"

    FIRST_SEEN = "first_seen"
    JUST_IMPAIRED = "just_impaired"
    JUST_STARTED = "just_started"
    AWS_RECOVERING = "aws_recovering"
    AWS_EVENT_UNDER_WAY = "aws_event_under_way"
    MAINTENANCE_WINDOW = "maintenance_window"
    COST_UNKNOWN = "cost_unknown"
    COOLDOWN = "cooldown"
    GROUP_BUDGET = "group_budget"
    ZONE_IMPAIRED = "zone_impaired"
    FLEET_IMPAIRED = "fleet_impaired"
    REPAIR_UNDER_WAY = "repair_under_way"
    NOT_OPTED_IN = "not_opted_in"
    OPTED_OUT = "opted_out"
    REMEDIATE_UNREADABLE = "remediate_unreadable"
    SERVICE_MANAGED = "service_managed"
    RESTORE_OPEN = "restore_open"
    STEP_NOT_ALLOWED = "step_not_allowed"
    INSTANCE_STORE = "instance_store"
    ADDRESS_WOULD_CHANGE = "address_would_change"
    SPOT = "spot"
    KEY_UNUSABLE = "key_unusable"
    STOP_PROTECTED = "stop_protected"
    DAILY_BUDGET = "daily_budget"
    LADDER_ENDED = "ladder_ended"
    OUTCOME_UNKNOWN = "outcome_unknown"
    STUCK = "stuck"
    NOT_RUNNING_EXPECTED = "not_running_expected"
    INSUFFICIENT_DATA = "insufficient_data"

    HEALTHY = "healthy"
    FIXED = "fixed"
    INITIALIZING = "initializing"
    NOT_RUNNING = "not_running"
    IGNORED = "ignored"
    GONE = "gone"
    NOTHING_TO_REPAIR = "nothing_to_repair"
    CHANGED_MEANWHILE = "changed_meanwhile"
    LISTING_FAILED = "listing_failed"


class Cause(StrEnum):
    """What is to blame, or why else something is done."""

    SYSTEM = "system"
    EBS = "ebs"
    INSTANCE = "instance"
    EVENT = "event"
    ASKED = "asked"


RUNNING: Final = "running"
STOPPED: Final = "stopped"
STOPPING: Final = "stopping"
PENDING: Final = "pending"
ENDING: Final = frozenset({"shutting-down", "terminated"})

OK: Final = "ok"
IMPAIRED: Final = "impaired"
UNKNOWN: Final = "insufficient-data"
_WELL: Final = frozenset({OK, "not-applicable"})


@dataclass(frozen=True, slots=True)
class ScheduledEvent:
    """What EC2 is going to do to an instance; finished ones are not listed here."""

    id: str
    code: str
    description: str
    not_before: datetime | None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """The status checks of an instance: each is one of EC2's summary words.

    `since` is when the check that is to blame began to fail, as far as EC2 tells.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceStatusSummary.html
    """

    id: str
    zone: str
    state: str
    system: str = ""
    instance: str = ""
    ebs: str = ""
    since: datetime | None = None
    events: tuple[ScheduledEvent, ...] = ()
    is_managed: bool = False

    @property
    def cause(self) -> Cause | None:
        """Return which failed check is to blame: a failing host fails the others too."""
        if self.state != RUNNING:
            return None
        checks = (
            (Cause.SYSTEM, self.system),
            (Cause.EBS, self.ebs),
            (Cause.INSTANCE, self.instance),
        )
        return next((cause for cause, said in checks if said == IMPAIRED), None)

    @property
    def is_well(self) -> bool:
        """Tell whether it runs and no check says anything else than that all is well."""
        both = self.system == OK and self.instance == OK
        return self.state == RUNNING and both and self.ebs in {*_WELL, ""}

    @property
    def is_over(self) -> bool:
        """Tell whether it is well, or does not run: then no check of it fails."""
        return self.is_well or self.state in {STOPPED, *ENDING}

    @property
    def is_unknown(self) -> bool:
        """Tell whether EC2 has no answer: that is neither well nor impaired."""
        return self.state == RUNNING and UNKNOWN in {self.system, self.instance, self.ebs}


@dataclass(frozen=True, slots=True)
class Machine:
    """What else is known of an instance that is looked at more closely.

    `public_address` is one that a stop would lose; `ended_why` is why it is not running.
    """

    id: str
    state: str
    zone: str
    type: str
    launched: datetime
    tags: Tags = field(default_factory=dict)
    is_spot: bool = False
    is_managed: bool = False
    is_in_restore: bool = False
    has_ebs_root: bool = True
    public_address: str = ""
    ended_why: str = ""

    @property
    def name(self) -> str:
        """Return what people call it."""
        return self.tags.get("Name", "")

    @property
    def scaling_group(self) -> str:
        """Return the Auto Scaling group that it is a member of."""
        return self.tags.get(tag.SCALING_GROUP, "")

    @property
    def remediate(self) -> str | None:
        """Return what its users allow; None without the tag."""
        return self.tags.get(tag.REMEDIATE)

    @property
    def is_expected(self) -> bool:
        """Tell whether its users say that it should run; a group starts and ends its members."""
        return self.tags.get(tag.EXPECT) == RUNNING and not self.scaling_group


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was read.

    `machines` are those looked at more closely. `group_sizes` are the running instances by the
    value of the `group_by` tag. `stores` are the types with instance store; `bad_keys` tells, by
    instance, which key of a volume EC2 could not use, and why: unless `are_costs_known`, nobody
    knows what a stop would lose. `open_incidents` are those that repairs were asked for, `left` are
    the instances whose recovery EC2 has given up. With `is_whole` every instance was listed.
    """

    statuses: Sequence[Status]
    machines: Mapping[str, Machine] = field(default_factory=dict)
    sightings: Mapping[str, Sighting] = field(default_factory=dict)
    ladders: Mapping[str, Ladder] = field(default_factory=dict)
    group_sizes: Mapping[str, int] = field(default_factory=dict)
    stores: frozenset[str] = frozenset()
    bad_keys: Mapping[str, str] = field(default_factory=dict)
    open_incidents: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()
    are_costs_known: bool = True
    is_whole: bool = True
