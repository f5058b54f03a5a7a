"""Asked for nothing: look after the restores that are under way, or were lately."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from caretaker.decisions import Decision, Json, Outcome, Result
from caretaker.report import Findings

from .checks import JUDGED, checks_of
from .facts import Action, Reason
from .memory import Memory
from .request import RestoreRequest
from .telling import told_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.run import Run

    from .journal import Journal
    from .memory import Restore

_LATELY: Final = timedelta(days=2)


def watch(run: Run[RestoreRequest]) -> Findings:
    """Tell which restores stand still, and which did not bring everything back.

    All are told under one policy, that of the schedule: incidents have it in their key.
    """
    memory, now = Memory(run), run.scene.now
    restores = [
        each
        for each in memory.restores()
        if each.ended is None or each.is_owed or now - each.ended < _LATELY
    ]
    is_regular = run.request.policy == RestoreRequest.model_fields["policy"].default
    journals = {each.plan: memory.journals(each.plan) for each in restores}
    machine = run.scene.settings.restore_machine
    checks = [
        check
        for restore in restores
        if is_regular
        for check in checks_of(restore, journals[restore.plan], now, machine)
    ]
    outcomes = [_shown(each, journals[each.plan]) for each in restores]
    open_ones = sum(restore.is_open for restore in restores)
    return Findings(
        outcomes,
        checks,
        JUDGED if is_regular else frozenset(),
        {"OpenRestores": open_ones},
        summary={"open": open_ones},
    )


def _shown(restore: Restore, journals: Sequence[Journal]) -> Outcome:
    """Return how a restore stands, target by target, as an item of the report."""
    reason = Reason.UNDER_WAY if restore.is_open else Reason.OVER
    detail: dict[str, Json] = {
        "policy": restore.policy,
        "targets": {journal.target: told_of(journal) for journal in journals},
    }
    return Outcome(Decision(restore.plan, Action.KEEP, reason, detail), Result.UNCHANGED)
