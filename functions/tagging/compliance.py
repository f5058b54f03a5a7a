"""How many tags are right: in all, by key, by type of resource, by owner. Pure."""

from __future__ import annotations

from collections import Counter
from hashlib import blake2b
from typing import TYPE_CHECKING, Final, NamedTuple

from caretaker.decisions import Result

from .facts import Action

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from caretaker.decisions import Decision, Json, Outcome

    from .case import Subject
    from .rules import Finding, Rule

NOBODY: Final = "(none)"
"""Stands for the owner of what has none."""
MAX_VALUES: Final = 50
"""Values of a dimension that are told, the worst first."""


class Dimension(NamedTuple):
    """What compliance is told by: a key, a type of resource, an owner, or nothing at all."""

    name: str = ""
    value: str = ""


ALL: Final = Dimension()
KEY: Final = "Key"
TYPE: Final = "ResourceType"
OWNER: Final = "Owner"


class Score(NamedTuple):
    """How many tags are right, of how many that are asked for."""

    right: int
    of: int

    @property
    def percent(self) -> float:
        """Return how many per cent are right, rounded down to a tenth."""
        return self.right * 1000 // self.of / 10 if self.of else 100.0

    def as_json(self) -> Json:
        """Return it for the answer."""
        return {"right": self.right, "of": self.of, "percent": self.percent}


class _Shape(NamedTuple):
    """What many resources have in common."""

    type: str
    owner: str
    asked: tuple[str, ...]
    wrong: tuple[str, ...]


class Tally:
    """Counts resources by what is asked of them and what is wrong."""

    def __init__(self) -> None:
        self._shapes: Counter[_Shape] = Counter()

    @property
    def resources(self) -> int:
        """Return how many were judged."""
        return self._shapes.total()

    def number_of(self, resource_type: str) -> int:
        """Return how many of a type were judged."""
        counted = self._shapes.items()
        return sum(number for shape, number in counted if shape.type == resource_type)

    def count(
        self,
        subject: Subject,
        rules: Mapping[str, Rule],
        findings: Mapping[str, Finding],
        pending: Collection[str] = (),
    ) -> None:
        """Count one resource: tags that are required, and those that are there and wrong.

        Tags that may still come are `pending`: they are left out.
        """
        asked = [key for key, rule in rules.items() if rule.required or key in findings]
        judged = tuple(key for key in asked if key not in pending)
        wrong = tuple(key for key in findings if key not in pending)
        self._shapes[_Shape(subject.resource.type, subject.owner, judged, wrong)] += 1

    def scores(self, outcomes: Iterable[Outcome] = ()) -> dict[Dimension, Score]:
        """Return the scores as they were found; with outcomes, as they are after those."""
        asked: Counter[Dimension] = Counter()
        wrong: Counter[Dimension] = Counter()
        for shape, number in self._shapes.items():
            for key in shape.asked:
                asked.update(dict.fromkeys(_dimensions(key, shape.type, shape.owner), number))
            for key in shape.wrong:
                wrong.update(dict.fromkeys(_dimensions(key, shape.type, shape.owner), number))
        for outcome in outcomes:
            wrong.subtract(_put_right(outcome))
        return {each: Score(asked[each] - wrong[each], asked[each]) for each in asked}


def _put_right(outcome: Outcome) -> Iterator[Dimension]:
    decision = outcome.decision
    if decision.action != Action.SET or outcome.result is not Result.DONE:
        return
    for key in keys_in(decision, "set"):
        yield from _dimensions(key, str(decision.detail["type"]), str(decision.detail["owner"]))


def _dimensions(key: str, resource_type: str, owner: str) -> tuple[Dimension, ...]:
    owned = Dimension(OWNER, owner or NOBODY)
    return ALL, Dimension(KEY, key), Dimension(TYPE, resource_type), owned


def worst_by(scores: Mapping[Dimension, Score], name: str) -> dict[str, Json]:
    """Return the scores of one dimension, those with the most wrong tags first."""
    found = [(score, each.value) for each, score in scores.items() if each.name == name]
    found.sort(key=lambda pair: (pair[0].right - pair[0].of, pair[1]))
    return {value: score.as_json() for score, value in found[:MAX_VALUES]}


def keys_in(decision: Decision, part: str) -> tuple[str, ...]:
    """Return the keys that a decision is about: those in its `set` or in its `findings`."""
    held = decision.detail.get(part)
    return tuple(held) if isinstance(held, dict) else ()


def finding_of(decision: Decision, key: str) -> str:
    """Return in words what is wrong with one tag, and what stands there."""
    found = part_of(decision, "found", key)
    said = f"{key} {part_of(decision, 'findings', key)}"
    return f"{said}: {found}" if found else said


def part_of(decision: Decision, part: str, key: str) -> str:
    """Return what a part of a decision's detail says of a key; empty where it says nothing."""
    held = decision.detail.get(part)
    return str(held.get(key, "")) if isinstance(held, dict) else ""


def name_of(decision: Decision, key: str) -> str:
    """Return a short name for one tag of one resource; of millions two may share one."""
    return blake2b(f"{decision.target}\n{key}".encode(), digest_size=6).hexdigest()


def is_violation(outcome: Outcome) -> bool:
    """Tell whether an outcome leaves a tag wrong that a person has to see to.

    What a group should have passed on is told once, at the group; what waits may yet be set.
    """
    action = outcome.decision.action
    if action == Action.SET:
        return outcome.result not in {Result.DONE, Result.DEFERRED}
    return action not in {Action.KEEP, Action.SKIP}
