"""A session policy is what a run may do in another account, in its mode, and nothing else."""

from __future__ import annotations

import json
from typing import Final

from caretaker.rights import Rights
from caretaker.settings import Mode

RIGHTS: Final = Rights(
    reads=("ec2:DescribeVolumes", "ec2:DescribeSnapshots"), changes=("ec2:CreateSnapshot",)
)


def test_a_run_that_reports_may_read_alone() -> None:
    policy = json.loads(RIGHTS.policy_for(Mode.REPORT))

    assert policy == {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": ["ec2:DescribeSnapshots", "ec2:DescribeVolumes"],
            "Resource": "*",
        },
    }


def test_a_run_that_acts_may_change_too() -> None:
    policy = json.loads(RIGHTS.policy_for(Mode.ACT))

    assert policy["Statement"]["Action"] == [
        "ec2:CreateSnapshot",
        "ec2:DescribeSnapshots",
        "ec2:DescribeVolumes",
    ]


def test_the_same_rights_are_the_same_text_in_any_order_and_without_blanks() -> None:
    turned = Rights(reads=RIGHTS.reads[::-1], changes=RIGHTS.changes)

    assert turned.policy_for(Mode.ACT) == RIGHTS.policy_for(Mode.ACT)
    assert " " not in RIGHTS.policy_for(Mode.ACT)


def test_who_changes_nothing_may_not_change_in_act_mode_either() -> None:
    reading = Rights(reads=("ec2:DescribeRegions",))

    assert reading.policy_for(Mode.ACT) == reading.policy_for(Mode.REPORT)
