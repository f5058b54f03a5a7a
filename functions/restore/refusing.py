"""Why nothing of a restore may begin: told by the field that is wrong, with ids. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, cast

from caretaker.decisions import Refusal
from caretaker.errors import FieldError

from .facts import Reason
from .telling import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from caretaker.decisions import Decision

    from .facts import Facts, Quota
    from .request import RestoreRequest

MOST_VOLUMES: Final = 3_000
"""All of a plan stand in one item of the table, which holds 400 KB.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
"""


def why_nothing(
    decisions: Sequence[Decision],
    missing: Sequence[Quota],
    facts: Facts,
    request: RestoreRequest,
    now: datetime,
) -> Refusal | None:
    """Return why nothing may begin, whoever has read it."""
    if request.at is not None and request.at > now:
        problem = f"lies ahead: now it is {now:%Y-%m-%dT%H:%MZ}"
        error = FieldError("at", problem, "the last moment at which the data was right")
        return Refusal("at_in_future", (error,))
    if request.zone is not None and request.zone[:-1] != facts.region:
        error = FieldError("zone", f"is not in {facts.region}", f"a zone as {facts.region}a")
        return Refusal("zone_elsewhere", (error,))
    if not any(decision.is_change for decision in decisions):
        return Refusal("nothing_to_restore", tuple(_nothing(decisions, facts, request)))
    volumes = sum(len(cast("list[object]", d.detail["volumes"])) for d in decisions if d.is_change)
    if volumes > MOST_VOLUMES:
        problem = f"{volumes} volumes; one plan holds {MOST_VOLUMES}"
        return Refusal("too_many", (FieldError("select", problem, "fewer at once"),))
    if missing:
        return Refusal("quota_too_small", tuple(_too_small(quota) for quota in missing))
    return None


def _nothing(
    decisions: Sequence[Decision], facts: Facts, request: RestoreRequest
) -> Iterator[FieldError]:
    """Yield an error for each reason, with some of those that it keeps."""
    if not decisions:
        problem = "nothing that is there is selected"
        yield FieldError("select", problem, "ids, or tags, of instances or volumes")
    for reason in sorted({str(decision.reason) for decision in decisions}):
        held = [decision for decision in decisions if decision.reason == reason]
        named = some_of(each.target for each in held)
        match reason:
            case Reason.NO_COMPLETE_SLOT:
                firsts = (str(each.detail.get("first_complete_slot")) for each in held)
                yield FieldError(
                    "at",
                    f"{named}: no slot of policy {request.policy} that is whole and not after it",
                    f"{min(filter(None, firsts), default='a policy with slots')} or later",
                )
            case Reason.NO_BACKUP:
                there = sorted({each.policy for each in facts.snapshots if each.policy})
                problem = f"{named}: a volume has no backup of policy {request.policy}"
                expected = f"one of {', '.join(there)}" if there else "a policy with backups"
                yield FieldError("policy", problem, expected)
            case Reason.NOT_FOUND:
                problem = f"{named}: not there, nor in a backup of policy {request.policy}"
                yield FieldError("select", problem, "what is there, or was backed up")
            case Reason.RESTORE_OPEN:
                plans = ", ".join(sorted({str(each.detail.get("plan")) for each in held}))
                step = json.dumps({"mode": "report", "step": {"do": "wave", "plan": plans[:18]}})
                yield FieldError(
                    "select", f"{named}: in {plans}, which is under way", f"its end: {step} tells"
                )
            case _:
                expected = "what can be brought back; the reason is on the chore's page"
                yield FieldError("select", f"{named}: {reason}", expected)


def _too_small(quota: Quota) -> FieldError:
    return FieldError(
        f"quota.{quota.type}",
        f"{_tib(quota.used_tib)} TiB would be needed, {_tib(quota.limit_tib)} are allowed",
        "a higher quota of Service Quotas, or fewer volumes at once",
    )


def _tib(size: float) -> str:
    return f"{size:.3f}".rstrip("0").rstrip(".")
