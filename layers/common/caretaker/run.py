"""What a chore is, and what one run of it looks like to its steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from caretaker.apply import WORKERS_PER_LANE, apply_batches, settle
from caretaker.decisions import Batch, Decision, Outcome, Result
from caretaker.request import BaseRequest
from caretaker.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from caretaker.aws.lease import Lease
    from caretaker.aws.pacing import Pacer
    from caretaker.aws.session import Account
    from caretaker.aws.state import State
    from caretaker.clock import Clock, Deadline
    from caretaker.report import Findings
    from caretaker.rights import Rights
    from caretaker.settings import Settings


@dataclass(frozen=True, slots=True)
class Chore[R: BaseRequest]:
    """One chore: its event, and its steps.

    `resolve` turns an EventBridge event into a request; None means that it is about nothing of
    ours. `adds_only` chores go on when the state table cannot be reached. One that does not
    `tell_failures` raises instead: it runs so often that telling would drown people. `rights` are
    those that it needs in other accounts and regions; without any it works in the function's own.
    """

    name: str
    request: type[R]
    steps: Callable[[Run[R]], Findings]
    resolve: Callable[[Mapping[str, Any], Scene], dict[str, Any] | None] | None = None
    adds_only: bool = False
    tell_failures: bool = True
    rights: Rights | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and when a run works, and its means: clients, pace, deadline, state.

    `run_id` names this invocation; `request_id` is Lambda's, which its own retries share.
    """

    settings: Settings
    account: Account
    pacer: Pacer
    deadline: Deadline
    state: State
    clock: Clock
    now: datetime
    run_id: str
    request_id: str
    partition: str = "aws"


def _planned(batch: Batch) -> list[Outcome]:
    return [Outcome(decision, Result.PLANNED, batch.notes) for decision in batch.decisions]


@dataclass(frozen=True, slots=True)
class Run[R: BaseRequest]:
    """One run, as the chore's steps see it."""

    scene: Scene
    request: R
    mode: Mode
    slot: str
    lease: Lease

    def apply[B: Batch](
        self,
        decisions: Iterable[Decision],
        batches: Iterable[B],
        act: Callable[[B], list[Outcome]],
        *,
        preview: Callable[[B], list[Outcome]] = _planned,
        workers: int = WORKERS_PER_LANE,
    ) -> list[Outcome]:
        """Carry out the batches, or only preview them in `report` mode; keeps and skips stay.

        A `preview` reads what `act` would read before it changes something. `workers` are those of
        a lane.
        """
        unchanged = settle((d for d in decisions if not d.is_change), Result.UNCHANGED)
        carry_out = preview if self.mode is Mode.REPORT else act
        deadline, held = self.scene.deadline, self.lease.is_held
        return unchanged + apply_batches(
            batches, carry_out, deadline=deadline, may_start=held, workers=workers
        )

    def refuse[B: Batch](
        self,
        decisions: Iterable[Decision],
        batches: Iterable[B],
        *,
        preview: Callable[[B], list[Outcome]] = _planned,
    ) -> list[Outcome]:
        """Carry out nothing, because a gate closed on the whole run.

        What the preview finds out, and remembers, the next plan knows.
        """
        apply_batches(batches, preview, deadline=self.scene.deadline)
        decisions = list(decisions)
        changes = (decision for decision in decisions if decision.is_change)
        return [
            *settle((d for d in decisions if not d.is_change), Result.UNCHANGED),
            *settle(changes, Result.REFUSED),
        ]
