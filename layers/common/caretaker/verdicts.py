"""What people must know of a run that was refused or stopped. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from caretaker.incidents import Check, Severity
from caretaker.settings import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caretaker.decisions import Refusal


class Modes(NamedTuple):
    """The mode of the run, and that of the stack, in which scheduled runs work."""

    run: Mode
    stack: Mode

    @property
    def are_regular(self) -> bool:
        """Tell whether the next scheduled run works like this one."""
        return self.run is self.stack


def refusal_check(  # noqa: PLR0913 - all by name
    kind: str, policy: str, refusal: Refusal | None, modes: Modes, *, plan_id: str, what: str
) -> Check:
    """Judge whether the plan was refused; only a regular run knows that the next one will not be.

    The last of a refusal's errors says how to approve it.
    """
    errors: Iterable[dict[str, str]] = refusal.errors[:-1] if refusal else ()
    return Check(
        kind=kind,
        resource=policy,
        healthy=False if refusal else (True if modes.are_regular else None),
        severity=Severity.CRITICAL if modes.run is Mode.ACT else Severity.NOTICE,
        what=what,
        evidence={
            "plan": plan_id,
            "why": "; ".join(f"{e['problem']}, {e['expected']}" for e in errors),
        },
        done="nothing was changed",
        next=f'look at the report; the same event with "approve": "{plan_id}" lets just these go',
        cause=refusal.reason if refusal else "",
    )


def breaker_check(kind: str, policy: str, *, stopped: bool, tried_all: bool) -> Check:
    """Judge whether too much failed; only a run that tried everything knows that it did not."""
    return Check(
        kind=kind,
        resource=policy,
        healthy=False if stopped else (True if tried_all else None),
        what="too many changes failed, the rest was not tried",
        done="what had been changed before stands in the report",
        next="the next scheduled run tries again",
    )
