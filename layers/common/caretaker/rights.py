"""What a chore may do in an account that is not its own: the calls it makes there, and no more.

A run takes on the account's role with a session policy of these. What the role allows besides,
such as what other chores do, is denied to it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from caretaker.settings import Mode

MAX_POLICY: Final = 2_048
"""Characters of a session policy.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""


@dataclass(frozen=True, slots=True)
class Rights:
    """IAM actions of a chore in another account; in report mode `reads` are enough for it."""

    reads: tuple[str, ...]
    changes: tuple[str, ...] = ()

    def policy_for(self, mode: Mode) -> str:
        """Return the session policy of a run, as JSON: its actions, on whatever the role has."""
        actions = self.reads if mode is Mode.REPORT else self.reads + self.changes
        allowed = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
        policy = {"Version": "2012-10-17", "Statement": allowed}
        return json.dumps(policy, separators=(",", ":"))
