"""Work in other accounts and regions, by the role of the stack; what is the stack's stays home."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import ClientError

from caretaker.aws.errors import classify
from caretaker.aws.places import KEPT_SESSIONS, Place, session_by, session_for
from caretaker.aws.session import KEPT_PLACES, account_at
from caretaker.failures import Kind
from caretaker.settings import Mode
from functions.snapshot import app
from functions.snapshot.rights import RIGHTS
from tests.cloud import ACCOUNT, REGION, Account
from tests.support.snapshots import BACKUP, DAILY, good_in_slot, kinds, results

if TYPE_CHECKING:
    from tests.cloud import StrictCloud
    from tests.support.stack import Stack

ELSEWHERE: Final = "210987654321"
MEMBERS: Final = ("111111111111", "222222222222")
REGIONS: Final = ("eu-west-1", "eu-central-1", "us-east-1")


@pytest.fixture(autouse=True)
def _by_role(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack may work elsewhere."""
    monkeypatch.setenv("CARETAKER_TARGET_ROLE_NAME", "caretaker-target")


def place(account: str, region: str = REGION, policy: str = "", name: str = "caretaker") -> Place:
    """Return a place by the stack's role."""
    role = f"arn:aws:iam::{account}:role/caretaker-target"
    return Place(account, region, role, session_policy=policy, session_name=name)


