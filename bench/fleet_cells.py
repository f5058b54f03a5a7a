"""The cells of a fleet upon a stage: Lambda's environments, and in them the model of a chore."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any, Final

from bench.fleet_model import CHORES, Place, rounds_of
from bench.lambda_stage import SHARE_OF_A_CORE, START_SECONDS

if TYPE_CHECKING:
    from bench.fleet_model import Round
    from bench.stage import Stage

INVOKE_SECONDS: Final = 0.02
"""Assumed: what Lambda takes to begin and to answer, beside the function's own time."""
_MS: Final = 1000
_SEED: Final = 20261121
_REPORT: Final = "s3://reports/{}/daily/2026-11-21T0300Z/01M811KY8VEX5N0SF4QFK013CS.jsonl.gz"
_ROLE: Final = "role arn:aws:iam::123456789012:role/caretaker-member not taken on"
_WHY: Final = "User is not authorized to perform: sts:AssumeRole on resource: caretaker-member"
_DENIED: Final = {
    "path": "DescribeVolumes",
    "problem": f"DescribeVolumes: AccessDenied: {_ROLE}: {_WHY}",
    "expected": "a call that the function's role, the boundary and the organization allow",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """How a cell ended: its status, the items it has done, after so many rounds."""

    status: str
    done: int = 0
    rounds: int = 1
    has_more: bool = False


def answer_of(chore: str, event: dict[str, Any], ended: Ended) -> dict[str, Any]:
    """Return the answer of a cell, as long as those of the chores are."""
    is_well = ended.status in {"ok", "partial"}
    answer = {
        **event["target"],
        "chore": chore,
        "policy": "daily",
        "mode": event.get("mode", "act"),
        "status": ended.status,
        "reason": None if is_well else "listing_failed",
        "complete": is_well and not ended.has_more,
        "errors": [] if is_well else [_DENIED],
        "progress": ended.done,
        "rounds": ended.rounds,
        "counts": {"create": {"done": ended.done}} if ended.done else {},
        "gauges": {"NewestBackupAgeHours": 0.0},
        "opened": 0,
        "resolved": 0,
        "untold": 0,
        "open": 0,
        "reports": [_REPORT.format(chore)] * ended.rounds,
    }
    if not ended.has_more:
        return answer
    caller = {**event["caller"], "so_far": {"rounds": ended.rounds, "done": ended.done}}
    return {**answer, "next": {**event, "caller": caller}}


class Cells:
    """Lambda's environments with the model of a cell in them, one call at a time in each."""

    def __init__(
        self, stage: Stage, given: dict[str, Any], sizes: dict[tuple[str, str], int]
    ) -> None:
        self._stage = stage
        self._chore = CHORES[given["model"]]
        self._name = given["chore"]
        self._sizes = sizes
        self._crashes = given["crashes"]
        self._shut = set(given["shut"])
        self._random = random.Random(_SEED)
        self._idle = self._running = 0
        self._place = Place(SHARE_OF_A_CORE)
        self.counted: Counter[str] = Counter()
        self.billed_ms = 0
        self.most_running = 0

    def invoke(self, event: dict[str, Any]) -> dict[str, Any]:
        """Run a round of a cell; `RuntimeError` where its environment dies in the middle."""
        target, so_far = event["target"], event["caller"].get("so_far", {})
        begun = self._stage.seconds
        self._enter()
        is_shut = target["account"] in self._shut
        items = self._sizes[target["account"], target["region"]]
        rounds = rounds_of(self._chore, items, self._place)
        number = so_far.get("rounds", 0)
        this = rounds[number]
        dies = self._random.random() < self._crashes
        seconds = min(this.seconds, 1.0) if dies or is_shut else this.seconds
        self._stage.sleep(seconds)
        self._leave(begun, dies=dies)
        if dies:
            self.counted["crashes"] += 1
            raise RuntimeError("Lambda.Unknown")
        self._count(this)
        done, left = so_far.get("done", 0) + this.items, rounds[number + 1 :]
        ending = Ended("unreachable") if is_shut else Ended("ok", done, number + 1, bool(left))
        return answer_of(self._name, event, ending)

    def needed(self, items: list[dict[str, Any]]) -> dict[str, float]:
        """Return what the cells of a wave take, all of them and the longest, and no more."""
        targets = [item["event"]["target"] for item in items]
        each = [self._seconds(self._sizes[at["account"], at["region"]]) for at in targets]
        return {"work": sum(each), "longest": max(each)}

    def figures(self) -> dict[str, Any]:
        """Return what was counted."""
        return {
            "cells": dict(self.counted),
            "billed_ms": self.billed_ms,
            "most_running": self.most_running,
        }

    def _seconds(self, items: int) -> float:
        return sum(each.seconds for each in rounds_of(self._chore, items, self._place))

    def _enter(self) -> None:
        self._running += 1
        self.most_running = max(self.most_running, self._running)
        self.counted["invocations"] += 1
        if self._idle:
            self._idle -= 1
            return
        self.counted["starts"] += 1
        self._stage.sleep(START_SECONDS)

    def _leave(self, begun: float, *, dies: bool) -> None:
        self._running -= 1
        self._idle += not dies
        self.billed_ms += ceil((self._stage.seconds - begun) * _MS)
        self._stage.sleep(INVOKE_SECONDS)

    def _count(self, this: Round) -> None:
        self.counted["changes"] += round(this.changes)
        self.counted["reads"] += this.reads
        self.counted["state_calls"] += this.state_calls
        self.counted["items"] += this.items
