"""What changed since the last run: incidents that open, get worse, flap, and end. Pure."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from caretaker.incidents import (
    MAX_EVIDENCE,
    MAX_TEXT,
    Check,
    Condition,
    Incident,
    Severity,
    is_full,
    is_part,
    is_silenced,
)

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence
    from datetime import datetime

    from caretaker.incidents import Origin, Silence

type Changes = Mapping[str, tuple[datetime, ...]]

FLAPS_AT: Final = 4
FLAP_SPAN: Final = timedelta(minutes=30)
"""So many changes within it are flapping; after as long without any it is over."""
_NOTHING: Final[Changes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Transitions:
    """What changed: `opened` (those worse or in a new stage too), `resolved`; what is open.

    `noted` are to be written and not told.
    """

    opened: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    still_open: tuple[Incident, ...] = ()
    noted: tuple[Incident, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to write."""
        return bool(self.opened or self.resolved or self.noted)


def plan_transitions(  # noqa: PLR0913 - all by name
    known: Iterable[Incident],
    checks: Sequence[Check],
    *,
    judged: frozenset[str],
    now: datetime,
    origin: Origin,
    silences: Sequence[Silence] = (),
    recent: Changes = _NOTHING,
) -> Transitions:
    """Compare the open incidents of a scope with the checks of its run.

    `judged` are the kinds that this run judged for every resource there is: an open incident of
    such a kind whose resource was not seen is resolved, for the resource is gone. A check that
    cannot tell changes nothing. `recent` are the last changes of those that are not open.
    """
    open_now = {incident.key: incident for incident in known}
    seen = {check.key: check for check in sorted(checks, key=_worst_last)}
    bad = [check for _, check in sorted(seen.items()) if check.healthy is False]
    new = _grouped([_opened(c, origin, now, recent) for c in bad if c.key not in open_now])
    met = [_met(open_now[c.key], c, origin, now) for c in bad if c.key in open_now]
    ended = [
        (incident, _ended(incident, seen.get(key), now))
        for key, incident in sorted(open_now.items())
        if (seen[key].healthy is True if key in seen else incident.kind in judged)
    ]
    resolved = tuple(after for _, after in ended if not after.flapping)
    flapping = [after for before, after in ended if after.flapping and not before.flapping]
    told = [*new, *(i for i, news in met if news), *flapping]
    keys = {i.full_key for i in (*open_now.values(), *new)} - {i.full_key for i in resolved}
    # Of another scope a chore names none that it has not seen open.
    keys |= {check.within for check in bad if is_full(check.within)}
    opened = {i.key: as_told(i, silences, now, keys) for i in told}
    moved = [*(i for i, news in met if not news), *(i for _, i in ended if i.flapping)]
    noted = {i.key: i for i in moved if i.key not in opened and i != open_now[i.key]}
    over = {incident.key for incident in resolved}
    after = open_now | noted | opened
    still_open = tuple(incident for key, incident in after.items() if key not in over)
    return Transitions(tuple(opened.values()), resolved, still_open, tuple(noted.values()))


def as_told(
    incident: Incident, silences: Iterable[Silence], now: datetime, open_keys: Container[str] = ()
) -> Incident:
    """Return an incident as it is once people have heard of it, if they may."""
    is_quiet = is_silenced(incident, silences, now) or is_part(incident, open_keys)
    return incident if is_quiet else replace(incident, told=now)


def recently(changes: Iterable[datetime], now: datetime) -> tuple[datetime, ...]:
    """Return those changes that may count as flapping."""
    return tuple(each for each in changes if now - each < FLAP_SPAN)


def _worst_last(check: Check) -> tuple[int, int, str, str]:
    """Of several checks of one condition the worst counts: unhealthy, then healthy."""
    rank = {None: 0, True: 1, False: 2}[check.healthy]
    return rank, -list(Severity).index(check.severity), check.what, check.cause


def _opened(check: Check, origin: Origin, now: datetime, recent: Changes) -> Incident:
    opened = Incident(
        **_condition(check),
        opened=now,
        scope=origin.scope,
        report=origin.report,
        changes=(*recently(recent.get(check.key, ()), now), now),
    )
    return _flapping(opened) if len(opened.changes) >= FLAPS_AT else opened


def _met(known: Incident, check: Check, origin: Origin, now: datetime) -> tuple[Incident, bool]:
    """Return an incident that is still unhealthy, and whether that is news.

    It keeps its age, and how often it was told.
    """
    after = replace(known, **_condition(check), report=origin.report)
    worse = after.severity is Severity.CRITICAL and known.severity is not Severity.CRITICAL
    if not known.flapping:
        return (after, True) if worse or after.stage != known.stage else (known, False)
    if known.calm:
        changes = (*recently(known.changes, now), now)
        return _flapping(replace(after, changes=changes, calm=False)), worse
    if now - known.changes[-1] >= FLAP_SPAN:
        return replace(after, flapping=False), True
    return (_flapping(after), True) if worse else (known, False)


def _ended(known: Incident, check: Check | None, now: datetime) -> Incident:
    """Return an incident that is healthy: over, unless it changes all the time."""
    ending = check.ending[:MAX_TEXT] if check else ""
    lapsed = check.lapsed if check else known.lapsed
    if known.flapping and known.calm:
        steady = now - known.changes[-1] >= FLAP_SPAN
        return replace(known, flapping=False, ending=ending, lapsed=lapsed) if steady else known
    changes = (*recently(known.changes, now), now)
    is_gone = check is None and known.is_final
    after = replace(known, changes=changes, ending=ending, gone=is_gone, lapsed=lapsed)
    if known.flapping or len(after.changes) >= FLAPS_AT:
        return replace(after if known.flapping else _flapping(after), calm=True)
    return after


def _flapping(incident: Incident) -> Incident:
    minutes = int(FLAP_SPAN.total_seconds()) // 60
    what = f"flapping, {len(incident.changes)} changes in {minutes} minutes: {incident.what}"
    return replace(
        incident,
        flapping=True,
        what=what[:MAX_TEXT],
        next=f"quiet until nothing has changed for {minutes} minutes",
    )


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
