"""An account with backups of disks as real tools make them, and a chore that is to prove them."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Final

from moto.moto_api._internal import mock_random

from caretaker.ec2 import description_of
from caretaker.slots import slot_of
from functions.drill import app
from tests.cloud import Account, ManualClock, strict_moto
from tests.support.crashes import World
from tests.support.disk_images import DiskImage, partitioned
from tests.support.stack import INSTALLATION, SLOT, Stack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.cloud import StrictCloud
    from tests.cloud.answers import Answer
    from tests.cloud.calls import Call

BACKUP: Final = {"caretaker:backup": "daily"}
JUDGE: Final = "arn:aws:lambda:eu-west-1:123456789012:function:judge"
ALL: Final = {"everything": True}
BY_BLOCKS: Final = {"scheduled_time": SLOT, "sample": ALL, "blocks": 4}
BY_VOLUME: Final = {**BY_BLOCKS, "how": "volume", "rto_minutes": 10}
EXT4: Final = ["whole:gpt", "p1:vfat", "p2:ext4"]


def some_disk() -> DiskImage:
    """Return a disk with two partitions and some data."""
    disk = partitioned(p1="fat32", p2="ext4")
    for index in (40, 41, 100, 2000):
        disk.write(index * 512 * 1024, bytes([index % 251]) * 4096)
    return disk


@dataclass
class DrillWorld(World):
    """Volumes with backups of a day ago; `judgement` is what the judge answers, as JSON."""

    chore = app.CHORE
    event: ClassVar[Mapping[str, Any]] = BY_BLOCKS
    settled: ClassVar[Mapping[str, Any]] = {}

    asked: list[dict[str, Any]] = field(default_factory=list)
    judgement: Any = None
    judge_error: str = ""

    def __post_init__(self) -> None:
        """Answer for the judge, which is no part of the cloud."""
        serve = self.cloud.serve

        def served(call: Call, perform: Callable[[], Answer]) -> Answer:
            if call.operation != "Invoke" or "judge" not in str(call.params.get("FunctionName")):
                return serve(call, perform)
            return serve(call, lambda: self._judge(call))

        self.cloud.serve = served  # type: ignore[method-assign]

    def _judge(self, call: Call) -> Answer:
        self.asked.append(json.loads(call.params["Payload"]))
        failed = {"X-Amz-Function-Error": self.judge_error} if self.judge_error else {}
        return 200, failed, json.dumps(self.judgement)

    def volume(self, disk: DiskImage | None = None, **how: Any) -> str:
        """Add a volume that is selected, with a disk's blocks."""
        made = self.account.volume(**{"tags": BACKUP, "size": 1, **how})
        self.account.write_blocks(made, (disk or some_disk()).written)
        return made

    def backup(self, volume_id: str, *, age_hours: float = 24, **how: Any) -> str:
        """Add a good snapshot of a volume as it is now."""
        at = self.clock.now() - timedelta(hours=age_hours)
        tags = {
            "caretaker:managed-by": INSTALLATION,
            "caretaker:policy": "daily",
            "caretaker:slot": slot_of(at),
            "caretaker:instance": "i-00000001",
            **how.pop("tags", {}),
        }
        made = description_of(tags["caretaker:policy"], tags["caretaker:slot"])
        how = {"description": made, **how}
        return self.account.snapshot(volume_id, age_hours=age_hours, tags=tags, **how)

    def backed_up(self, disk: DiskImage | None = None, **how: Any) -> tuple[str, str]:
        """Add a volume and its backup."""
        made = self.volume(disk, **how)
        return made, self.backup(made)

    def leftover(self, *, hours: float = -1, **how: Any) -> str:
        """Add what a killed drill has left: past its end, unless told otherwise."""
        end = (self.clock.now() + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
        tags = {
            "caretaker:managed-by": INSTALLATION,
            "caretaker:policy": "daily",
            "caretaker:slot": "2026-11-18T03:00Z",
            "caretaker:run": "drill/01M7Y0QRW03JNA8JCCYVWD8KFW",
            "caretaker:expires-at": end,
            **how.pop("tags", {}),
        }
        return self.account.volume(tags=tags, **how)

    def drill(self, **fields: Any) -> dict[str, Any]:
        """Run once."""
        return self.stack.run(app.CHORE, {**BY_BLOCKS, **fields})

    def rewrite(self, volume_id: str, disk: DiskImage) -> None:
        """Write other blocks over all of a volume's."""
        self.account.wipe_blocks(volume_id)
        self.account.write_blocks(volume_id, disk.written)

    def next_day(self, *, backs_up: str = "") -> str:
        """Let a day pass, at whose end a volume may be backed up; return its slot's time."""
        self.clock.advance(86_400)
        if backs_up:
            self.backup(backs_up, age_hours=1)
        return self.clock.now().replace(second=0, microsecond=0).isoformat()

    @property
    def volumes_of_drills(self) -> dict[str, dict[str, str]]:
        """Return the tags of volumes that drills have made and that are still there."""
        there = self.account.backend.volumes
        tags = {each: self.account.tags_of(each) for each in there}
        return {each: found for each, found in tags.items() if "caretaker:expires-at" in found}

    @property
    def proofs(self) -> dict[str, dict[str, Any]]:
        """Return what the table remembers of the policy `daily`, by volume."""
        items = [each for each in self.stack.items() if str(each["pk"]).startswith("proofs#")]
        documents = {each["sk"]: json.loads(each["document"]) for each in items}
        return {
            name.removeprefix("daily/"): document
            for name, document in documents.items()
            if name.startswith("daily/")
        }

    @property
    def concluded(self) -> dict[str, dict[str, Any]]:
        """Return what it remembers of drills that came to an end."""
        return {each: proof for each, proof in self.proofs.items() if proof["run_slot"]}

    def proven_at(self, snapshot_id: str) -> str:
        """Return what a snapshot's tag says."""
        return self.account.tags_of(snapshot_id).get("caretaker:proven-at", "")

    @property
    def open_incidents(self) -> list[str]:
        """Return the kinds and resources of what people were told and that is not over."""
        items = [each for each in self.stack.items() if str(each["pk"]).startswith("incident")]
        return sorted(str(each["sk"]) for each in items)

    def check_answer(self, answer: dict[str, Any]) -> None:
        """What it calls proven is written down, in the table or at the snapshot."""
        for item in answer["outcomes"]:
            if (item["action"], item["result"]) == ("drill", "done"):
                snapshot = item["detail"]["snapshot_id"]
                remembered = self.proofs.get(item["target"], {}).get("proven")
                assert remembered or self.proven_at(snapshot), item


@dataclass
class CrashWorld(DrillWorld):
    """Two volumes with backups, and what a killed drill has left."""

    backups: dict[str, str] = field(default_factory=dict)
    left: str = ""
    kept: str = ""
    how: Mapping[str, Any] = field(default_factory=dict)

    def build(self, how: Mapping[str, Any]) -> None:
        """Put the account as it is before the drill."""
        self.how = how
        self.backups = dict(self.backed_up() for _ in range(2))
        self.left = self.leftover()
        self.kept = self.account.volume(tags={"caretaker:managed-by": INSTALLATION})
        self.cloud.calls.clear()

    def run(self, request: str = "") -> dict[str, Any] | None:
        """Run once; None when the run raised."""
        self.__class__.event = {**BY_BLOCKS, **self.how}
        return super().run(request)

    def check_truth(self) -> None:
        """All is proven."""
        assert set(self.concluded) == set(self.backups)
        assert all(proof["problem"] == "" for proof in self.proofs.values())
        assert self.kept in self.account.backend.volumes

    def check_nothing_stays(self) -> None:
        """Two days later, nothing of a drill is left, and nothing else has gone."""
        self.next_day()
        event = {**BY_BLOCKS, "scheduled_time": self.next_day(), "sample": {"count": 1}}
        self.stack.run(app.CHORE, event)
        self.clock.advance(60)
        assert self.volumes_of_drills == {}
        assert {*self.backups, self.kept} <= set(self.account.backend.volumes)


@contextmanager
def crash_world(how: Mapping[str, Any]) -> Iterator[CrashWorld]:
    """Build the scenario in a cloud of its own."""
    clock = ManualClock()
    with strict_moto(clock) as cloud:
        mock_random.seed(1)  # which blocks are read depends on the snapshot's id
        world = CrashWorld(cloud, clock, Stack(clock), Account(cloud))
        world.build(how)
        yield world


def drill_world(
    cloud: StrictCloud, clock: ManualClock, stack: Stack, account: Account
) -> DrillWorld:
    """Return an empty world."""
    return DrillWorld(cloud, clock, stack, account)


def outcome(answer: Mapping[str, Any], target: str) -> dict[str, Any]:
    """Return the only outcome of a target."""
    (item,) = [each for each in answer["outcomes"] if each["target"] == target]
    found: dict[str, Any] = item
    return found


def ended(answer: Mapping[str, Any], target: str) -> tuple[str, str]:
    """Return how a drill ended: its result, and why."""
    item = outcome(answer, target)
    return item["result"], item.get("error", {}).get("code", item["detail"].get("deferred_by", ""))


def as_time(text: str) -> datetime:
    """Read a time of a tag."""
    return datetime.fromisoformat(text)
