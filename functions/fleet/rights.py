"""What the fleet chore does in other accounts."""

from __future__ import annotations

from typing import Final

from caretaker.rights import Rights

RIGHTS: Final = Rights(
    reads=("ec2:DescribeRegions",),
)
