"""The deployed drill proves backups by their blocks, and by volumes that it deletes again."""

from __future__ import annotations

from itertools import count

import pytest

from tests.cloud.deployment import Json
from tests.cloud.remote import RemoteCloud
from tests.e2e.restorer import Restorer
from tests.e2e.tagger import Tagger

_numbers = count(1)


@pytest.fixture
def restorer(tagger: Tagger, ec2: RemoteCloud) -> Restorer:
    """A policy of the test's own, on a cloud whose volumes move quickly."""
    ec2.settings(creating_seconds=1, attaching_seconds=1, detaching_seconds=1, deleting_seconds=1)
    return Restorer(tagger.stack, f"drill-{next(_numbers)}")


def drill(restorer: Restorer, **more: object) -> Json:
    """Drill everything of the policy."""
    event = {"policy": restorer.policy, "sample": {"everything": True}, **more}
    answer: Json = restorer.stack.invoke(restorer.stack.outputs["DrillFunctionName"], event)
    return answer


def drilled(answer: Json) -> set[tuple[str, str]]:
    """Return how the drills of an answer ended."""
    items = (each for each in answer["outcomes"] if each["action"] == "drill")
    return {(each["reason"], each["result"]) for each in items}


def test_backups_are_proven_by_their_blocks_and_say_so(
    restorer: Restorer, ec2: RemoteCloud
) -> None:
    (machine,) = restorer.machines(1)
    answer = drill(restorer)
    assert drilled(answer) == {("sampled", "done")}
    proven = [each for each in ec2.snapshots() if _of(each, machine.volume_ids)]
    assert len(proven) == 2
    assert all("caretaker:proven-at" in _tags(each) for each in proven)


def test_a_block_that_is_not_what_was_written_is_told(restorer: Restorer, ec2: RemoteCloud) -> None:
    (machine,) = restorer.machines(1)
    bad = next(e for e in ec2.snapshots() if _of(e, machine.volume_ids[:1]))["SnapshotId"]
    ec2.seed("corrupt_block", bad, 0)
    answer = drill(restorer)
    assert drilled(answer) == {("sampled", "done"), ("sampled", "failed")}
    assert "caretaker:proven-at" not in ec2.seed("tags_of", bad)


def test_a_volume_is_made_and_deleted_again(restorer: Restorer, ec2: RemoteCloud) -> None:
    restorer.machines(1)
    before = {each["VolumeId"] for each in ec2.state()["volumes"]}
    answer = drill(restorer, how="volume", rto_minutes=30)
    assert drilled(answer) == {("sampled", "done")}
    left = {e["VolumeId"] for e in ec2.state()["volumes"] if e["State"] != "deleting"}
    assert left == before


def _of(snapshot: Json, volumes: tuple[str, ...]) -> bool:
    return snapshot["VolumeId"] in volumes


def _tags(snapshot: Json) -> dict[str, str]:
    return {each["Key"]: each["Value"] for each in snapshot.get("Tags", [])}
