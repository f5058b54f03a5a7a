"""Incidents: people hear of a state that changed, not of every run that sees it. Pure."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from caretaker.tags import matches

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping

_MAX_RESOURCE: Final = 64
"""With it, and all that stands before it, a full key keeps under 255 characters."""
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_.:/+=,%-]")
"""What a key does not hold: blanks, wildcards, mark-up, letters that cannot be typed everywhere."""
SCOPE_PARTS: Final = 5
"""Of a full key, those before its kind: installation, account, region, chore and policy."""
MAX_TEXT: Final = 256
MAX_EVIDENCE: Final = 10


class Severity(StrEnum):
    """How soon somebody has to look."""

    CRITICAL = "critical"
    WARNING = "warning"
    NOTICE = "notice"
    """Told once and never again."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What may be wrong with one resource.

    `what`, `done`, `next` are sentences of the alert; `cause` groups: openings of one kind and
    cause are told as one. When the `stage` of an open one is another, people hear of it again.
    `within` names an incident that it is part of, as `kind/resource` in its own scope or by its
    full key in another: while that is open, nothing is told of this one. One that `is_final` never
    passes: when its resource is no longer seen, that is gone. One that has `lapsed` ends though
    nobody knows anything to be healthy: what was replaced, or is not looked after any more.
    `console` is its page in AWS's console, below the host; by default the one that its id leads to.
    """

    kind: str
    resource: str
    severity: Severity = Severity.WARNING
    what: str = ""
    name: str = ""
    evidence: Mapping[str, str] = field(default_factory=dict)
    done: str = ""
    next: str = ""
    cause: str = ""
    stage: str = ""
    within: str = ""
    is_final: bool = False
    lapsed: bool = False
    console: str = ""

    @property
    def key(self) -> str:
        """Return its place within the chore and policy; an unfit name is told by a hash."""
        name = self.resource
        if len(name) > _MAX_RESOURCE or _UNFIT.search(name):
            digest = sha256(name.encode(errors="surrogatepass")).hexdigest()[:15]
            name = f"{_UNFIT.sub('-', name)[:48]}~{digest}"
        return f"{self.kind}/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Condition):
    """A condition as one run judged it; `healthy` None means that it cannot tell.

    The `ending` of a healthy one tells how it became so.
    """

    healthy: bool | None
    ending: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident(Condition):
    """A condition unhealthy since `opened`.

    `parent` names the group it was told with, `report` is that of the run which opened it, `told`
    is when people last heard of it: never, as long as it is silenced. One that was `closed` by hand
    is over without anything having become healthy, and so is one whose resource is `gone`; `ending`
    tells what ended it. `changes` are those of the last half hour; one that is `flapping` may be
    `calm`, that is healthy, just now.
    """

    opened: datetime
    scope: str = ""
    parent: str = ""
    report: str = ""
    told: datetime | None = None
    reminders: int = 0
    escalated: bool = False
    closed: bool = False
    ending: str = ""
    changes: tuple[datetime, ...] = ()
    gone: bool = False
    flapping: bool = False
    calm: bool = False

    @property
    def full_key(self) -> str:
        """Return its name among all incidents of an installation; it holds no time."""
        return f"{self.scope}/{self.key}"

    @property
    def place(self) -> tuple[str, str]:
        """Return the account and the region that it is in."""
        _, account, region, *_ = [*self.scope.split("/"), "", "", ""]
        return account, region

    @property
    def thread(self) -> str:
        """Return a name for all that is told of its group, from the opening to the recovery."""
        group = f"{self.scope}/{self.parent}@{self.opened.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
        return sha256(group.encode(errors="replace")).hexdigest()[:32]

    @property
    def is_urgent(self) -> bool:
        """Tell whether it is to wake people."""
        return self.severity is Severity.CRITICAL or self.escalated

    def as_document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            **asdict(self),
            "opened": self.opened.astimezone(UTC).isoformat(),
            "told": self.told.astimezone(UTC).isoformat() if self.told else None,
            "changes": [each.astimezone(UTC).isoformat() for each in self.changes],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Incident:
        """Read it back; another version may have written more, or less."""
        told = document.get("told", document["opened"])
        read = {
            "opened": datetime.fromisoformat(document["opened"]),
            "told": datetime.fromisoformat(told) if told else None,
            "severity": Severity(document["severity"]),
            "changes": tuple(map(datetime.fromisoformat, document.get("changes", ()))),
        }
        known = {each.name for each in fields(cls)}
        return cls(**{key: value for key, value in document.items() if key in known} | read)


@dataclass(frozen=True, slots=True)
class Silence:
    """Incidents whose full key matches are not told until then; `match` takes `*` and `?`."""

    match: str
    until: datetime
    reason: str = ""

    def covers(self, incident: Incident, now: datetime) -> bool:
        """Tell whether an incident is not to be told now."""
        return now < self.until and matches(incident.full_key, self.match)


@dataclass(frozen=True, slots=True)
class Origin:
    """Which run tells, and where: what all its messages have in common."""

    installation: str
    environment: str
    account: str
    region: str
    chore: str
    policy: str
    run: str
    slot: str
    report: str = ""
    runbook: str = ""

    @property
    def scope(self) -> str:
        """Return what the full keys of its incidents begin with."""
        parts = (self.installation, self.account, self.region, self.chore, self.policy)
        return "/".join(parts)


def is_silenced(incident: Incident, silences: Iterable[Silence], now: datetime) -> bool:
    """Tell whether any silence covers an incident."""
    return any(silence.covers(incident, now) for silence in silences)


def is_part(incident: Incident, open_keys: Container[str]) -> bool:
    """Tell whether an open incident, of those with these full keys, stands for this one too."""
    full = incident.within if is_full(incident.within) else f"{incident.scope}/{incident.within}"
    return bool(incident.within) and full in open_keys


def is_full(key: str) -> bool:
    """Tell a full key from one within its scope, which has no five parts before its kind."""
    return key.count("/") >= SCOPE_PARTS + 1
