"""Asked by the state machine: which cells run next, and what all of them came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from caretaker.errors import FieldError, RefusedError
from caretaker.report import Findings

from . import aws
from .checks import Verdict, findings_of
from .ends import read_ends
from .manifest import cell_of
from .waves import next_wave

if TYPE_CHECKING:
    from caretaker.run import Run

    from .aws import Shelf
    from .ends import End
    from .facts import Cell
    from .manifest import Manifest
    from .request import FleetRequest, Step


def take_step(run: Run[FleetRequest], step: Step) -> Findings:
    """Take the step."""
    shelf = aws.Shelf.of(run.scene.settings, step.run)
    manifest = shelf.get_manifest()
    if manifest is None:
        problem = FieldError("step.run", f"{step.run} was not started here", "the run of a fleet")
        raise RefusedError("run_unknown", [problem])
    ends = _ends(shelf, step.after)
    if step.do == "judge":
        return findings_of(Verdict(manifest, ends, next_wave(manifest, ends).stopped))
    return _wave(shelf, manifest, ends, step.after + 1)


def _ends(shelf: Shelf, waves: int) -> dict[Cell, End]:
    """Return how all cells of the waves so far ended."""
    ends: dict[Cell, End] = {}
    for number in range(1, waves + 1):
        expected = [cell_of(item) for item in shelf.get_wave(number)]
        ends |= read_ends(shelf.list_children(number), expected)
    return ends


def _wave(shelf: Shelf, manifest: Manifest, ends: dict[Cell, End], number: int) -> Findings:
    """Write down the next wave and return where; nothing more where there is none."""
    wave = next_wave(manifest, ends)
    summary: dict[str, Any] = {"run": manifest.run, "number": number - 1, "more": False}
    if wave.cells:
        summary = {
            "run": manifest.run,
            "number": number,
            "more": True,
            "express": manifest.express,
            "cells": len(wave.cells),
            "concurrency": manifest.concurrency,
            "bucket": shelf.bucket,
            "key": shelf.put_wave(number, (manifest.item_of(cell) for cell in wave.cells)),
            "results": shelf.results(number),
        }
    return Findings((), may_continue=False, summary=summary, plan=manifest.plan)
