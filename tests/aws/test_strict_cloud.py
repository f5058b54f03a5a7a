"""The strict cloud itself: each rule of AWS's that moto does not know, and each kind of fault."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    ReadTimeoutError,
)

from tests.cloud import REGION, Account, Bucket, FaultKind, ManualClock, StrictCloud, strict_moto
from tests.cloud.demo_account import STRANGER, DemoAccount, seed_demo

if TYPE_CHECKING:
    from collections.abc import Callable

ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})
DAILY = {"caretaker:backup": "daily"}


@pytest.fixture
def ec2(cloud: StrictCloud) -> Any:
    return boto3.client("ec2", REGION, config=ONCE)


@pytest.fixture
def sns(cloud: StrictCloud) -> Any:
    return boto3.client("sns", REGION, config=ONCE)


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def spec(tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": "snapshot", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}]


def tags_of(item: dict[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in item["Tags"]}


def listed(ec2: Any, **request: Any) -> list[str]:
    pages = ec2.get_paginator("describe_volumes").paginate(**request)
    return [volume["VolumeId"] for page in pages for volume in page["Volumes"]]


class TestPages:
    @pytest.fixture
    def ids(self, account: Account) -> list[str]:
        return [account.volume(tags={"n": str(number)}) for number in range(5)]

    def test_a_listing_comes_in_pages_even_when_none_were_asked_for(
        self, ec2: Any, ids: list[str]
    ) -> None:
        first = ec2.describe_volumes()
        assert [len(first["Volumes"]), "NextToken" in first] == [2, True]
        assert listed(ec2) == ids
        assert listed(ec2, MaxResults=500) == ids

    def test_max_results_is_honoured_and_bounded(
        self, cloud: StrictCloud, account: Account, ec2: Any, ids: list[str]
    ) -> None:
        cloud.pages.size = None
        account.volume()
        assert len(ec2.describe_volumes(MaxResults=5)["Volumes"]) == 5
        assert code_of(lambda: ec2.describe_volumes(MaxResults=4)) == "InvalidParameterValue"
        assert code_of(lambda: ec2.describe_snapshots(MaxResults=1001)) == "InvalidParameterValue"
        assert (
            code_of(lambda: ec2.describe_volumes(MaxResults=5, VolumeIds=ids[:1]))
            == "InvalidParameterCombination"
        )

    def test_an_empty_page_may_have_a_token(
        self, cloud: StrictCloud, ec2: Any, ids: list[str]
    ) -> None:
        cloud.pages.empty = frozenset({1, 2})
        assert ec2.describe_volumes()["Volumes"] == []
        assert listed(ec2) == ids

    def test_the_same_item_may_be_on_two_pages(
        self, cloud: StrictCloud, ec2: Any, ids: list[str]
    ) -> None:
        cloud.pages.repeat_last = True
        seen = listed(ec2)
        assert len(seen) > len(ids)
        assert list(dict.fromkeys(seen)) == ids

    def test_a_token_may_expire_and_must_belong_to_the_listing(
        self, cloud: StrictCloud, ec2: Any, ids: list[str]
    ) -> None:
        cloud.pages.expire = {2}
        assert code_of(lambda: listed(ec2)) == "InvalidNextToken"
        assert listed(ec2) == ids
        token = ec2.describe_volumes()["NextToken"]
        assert code_of(lambda: ec2.describe_snapshots(NextToken=token)) == "InvalidNextToken"

    def test_instances_and_snapshots_have_pages_too(self, account: Account, ec2: Any) -> None:
        machines = [account.instance() for _ in range(3)]
        made = [account.snapshot(machine.volume_ids[0]) for machine in machines]
        pages = list(ec2.get_paginator("describe_instances").paginate())
        assert [
            instance["InstanceId"]
            for page in pages
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
        ] == [machine.id for machine in machines]
        assert len(pages) == 2
        pages = list(ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"]))
        assert [[s["SnapshotId"] for s in page["Snapshots"]] for page in pages] == [
            made[:2],
            made[2:],
        ]


class TestFilters:
    @pytest.mark.parametrize(
        ("name", "values", "expected"),
        [
            ("tag:caretaker:backup", ["daily"], [0]),
            ("tag:caretaker:backup", ["*daily*"], [0, 1]),
            ("tag:caretaker:backup", ["daily", "week?y"], [0, 2]),
            ("tag:caretaker:backup", ["Daily"], []),
            ("tag:caretaker:backup", [r"\*"], []),
            ("tag:Caretaker:Backup", ["daily"], []),
            ("tag-key", ["caretaker:*"], [0, 1, 2]),
            ("status", ["available"], [0, 1, 2, 3]),
            ("status", ["in-use"], []),
        ],
    )
    def test_volumes_match_as_in_aws(
        self, account: Account, ec2: Any, name: str, values: list[str], expected: list[int]
    ) -> None:
        tags: list[dict[str, str]] = [DAILY, {"caretaker:backup": "daily hourly"}]
        tags += [{"caretaker:backup": "weekly"}, {}]
        ids = [account.volume(tags=each) for each in tags]
        found = listed(ec2, Filters=[{"Name": name, "Values": values}])
        assert found == [ids[place] for place in expected]

    def test_snapshots_match_by_owner_volume_status_and_id(
        self, account: Account, ec2: Any
    ) -> None:
        volume = account.volume()
        done = account.snapshot(volume)
        failed = account.snapshot(volume, state="error", message="no key")
        alien = account.snapshot(volume, owner=STRANGER, public=True)
        account.snapshot(volume, owner=STRANGER)

        def found(**request: Any) -> list[str]:
            return [s["SnapshotId"] for s in ec2.describe_snapshots(**request)["Snapshots"]]

        assert found(OwnerIds=["self"]) == [done, failed]
        assert found(OwnerIds=[STRANGER]) == [alien]
        assert found(Filters=[{"Name": "status", "Values": ["error"]}]) == [failed]
        assert found(Filters=[{"Name": "owner-id", "Values": [STRANGER]}]) == [alien]
        assert found(Filters=[{"Name": "snapshot-id", "Values": [done]}]) == [done]
        assert found(Filters=[{"Name": "volume-id", "Values": [volume]}], OwnerIds=["self"]) == [
            done,
            failed,
        ]
        assert ec2.describe_snapshots(SnapshotIds=[failed])["Snapshots"][0]["StateMessage"] == (
            "no key"
        )

    def test_unknown_filters_and_too_many_values_are_refused(self, ec2: Any) -> None:
        wrong = [{"Name": "colour", "Values": ["red"]}]
        many = [{"Name": "volume-id", "Values": [f"vol-{n:08x}" for n in range(201)]}]
        assert code_of(lambda: ec2.describe_volumes(Filters=wrong)) == "InvalidParameterValue"
        assert code_of(lambda: ec2.describe_volumes(Filters=many)) == "FilterLimitExceeded"

    def test_missing_ids_are_not_found_and_malformed_ones_invalid(self, ec2: Any) -> None:
        assert (
            code_of(lambda: ec2.describe_volumes(VolumeIds=["vol-0123456789abcdef0"]))
            == "InvalidVolume.NotFound"
        )
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId="vol-0123456789abcdef0"))
            == "InvalidVolume.NotFound"
        )
        assert code_of(lambda: ec2.create_snapshot(VolumeId="disk-1")) == "InvalidParameterValue"

    def test_amazons_own_snapshots_are_not_ours(self, clock: ManualClock) -> None:
        with strict_moto(clock, default_amis=True) as cloud:
            assert len(cloud.backend().snapshots) > 1000
            ec2 = boto3.client("ec2", REGION, config=ONCE)
            mine = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
            assert all(each["OwnerId"] == "123456789012" for each in mine)


class TestLives:
    def test_a_snapshot_is_pending_first_and_completed_later(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        volume = account.volume()
        made = ec2.create_snapshot(VolumeId=volume, TagSpecifications=spec({"a": "b"}))
        assert (made["State"], made["Progress"], tags_of(made)) == ("pending", "0%", {"a": "b"})
        assert made["StartTime"] == cloud.clock.now()

        def now() -> dict[str, Any]:
            found = ec2.describe_snapshots(SnapshotIds=[made["SnapshotId"]])["Snapshots"]
            return dict(found[0])

        cloud.clock.advance(59)
        assert (now()["State"], now()["Progress"]) == ("pending", "98%")
        assert "CompletionTime" not in now()
        cloud.clock.advance(1)
        assert (now()["State"], now()["Progress"]) == ("completed", "100%")
        assert now()["CompletionTime"] == made["StartTime"] + timedelta(seconds=60)

    def test_one_failing_member_puts_the_whole_set_in_error_once(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        machine = account.instance({}, {})
        cloud.fail_snapshots_of(machine.volume_ids[1])
        wanted = {"InstanceId": machine.id}
        for expected in ("error", "completed"):
            made = ec2.create_snapshots(InstanceSpecification=wanted)["Snapshots"]
            assert {each["State"] for each in made} == {"pending"}
            cloud.clock.advance(60)
            ids = [each["SnapshotId"] for each in made]
            found = ec2.describe_snapshots(SnapshotIds=ids)["Snapshots"]
            assert {each["State"] for each in found} == {expected}
            told = {each.get("StateMessage", "")[:12] for each in found}
            assert told == ({"Given key ID"} if expected == "error" else {""})

    def test_all_can_fail_and_the_delay_can_differ_by_volume(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        quick, slow = account.volume(), account.volume()
        cloud.fail_snapshots_of("*", times=None, message="disk on fire")
        cloud.lives.delays[slow] = 3600
        for volume in (quick, slow):
            ec2.create_snapshot(VolumeId=volume)
        cloud.clock.advance(60)
        states = [each.status for each in account.own_snapshots()]
        assert sorted(states) == ["error", "pending"]
        cloud.complete_pending()
        assert [each.status for each in account.own_snapshots()] == ["error", "error"]

    def test_ageing_moves_everything_into_the_past(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        made = ec2.create_snapshot(VolumeId=account.volume())
        cloud.age(hours=30)
        found = ec2.describe_snapshots(SnapshotIds=[made["SnapshotId"]])["Snapshots"][0]
        assert found["StartTime"] == cloud.clock.now() - timedelta(hours=30)
        assert found["State"] == "completed"


class TestSets:
    def test_excluded_volumes_are_left_out(self, account: Account, ec2: Any) -> None:
        machine = account.instance({}, {}, {})
        root, first, second = machine.volume_ids

        def taken(**without: Any) -> list[str]:
            asked = {"InstanceId": machine.id, **without}
            made = ec2.create_snapshots(InstanceSpecification=asked)["Snapshots"]
            return [each["VolumeId"] for each in made]

        assert taken(ExcludeDataVolumeIds=[second]) == [root, first]
        assert taken(ExcludeBootVolume=True, ExcludeDataVolumeIds=[first]) == [second]

    def test_wrong_exclusions_are_refused(self, account: Account, ec2: Any) -> None:
        machine = account.instance({}, {})
        others = [account.volume() for _ in range(41)]
        for excluded in ([machine.volume_ids[0]], others[:1], others):
            asked = {"InstanceId": machine.id, "ExcludeDataVolumeIds": excluded}
            assert (
                code_of(lambda asked=asked: ec2.create_snapshots(InstanceSpecification=asked))  # type: ignore[misc]
                == "InvalidParameterValue"
            )

    def test_more_than_128_volumes_do_not_fit(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        cloud.limits.volumes_per_set = 2
        machine = account.instance({}, {}, {})
        asked = {"InstanceId": machine.id}
        assert (
            code_of(lambda: ec2.create_snapshots(InstanceSpecification=asked))
            == "InvalidParameterValue"
        )
        assert account.own_snapshots() == []

    def test_tags_are_copied_from_each_source_when_asked(self, account: Account, ec2: Any) -> None:
        machine = account.instance({"disk": "root", "aws:x": "hidden"}, {"disk": "data"})
        made = ec2.create_snapshots(
            InstanceSpecification={"InstanceId": machine.id},
            CopyTagsFromSource="volume",
            TagSpecifications=spec({"ours": "yes"}),
        )["Snapshots"]
        assert [tags_of(each) for each in made] == [
            {"disk": "root", "ours": "yes"},
            {"disk": "data", "ours": "yes"},
        ]

    def test_an_unknown_instance_is_not_found(self, ec2: Any) -> None:
        asked = {"InstanceId": "i-0123456789abcdef0"}
        assert (
            code_of(lambda: ec2.create_snapshots(InstanceSpecification=asked))
            == "InvalidInstanceID.NotFound"
        )


class TestTags:
    @pytest.mark.parametrize(
        ("tags", "code"),
        [
            ({f"k{n}": "v" for n in range(51)}, "TagLimitExceeded"),
            ({"aws:mine": "v"}, "InvalidParameterValue"),
            ({"k" * 129: "v"}, "InvalidParameterValue"),
            ({"k": "v" * 257}, "InvalidParameterValue"),
        ],
    )
    def test_aws_refuses_them_before_anything_is_made(
        self, account: Account, ec2: Any, tags: dict[str, str], code: str
    ) -> None:
        volume = account.volume()
        asked = spec(tags)
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId=volume, TagSpecifications=asked)) == code
        )
        assert code_of(lambda: ec2.create_tags(Resources=[volume], Tags=asked[0]["Tags"])) == code
        assert account.own_snapshots() == []

    def test_copied_tags_count_too(self, account: Account, ec2: Any) -> None:
        machine = account.instance({f"k{n}": "v" for n in range(40)})
        code = code_of(
            lambda: ec2.create_snapshots(
                InstanceSpecification={"InstanceId": machine.id},
                CopyTagsFromSource="volume",
                TagSpecifications=spec({f"ours{n}": "v" for n in range(11)}),
            )
        )
        assert code == "TagLimitExceeded"

    def test_only_snapshots_are_tagged_by_a_snapshot(self, account: Account, ec2: Any) -> None:
        volume = account.volume()
        asked = [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": "b"}]}]
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId=volume, TagSpecifications=asked))
            == "InvalidParameterValue"
        )


class TestLimits:
    def test_two_snapshots_of_a_volume_need_fifteen_seconds(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        volume = account.volume()
        ec2.create_snapshot(VolumeId=volume)
        cloud.clock.advance(14)
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId=volume))
            == "SnapshotCreationPerVolumeRateExceeded"
        )
        cloud.clock.advance(1)
        ec2.create_snapshot(VolumeId=volume)

    @pytest.mark.parametrize(("volume_type", "most"), [("gp3", 5), ("st1", 1)])
    @pytest.mark.parametrize("state", ["pending", "error"])
    def test_a_volume_has_few_open_snapshots_failed_ones_included(
        self, account: Account, ec2: Any, volume_type: str, most: int, state: str
    ) -> None:
        volume = account.volume(volume_type=volume_type)
        open_ones = [account.snapshot(volume, state=state) for _ in range(most)]
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId=volume))
            == "ConcurrentSnapshotLimitExceeded"
        )
        if state == "error":
            ec2.delete_snapshot(SnapshotId=open_ones[0])
            ec2.create_snapshot(VolumeId=volume)

    def test_a_region_has_settable_limits(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        first, second, third = (account.volume() for _ in range(3))
        cloud.limits.pending = 1
        ec2.create_snapshot(VolumeId=first)
        assert (
            code_of(lambda: ec2.create_snapshot(VolumeId=second)) == "PendingSnapshotLimitExceeded"
        )
        cloud.clock.advance(60)
        ec2.create_snapshot(VolumeId=second)
        cloud.limits.snapshots = 2
        cloud.clock.advance(60)
        assert code_of(lambda: ec2.create_snapshot(VolumeId=third)) == "SnapshotLimitExceeded"

    def test_a_bucket_runs_empty_and_fills_again(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        cloud.buckets["CreateSnapshot"] = Bucket(2, 1)
        volumes = [account.volume() for _ in range(4)]
        for volume in volumes[:2]:
            ec2.create_snapshot(VolumeId=volume)
        with pytest.raises(ClientError) as caught:
            ec2.create_snapshot(VolumeId=volumes[2])
        answer = caught.value.response
        assert answer["Error"]["Code"] == "RequestLimitExceeded"
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
        cloud.clock.advance(1)
        ec2.create_snapshot(VolumeId=volumes[2])
        assert len(account.own_snapshots()) == 3

    def test_documented_buckets_are_smaller_without_pages_and_shared_with_others(
        self, cloud: StrictCloud, ec2: Any
    ) -> None:
        cloud.buckets.use_documented(share=0.8)

        def granted(**request: Any) -> int:
            for count in range(200):
                try:
                    ec2.describe_volumes(**request)
                except ClientError:
                    return count
            return 200

        assert (granted(), granted(MaxResults=500)) == (10, 20)


class TestDeleting:
    @pytest.fixture
    def snapshot(self, account: Account) -> str:
        return account.snapshot(account.volume(), age_hours=1)

    def test_what_is_gone_is_not_found(self, ec2: Any, snapshot: str) -> None:
        ec2.delete_snapshot(SnapshotId=snapshot)
        assert (
            code_of(lambda: ec2.delete_snapshot(SnapshotId=snapshot)) == "InvalidSnapshot.NotFound"
        )

    def test_the_protected_ones_stay(self, cloud: StrictCloud, account: Account, ec2: Any) -> None:
        volume = account.volume()
        used, locked = account.snapshot(volume), account.snapshot(volume)
        alien = account.snapshot(volume, owner=STRANGER, public=True)
        backup = account.snapshot(volume, tags={"aws:backup:source-resource": "x"})
        cloud.extras.used_by_images[used] = "ami-12345678"
        cloud.extras.locks[locked] = cloud.clock.now() + timedelta(days=1)
        codes = [
            code_of(lambda each=each: ec2.delete_snapshot(SnapshotId=each))  # type: ignore[misc]
            for each in (used, locked, alien, backup)
        ]
        assert codes == [
            "InvalidSnapshot.InUse",
            "SnapshotLocked",
            "UnauthorizedOperation",
            "InvalidParameterValue",
        ]
        cloud.clock.advance(86_400)
        ec2.delete_snapshot(SnapshotId=locked)

    def test_a_pending_one_goes_when_it_is_done(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        made = ec2.create_snapshot(VolumeId=account.volume())
        ec2.delete_snapshot(SnapshotId=made["SnapshotId"])
        assert len(account.own_snapshots()) == 1
        cloud.clock.advance(60)
        assert account.own_snapshots() == []


class TestThingsMotoLacks:
    def test_a_multi_attach_volume_shows_all_its_instances(
        self, account: Account, ec2: Any
    ) -> None:
        one, other = account.instance(), account.instance()
        shared, plain = account.volume(multi_attach=True), account.volume()
        for machine in (one, other):
            ec2.attach_volume(VolumeId=shared, InstanceId=machine.id, Device="/dev/xvdm")
        shown = ec2.describe_volumes(VolumeIds=[shared])["Volumes"][0]
        assert shown["MultiAttachEnabled"] is True
        assert {each["InstanceId"] for each in shown["Attachments"]} == {one.id, other.id}
        for machine in (one, other):
            made = ec2.create_snapshots(InstanceSpecification={"InstanceId": machine.id})
            assert shared in {each["VolumeId"] for each in made["Snapshots"]}
            account.cloud.clock.advance(60)
        ec2.attach_volume(VolumeId=plain, InstanceId=one.id, Device="/dev/xvdn")
        assert (
            code_of(
                lambda: ec2.attach_volume(VolumeId=plain, InstanceId=other.id, Device="/dev/xvdn")
            )
            == "VolumeInUse"
        )
        ec2.detach_volume(VolumeId=shared, InstanceId=one.id)
        shown = ec2.describe_volumes(VolumeIds=[shared])["Volumes"][0]
        assert [each["InstanceId"] for each in shown["Attachments"]] == [other.id]

    def test_operators_states_and_impaired_checks_can_be_set(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        machine, broken = account.instance(), account.volume(state="error")
        account.manage(machine.id)
        cloud.extras.impaired |= {machine.id: "impaired", broken: "impaired"}
        instance = ec2.describe_instances(InstanceIds=[machine.id])["Reservations"][0]
        assert instance["Instances"][0]["Operator"] == {
            "Managed": True,
            "Principal": "eks.amazonaws.com",
        }
        assert ec2.describe_volumes(VolumeIds=[broken])["Volumes"][0]["State"] == "error"
        status = ec2.describe_instance_status(InstanceIds=[machine.id])["InstanceStatuses"][0]
        assert status["InstanceStatus"]["Status"] == "impaired"
        status = ec2.describe_volume_status(VolumeIds=[broken])["VolumeStatuses"][0]
        assert status["VolumeStatus"]["Status"] == "impaired"

    def test_a_copy_is_pending_and_names_no_real_volume(self, account: Account, ec2: Any) -> None:
        source = account.snapshot(account.volume())
        copied = ec2.copy_snapshot(SourceSnapshotId=source, SourceRegion=REGION)["SnapshotId"]
        found = ec2.describe_snapshots(SnapshotIds=[copied])["Snapshots"][0]
        assert (found["State"], found["VolumeId"]) == ("pending", "vol-ffffffff")


class TestFaults:
    @pytest.mark.parametrize(
        ("kind", "expected"),
        [
            ("answer_lost", (ReadTimeoutError, 1)),
            ("connection_dropped", (ConnectionClosedError, 1)),
            ("never_arrived", (ConnectTimeoutError, 0)),
        ],
    )
    def test_without_an_answer_the_caller_cannot_tell(
        self,
        cloud: StrictCloud,
        account: Account,
        ec2: Any,
        kind: str,
        expected: tuple[type[Exception], int],
    ) -> None:
        seen, happens = expected
        volume = account.volume()
        fault = cloud.faults.add(kind, operation="CreateSnapshot", seconds=20)
        start = cloud.clock.now()
        with pytest.raises(seen):
            ec2.create_snapshot(VolumeId=volume)
        assert (len(account.own_snapshots()), fault.fired) == (happens, 1)
        assert cloud.clock.now() - start == timedelta(seconds=20)
        assert cloud.calls[-1].outcome == kind

    @pytest.mark.parametrize(
        ("kind", "code", "status"),
        [
            ("throttled", "RequestLimitExceeded", 503),
            ("internal_error", "InternalError", 500),
            ("unavailable", "Unavailable", 503),
            ("denied", "UnauthorizedOperation", 403),
        ],
    )
    def test_an_error_answer_has_ec2s_own_code(
        self, cloud: StrictCloud, ec2: Any, kind: str, code: str, status: int
    ) -> None:
        cloud.faults.add(kind, service="ec2")
        with pytest.raises(ClientError) as caught:
            ec2.describe_volumes()
        assert caught.value.response["Error"]["Code"] == code
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status

    @pytest.mark.parametrize("kind", list(FaultKind))
    @pytest.mark.parametrize("service", ["dynamodb", "s3", "sns", "sts", "lambda"])
    def test_every_service_can_fail_in_every_way(
        self, cloud: StrictCloud, service: str, kind: FaultKind
    ) -> None:
        client: Any = boto3.client(service, REGION, config=ONCE)  # type: ignore[call-overload]
        operation = {
            "dynamodb": "list_tables",
            "s3": "list_buckets",
            "sns": "list_topics",
            "sts": "get_caller_identity",
            "lambda": "list_functions",
        }[service]
        fault = cloud.faults.add(kind, code="Custom" if kind is FaultKind.ERROR else "")
        lost = (ReadTimeoutError, ConnectionClosedError, ConnectTimeoutError)
        with pytest.raises((ClientError, *lost)):
            getattr(client, operation)()
        assert fault.fired == 1
        getattr(client, operation)()
        assert [each.outcome == "ok" for each in cloud.calls] == [False, True]

    def test_a_fault_strikes_the_nth_call_that_matches(
        self, cloud: StrictCloud, account: Account, ec2: Any
    ) -> None:
        good, bad = account.volume(), account.volume()
        cloud.faults.add("denied", operation="CreateSnapshot", match=bad, times=None)
        cloud.faults.add("error", operation="DescribeVolumes", nth=2, code="Own", times=2)
        ec2.create_snapshot(VolumeId=good)
        assert code_of(lambda: ec2.create_snapshot(VolumeId=bad)) == "UnauthorizedOperation"
        assert code_of(lambda: ec2.create_snapshot(VolumeId=bad)) == "UnauthorizedOperation"
        ec2.describe_volumes()
        assert [code_of(ec2.describe_volumes) for _ in range(2)] == ["Own", "Own"]
        ec2.describe_volumes()

    def test_the_sdks_retries_are_calls_and_cost_no_time(self, cloud: StrictCloud) -> None:
        patient = Config(retries={"mode": "standard", "total_max_attempts": 4})
        ec2 = boto3.client("ec2", REGION, config=patient)
        cloud.faults.add("throttled", times=3)
        ec2.describe_volumes()
        assert [each.outcome for each in cloud.calls] == ["RequestLimitExceeded"] * 3 + ["ok"]
        assert cloud.clock.now() > cloud.calls[0].at

    def test_the_log_knows_what_was_asked(
        self, cloud: StrictCloud, account: Account, ec2: Any, sns: Any
    ) -> None:
        volume = account.volume()
        ec2.create_snapshot(VolumeId=volume, Description="mine")
        sns.create_topic(Name="alerts")
        assert cloud.calls.actions() == {"ec2:CreateSnapshot", "sns:CreateTopic"}
        assert cloud.calls.of("CreateSnapshot")[0].params == {
            "VolumeId": volume,
            "Description": "mine",
        }
        assert cloud.calls.of("CreateTopic")[0].params == {"Name": "alerts"}
        assert {each.region for each in cloud.calls} == {REGION}

    def test_one_client_may_serve_many_clouds(self, clock: ManualClock) -> None:
        with strict_moto(clock):
            ec2 = boto3.client("ec2", REGION)
        for _ in range(2):
            with strict_moto(clock) as cloud:
                cloud.install(ec2)
                ec2.describe_volumes()
                assert cloud.calls.count("DescribeVolumes") == 1

    def test_a_function_can_be_invoked_and_sees_its_payload_in_the_log(
        self, cloud: StrictCloud, account: Account
    ) -> None:
        arn = account.function("chore")
        client = boto3.client("lambda", REGION)
        answer = client.invoke(FunctionName=arn, InvocationType="Event", Payload=b"{}")
        assert answer["StatusCode"] == 202
        assert cloud.calls.of("Invoke")[0].params["Payload"] == b"{}"


class TestDemoAccount:
    def test_it_is_as_described(self, account: Account) -> None:
        demo = seed_demo(account)
        assert (len(demo.instances), len(demo.volumes)) == (30, 70)
        backend = account.backend
        assert len(backend.volumes) == 70
        assert len(demo.selected("daily")) == 40
        assert demo.selected("hourly") < demo.selected("daily")
        assert (len(demo.unattached()), len(demo.instances_of())) == (3, 19)
        assert len(demo.members_of_failing_set()) == 2
        assert not demo.selected() & set(demo.ignored_volume_ids)
        assert set(demo.foreign_snapshots.values()) == set(backend.snapshots)
        assert DemoAccount.from_json(demo.to_json()) == demo
