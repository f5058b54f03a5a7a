"""Incidents: people hear of a state that changed, not of every run that sees it. Pure."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from caretaker.tags import matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_MAX_RESOURCE: Final = 64
"""With it, and all that stands before it, a full key keeps under 255 characters."""
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_.:/+=,%-]")
"""What a key does not hold: blanks, wildcards, mark-up, letters that cannot be typed everywhere."""
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

    @property
    def key(self) -> str:
        """Return its place within the chore and policy; an unfit name is told by a hash."""
        name = self.resource
        if len(name) > _MAX_RESOURCE or _UNFIT.search(name):
            digest = sha256(name.encode(errors="replace")).hexdigest()[:15]
            name = f"{_UNFIT.sub('-', name)[:48]}~{digest}"
        return f"{self.kind}/{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Condition):
    """A condition as one run judged it; `healthy` None means that it cannot tell."""

    healthy: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident(Condition):
    """A condition unhealthy since `opened`.

    `parent` names the group it was told with, `report` is that of the run which opened it, `told`
    is when people last heard of it: never, as long as it is silenced. One that was `closed` by hand
    is over without anything having become healthy.
    """

    opened: datetime
    scope: str = ""
    parent: str = ""
    report: str = ""
    told: datetime | None = None
    reminders: int = 0
    escalated: bool = False
    closed: bool = False

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
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Incident:
        """Read it back; another version may have written more, or less."""
        told = document.get("told", document["opened"])
        read = {
            "opened": datetime.fromisoformat(document["opened"]),
            "told": datetime.fromisoformat(told) if told else None,
            "severity": Severity(document["severity"]),
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


@dataclass(frozen=True, slots=True)
class Transitions:
    """What changed: `opened` (those worse or in a new stage too), `resolved`; what is open."""

    opened: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    still_open: tuple[Incident, ...] = ()


def plan_transitions(  # noqa: PLR0913 - all by name
    known: Iterable[Incident],
    checks: Sequence[Check],
    *,
    judged: frozenset[str],
    now: datetime,
    origin: Origin,
    silences: Sequence[Silence] = (),
) -> Transitions:
    """Compare the open incidents of a scope with the checks of its run.

    `judged` are the kinds that this run judged for every resource there is: an open incident of
    such a kind whose resource was not seen is resolved, for the resource is gone. A check that
    cannot tell changes nothing.
    """
    open_now = {incident.key: incident for incident in known}
    seen = {check.key: check for check in sorted(checks, key=_worst_last)}
    bad = [check for _, check in sorted(seen.items()) if check.healthy is False]
    new = _grouped([_opened(check, origin, now) for check in bad if check.key not in open_now])
    worse = [
        _worsened(open_now[check.key], check, origin)
        for check in bad
        if check.key in open_now and _is_news(check, open_now[check.key])
    ]
    opened = {i.key: as_told(i, silences, now) for i in (*new, *worse)}
    resolved = {
        key: incident
        for key, incident in sorted(open_now.items())
        if (seen[key].healthy is True if key in seen else incident.kind in judged)
    }
    after = open_now | opened
    still_open = tuple(incident for key, incident in after.items() if key not in resolved)
    return Transitions(tuple(opened.values()), tuple(resolved.values()), still_open)


def is_silenced(incident: Incident, silences: Iterable[Silence], now: datetime) -> bool:
    """Tell whether any silence covers an incident."""
    return any(silence.covers(incident, now) for silence in silences)


def as_told(incident: Incident, silences: Iterable[Silence], now: datetime) -> Incident:
    """Return an incident as it is once people have heard of it, if they may."""
    return incident if is_silenced(incident, silences, now) else replace(incident, told=now)


def _worst_last(check: Check) -> tuple[int, int, str, str]:
    """Of several checks of one condition the worst counts: unhealthy, then healthy."""
    rank = {None: 0, True: 1, False: 2}[check.healthy]
    return rank, -list(Severity).index(check.severity), check.what, check.cause


def _is_news(check: Check, known: Incident) -> bool:
    worse = check.severity is Severity.CRITICAL and known.severity is not Severity.CRITICAL
    return worse or check.stage != known.stage


def _opened(check: Check, origin: Origin, now: datetime) -> Incident:
    return Incident(**_condition(check), opened=now, scope=origin.scope, report=origin.report)


def _worsened(known: Incident, check: Check, origin: Origin) -> Incident:
    """Return the same incident in its new state: as old, and as often told, as it was."""
    return replace(known, **_condition(check), report=origin.report)


def _condition(check: Check) -> dict[str, Any]:
    """Return what a check says, cut to what is ever shown of it."""
    said = {each.name: getattr(check, each.name) for each in fields(Condition)}
    texts = {
        name: said[name][:MAX_TEXT] for name in ("what", "name", "done", "next", "cause", "stage")
    }
    shown = list(check.evidence.items())[:MAX_EVIDENCE]
    evidence = {key[:MAX_TEXT]: value[:MAX_TEXT] for key, value in shown}
    return {**said, **texts, "evidence": evidence}


def _grouped(opened: Sequence[Incident]) -> list[Incident]:
    """Give the openings of one kind and cause the first of them as parent."""
    first: dict[tuple[str, str], str] = {}
    for incident in opened:
        first.setdefault((incident.kind, incident.cause), incident.key)
    return [replace(i, parent=first[i.kind, i.cause]) for i in opened]
