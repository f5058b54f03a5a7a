"""What the retention chore does in other accounts."""

from __future__ import annotations

from typing import Final

from caretaker.rights import Rights

RIGHTS: Final = Rights(
    reads=(
        "autoscaling:DescribeAutoScalingGroups",
        "ec2:DescribeFastSnapshotRestores",
        "ec2:DescribeImages",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLockedSnapshots",
        "ec2:DescribeSnapshotAttribute",
        "ec2:DescribeSnapshots",
        "ec2:DescribeVolumes",
        "rbin:GetRule",
        "rbin:ListRules",
    ),
    changes=(
        "ec2:CreateTags",
        "ec2:DeleteSnapshot",
        "ec2:DeleteTags",
    ),
)