def test_works_in_another_account_through_its_role_and_external_id(
    stack: Stack, account: Account, cloud: StrictCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARETAKER_TARGET_EXTERNAL_ID", "a-secret-name")
    there = Account(cloud, account=ELSEWHERE)
    volume, mine = there.volume(tags=BACKUP), account.volume(tags=BACKUP)

    answer = stack.run(app.CHORE, {**DAILY, "target": {"account": ELSEWHERE}})

    assert answer["account"] == ELSEWHERE
    assert results(answer) == {volume: "done"}
    assert len(good_in_slot(there, volume)) == 1
    assert good_in_slot(account, mine) == []
    (assumed,) = cloud.calls.of("AssumeRole")
    assert assumed.params["RoleArn"] == f"arn:aws:iam::{ELSEWHERE}:role/caretaker-target"
    assert assumed.params["ExternalId"] == "a-secret-name"
    assert {call.account for call in cloud.calls if call.service == "ec2"} == {ELSEWHERE}


@pytest.mark.parametrize("mode", Mode)
def test_a_session_is_for_the_chore_and_its_mode_alone(
    stack: Stack, cloud: StrictCloud, mode: Mode
) -> None:
    Account(cloud, account=ELSEWHERE).volume(tags=BACKUP)

    stack.run(app.CHORE, {**DAILY, "mode": mode, "target": {"account": ELSEWHERE}})

    (assumed,) = cloud.calls.of("AssumeRole")
    assert assumed.params["Policy"] == RIGHTS.policy_for(mode)
    assert assumed.params["RoleSessionName"] == "caretaker-snapshot"


def test_works_in_another_region_while_the_stacks_own_things_stay_home(
    stack: Stack, account: Account, cloud: StrictCloud
) -> None:
    there = Account(cloud, region="eu-central-1")
    volume, mine = there.volume(tags=BACKUP), account.volume(tags=BACKUP)

    answer = stack.run(app.CHORE, {**DAILY, "target": {"region": "eu-central-1"}})

    assert answer["region"] == "eu-central-1"
    assert results(answer) == {volume: "done"}
    assert good_in_slot(account, mine) == []
    assert stack.report(answer)


def test_a_role_that_may_not_be_assumed_fails_the_run_and_is_told_by_its_name(
    stack: Stack, cloud: StrictCloud
) -> None:
    cloud.faults.add("denied", operation="AssumeRole", times=None)

    answer = stack.run(app.CHORE, {**DAILY, "target": {"account": ELSEWHERE}})

    assert answer["status"] == "failed"
    assert f"role arn:aws:iam::{ELSEWHERE}:role/caretaker-target not taken on" in str(
        answer["errors"]
    )
    assert kinds(stack.alerts()) == ["run_failed"]


def test_a_refused_call_by_a_role_that_was_taken_on_does_not_read_like_a_refused_role(
    stack: Stack, cloud: StrictCloud
) -> None:
    cloud.faults.add("denied", operation="DescribeVolumes", times=None)

    answer = stack.run(app.CHORE, {**DAILY, "target": {"account": ELSEWHERE}})

    assert answer["status"] == "failed"
    assert "not taken on" not in str(answer["errors"])


@pytest.mark.parametrize(
    ("code", "kind"), [("AccessDenied", Kind.DENIED), ("Throttling", Kind.THROTTLED)]
)
def test_a_refusal_keeps_its_code_and_its_kind(cloud: StrictCloud, code: str, kind: Kind) -> None:
    cloud.faults.add("error", operation="AssumeRole", times=None, code=code, message="not you")

    with pytest.raises(ClientError) as refused:
        account_at(place(ELSEWHERE)).ec2.describe_volumes()

    failure = classify(refused.value)
    assert (failure.kind, failure.code) == (kind, code)
    assert failure.message == (
        f"role arn:aws:iam::{ELSEWHERE}:role/caretaker-target not taken on: not you"
    )
    assert failure.request_id


def test_one_role_is_assumed_for_all_regions_of_an_account(cloud: StrictCloud) -> None:
    for member in MEMBERS:
        for region in REGIONS:
            account_at(place(member, region)).ec2.describe_volumes()
            account_at(place(member, region)).ec2_once.describe_volumes()

    assumed = [call.params["RoleArn"].split(":")[4] for call in cloud.calls.of("AssumeRole")]
    assert assumed == list(MEMBERS)
    described = {(call.account, call.region) for call in cloud.calls.of("DescribeVolumes")}
    assert described == {(member, region) for member in MEMBERS for region in REGIONS}


def test_another_policy_or_another_name_is_another_session(cloud: StrictCloud) -> None:
    policies = [RIGHTS.policy_for(mode) for mode in Mode]
    for policy in policies * 2:
        account_at(place(ELSEWHERE, policy=policy)).ec2.describe_volumes()
    account_at(place(ELSEWHERE, policy=policies[0], name="caretaker-x")).ec2.describe_volumes()

    asked = [
        (call.params["Policy"], call.params["RoleSessionName"])
        for call in cloud.calls.of("AssumeRole")
    ]
    assert asked == [(each, "caretaker") for each in policies] + [(policies[0], "caretaker-x")]


def test_the_role_is_asked_for_at_home_where_the_region_of_the_place_may_be_off(
    cloud: StrictCloud,
) -> None:
    account_at(place(ELSEWHERE, "us-east-1")).ec2.describe_volumes()

    (assumed,) = cloud.calls.of("AssumeRole")
    assert (assumed.account, assumed.region) == (ACCOUNT, REGION)


def test_credentials_renew_themselves(cloud: StrictCloud) -> None:
    assert isinstance(session_for(place(ELSEWHERE)).get_credentials(), RefreshableCredentials)


def test_a_warm_function_keeps_the_clients_of_a_few_places_and_the_sessions_of_more(
    cloud: StrictCloud,
) -> None:
    for number in range(KEPT_SESSIONS + 4):
        each = place(f"{number:012}")
        assert account_at(each).place == each

    assert account_at.cache_info().currsize == KEPT_PLACES
    assert session_by.cache_info().currsize == KEPT_SESSIONS


def test_who_comes_back_to_an_account_after_many_others_assumes_no_role_again(
    cloud: StrictCloud,
) -> None:
    first = account_at(place(ELSEWHERE))
    first.ec2.describe_volumes()
    for number in range(KEPT_PLACES):
        account_at(place(f"{number:012}"))
    again = account_at(place(ELSEWHERE))
    again.ec2.describe_volumes()

    assert again is not first
    assert cloud.calls.count("AssumeRole") == 1
