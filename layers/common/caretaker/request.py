"""The event: what every chore may be asked, checked field by field.

A chore's `request.py` adds its own fields to `BaseRequest`. Unknown fields are errors; a field that
is left out has its documented default.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Annotated, Any, Final

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from caretaker.errors import FieldError, RefusedError
from caretaker.settings import Mode

MAX_ROUNDS: Final = 10
POLICY_PATTERN: Final = r"^[a-z0-9-]{1,32}$"

PLAN_PATTERN: Final = r"^p-[0-9a-f]{16}$"

type PolicyName = Annotated[str, Field(pattern=POLICY_PATTERN)]


_TIME_EXPECTED: Final = "must be a time of this century with its zone, as 2026-11-21T03:00:00Z"
_YEARS: Final = range(2000, 2101)
_MAX_PROBLEMS: Final = 50
_MAX_PATH: Final = 100
_FIELD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,39}")


def _iso_8601(value: object) -> datetime:
    """Read a time from ISO 8601 alone; bare digits are more likely a mistake."""
    text = value if isinstance(value, str) and "T" in value else ""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(_TIME_EXPECTED) from None
    if time.year not in _YEARS:
        raise ValueError(_TIME_EXPECTED)
    return time


type Time = Annotated[AwareDatetime, BeforeValidator(_iso_8601)]


def _as_copied(value: object) -> object:
    """Take what was copied from a screen: with blanks around it, or in capitals."""
    return value.strip().lower() if isinstance(value, str) else value


type PlanId = Annotated[str, BeforeValidator(_as_copied), Field(pattern=PLAN_PATTERN)]


class Part(BaseModel):
    """Any object inside an event."""

    model_config = ConfigDict(extra="forbid", frozen=True)


type AccountId = Annotated[str, Field(pattern=r"^[0-9]{12}$")]
type RegionName = Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}$")]
type RunName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")]


class Target(Part):
    """Where to work instead of the function's own account and region."""

    account: AccountId | None = None
    region: RegionName | None = None


class SoFar(Part):
    """What the earlier rounds of a cell came to; `done` is counted by action."""

    rounds: Annotated[int, Field(ge=0)] = 0
    done: dict[str, int] = {}
    reports: tuple[str, ...] = ()
    opened: int = 0
    resolved: int = 0
    untold: int = 0


class Caller(Part):
    """The run of a fleet that asked for this one, and tells what comes of it; see `cells`."""

    run: RunName
    fleet: PolicyName
    so_far: SoFar = SoFar()


class BaseRequest(Part):
    """The fields that all chores share."""

    policy: PolicyName = "default"
    mode: Mode | None = None
    scheduled_time: Time | None = None
    target: Target = Target()
    pace: Annotated[float, Field(gt=0, le=1)] = 0.5
    approve: PlanId | None = None
    round: Annotated[int, Field(ge=0, le=MAX_ROUNDS)] = 0
    caller: Caller | None = None

    def is_spared_by(self, other: str, slot: str) -> bool:
        """Tell whether a run of this slot is not needed while one of the `other` is at work."""
        return other == slot

    @property
    def lease_scope(self) -> str:
        """Return what, within the policy, the lease is held on; empty for all of it."""
        return ""


def wrong_field(path: str, problem: str, expected: str) -> PydanticCustomError:
    """Return what a check over several fields raises about one of them."""
    return PydanticCustomError(
        _WRONG_FIELD, "{problem}", {"path": path, "problem": problem, "expected": expected}
    )


_WRONG_FIELD: Final = "wrong_field"


def parse_request[R: BaseRequest](model: type[R], event: object) -> R:
    """Check an event; `RefusedError` names every wrong field, its path and what was expected.

    It is read as the JSON it came as, strictly: `true` is no number and `"30"` neither.
    """
    return parse_part(model, event, "event")


def parse_part[P: Part](model: type[P], written: object, called: str) -> P:
    """Check an object that is written as an event is, in the same way; errors call it so."""
    try:
        return model.model_validate_json(json.dumps(written), strict=True)
    except ValidationError as error:
        problems = [_field_error(dict(each), called) for each in error.errors(include_url=False)]
        raise RefusedError("event_invalid", _first(problems, called)) from None


def _first(problems: list[FieldError], called: str) -> list[FieldError]:
    more = len(problems) - _MAX_PROBLEMS
    return [*problems[:_MAX_PROBLEMS], FieldError(called, f"{more} more")] if more > 0 else problems


def effective_mode(asked: Mode | None, allowed: Mode) -> Mode:
    """Return the mode to run in; an event may lower the stack's mode, never raise it."""
    if asked is Mode.ACT and allowed is Mode.REPORT:
        problem = FieldError(
            "mode",
            "the stack allows this chore to report only",
            "report, or a stack whose mode parameter for this chore is act",
        )
        raise RefusedError("mode_not_allowed", [problem])
    return asked or allowed


def _field_error(problem: dict[str, Any], called: str) -> FieldError:
    parts = [str(part) for part in problem["loc"] if part != "[key]"]
    is_unknown = problem["type"] == "extra_forbidden"
    if is_unknown and parts[-1] and not _FIELD.fullmatch(parts[-1]):
        parts[-1] = "?"  # a slip of the pen may have put anything there, a secret too
    if problem["type"] == _WRONG_FIELD:
        about = problem["ctx"]
        return FieldError(".".join([*parts, about["path"]]), about["problem"], about["expected"])
    path = ".".join(parts)[:_MAX_PATH] or called
    if is_unknown:
        return FieldError(path, "unknown field", "no such field; see the chore's page")
    if problem["type"] == "missing":
        return FieldError(path, "missing", "this field; see the chore's page")
    said = str(problem["msg"]).removeprefix("Value error, ")
    return FieldError(path, said, _expected(said, problem.get("ctx", {})))


def _expected(said: str, limits: dict[str, Any]) -> str:
    """Return what would have been right: the limits it met, or else what was said."""
    if limits.get("pattern") == PLAN_PATTERN:
        return "the plan_id of a plan, as p-0123456789abcdef"
    named = [f"{_LIMITS[key]} {value}" for key, value in limits.items() if key in _LIMITS]
    if named:
        return ", ".join(named)
    for opening in (
        "Input should be ",
        "Input should have ",
        "must be ",
        "must have ",
        "must hold ",
    ):
        said = said.removeprefix(opening)
    return said


_LIMITS: Final = {
    "pattern": "text that matches",
    "ge": "at least",
    "gt": "more than",
    "le": "at most",
    "lt": "less than",
    "min_length": "at least this long:",
    "max_length": "at most this many:",
}
