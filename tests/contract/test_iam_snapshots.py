"""What the roles of the snapshot chore and of retention may do to snapshots."""

from __future__ import annotations

import pytest

from tests.contract.iam import changing, statement_of
from tests.contract.template import as_list, deployed, properties, role_of, statements

TAG = "caretaker:managed-by"
OWNER = {"Fn::If": ["IsNamedByStack", {"Ref": "AWS::StackName"}, {"Ref": "Installation"}]}
OURS = {f"aws:ResourceTag/{TAG}": OWNER}
SNAPSHOTS = {"Fn::Sub": "arn:${AWS::Partition}:ec2:${AWS::Region}::snapshot/*"}


def test_snapshots_are_made_from_any_volume_and_instance_of_this_account() -> None:
    source = statement_of("SnapshotFunction", "SnapshotAnySource")
    here = "arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}"

    assert source["Resource"] == [
        {"Fn::Sub": f"{here}:volume/*"},
        {"Fn::Sub": f"{here}:instance/*"},
    ]
    assert "Condition" not in source


def test_snapshots_are_made_only_with_the_owners_tag() -> None:
    made = statement_of("SnapshotFunction", "MakeOnlyTaggedSnapshots")

    assert made["Action"] == statement_of("SnapshotFunction", "SnapshotAnySource")["Action"]
    assert made["Resource"] == SNAPSHOTS
    assert made["Condition"] == {"StringEquals": {f"aws:RequestTag/{TAG}": OWNER}}


def test_snapshot_role_writes_managed_by_only_at_creation() -> None:
    tagging = [
        statement
        for statement in statements(role_of("SnapshotFunction"))
        if {"ec2:CreateTags", "ec2:DeleteTags"} & set(as_list(statement["Action"]))
    ]

    assert [statement["Action"] for statement in tagging] == ["ec2:CreateTags"]
    assert tagging[0]["Resource"] == SNAPSHOTS
    assert tagging[0]["Condition"] == {
        "StringEquals": {
            "ec2:CreateAction": ["CreateSnapshot", "CreateSnapshots"],
            f"aws:RequestTag/{TAG}": OWNER,
        }
    }


# These change what others made, and no snapshot but by tags: test_iam_tagging.py,
# test_iam_instance_health.py, test_iam_uptime.py, test_iam_restore.py and test_iam_drill.py.
OF_OTHERS = {"DrillRole", "InstanceHealthRole", "RestoreRole", "TaggingRole", "UptimeRole"}


@pytest.mark.parametrize("role", sorted(properties("AWS::IAM::Role").keys() - OF_OTHERS))
def test_whatever_changes_a_snapshot_asks_for_the_owners_tag(role: str) -> None:
    for statement in changing(role):
        if statement["Sid"] == "SnapshotAnySource":
            continue  # what is read; the snapshots made of it have a statement of their own
        making = statement["Sid"] in {"MakeOnlyTaggedSnapshots", "TagSnapshotsWhileMakingThem"}
        key = f"aws:{'Request' if making else 'Resource'}Tag/{TAG}"

        assert statement["Resource"] == SNAPSHOTS
        assert statement["Condition"]["StringEquals"][key] == OWNER


@pytest.mark.parametrize("function", ["SnapshotFunction", "RetentionFunction"])
def test_only_snapshots_of_this_installation_are_deleted(function: str) -> None:
    deleting = [s for s in changing(role_of(function)) if s["Action"] == "ec2:DeleteSnapshot"]

    assert [(s["Resource"], s["Condition"]) for s in deleting] == [
        (SNAPSHOTS, {"StringEquals": OURS})
    ]


@pytest.mark.parametrize("action", ["ec2:CreateTags", "ec2:DeleteTags"])
def test_retention_writes_and_removes_its_mark_alone_and_on_own_snapshots_alone(
    action: str,
) -> None:
    tagging = [each for each in changing("RetentionRole") if each["Action"] == action]

    assert [(each["Resource"], each["Condition"]) for each in tagging] == [
        (
            SNAPSHOTS,
            {
                "StringEquals": OURS,
                "ForAllValues:StringEquals": {"aws:TagKeys": ["caretaker:delete-after"]},
                # Without this the line above also holds for no keys at all.
                "Null": {"aws:TagKeys": "false"},
            },
        )
    ]


def test_retention_in_report_mode_can_neither_delete_nor_tag() -> None:
    can = {
        mode: [s["Action"] for s in changing("RetentionRole", deployed(RetentionMode=mode))]
        for mode in ("report", "act")
    }

    assert can == {"report": [], "act": ["ec2:CreateTags", "ec2:DeleteTags", "ec2:DeleteSnapshot"]}
    assert changing("RetentionRole", deployed()) == []


def test_shares_are_read_of_own_snapshots_alone() -> None:
    shares = statement_of("RetentionFunction", "ReadSharesOfOwnSnapshots")

    assert (shares["Resource"], shares["Condition"]) == (SNAPSHOTS, {"StringEquals": OURS})
