"""What the drill chore does in other accounts."""

from __future__ import annotations

from typing import Final

from caretaker.rights import Rights

RIGHTS: Final = Rights(
    reads=(
        "ec2:DescribeInstances",
        "ec2:DescribeSnapshots",
        "ec2:DescribeVolumes",
    ),
    changes=(
        "ebs:GetSnapshotBlock",
        "ebs:ListSnapshotBlocks",
        "ec2:CreateTags",
        "ec2:CreateVolume",
        "ec2:DeleteVolume",
        "kms:CreateGrant",
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ),
)
