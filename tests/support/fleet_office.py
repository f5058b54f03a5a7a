"""Cells that say what a test wants, and the judge of their run that tells it."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from caretaker.report import Findings
from caretaker.request import BaseRequest
from caretaker.rights import Rights
from caretaker.run import Chore
from tests.cloud import ACCOUNT, REGION
from tests.support.alerting import Desk, desk_of
from tests.support.crashes import KilledError
from tests.support.fleets import POLICY, RUN

if TYPE_CHECKING:
    import pytest

    from caretaker.incidents import Check
    from tests.support.stack import Stack

MINUTE: Final = 60
INSTALLED: Final = "caretaker"


@dataclass
class Office:
    """A stack with all topics; cells hand on, the judge tells, `desk` hears."""

    desk: Desk

    @property
    def stack(self) -> Stack:
        return self.desk.stack

    def cell(
        self, *checks: Check, account: str = ACCOUNT, run: str = RUN, fleet: str = POLICY
    ) -> dict[str, Any]:
        """Let a cell find this, in an account."""
        findings = Findings((), checks)
        chore = Chore(
            "snapshot", BaseRequest, lambda _: findings, adds_only=True, rights=Rights(("x:Y",))
        )
        event = {
            "policy": "daily",
            "mode": "report",
            "caller": {"run": run, "fleet": fleet},
            "target": {"account": account},
        }
        return self.stack.run(chore, event)

    def judge(self, *checks: Check, fleet: str = POLICY) -> dict[str, Any]:
        """Let the judge of a fleet's run find this by itself."""
        findings = Findings((), checks, tells_for=fleet)
        chore = Chore("fleet", BaseRequest, lambda _: findings, adds_only=True)
        return self.stack.run(chore, {"policy": fleet})

    def judge_until_done(self, *checks: Check) -> None:
        """Ask the judge again, as the state machine does, until it answers."""
        for _ in range(5):
            if self.tried(lambda: self.judge(*checks)):
                return
            self.desk.wait(MINUTE)
        raise AssertionError("the judge never answered")

    def tried(self, run: Any) -> bool:
        """Tell whether a run came to its end."""
        with contextlib.suppress(KilledError, Exception):
            run()
            return True
        return False

    def heard(self, channel: str = "alerts") -> list[str]:
        """Return and forget what a channel heard, each as `ALARM vol-1 vol-2`, by name."""
        told = (words.split() for words in self.desk.heard(channel))
        return [" ".join([turn, *sorted(resources)]) for turn, *resources in told]

    def told(self) -> Counter[str]:
        """Return and forget how often people heard of each thing, as `ALARM vol-2`."""
        heard: Counter[str] = Counter()
        for words in self.desk.heard():
            turn, *resources = words.split()
            heard.update(f"{turn} {resource}" for resource in resources)
        return heard

    def handed(self, fleet: str = POLICY) -> list[str]:
        """Return what waits to be told, as `ALARM vol-1`."""
        found = [i for i in self.stack.items() if i["pk"] == f"handed#{fleet}"]
        return sorted(f"{i['turn']} {str(i['sk']).split('/')[-1].split('#')[0]}" for i in found)

    def pages(self) -> list[str]:
        """Return and forget what the pager heard, as `ALARM 111111111111 daily`."""
        return sorted(
            f"{each['NewStateValue']} {parts[1]} {parts[-1]}"
            for each in self.stack.heard("pager")
            if (parts := each["AlarmName"].split("/"))
        )


def office_of(stack: Stack, monkeypatch: pytest.MonkeyPatch, *without: str) -> Office:
    """Give the stack all topics but these, and a role in other accounts."""
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-member")
    return Office(desk_of(stack, monkeypatch, *without))


def account(number: int) -> str:
    """Return the id of a member account."""
    return f"{number:012d}"


def scope(of: str) -> str:
    """Return the scope of the incidents of a cell in an account."""
    return f"{INSTALLED}/{of}/{REGION}/snapshot/daily"
