"""What the deployed schedules do by themselves."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.cloud.demo_account import DemoAccount
from tests.cloud.deployment import Json, Stack
from tests.cloud.remote import RemoteCloud
from tests.cloud.stack import LocalCloud
from tests.e2e.conftest import ours


@pytest.fixture(scope="module")
def nightly(cloud: LocalCloud, stack: Stack, demo: DemoAccount) -> Json:
    """Let the nightly schedule fire; return the answer of its run, whose snapshots completed."""
    cloud.ec2.fail_snapshots_of(demo.failing_volume_id, times=0)
    answer = stack.run_schedule(stack.outputs["SnapshotFunctionName"], mode="act")
    cloud.ec2.complete_pending()
    return answer


def test_the_nightly_schedule_takes_one_snapshot_of_every_selected_volume(
    nightly: Json, demo: DemoAccount, ec2: RemoteCloud
) -> None:
    taken = ours(ec2, policy="daily", slot=nightly["slot"])

    assert nightly["status"] == "ok"
    assert nightly["counts"]["create"] == {"done": len(demo.selected("daily"))}
    assert Counter(each["VolumeId"] for each in taken) == Counter(demo.selected("daily"))
    assert {each["State"] for each in taken} == {"completed"}


def test_volumes_of_one_instance_are_taken_by_one_call(
    nightly: Json, demo: DemoAccount, ec2: RemoteCloud
) -> None:
    sets = [
        frozenset(member["VolumeId"] for member in each)
        for each in _members_by_instance(ours(ec2, policy="daily", slot=nightly["slot"]))
    ]
    web = next(each for each in demo.instances if each.name == "web-01")

    assert frozenset(web.volume_ids) in sets
    calls = [each for each in ec2.calls() if each["operation"] == "CreateSnapshots"]
    asked = {each["params"]["InstanceSpecification"]["InstanceId"] for each in calls}
    assert web.id in asked


def _members_by_instance(taken: list[Json]) -> list[list[Json]]:
    instances = {each["Tags"].get("caretaker:instance", "") for each in taken} - {""}
    return [
        [each for each in taken if each["Tags"].get("caretaker:instance") == instance]
        for instance in instances
    ]


def test_snapshots_of_others_are_not_touched(
    nightly: Json, demo: DemoAccount, ec2: RemoteCloud
) -> None:
    left = {each["SnapshotId"] for each in ec2.snapshots()}

    assert set(demo.foreign_snapshots.values()) <= left


def test_the_report_in_the_bucket_names_every_volume(
    nightly: Json, stack: Stack, ec2: RemoteCloud
) -> None:
    heading, *items = stack.report(nightly)

    assert heading["run"] == nightly["run"]
    volumes = {each["VolumeId"] for each in ec2.state()["volumes"]}
    assert {each["target"] for each in items} == volumes


def test_the_same_slot_twice_changes_nothing(
    nightly: Json, stack: Stack, ec2: RemoteCloud, snapshots: str
) -> None:
    before = {each["SnapshotId"]: each["Tags"] for each in ec2.snapshots()}

    again = stack.invoke(snapshots, {"policy": "daily", "scheduled_time": nightly["slot"]})

    assert again["status"] == "ok"
    assert set(again["counts"]) <= {"keep", "skip"}
    assert {each["SnapshotId"]: each["Tags"] for each in ec2.snapshots()} == before


def test_the_hourly_schedule_measures_and_takes_nothing(
    nightly: Json, stack: Stack, demo: DemoAccount, ec2: RemoteCloud, snapshots: str
) -> None:
    ec2.age(hours=5)
    before = ours(ec2)
    selected = [e for e in before if e["VolumeId"] in demo.selected("daily")]

    answer = stack.run_schedule(snapshots, mode="report")

    assert len(ours(ec2)) == len(before)
    assert answer["progress"] == 0
    measured = stack.metrics(snapshots)[-1]
    assert measured["NewestBackupAgeHours"] == [pytest.approx(_oldest_hours(selected), abs=0.1)]
    assert "Heartbeat" not in measured


def _oldest_hours(taken: list[Json]) -> float:
    """Return the age of the newest snapshot of the volume that waits longest."""
    newest: dict[str, datetime] = {}
    for each in taken:
        started = datetime.fromisoformat(each["StartTime"])
        newest[each["VolumeId"]] = max(started, newest.get(each["VolumeId"], started))
    return (datetime.now(UTC) - min(newest.values())).total_seconds() / 3600


DIMENSIONS = [["Installation", "Chore"], ["Installation", "Chore", "Policy"]]
NAMES = {
    "Heartbeat",
    "ItemsDone",
    "ItemsFailed",
    "ItemsDeferred",
    "NewestBackupAgeHours",
    "OpenIncidents",
    "UnsentAlerts",
}


def test_metrics_have_the_documented_dimensions_and_no_others(
    nightly: Json, stack: Stack, snapshots: str
) -> None:
    documents = stack.metrics(snapshots)
    (run,) = [each for each in documents if "Heartbeat" in each][-1:]
    (described,) = run["_aws"]["CloudWatchMetrics"]

    assert described["Namespace"] == "Caretaker"
    assert [sorted(each) for each in described["Dimensions"]] == [sorted(d) for d in DIMENSIONS]
    assert {each["Name"] for each in described["Metrics"]} == NAMES
    assert (run["Installation"], run["Chore"], run["Policy"]) == ("caretaker", "snapshot", "daily")
    assert set(run) == NAMES | {"_aws", "Installation", "Chore", "Policy"}
