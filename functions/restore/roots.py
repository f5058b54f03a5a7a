"""What is done next where EC2 itself replaces a root volume, while the instance runs. Pure.

It takes the original back by itself where the task fails.
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceRootVolumeTask.html
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from .facts import IN_USE
from .turns import GIVEN_UP_AFTER, LATER

if TYPE_CHECKING:
    from .facts import Disk, Sight
    from .journal import Journal
    from .turns import Look, Turn

UNDER_WAY: Final = frozenset({"pending", "in-progress", "failing", "failing-detached"})
FAILED: Final = "failed"
SUCCEEDED: Final = "succeeded"


def new_root(journal: Journal, sight: Sight) -> Disk | None:
    """Return the volume that took the place of the original, None as long as it is not seen."""
    (part,) = journal.parts
    for disk in sight.disks.values():
        seat = disk.seat_at(journal.target)
        at_root = seat is not None and seat.device == part.device
        if at_root and disk.id != part.original and disk.state == IN_USE:
            return disk
    return None


_SETTLING: Final = "status checks of the new root volume"
_CHECKED_EVERY: Final = timedelta(minutes=1)


def settle(look: Look, seen: Look) -> Turn | None:
    """Wait for checks made since the root volume was replaced: those before it passed as well.

    `seen` is the look that knows the new volume.
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-system-instance-status-check.html
    """
    journal = look.journal
    (part,) = journal.parts
    is_over = journal.waiting_for != _SETTLING or look.is_late(_SETTLING, _CHECKED_EVERY)
    if not (journal.ran and journal.check_minutes) or (part.new and is_over):
        return None
    return seen.wait(_SETTLING, GIVEN_UP_AFTER, "", seconds=LATER)
