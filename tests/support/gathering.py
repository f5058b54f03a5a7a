"""What the fleet gathers, seen through the harness: an organization to look at, and a look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from caretaker.report import Findings
from caretaker.run import Chore
from functions.fleet.aws.evidence import before, gather, is_usual, remember_planned
from functions.fleet.facts import Cell, Facts
from functions.fleet.plan import Plan, plan_fleet
from functions.fleet.request import FleetRequest
from tests.cloud import ACCOUNT, REGION
from tests.support.stack import SLOT

if TYPE_CHECKING:
    from caretaker.run import Run
    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

ROLE: Final = "caretaker-target"
EXTERNAL_ID: Final = "a-secret-name"
FUNCTION: Final = "caretaker-snapshot"
FUNCTION_ARN: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"
PAYER, ONE, TWO, THREE = "999999999999", "111111111111", "222222222222", "333333333333"
MEMBERS: Final = (ONE, TWO, THREE)
ENVIRONMENT: Final = {
    "CARETAKER_TARGET_ROLE_NAME": ROLE,
    "CARETAKER_TARGET_EXTERNAL_ID": EXTERNAL_ID,
}


class Look:
    """Gathers once for each event, in the harness; `answer` is what it came to.

    `remembers` lets it write down the plan that it makes of the facts, as a run that began does;
    `usual` is whether the choice was that of the schedule's last run.
    """

    def __init__(self, stack: Stack, *, remembers: bool = False) -> None:
        self.stack = stack
        self.remembers = remembers
        self.answer: dict[str, Any] = {}
        self._facts: Facts | None = None
        self.plan: Plan | None = None
        self.before: int | None = None
        self.usual = False

    def facts(self, **event: Any) -> Facts:
        """Return what is gathered for an event; it has to come to an end."""
        self.run(**event)
        assert self._facts is not None, self.answer
        return self._facts

    def run(self, **event: Any) -> dict[str, Any]:
        """Return the answer."""
        self._facts = None
        chore = Chore("fleet", FleetRequest, self._steps, adds_only=True)
        asked = {"chore": "snapshot", "policy": "all", "scheduled_time": SLOT, **event}
        self.answer = self.stack.run(chore, asked)
        return self.answer

    def sees_as_usual(self, **event: Any) -> bool:
        """Tell whether a run found its choice to be the usual one."""
        self.facts(**event)
        return self.usual

    def _steps(self, run: Run[FleetRequest]) -> Findings:
        self._facts = gather(run, FUNCTION_ARN)
        self.plan = plan = plan_fleet(self._facts, run.request, own=Cell(ACCOUNT, REGION))
        self.before = before(run, plan.selection)
        self.usual = is_usual(run, plan)
        if plan.refusal or not self.remembers:
            return Findings((), refusal=plan.refusal)
        return Findings((), remember=lambda: remember_planned(run, plan))


def grow(cloud: StrictCloud) -> None:
    """Let the stack's account ask about an organization of three members that let it in."""
    organization = cloud.organization
    organization.join(PAYER, role="management", name="payer")
    organization.join(ACCOUNT, role="delegated", name="hub")
    for account in MEMBERS:
        organization.join(account, name=f"team-{account[0]}")
    for account in (PAYER, *MEMBERS):
        cloud.access.role(account, ROLE, external_id=EXTERNAL_ID, trusts=[ACCOUNT])
