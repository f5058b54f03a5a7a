"""What Caretaker may do in an account that is not its own: as much as at home, and no more."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from caretaker import tags
from caretaker.settings import Mode
from tests.contract.iam import ACCOUNT, REGION, STACK, Request, is_allowed, policies_of
from tests.contract.member_role import (
    BY_NAME,
    CHORES,
    EVERYTHING,
    FLEET,
    KEY,
    MEMBER_ROLE,
    MODES,
    OF_THE_HUB,
    RIGHTS,
    allowing,
    chore_in,
    made,
    policies,
)
from tests.contract.restore_rights import MAKE, OURS, SNAPSHOT, tag
from tests.contract.tagging_requests import (
    INSTANCE,
    KINDS,
    MANAGED_BY,
    VOLUME,
    to_change,
    to_tag,
)
from tests.contract.template import as_list, function_of, written

if TYPE_CHECKING:
    from tests.contract.template import Properties

MAX_INLINE_POLICIES: Final = 10_240
MAX_MANAGED_POLICY: Final = 6_144
MAX_MANAGED_POLICIES: Final = 10
"""Two of characters, without blanks, and one of policies.

Source: IAM user guide, "IAM and AWS STS quotas".
"""

ACT: Final = allowing(**EVERYTHING)
REPORT: Final = allowing(KmsKeyArns=KEY)
AT_HOME: Final = {"TaggingStops": "on", "KmsKeyArns": KEY, **dict.fromkeys(MODES, "act")}
OF_A_REGION: Final = frozenset({"aws:RequestedRegion", "ec2:Region"})
"""Keys that hold a role at home to its region; this one serves all."""
DELETE: Final = "ec2:DeleteSnapshot"


def actions_of(statements: list[Properties], chore: str = "") -> set[str]:
    """Return the actions that statements allow, in the sessions of one chore or in any."""
    return {
        action
        for each in statements
        if each["Effect"] == "Allow" and chore in {"", chore_in(each)}
        for action in as_list(each["Action"])
    }


def as_session(request: Request, chore: str) -> Request:
    """Return a request as the session of a chore sends it."""
    known = {BY_NAME: f"AROAEXAMPLEID:caretaker-{chore}"}
    return Request(request.action, request.resource, {**request.context, **known})


def may(chore: str, request: Request, statements: list[Properties] = ACT) -> bool:
    """Tell whether the session of a chore is allowed a request."""
    return is_allowed(statements, as_session(request, chore))


def test_the_role_allows_what_the_chores_call_and_nothing_else() -> None:
    rights = {action for each in RIGHTS.values() for action in (*each.reads, *each.changes)}

    assert actions_of(ACT) == rights


@pytest.mark.parametrize("chore", RIGHTS)
def test_the_sessions_of_a_chore_may_do_what_it_calls_and_nothing_else(chore: str) -> None:
    assert actions_of(ACT, chore) == {*RIGHTS[chore].reads, *RIGHTS[chore].changes}
    assert actions_of(REPORT, chore) == set(RIGHTS[chore].reads)


@pytest.mark.parametrize("chore", CHORES)
def test_every_statement_is_that_of_the_chores_own_role_in_all_regions(chore: str) -> None:
    own = {
        each["Sid"]: _in_all_regions(each)
        for each in policies_of(CHORES[chore], **AT_HOME)
        if each["Sid"] not in OF_THE_HUB
    }
    theirs = {each["Sid"]: _in_any_session(each) for each in ACT if chore_in(each) == chore}

    assert theirs == own


def _in_all_regions(statement: Properties) -> Properties:
    text = json.dumps(statement).replace(f":{REGION}:", ":*:").replace(f".{REGION}.", ".*.")
    return _without(json.loads(text), OF_A_REGION)


def _in_any_session(statement: Properties) -> Properties:
    return _without(statement, frozenset({BY_NAME}))


def _without(statement: Properties, keys: frozenset[str]) -> Properties:
    """Return a statement without some keys of its conditions, texts alone or in lists alike."""
    conditions = {
        operator: {key: as_list(value) for key, value in wanted.items() if key not in keys}
        for operator, wanted in statement.get("Condition", {}).items()
    }
    kept = {operator: wanted for operator, wanted in conditions.items() if wanted}
    return {**statement, "Condition": kept, "Resource": as_list(statement["Resource"])}


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_that_acts_lets_its_own_chore_change_and_no_other(mode: str) -> None:
    (chore,) = (name for name in CHORES if function_of(name) == mode.replace("Mode", "Function"))
    given = {**EVERYTHING, **dict.fromkeys(MODES, "report"), mode: "act"}
    added = [each for each in allowing(**given) if each not in REPORT]

    assert {chore_in(each) for each in added} == {chore}
    assert actions_of(added, chore) == set(RIGHTS[chore].changes)


def test_without_a_parameter_nothing_can_be_changed() -> None:
    template = written(MEMBER_ROLE)

    assert {template["Parameters"][mode]["Default"] for mode in MODES} == {"report"}
    assert actions_of(allowing()) == {action for each in RIGHTS.values() for action in each.reads}


def test_instances_are_stopped_for_their_tags_only_where_that_is_switched_on() -> None:
    without = allowing(**{**EVERYTHING, "TaggingStops": "off"})
    stop = to_change("ec2:StopInstances", INSTANCE, on={tags.STOP_AFTER: "2026-11-21"})

    assert may("tagging", stop)
    assert not may("tagging", stop, without)


def test_an_account_that_keeps_its_snapshots_keeps_them_whatever_else_may_act() -> None:
    delete = to_change(DELETE, SNAPSHOT, on=OURS)
    kept = allowing(**{**EVERYTHING, "RetentionMode": "report"})

    assert may("retention", delete)
    assert not may("retention", delete, kept)
    assert may("snapshot", delete, kept), "the failed ones of its own"


@pytest.mark.parametrize(
    "name", [*(f"caretaker-{chore}" for chore in RIGHTS), "caretaker", "caretaker-restore", ""]
)
def test_a_statement_is_for_the_sessions_of_its_chore_and_no_others(name: str) -> None:
    known = {BY_NAME: f"AROAEXAMPLEID:{name}"}
    for each in ACT:
        held = {"StringLike": {BY_NAME: each["Condition"]["StringLike"][BY_NAME]}}
        alone = {**each, "Effect": "Allow", "Resource": "*", "Condition": held}
        for action in as_list(each["Action"]):
            is_own = name == f"caretaker-{chore_in(each)}"
            assert is_allowed([alone], Request(action, "any", known)) is is_own


@pytest.mark.parametrize("region", [REGION, "ap-east-1"])
def test_all_regions_are_served_and_this_account_alone(region: str) -> None:
    own = INSTANCE.replace(REGION, region)
    reboot = to_change("ec2:RebootInstances", own, on={"caretaker:remediate": "reboot"})
    others = Request(reboot.action, own.replace(ACCOUNT, "222222222222"), reboot.context)

    assert may("instance_health", reboot)
    assert not may("instance_health", others)


def test_snapshots_are_made_with_their_owner_past_the_wall_of_tagging() -> None:
    assert may("snapshot", tag(SNAPSHOT, MANAGED_BY, tags.RUN, action="CreateSnapshots"))
    assert may("snapshot", Request("ec2:CreateSnapshot", SNAPSHOT, _owned(STACK)))
    assert not may("snapshot", Request("ec2:CreateSnapshot", SNAPSHOT, _owned("another")))
    assert may("retention", to_tag("ec2:CreateTags", SNAPSHOT, tags.DELETE_AFTER, on=OURS))
    assert may("drill", to_tag("ec2:CreateTags", SNAPSHOT, tags.PROVEN_AT, on=OURS))


def _owned(installation: str) -> dict[str, str | tuple[str, ...]]:
    return {f"aws:RequestTag/{MANAGED_BY}": installation}


@pytest.mark.parametrize("spelled", [MANAGED_BY, MANAGED_BY.title(), MANAGED_BY.upper()])
@pytest.mark.parametrize("chore", RIGHTS)
def test_no_session_writes_the_owners_tag_on_what_exists(chore: str, spelled: str) -> None:
    for kind in KINDS:
        for company in ((), ("Owner",), (tags.STOP_AFTER,), (tags.DELETE_AFTER,)):
            for before in ({}, OURS, {tags.STOP_AFTER: "x"}):
                request = to_tag("ec2:CreateTags", kind, spelled, *company, on=before, value=STACK)
                assert not may(chore, request)


def test_every_wall_of_the_chores_own_roles_stands_here_too_in_either_mode() -> None:
    own = {
        each["Sid"]
        for role in CHORES.values()
        for each in policies_of(role)
        if each["Effect"] == "Deny" and each["Sid"] not in OF_THE_HUB
    }
    walls = {each["Sid"] for each in REPORT if each["Effect"] == "Deny"}

    assert walls == own == {"NeverAWayIn", "NeverAWayInByAnotherCase"}


@pytest.mark.parametrize("chore", CHORES)
def test_a_run_that_reports_changes_nothing_even_where_the_role_could(chore: str) -> None:
    session = json.loads(RIGHTS[chore].policy_for(Mode.REPORT))["Statement"]

    assert not [each for each in RIGHTS[chore].changes if is_allowed([session], Request(each, "x"))]
    assert all(is_allowed([session], Request(each, "x")) for each in RIGHTS[chore].reads)


def test_what_belongs_to_the_name_of_the_stack_goes_by_installation_where_that_is_given() -> None:
    made_by = Request(MAKE, SNAPSHOT, {f"aws:ResourceTag/{MANAGED_BY}": "web"})

    assert not may("drill", made_by)
    assert may("drill", made_by, allowing(**EVERYTHING, Installation="web"))


def test_keys_of_ones_own_are_used_only_where_they_are_given() -> None:
    without = allowing(**{**EVERYTHING, "KmsKeyArns": ""})
    through = {"kms:ViaService": "ec2.ap-east-1.amazonaws.com"}
    use = Request("kms:ReEncryptFrom", KEY, through)

    assert may("drill", use)
    assert not may("drill", use, without)
    assert not may("drill", Request(use.action, use.resource, {}))
    assert not may("instance_health", use)


def test_every_statement_has_a_name_and_no_action_a_wildcard() -> None:
    for listed in policies(**EVERYTHING).values():
        names = [each["Sid"] for each in listed]
        assert len(set(names)) == len(names)
        assert not [a for each in listed for a in as_list(each["Action"]) if "*" in a]


def test_policies_fit_into_the_role_with_all_keys_there_may_be() -> None:
    keys = ",".join([KEY.replace("aws:", "aws-us-gov:").replace(REGION, "us-gov-west-1")] * 20)
    tagging_keys = ",".join(["a" * 60] * 20)
    names = {"Installation": "i" * 64, "HubStackName": "s" * 31}
    full = {**EVERYTHING, **names, "KmsKeyArns": keys, "TaggingKeys": tagging_keys}
    resources = made(**full)
    inline = [each["PolicyDocument"] for each in resources.pop("MemberRole")["Policies"]]

    assert sum(map(_length, inline)) < MAX_INLINE_POLICIES
    assert len(resources) <= MAX_MANAGED_POLICIES
    for name, each in resources.items():
        assert each["Roles"] == ["MemberRole"], name
        assert _length(each["PolicyDocument"]) < MAX_MANAGED_POLICY, name


def _length(document: Any) -> int:
    return len(json.dumps(document, separators=(",", ":")))


@pytest.mark.parametrize("name", ["Installation", "TaggingKeys", "KmsKeyArns"])
def test_parameters_take_what_those_of_the_stack_take(name: str) -> None:
    own, here = written()["Parameters"][name], written(MEMBER_ROLE)["Parameters"][name]

    for each in ("Type", "Default", "AllowedPattern", "ConstraintDescription"):
        assert here[each] == own[each]


def test_the_fleet_is_served_too() -> None:
    assert may(FLEET, Request("ec2:DescribeRegions", "*"))
    assert not may("snapshot", Request("ec2:DescribeRegions", "*"))
    assert not may(FLEET, to_change("ec2:DescribeVolumes", VOLUME))
