"""Facts for tests of drills: each builder makes something ordinary, keywords say what is not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker import tags as tag
from caretaker.decisions import Outcome, Result
from caretaker.ec2 import Instance, Snapshot, Volume
from caretaker.lineages import lines_of
from caretaker.settings import Mode
from caretaker.slots import slot_of
from functions.drill.checks import Ended, findings_of
from functions.drill.facts import Disk, Facts, How, Proof
from functions.drill.plan import Plan, plan_drill
from functions.drill.request import DrillRequest
from tests.support.builders import NOW, SLOT, a_snapshot, a_volume

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caretaker.incidents import Check
    from caretaker.report import Findings
    from caretaker.tags import Tags

INSTALLATION: Final = "caretaker"
ZONE: Final = "eu-west-1a"


def days_ago(days: float) -> datetime:
    return NOW - timedelta(days=days)


def volume_id(number: int) -> str:
    return f"vol-{number:08x}"


def a_backup(
    number: int = 1, *, of: int | None = None, tier: str = "standard", tags: Tags | None = None,
    **how: Any,
) -> Snapshot:  # fmt: skip
    """Return a snapshot of ours of a volume."""
    made = a_snapshot(f"snap-{number:08x}", of=volume_id(of or number), **how)
    more = {tag.MANAGED_BY: INSTALLATION, **(tags or {})}
    return replace(made, tags={**made.tags, **more}, tier=tier, volume_gib=8)


def a_proof(number: int = 1, *, tried: float = 10, proven: float | None = -1, **how: Any) -> Proof:
    """Return what is remembered of a volume; times are days ago, that of the proof the drill's."""
    proven = tried if proven == -1 else proven
    proof = Proof(
        volume=volume_id(number),
        tried=days_ago(tried),
        run_slot=slot_of(days_ago(tried)),
        how=How.BLOCKS,
        snapshot=f"snap-{number:08x}",
        slot=slot_of(days_ago(tried + 1)),
        proven=None if proven is None else days_ago(proven),
        sampled=True,
    )
    return replace(proof, **how)


def a_drill_volume(
    number: int = 99, *, expires_in_hours: float = 1, snapshot: int = 1, **how: Any
) -> Volume:
    """Return a volume that a drill has made."""
    end = NOW + timedelta(hours=expires_in_hours)
    tags = {
        tag.MANAGED_BY: INSTALLATION,
        tag.POLICY: "daily",
        tag.SLOT: "2026-11-21T02:00Z",
        tag.RUN: "drill/01M7Y0QRW03JNA8JCCYVWD8KFW",
        tag.EXPIRES_AT: end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        **how.pop("tags", {}),
    }
    made = a_volume(volume_id(number), tags=tags, **how)
    return replace(made, snapshot_id=f"snap-{snapshot:08x}")


def facts(
    *things: Volume | Snapshot | Instance | Proof,
    table_reachable: bool = True,
    since: datetime | None = days_ago(1000),  # noqa: B008 - a constant
) -> Facts:
    """Return the facts that these make."""
    volumes = [thing for thing in things if isinstance(thing, Volume)]
    snapshots = [thing for thing in things if isinstance(thing, Snapshot)]
    proofs = {thing.volume: thing for thing in things if isinstance(thing, Proof)}
    return Facts(
        installation=INSTALLATION,
        disks=[Disk(volume, ZONE) for volume in volumes],
        instances={thing.id: thing for thing in things if isinstance(thing, Instance)},
        snapshots=snapshots,
        lines=lines_of(snapshots, {volume.id: volume.tags for volume in volumes}),
        proofs=proofs if table_reachable else None,
        since=since if table_reachable else None,
    )


def request(**fields: Any) -> DrillRequest:
    """Return a request of the whole fleet, unless told otherwise."""
    return DrillRequest.model_validate({"sample": {"everything": True}, **fields})


def plan(known: Facts, *, slot: str = SLOT, **fields: Any) -> Plan:
    """Return the plan of a run now."""
    return plan_drill(known, request(**fields), slot=slot, now=NOW)


def reasons(made: Plan) -> dict[str, str]:
    """Return why, by volume."""
    return {each.target: f"{each.action} {each.reason}" for each in made.decisions}


def drilled(made: Plan) -> list[str]:
    """Return whose backups are drilled, in their order."""
    return [each.target for each in made.decisions if each.action == "drill"]


def fleet(count: int) -> list[Volume | Snapshot]:
    """Return so many volumes with a backup each."""
    numbers = range(1, count + 1)
    return [*(a_volume(volume_id(n)) for n in numbers), *(a_backup(n) for n in numbers)]


DONE: Final = {"result": Result.DONE}
PLANNED: Final = {"result": Result.PLANNED}
DEFERRED: Final = {"result": Result.DEFERRED, "detail": {"deferred_by": "Throttling"}}


def failed(code: str = "checksum_wrong") -> dict[str, Any]:
    """Return how a drill ends that finds something wrong."""
    error = {"code": code, "message": "block 7", "request_id": ""}
    return {"result": Result.FAILED, "error": error}


def ended(
    known: Facts, like: Mapping[str, Any] = DONE, mode: Mode = Mode.ACT, **fields: Any
) -> Findings:
    """Return what a run came to whose changes all ended like this."""
    made, asked = plan(known, **fields), request(**fields)
    outcomes = [
        Outcome(each, **like) if each.is_change else Outcome(each, Result.UNCHANGED)
        for each in made.decisions
    ]
    return findings_of(Ended(known, made, asked, outcomes, NOW, mode))


def check(found: Findings, kind: str, resource: str = "") -> Check:
    """Return the only check of a kind, or of one resource."""
    (only,) = [e for e in found.checks if e.kind == kind and resource in {"", e.resource}]
    return only
