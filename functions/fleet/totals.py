"""Numbers of a run: the metrics of its chore over all cells, and the summary. Pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from caretaker.report import OnBehalf

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from caretaker.decisions import Json

    from .ends import End
    from .manifest import Manifest

_COUNTED: Final = {"done": "ItemsDone", "failed": "ItemsFailed", "deferred": "ItemsDeferred"}
_WELL: Final = frozenset({"ok", "partial"})
_LOWEST_IS_WORST: Final = "Percent"


def on_behalf_of(manifest: Manifest, ends: Iterable[End]) -> OnBehalf | None:
    """Return the chore's metrics over all cells; of what is no count, that of the worst one.

    Without a cell that ended well there is no heartbeat, and nothing to measure; a run that was
    asked only to report must not hide that the schedule is silent.
    """
    answers = [end.answer for end in ends if end.answer.get("status") in _WELL]
    if not answers:
        return None
    values = _items(answers) | ({"Heartbeat": 1} if manifest.is_regular else {})
    for name, value in ((n, v) for answer in answers for n, v in answer["gauges"].items()):
        worst = min if name.endswith(_LOWEST_IS_WORST) else max
        values[name] = worst(values.get(name, value), value)
    values["OpenIncidents"] = sum(answer["open"] for answer in answers)
    return OnBehalf(manifest.chore, answers[0]["policy"], values)


def _items(answers: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    items: dict[str, float] = dict.fromkeys(_COUNTED.values(), 0)
    for by in (by for answer in answers for by in answer["counts"].values()):
        for result in by.keys() & _COUNTED.keys():
            items[_COUNTED[result]] += by[result]
    return items


def summary_of(manifest: Manifest, ends: Sequence[End], stopped: str) -> dict[str, Json]:
    """Return what the answer of the judgement says in short."""
    return {
        "run": manifest.run,
        "chore": manifest.chore,
        "mode": manifest.mode.value,
        "modes": dict(Counter(end.answer["mode"] for end in ends if end.answer)),
        "cells": len(manifest.cells),
        "begun": len(ends),
        "ended": dict(sorted(Counter(str(end.reason) for end in ends).items())),
        "unreached": len(manifest.unreached),
        "stopped": stopped,
        "opened": sum(end.answer.get("opened", 0) for end in ends),
        "resolved": sum(end.answer.get("resolved", 0) for end in ends),
    }
