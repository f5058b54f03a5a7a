"""An alert, and the message that a channel gets of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from caretaker.incidents import Incident, Origin
from caretaker.settings import Channel

if TYPE_CHECKING:
    from datetime import datetime


class Turn(StrEnum):
    """Which way a state changed."""

    ALARM = "ALARM"
    OK = "OK"


@dataclass(frozen=True, slots=True)
class Alert:
    """All incidents that a run tells of and that turned the same way.

    `still_open` are those of the scopes told of. `paged` are those that became urgent just now; by
    default all that are urgent.
    """

    turn: Turn
    incidents: Sequence[Incident]
    origin: Origin
    still_open: Sequence[Incident]
    now: datetime
    paged: Sequence[Incident] | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One SNS message to one channel; `structured` is SNS's `MessageStructure=json`."""

    id: str
    channel: Channel
    subject: str
    body: str
    structured: bool


class Unsent(NamedTuple):
    """A message in the outbox, and since when it may be published by anybody."""

    message: Message
    send_after: int
