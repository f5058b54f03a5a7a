"""What the user's function answers of a volume's contents. Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from .facts import Flaw
from .verdict import Verdict

if TYPE_CHECKING:
    from .units import Unit

MAX_ANSWER: Final = 64 * 1024
_MAX_MESSAGE: Final = 300
_EXPECTED: Final = 'answered something else than {"proven": true or false, "message": "..."}'


def question_of(unit: Unit, volume_id: str, account: str, region: str) -> bytes:
    """Return what the function is asked."""
    snapshot = unit.snapshot
    asked = {
        "volume_id": volume_id,
        "snapshot_id": snapshot.id,
        "instance": unit.instance,
        "slot": snapshot.slot,
        "account": account,
        "region": region,
        "zone": unit.disk.zone,
    }
    return json.dumps(asked).encode()


def read_judgement(answer: bytes, function_error: str) -> Verdict:
    """Return what it says; anything but a clear yes does not prove."""
    if function_error:
        return Verdict(Flaw.JUDGE_FAILED, _short(f"{function_error}: {_text(answer)}"))
    try:
        said = json.loads(answer) if len(answer) <= MAX_ANSWER else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("proven"), bool):
        return Verdict(Flaw.JUDGE_UNCLEAR, _EXPECTED)
    message = _short(str(said.get("message", "")))
    return Verdict("" if said["proven"] else Flaw.NOT_PROVEN, message)


def _text(answer: bytes) -> str:
    return answer[:_MAX_MESSAGE].decode(errors="replace")


def _short(text: str) -> str:
    """Return one line; whatever cannot be printed is a blank."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:_MAX_MESSAGE]
