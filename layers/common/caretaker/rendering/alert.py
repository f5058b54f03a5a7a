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

    `still_open` are those of the scopes told of. `paged` are those that a pager is to hear of, all
    of one scope; by default all that are urgent.
    """

    turn: Turn
    incidents: Sequence[Incident]
    origin: Origin
    still_open: Sequence[Incident]
    now: datetime
    paged: Sequence[Incident] | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One SNS message to one channel.

    `structured` is SNS's `MessageStructure=json`; `scopes` are those of the incidents it tells of,
    whose messages keep their order.
    """

    id: str
    channel: Channel
    subject: str
    body: str
    structured: bool
    scopes: tuple[str, ...] = ()


class Unsent(NamedTuple):
    """A message in the outbox.

    `place` is its place in the order of all; from `send_after` on anybody may publish it, and at
    `expires_at` it is given up.
    """

    message: Message
    place: str
    send_after: int
    expires_at: int
