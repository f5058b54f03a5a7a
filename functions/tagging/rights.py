"""What the tagging chore does in other accounts."""

from __future__ import annotations

from typing import Final

from caretaker.rights import Rights

RIGHTS: Final = Rights(
    reads=(
        "autoscaling:DescribeAutoScalingGroups",
        "ec2:DescribeAddresses",
        "ec2:DescribeImages",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSnapshots",
        "ec2:DescribeSubnets",
        "ec2:DescribeTags",
        "ec2:DescribeVolumes",
        "ec2:DescribeVpcs",
        "tag:GetResources",
    ),
    changes=(
        "ec2:CreateTags",
        "ec2:DeleteTags",
        "ec2:StartInstances",
        "ec2:StopInstances",
        "ecs:TagResource",
        "eks:TagResource",
        "elasticloadbalancing:AddTags",
        "kms:CreateGrant",
        "lambda:TagResource",
        "logs:TagResource",
        "rds:AddTagsToResource",
        "s3:GetBucketTagging",
        "s3:PutBucketTagging",
        "s3:TagResource",
        "tag:TagResources",
    ),
)
