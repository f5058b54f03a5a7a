"""Incidents and messages in the state table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from caretaker.aws.state import ConditionFailedError
from caretaker.incidents import Incident
from caretaker.rendering import Message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from caretaker.aws.state import Item, Table
    from caretaker.incidents import Transitions

_VERSION: Final = "#version"
_HISTORY_SECONDS: Final = 400 * 86_400
_OUTBOX: Final = "outbox"
_PUBLISH_SECONDS: Final = 120
"""Longer than all tries of one Publish take."""


class IncidentStore:
    """The open incidents of one scope (installation, account, region, chore, policy).

    A version guards them: of two runs that saw the same state only one may write what changed.
    `writer` names this invocation, so that a write whose answer got lost is known as its own.
    """

    def __init__(self, table: Table, scope: str, writer: str) -> None:
        self._table = table
        self._writer = writer
        self._pk = f"incidents#{scope}"
        self._scope = scope

    def load(self) -> tuple[int, list[Incident]]:
        """Return the version and the open incidents."""
        version, found = 0, []
        for item in self._table.query(self._pk):
            if item["sk"] == _VERSION:
                version = item["version"]
            else:
                found.append(Incident.from_document(json.loads(item["document"])))
        return version, found

    def commit(
        self, version: int, changes: Transitions, messages: Sequence[Message], now: datetime
    ) -> bool:
        """Write what changed and the messages to send; False when another run was first.

        The messages are written before the incidents: killed in between, people hear twice rather
        than never.
        """
        if not self._advance(version):
            return False
        seconds = int(now.timestamp())
        for message in messages:
            self._table.put(self._outgoing(message, seconds))
        self._table.write_batch(
            [self._item(incident) for incident in changes.opened]
            + [self._history(incident, seconds) for incident in changes.resolved],
            [(self._pk, incident.key) for incident in changes.resolved],
        )
        return True

    def unsent(self, now: datetime) -> list[Message]:
        """Return the messages that earlier runs wrote and could not publish.

        A message of the last minutes may be another run's that is just being published.
        """
        before = int(now.timestamp()) - _PUBLISH_SECONDS
        return [
            Message(str(item["sk"]).rpartition("#")[2], item["subject"], item["body"])
            for item in self._table.query(_OUTBOX)
            if self._is_mine(str(item["sk"])) and item["written_at"] <= before
        ]

    def mark_sent(self, message: Message) -> None:
        """Take a published message out of the outbox."""
        self._table.write_batch([], [(_OUTBOX, f"{self._scope}#{message.id}")])

    def _is_mine(self, key: str) -> bool:
        return key.rpartition("#")[0] == self._scope

    def _advance(self, version: int) -> bool:
        try:
            self._table.put(
                {"pk": self._pk, "sk": _VERSION, "version": version + 1, "writer": self._writer},
                "attribute_not_exists(pk) OR version = :seen OR writer = :me",
                {":seen": version, ":me": self._writer},
            )
        except ConditionFailedError:
            return False
        return True

    def _item(self, incident: Incident) -> Item:
        document = json.dumps(incident.as_document())
        return {"pk": self._pk, "sk": incident.key, "document": document}

    def _history(self, incident: Incident, now: int) -> Item:
        return {
            "pk": f"resolved#{self._scope}",
            "sk": f"{incident.opened:%Y-%m-%dT%H:%M:%SZ}#{incident.key}",
            "document": json.dumps(incident.as_document()),
            "resolved_at": now,
            "expires_at": now + _HISTORY_SECONDS,
        }

    def _outgoing(self, message: Message, now: int) -> Item:
        return {
            "pk": _OUTBOX,
            "sk": f"{self._scope}#{message.id}",
            "status": "to_send",
            "subject": message.subject,
            "body": message.body,
            "written_at": now,
        }
