"""Runs, as people are told of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from caretaker.decisions import Outcome, Result
from functions.tagging.checks import judge_run
from tests.support.tagging import OWNER, ask, ended, gathered

if TYPE_CHECKING:
    from caretaker.incidents import Check

ERROR: Final = {"code": "Odd", "message": "AWS says no", "request_id": "r-2"}
KINDS: Final = ("tags_violated", "type_unlisted", "tagging_refused", "tagging_stopped")
"""Of every run; any other kind is about one resource."""


def checked(*resources: Any, event: Any = None, rules: Any = None, **known: Any) -> list[Check]:
    return judged(*resources, event=event, rules=rules, **known)[0]


def judged(
    *resources: Any, event: Any = None, rules: Any = None, **known: Any
) -> tuple[list[Check], frozenset[str]]:
    names = ("mode", "stack", "outcomes", "stopped", "list_at")
    how = {name: known.pop(name) for name in names if name in known}
    request = ask(rules or {OWNER: {}}, **(event or {}))
    return judge_run(ended(gathered(*resources, **known), request, **how))


def only(kind: str, checks: list[Check]) -> Check:
    (check,) = [each for each in checks if each.kind == kind]
    return check


def outcome_of(decision: Any, result: Result, **more: Any) -> list[Check]:
    outcomes = [Outcome(decision, result, **more)]
    return [c for c in checked(outcomes=outcomes) if c.kind not in KINDS]
