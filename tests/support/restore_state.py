"""One instance and its volumes in simulated time, and what goes wrong with them: pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Final

from tests.support.restoring import ROOT, ZONE

if TYPE_CHECKING:
    from collections.abc import Mapping

LOST: Final = "lost"
"""The call is carried out, and its answer never comes."""
SEAT_SECONDS: Final = 4.0
TURN_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Vol:
    """A volume; `until` is when its state passes into `then`, `seated` when its seat's does."""

    id: str
    state: str
    tags: Mapping[str, str] = field(default_factory=dict)
    until: float = inf
    then: str = ""
    device: str = ""
    seat: str = ""
    seated: float = inf
    dies: bool = False
    born: float = -inf
    zone: str = ZONE

    def at(self, now: float) -> Vol | None:
        """Return it as it is by then, None where it is gone."""
        one = self
        if now >= one.until:
            if not one.then:
                return None
            one = replace(one, state=one.then, until=inf)
        if now >= one.seated and one.seat == "attaching":
            one = replace(one, seat="attached", seated=inf)
        if now >= one.seated and one.seat == "detaching":
            one = one.free()
        return one

    def free(self) -> Vol:
        """Return it without a seat."""
        return replace(self, state="available", device="", seat="", seated=inf, dies=False)


@dataclass(frozen=True, slots=True)
class State:
    """The instance and all volumes; `until` is when the instance's state passes into `then`."""

    machine: str
    vols: Mapping[str, Vol]
    until: float = inf
    then: str = ""
    task: str = ""

    def at(self, now: float) -> State:
        """Return it as it is by then."""
        one = replace(self, machine=self.then, until=inf) if now >= self.until else self
        there = {name: vol.at(now) for name, vol in one.vols.items()}
        return replace(one, vols={name: vol for name, vol in there.items() if vol})

    def having(self, *vols: Vol) -> State:
        """Return it with these volumes changed."""
        return replace(self, vols={**self.vols, **{vol.id: vol for vol in vols}})


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong.

    `fates` are those of the volumes that are made, in order (`available`, `error`, or empty where
    they vanish), `starts` where each start leads, `stuck` the attachments, by number, that never
    come to be, `refused` by action what the first calls meet, empty where they pass. `late` is how
    old a listing is, `unlisted` for how long it lacks what was made. `outside` is who does what to
    the instance, and when.
    """

    fates: tuple[str, ...] = ()
    making: float = 20
    late: float = 0
    unlisted: float = 0
    stuck: frozenset[int] = frozenset()
    starts: tuple[str, ...] = ()
    refused: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    health: str = "ok"
    task: str = "succeeded"
    outside: tuple[tuple[float, str], ...] = ()


def from_outside(state: State, what: str, now: float) -> State:
    """Return what others, or EC2 itself, make of it."""
    match what.split():
        case ["stop"] if state.machine == "running":
            return replace(state, machine="stopping", until=now + TURN_SECONDS, then="stopped")
        case ["start"] if state.machine == "stopped":
            return replace(state, machine="pending", until=now + TURN_SECONDS, then="running")
        case ["terminate"]:
            left = {
                name: vol.free() if vol.device else vol
                for name, vol in state.vols.items()
                if not vol.dies
            }
            return State("terminated", left, task=state.task)
        case ["task", end]:
            return _root_replaced(replace(state, task=end), now)
    return state


def _root_replaced(state: State, now: float) -> State:
    root = next(vol for vol in state.vols.values() if vol.device == ROOT)
    if state.task == "succeeded":
        new = Vol("vol-f000a001", "in-use", device=root.device, seat="attached", born=now)
        return state.having(root.free(), replace(new, dies=root.dies))
    return state.having(root.free()) if state.task == "failed-detached" else state
