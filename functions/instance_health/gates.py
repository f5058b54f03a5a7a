"""What must hold before a step is taken: who allowed it, and what it would cost. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from .facts import Cause, Reason
from .request import Rung

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .case import Case
    from .facts import Machine
    from .ladder import Ladder
    from .request import InstanceHealthRequest

REPLACE: Final = "replace"
"""The one step for a member of an Auto Scaling group, which would end it when it stops anyway.

https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-health-checks.html
"""
_ALLOWS: Final = {
    Rung.REBOOT: frozenset({Rung.REBOOT}),
    Rung.STOP_START: frozenset({Rung.REBOOT, Rung.STOP_START}),
}
_NONE: Final = "none"


class Next(NamedTuple):
    """The next step of a ladder and the rungs behind it once it is taken.

    Without a step, `reason` says why none is left. `is_paged` tells whether people are woken.
    """

    step: str = ""
    rung: int = 0
    reason: Reason = Reason.LADDER_ENDED
    is_paged: bool = True


def why_untouched(machine: Machine) -> Reason | None:
    """Return why nothing may be done to an instance, whatever is wrong with it."""
    if machine.is_managed:
        return Reason.SERVICE_MANAGED
    if machine.is_in_restore:
        return Reason.RESTORE_OPEN
    if machine.remediate is None:
        return Reason.NOT_OPTED_IN
    if machine.remediate == _NONE:
        return Reason.OPTED_OUT
    return None if machine.remediate in _ALLOWS else Reason.REMEDIATE_UNREADABLE


def rungs_for(cause: Cause, request: InstanceHealthRequest, *, is_reboot: bool) -> Sequence[Rung]:
    """Return the ladder for what is to blame."""
    ladders = request.repairs.ladders
    if cause is Cause.EVENT:
        return (Rung.REBOOT if is_reboot else Rung.STOP_START, Rung.PAGE)
    by_cause = {Cause.SYSTEM: ladders.system, Cause.EBS: ladders.ebs}
    return by_cause.get(cause, ladders.instance)


def rungs_of(ladder: Ladder, case: Case) -> Sequence[Rung]:
    """Return all rungs of a ladder that has begun."""
    return rungs_for(ladder.cause, case.request, is_reboot=ladder.step == Rung.REBOOT)


def next_step(machine: Machine, rungs: Sequence[Rung], behind: int, case: Case) -> Next:
    """Return the first step, of those not behind, that its users allow and that costs nothing.

    Of an instance that may not be touched it is none.
    """
    untouched = why_untouched(machine)
    if untouched:
        return Next(reason=untouched)
    if machine.scaling_group:
        return Next(REPLACE, 1, is_paged=False) if behind == 0 else Next()
    allowed = _ALLOWS[Rung(str(machine.remediate))]
    reason = Reason.LADDER_ENDED if behind else Reason.STEP_NOT_ALLOWED
    for place, rung in enumerate(rungs[behind:], start=behind + 1):
        if rung not in allowed:
            continue
        blocked = _why_not_stopped(machine, case)
        if rung is Rung.REBOOT or blocked is None:
            return Next(rung, place, is_paged=Rung.PAGE in rungs[:place])
        reason = blocked
    return Next(reason=reason)


def _why_not_stopped(machine: Machine, case: Case) -> Reason | None:
    """Return what a stop would lose, or why the start after it would fail.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html
    """
    facts = case.facts
    if machine.is_spot:
        return Reason.SPOT
    if not machine.has_ebs_root or machine.type in facts.stores:
        return Reason.INSTANCE_STORE
    if machine.public_address and not case.request.repairs.address_may_change:
        return Reason.ADDRESS_WOULD_CHANGE
    return Reason.KEY_UNUSABLE if machine.id in facts.bad_keys else None
