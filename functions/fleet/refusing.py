"""Why nothing of a run may begin: told by the field that is wrong. Pure."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, cast

from caretaker.decisions import Refusal
from caretaker.errors import FieldError
from caretaker.incidents import Check, Severity
from caretaker.report import plan_id
from caretaker.settings import Mode

from .facts import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from caretaker.decisions import Decision

    from .facts import Cell, Facts
    from .request import FleetRequest

_MOST_NAMED: Final = 20
_MOST_LIKE: Final = 3
_LIKENESS: Final = 0.8
_MEANT: Final = frozenset({Reason.UNREACHABLE, Reason.REGION_DISABLED, Reason.NO_REGION})
"""Of accounts that are not left out, but have no cell."""
_KEPT_OF: Final = (4, 5)
"""A run of no more cells than so many of the last one's has lost something on the way."""


def why_not(
    decisions: Sequence[Decision],
    cells: Sequence[Cell],
    facts: Facts,
    request: FleetRequest,
    meant: int,
) -> Refusal | None:
    """Return why nothing may begin; the event's own faults come first.

    So many cells are `meant`: with them those that lets nobody in today.
    """
    wrong = (*_unknown_places(facts, request), *_too_many(facts, request))
    if wrong:
        return Refusal("event_invalid", wrong)
    if not facts.room.runs:
        return _no_room()
    if not cells:
        return _nothing(decisions)
    misplaced = tuple(_canary(decisions, cells, request))
    if misplaced:
        return Refusal("event_invalid", misplaced)
    return _fewer(decisions, meant, facts.before, request.approve)


def check_refused(policy: str, refusal: Refusal | None, mode: Mode, *, is_regular: bool) -> Check:
    """Judge whether a fleet could be planned; people hear of it, for none of its cells runs.

    That a report by hand could be says nothing of the schedule's runs.
    """
    errors = refusal.errors if refusal else ()
    return Check(
        kind="fleet_refused",
        resource=policy,
        healthy=False if refusal else (True if is_regular else None),
        severity=Severity.CRITICAL if mode is Mode.ACT else Severity.WARNING,
        what=f"{refusal.reason}: {', '.join(e['path'] for e in errors)}" if refusal else "",
        evidence={error["path"]: f"{error['problem']}; {error['expected']}" for error in errors},
        done="no cell was begun",
        next="correct the event, or approve the plan where fewer cells are meant",
        cause=refusal.reason if refusal else "",
    )


def _unknown_places(facts: Facts, request: FleetRequest) -> Iterator[FieldError]:
    """Yield what is named and is not there.

    Of the accounts to leave out that is no fault: they are closed by others, and at any time.
    """
    accounts, regions = request.accounts, request.regions
    if accounts.organization:
        members = {member.id for member in facts.members}
        expected = "accounts of the organization, or the event without it"
        yield from _unknown("accounts.ids", accounts.ids, members, "the organization", expected)
        for path, units in (
            ("accounts.units", accounts.units),
            ("accounts.left_out.units", accounts.left_out.units),
        ):
            expected = "the id of a root or of a unit, as ou-a1b2-c3d4e5f6"
            yield from _unknown(path, units, facts.units, "the organization", expected)
    known = {region for reach in facts.reaches.values() for region in reach.known}
    if known:
        for path, names in (
            ("regions.names", regions.names),
            ("regions.left_out", regions.left_out),
        ):
            strange = sorted(set(names) - known)
            like = {each for name in strange for each in _like(name, known)}
            expected = f"regions that exist, as {', '.join(sorted(like or known)[:_MOST_LIKE])}"
            yield from _unknown(path, names, known, "AWS", expected)


def _like(name: str, known: Iterable[str]) -> list[str]:
    """Return what a slip of the pen may have meant."""
    return get_close_matches(name, sorted(known), _MOST_LIKE, cutoff=_LIKENESS)


def _unknown(
    path: str, named: Iterable[str], known: Iterable[str], where: str, expected: str
) -> Iterator[FieldError]:
    strange = sorted(set(named) - set(known))
    if strange:
        is_one = "is" if len(strange) == 1 else "are"
        yield FieldError(path, f"{_some_of(strange)} {is_one} not in {where}", expected)


def _too_many(facts: Facts, request: FleetRequest) -> Iterator[FieldError]:
    asked, room = request.concurrency or 0, facts.room
    if room.runs and asked > room.runs:
        whose = "reserved for the function" if room.is_reserved else "left in the account"
        problem = f"{asked} runs at the same time; Lambda has {room.runs} {whose}"
        more = (
            "a greater reserve" if room.is_reserved else "a greater quota of concurrent executions"
        )
        yield FieldError("concurrency", problem, f"at most {room.runs}, or {more}")


def _no_room() -> Refusal:
    problem = "Lambda has no concurrency for the chore's function, so that no cell could run"
    expected = "a reserved concurrency of 1 or more, or none; in an account that has some left"
    return Refusal("no_room", (FieldError("concurrency", problem, expected),))


def _nothing(decisions: Sequence[Decision]) -> Refusal:
    """Say what each account was left out for, or why none of those that are meant was reached."""
    meant = [each for each in decisions if each.reason in _MEANT]
    shut = [each for each in meant if each.reason == Reason.UNREACHABLE]
    if shut and shut == meant:
        first = cast("dict[str, str]", shut[0].detail["error"])
        problem = f"{_some_of(each.target for each in shut)}: {first['code']}: {first['message']}"
        expected = "member-role.yaml in each account, with the external id of this stack"
        error = FieldError("accounts", problem, expected)
        return Refusal("no_account_reachable", (error,))
    counted = sorted(Counter(str(each.reason) for each in decisions).items())
    told = ", ".join(f"{number} {reason}" for reason, number in counted)
    expected = "a choice that holds at least one account and region"
    error = FieldError("regions" if meant else "accounts", told or "no account", expected)
    return Refusal("no_cells", (error,))


def _canary(
    decisions: Sequence[Decision], cells: Sequence[Cell], request: FleetRequest
) -> Iterator[FieldError]:
    """Yield that the canary is no cell; one that cannot be reached today stops no others."""
    canary = request.canary
    if canary is None or (canary.account, canary.region) in cells:
        return
    name = f"{canary.account}/{canary.region}"
    why = {decision.target: str(decision.reason) for decision in decisions}
    reason = why.get(name) or why.get(canary.account, "")
    if reason not in {Reason.UNREACHABLE, Reason.REGION_DISABLED}:
        problem = f"{name} is none of the {len(cells)} cells{f': {reason}' if reason else ''}"
        yield FieldError("canary", problem, f"one of them, as {cells[0].name}, or no canary")


def _fewer(
    decisions: Sequence[Decision], cells: int, before: int | None, approved: str | None
) -> Refusal | None:
    """Return that a fifth of the cells is lost; a person may have let just this plan through."""
    kept, of = _KEPT_OF
    name = plan_id(decisions)
    if before is None or cells * of > before * kept or approved == name:
        return None
    problem = f"{cells} cells, {before} in the last run of the same choice"
    given = f"{approved} is another plan" if approved else "not given"
    return Refusal(
        "fewer_cells",
        (
            FieldError("accounts", problem, "all of them, as the report says why each is missing"),
            FieldError("approve", given, f"{name}, to carry out just this plan"),
        ),
    )


def _some_of(names: Iterable[str]) -> str:
    """Return the first names, and how many more there are."""
    known = sorted(names)
    more = f" and {len(known) - _MOST_NAMED} more" if len(known) > _MOST_NAMED else ""
    return ", ".join(known[:_MOST_NAMED]) + more
