"""Words for people. Pure."""

from __future__ import annotations

from typing import Final

from .facts import Flaw, Reason

_LEFT: Final[dict[str, str]] = {
    Reason.IN_USE: "detach it if somebody attached it; every run tries again",
    Reason.END_UNREADABLE: "write a time, as 2026-11-21T08:00:00Z, into caretaker:expires-at",
    Reason.EXPIRED: "set DrillMode to act, or delete it by hand",
}
_REFUSED: Final = (
    "look at what its role may do, and at service control policies; every run tries again"
)
NEXT_OF_NOTHING: Final = (
    "correct the policy in the schedule's event, or tag what is to be backed up"
)

NEXT_OF_DENIED: Final = "give the role what it lacks: KmsKeyArns for keys of your own, mostly"

_WHY: Final[dict[str, str]] = {
    Flaw.LIST_NOT_ASCENDING: "its list of blocks is out of order",
    Flaw.LIST_BEYOND_VOLUME: "its list names blocks beyond the volume",
    Flaw.LIST_CHANGED: "its list of blocks contradicts itself",
    Flaw.LIST_WRONG_SIZE: "its list is of a volume of another size",
    Flaw.LIST_ENDLESS: "its list of blocks does not end",
    Flaw.BLOCK_SHORT: "a block is not whole",
    Flaw.CHECKSUM_WRONG: "a block's checksum is wrong",
    Flaw.CHECKSUM_UNKNOWN: "EBS tells no checksum that is known",
    Flaw.TABLE_DAMAGED: "its partition table is damaged",
    Flaw.FIRST_TABLE_DAMAGED: "its first partition table is damaged",
    Flaw.SIGNATURE_DAMAGED: "a file system's superblock is damaged",
    Flaw.SIGNATURE_LOST: "a file system or table is gone",
    Flaw.VOLUME_ERROR: "EC2 could not make a volume of it",
    Flaw.VOLUME_VANISHED: "the volume made of it vanished",
    Flaw.NOT_PROVEN: "the judge says no",
    Flaw.JUDGE_FAILED: "the judge failed",
    Flaw.JUDGE_UNCLEAR: "the judge's answer is unclear",
}
_KEY: Final = "see that its KMS key is enabled, and in KmsKeyArns; every run drills it again"
_ITS_JUDGE: Final = "read the judge's message and its log; every run drills it again"
_ANEW: Final = (
    "back up the volume anew, and tell AWS Support the snapshot; every run drills it again"
)
_LOOK: Final = (
    "look at the volume: formatted, wiped, encrypted? Tag its older backups caretaker:keep=true;"
    " restore from before {slot}"
)
_NEXT: Final[dict[str, str]] = {
    Flaw.TABLE_DAMAGED: _LOOK,
    Flaw.SIGNATURE_DAMAGED: _LOOK,
    Flaw.SIGNATURE_LOST: f"{_LOOK}; if it is meant to be so: events/drill/accept-found.json",
    Flaw.FIRST_TABLE_DAMAGED: "Linux does not read it: gdisk repairs it; then back the volume up",
    Flaw.VOLUME_ERROR: _KEY,
    Flaw.VOLUME_VANISHED: _KEY,
    Flaw.NOT_PROVEN: _ITS_JUDGE,
    Flaw.JUDGE_FAILED: _ITS_JUDGE,
    Flaw.JUDGE_UNCLEAR: _ITS_JUDGE,
}


def next_of_leftover(code: str) -> str:
    """Return what is to be done of a volume that should be gone; AWS's codes are of a deletion."""
    return _LEFT.get(code, _REFUSED)


def why_failed(code: str) -> str:
    """Return why a backup is not proven; AWS's own codes stand for themselves."""
    return _WHY.get(code, code)


def next_of_failed(code: str, slot: str) -> str:
    """Return what is to be done; what AWS itself refuses is a matter of keys and rights, mostly."""
    return _NEXT.get(code, _ANEW if code in _WHY else _KEY).format(slot=slot)
