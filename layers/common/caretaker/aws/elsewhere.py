"""Where a run works: in the function's own account and region, or elsewhere by a role."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from caretaker.aws.places import Place
from caretaker.errors import FieldError, RefusedError
from caretaker.request import Target

if TYPE_CHECKING:
    from caretaker.request import BaseRequest
    from caretaker.settings import Settings


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """How a chore comes from its own place into others."""

    settings: Settings
    partition: str
    own: Place
    chore: str

    def place_of(self, account: str, region: str, session_policy: str) -> Place:
        """Return the place of an account and region; `RefusedError` where no role leads there.

        The role's name is the stack's, never the event's; what a run may do with it is no more than
        the session policy lets through, and the member tells the chores by the session's name.
        """
        if (account, region) == (self.own.account, self.own.region):
            return self.own
        if not self.settings.target_role_name:
            problem = FieldError(
                "target",
                "the stack names no role for other accounts and regions",
                "the function's own account and region, or a stack with TargetRoleName",
            )
            raise RefusedError("target_not_allowed", [problem])
        return Place(
            account,
            region,
            f"arn:{self.partition}:iam::{account}:role/{self.settings.target_role_name}",
            self.settings.target_external_id,
            session_policy=session_policy,
            session_name=f"caretaker-{self.chore}",
        )


def check_stays_at_home(request: BaseRequest) -> None:
    """Refuse to work elsewhere, or for a caller, as a chore that has no rights for it."""
    expected = "nothing: this chore works for itself, in the stack's own account and region"
    wrong = {"target": request.target != Target(), "caller": request.caller is not None}
    problems = [FieldError(path, "not taken here", expected) for path in wrong if wrong[path]]
    if problems:
        raise RefusedError("event_invalid", problems)
