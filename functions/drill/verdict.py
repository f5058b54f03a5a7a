"""What a reading, or a volume, says of a backup: proven, or what speaks against it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .facts import Flaw

if TYPE_CHECKING:
    from .disks import Layout


@dataclass(frozen=True, slots=True)
class Verdict:
    """Proven when it has no `problem`; `message` says more of that.

    `found` are file systems and the like, `blocks` those of the snapshot, `sampled` those read and
    right, `seconds` what the volume took to become available: None where nobody knows. One that
    `is_upheld` is of an earlier drill.
    """

    problem: str = ""
    message: str = ""
    found: tuple[str, ...] = ()
    blocks: int | None = None
    sampled: int | None = None
    seconds: int | None = None
    is_upheld: bool = False

    @property
    def is_proven(self) -> bool:
        """Tell whether nothing speaks against the backup."""
        return not self.problem


def judge_layout(layout: Layout, found_before: tuple[str, ...]) -> Verdict:
    """Judge what a volume holds: nothing damaged, and all that was there before."""
    found = layout.texts
    if layout.table and not layout.table.is_sound:
        return Verdict(Flaw.TABLE_DAMAGED, "both tables of the GPT are damaged", found)
    damaged = [each.text for each in layout.found if each.signature.is_sound is False]
    if damaged:
        return Verdict(Flaw.SIGNATURE_DAMAGED, f"checksum wrong: {', '.join(damaged)}", found)
    there = set(map(_place, found))
    lost = [each for each in found_before if _place(each) not in there]
    if lost:
        message = f"gone: {', '.join(lost)}; there: {', '.join(found) or 'nothing'}"
        return Verdict(Flaw.SIGNATURE_LOST, message, found)
    if layout.table and layout.table.unread:
        return Verdict(Flaw.FIRST_TABLE_DAMAGED, layout.table.unread, found)
    return Verdict(found=found)


def _place(found: str) -> str:
    """Return what was found and where; what is converted where it lies stays the same."""
    return found.rstrip("0123456789")
