"""Incidents: people hear of a state that changed, not of every run that sees it. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Severity(StrEnum):
    """How soon somebody has to look."""

    CRITICAL = "critical"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Condition:
    """What may be wrong with one resource.

    `what`, `done`, `next` are sentences of the alert; `cause` groups: openings of one kind and
    cause are told as one.
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

    @property
    def key(self) -> str:
        """Return its place within the chore and policy."""
        return f"{self.kind}/{self.resource}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check(Condition):
    """A condition as one run judged it; `healthy` None means that it cannot tell."""

    healthy: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident(Condition):
    """A condition unhealthy since `opened`; `parent` names the group it was told with."""

    opened: datetime
    parent: str = ""

    def as_document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "opened": self.opened.astimezone(UTC).isoformat()}

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Incident:
        """Read it back."""
        opened = datetime.fromisoformat(document["opened"])
        severity = Severity(document["severity"])
        return cls(**{**document, "opened": opened, "severity": severity})


@dataclass(frozen=True, slots=True)
class Transitions:
    """What changed: `opened` (worsened ones included), `resolved`, and how many stay open."""

    opened: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    still_open: int = 0


def plan_transitions(
    known: Iterable[Incident],
    checks: Sequence[Check],
    *,
    judged: frozenset[str],
    now: datetime,
) -> Transitions:
    """Compare the open incidents with this run's checks.

    `judged` are the kinds that this run judged for every resource there is: an open incident of
    such a kind whose resource was not seen is resolved, for the resource is gone. A check that
    cannot tell changes nothing.
    """
    open_now = {incident.key: incident for incident in known}
    seen = {check.key: check for check in sorted(checks, key=_worst_last)}
    opened = [
        _incident(check, open_now.get(key), now)
        for key, check in sorted(seen.items())
        if check.healthy is False and _is_news(check, open_now.get(key))
    ]
    resolved = [
        incident
        for key, incident in sorted(open_now.items())
        if (seen[key].healthy is True if key in seen else incident.kind in judged)
    ]
    new = sum(incident.key not in open_now for incident in opened)
    return Transitions(
        tuple(_grouped(opened)), tuple(resolved), len(open_now) + new - len(resolved)
    )


def _worst_last(check: Check) -> int:
    """Of several checks of one condition the worst counts: unhealthy, then healthy."""
    return {None: 0, True: 1, False: 2}[check.healthy]


def _is_news(check: Check, known: Incident | None) -> bool:
    worse = check.severity is Severity.CRITICAL
    return known is None or (worse and known.severity is not Severity.CRITICAL)


def _incident(check: Check, known: Incident | None, now: datetime) -> Incident:
    condition = {each.name: getattr(check, each.name) for each in fields(Condition)}
    return Incident(**condition, opened=known.opened if known else now)


def _grouped(opened: Sequence[Incident]) -> list[Incident]:
    """Give the openings of one kind and cause the first of them as parent."""
    first: dict[tuple[str, str], str] = {}
    for incident in opened:
        first.setdefault((incident.kind, incident.cause), incident.key)
    return [replace(i, parent=first[i.kind, i.cause]) for i in opened]
