"""Decide in which accounts and regions a chore runs: pure."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision
from caretaker.report import plan_id

from .facts import Action, Cell, Reach, Reason
from .manifest import Unreached
from .members import choose
from .refusing import why_not

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from caretaker.decisions import Json, Refusal

    from .facts import Facts, Member
    from .members import Choice
    from .request import FleetRequest, Regions

MOST_BY_DEFAULT: Final = 100
"""Cells at the same time, where the event does not say.

They call the APIs of accounts of their own, but share Lambda's concurrency with what else runs.
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """One decision for every account that is left out, and for every cell of the others.

    `cells` are where the chore runs; `unreached` what should run and cannot; `left` the accounts
    that are not meant; `names` those of all others. So many cells are `meant`, reached or not: with
    that the next run of the same choice is compared. `canary` is the cell that was asked to be the
    first, None where that cannot be reached.
    """

    decisions: Sequence[Decision]
    cells: Sequence[Cell]
    unreached: Sequence[Unreached]
    left: Sequence[str]
    names: Mapping[str, str]
    concurrency: int
    selection: str
    meant: int
    canary: Cell | None
    refusal: Refusal | None

    @property
    def id(self) -> str:
        """Return the name by which the plan can be approved."""
        return plan_id(self.decisions)


def plan_fleet(facts: Facts, request: FleetRequest, *, own: Cell) -> Plan:
    """Return the plan of a run, its decisions sorted by target; `own` is the stack's own place."""
    draft = _Draft(facts, request, own)
    decisions = sorted(draft.decisions(), key=lambda decision: decision.target)
    wanted, cells = request.canary, draft.cells
    canary = Cell(wanted.account, wanted.region) if wanted else None
    return Plan(
        decisions=decisions,
        cells=cells,
        unreached=draft.unreached,
        left=draft.left,
        names={each.id: each.name for each in draft.choice.chosen if each.name},
        concurrency=request.concurrency or min(MOST_BY_DEFAULT, max(1, facts.room.runs // 2)),
        selection=selection_of(request),
        canary=canary if canary in cells else None,
        meant=draft.meant,
        refusal=why_not(decisions, cells, facts, request, draft.meant),
    )


def selection_of(request: FleetRequest) -> str:
    """Return a name for the choice of accounts and regions: what a run is compared by."""
    chosen = request.model_dump(mode="json", include={"accounts", "regions"})
    return _digest(_sorted(chosen))


def needs_no_word(chosen: Iterable[Member], regions: Regions, own: Cell) -> bool:
    """Tell whether the chore runs in the stack's own place alone, of which all is known."""
    is_own = [member.id for member in chosen] == [own.account]
    wanted = set(regions.names or [own.region])
    return is_own and wanted == {own.region} and not (regions.enabled or regions.left_out)


@dataclass(frozen=True)
class _Draft:
    """What is meant, account by account."""

    facts: Facts
    request: FleetRequest
    own: Cell

    @cached_property
    def choice(self) -> Choice:
        return choose(self.facts.members, self.request.accounts)

    @cached_property
    def cells(self) -> Sequence[Cell]:
        """Return where the chore runs, sorted."""
        return [
            Cell(member.id, region)
            for member in self._reached
            for region in sorted(self._wanted(member) & self._reach(member).enabled)
        ]

    @cached_property
    def unreached(self) -> Sequence[Unreached]:
        """Return the accounts that could not be asked, and the named regions that are not on."""
        shut = [
            Unreached(member.id, "", Reason.UNREACHABLE, error)
            for member in self.choice.chosen
            if (error := self._reach(member).error) is not None
        ]
        off = [
            Unreached(member.id, region, Reason.REGION_DISABLED, _disabled(region))
            for member in self._reached
            for region in self._wanted(member) - self._reach(member).enabled
        ]
        return sorted([*shut, *off])

    @property
    def meant(self) -> int:
        """Return how many cells there would be if everybody let us in.

        Of an account that lets nobody in it is not known: as many as any other one has.
        """
        off = [each.account for each in self.unreached if each.region]
        known = Counter([*(cell.account for cell in self.cells), *off])
        shut = len(self.unreached) - len(off)
        return known.total() + shut * max(known.values(), default=1)

    @property
    def left(self) -> Sequence[str]:
        """Return the accounts in which nothing is meant to run."""
        out = {member.id for member, _ in self.choice.left_out}
        return sorted(out | {member.id for member in self._without_region})

    def decisions(self) -> Iterator[Decision]:
        """Yield them in no order."""
        for member, reason in self.choice.left_out:
            state = {"state": member.state} if reason is Reason.NOT_ACTIVE else {}
            yield Decision(member.id, Action.SKIP, reason, _named(member.name) | state)
        known = {member.id for member in self.facts.members}
        for each in set(self.request.accounts.left_out.ids) - known:
            yield Decision(each, Action.SKIP, Reason.NOT_A_MEMBER)
        for member in self._without_region:
            yield Decision(member.id, Action.SKIP, Reason.NO_REGION, _named(member.name))
        names = {member.id: member.name for member in self.choice.chosen}
        for at in self.unreached:
            detail: dict[str, Json] = {"error": dict(at.error)}
            target = Cell(at.account, at.region).name if at.region else at.account
            yield Decision(target, Action.SKIP, at.reason, _named(names[at.account]) | detail)
        what = _digest([self.request.chore, self.request.event])
        for cell in self.cells:
            detail = _named(names[cell.account])
            yield Decision(cell.name, Action.RUN, Reason.SELECTED, detail, what)

    @property
    def _reached(self) -> Iterator[Member]:
        return (each for each in self.choice.chosen if self._reach(each).error is None)

    @property
    def _without_region(self) -> Iterator[Member]:
        return (each for each in self._reached if not self._wanted(each))

    def _reach(self, member: Member) -> Reach:
        """Return what an account said; of the own place nobody has to ask."""
        return self.facts.reaches.get(member.id) or Reach(frozenset({self.own.region}))

    def _wanted(self, member: Member) -> frozenset[str]:
        """Return the regions in which the chore should run, whether they are enabled or not."""
        regions, enabled = self.request.regions, self._reach(member).enabled
        wanted = frozenset(regions.names)
        if regions.enabled:
            wanted = wanted & enabled if wanted else enabled
        elif not wanted:
            wanted = frozenset({self.own.region})
        return wanted - frozenset(regions.left_out)


def _disabled(region: str) -> dict[str, str]:
    message = f"{region} is not enabled in the account"
    return {"code": "RegionDisabled", "message": message, "request_id": ""}


def _named(name: str) -> dict[str, Json]:
    return {"name": name} if name else {}


def _sorted(value: object) -> object:
    """Return the same with every list in one order, and nothing twice."""
    if isinstance(value, dict):
        return {key: _sorted(each) for key, each in value.items()}
    return sorted(set(value)) if isinstance(value, list) else value


def _digest(value: object) -> str:
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
