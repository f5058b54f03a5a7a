"""Golden files: what people are told, word for word.

After a change of the wording, `REWRITE_GOLDEN=1` before pytest writes them anew; the difference is
then for a person to read.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from caretaker.settings import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caretaker.rendering import Message

FOLDER: Final = Path(__file__).parent.parent / "unit" / "caretaker" / "golden"
REWRITE: Final = "REWRITE_GOLDEN"


def texts_of(message: Message) -> dict[str, str]:
    """Return what a message says, by the name of its golden file; JSON is spread over lines."""
    parsed = json.loads(message.body)
    if not message.structured:
        return {f"{message.channel}.json": _spread(parsed)}
    subject = f"Subject: {message.subject}\n\n"
    name = "" if message.channel is Channel.ALERTS else f"{message.channel}."
    return {
        f"{name}email.txt": subject + parsed["email"],
        f"{name}sms.txt": parsed["sms"] + "\n",
        f"{name}document.json": _spread(json.loads(parsed["default"])),
    }


def check_golden(case: str, messages: Iterable[Message]) -> None:
    """Compare all that is said in a case with its files, byte for byte."""
    said = {f"{case}.{name}": text for each in messages for name, text in texts_of(each).items()}
    if os.environ.get(REWRITE):
        for path in FOLDER.glob(f"{case}.*"):
            path.unlink()
        for name, text in said.items():
            FOLDER.mkdir(exist_ok=True)
            (FOLDER / name).write_bytes(text.encode())
    golden = {path.name: path.read_bytes() for path in FOLDER.glob(f"{case}.*")}
    assert {name: text.encode() for name, text in said.items()} == golden


def _spread(document: object) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
