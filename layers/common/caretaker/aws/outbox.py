"""Messages that are written before they are published, and taken out after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.state import ConditionFailedError
from caretaker.errors import StateError
from caretaker.rendering import Message, Unsent
from caretaker.settings import Channel
from caretaker.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from caretaker.aws.state import Item, Table

_OUTBOX: Final = "outbox"
_PUBLISH_SECONDS: Final = 120
"""How long a message is its writer's to publish: longer than all tries of one Publish take."""
_KEPT_SECONDS: Final = 14 * 86_400


class Outbox:
    """The messages of all runs, in the order in which they were written."""

    def __init__(self, table: Table, writer: str) -> None:
        self._table = table
        self._writer = writer

    def put(self, messages: Sequence[Message], now: datetime) -> list[Unsent]:
        """Write messages and return those that may be published at once.

        One that follows an unsent one of the same scope stays behind it: whoever sends that sends
        both, so that no recovery comes before its alarm. One that cannot be written has no `place`
        and is published all the same.
        """
        if not messages:
            return []
        before = (unsent.message for unsent in self._list_before())
        waiting = {(message.channel, scope) for message in before for scope in message.scopes}
        written = [self._write(message, number, now) for number, message in enumerate(messages)]
        return [
            unsent
            for unsent in written
            if waiting.isdisjoint((unsent.message.channel, each) for each in unsent.message.scopes)
        ]

    def _list_before(self) -> list[Unsent]:
        try:
            return self.list_all()
        except StateError as error:
            logger.error("outbox not read", error=error.failure.as_error())
            return []

    def list_all(self) -> list[Unsent]:
        """Return every message that waits, or is just being published."""
        return [_unsent(item) for item in self._table.query(_OUTBOX)]

    def list_unsent(self, now: datetime) -> list[Unsent]:
        """Return the messages that nobody is publishing, oldest first."""
        return [unsent for unsent in self.list_all() if unsent.send_after <= now.timestamp()]

    def count_unsent(self, now: datetime) -> int:
        """Return how many messages this run could not publish, or did not come to."""
        found = self._table.query(_OUTBOX)
        mine = self._writer
        seconds = now.timestamp()
        return sum(i.get("writer") == mine or i.get("send_after", 0) <= seconds for i in found)

    def claim(self, unsent: Unsent, now: datetime) -> bool:
        """Make a message this run's to publish; False when another run was first."""
        after = int(now.timestamp()) + _PUBLISH_SECONDS
        item = self._item(unsent._replace(send_after=after))
        try:
            self._table.put(
                item,
                "send_after = :seen OR attribute_not_exists(send_after) AND attribute_exists(pk)",
                {":seen": unsent.send_after},
            )
        except ConditionFailedError:
            return False
        return True

    def take_out(self, unsent: Unsent) -> None:
        """Forget a message: it is published, or never can be."""
        if unsent.place:
            self._table.write_batch([], [(_OUTBOX, unsent.place)])

    def _write(self, message: Message, number: int, now: datetime) -> Unsent:
        seconds = int(now.timestamp())
        place = f"{int(now.timestamp() * 1000):013d}#{number:02d}#{message.id}"
        unsent = Unsent(message, place, seconds + _PUBLISH_SECONDS, seconds + _KEPT_SECONDS)
        try:
            self._table.put(self._item(unsent))
        except StateError as error:
            logger.error("alert not written", error=error.failure.as_error())
            return unsent._replace(place="")
        return unsent

    def _item(self, unsent: Unsent) -> Item:
        message = unsent.message
        return {
            "pk": _OUTBOX,
            "sk": unsent.place,
            "status": "to_send",
            "writer": self._writer,
            "id": message.id,
            "channel": message.channel,
            "subject": message.subject,
            "body": message.body,
            "structured": int(message.structured),
            "scopes": " ".join(message.scopes),
            "send_after": unsent.send_after,
            "expires_at": unsent.expires_at,
        }


def _unsent(item: dict[str, Any]) -> Unsent:
    """Read a message back; an earlier version wrote less."""
    message = Message(
        id=item.get("id", item["sk"]),
        channel=Channel(item.get("channel", Channel.ALERTS)),
        subject=item["subject"],
        body=item["body"],
        structured=bool(item.get("structured", 1)),
        scopes=tuple(item.get("scopes", "").split()),
    )
    return Unsent(message, item["sk"], item.get("send_after", 0), item.get("expires_at", 0))
