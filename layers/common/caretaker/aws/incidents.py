"""Incidents, silences and messages in the state table."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.state import ConditionFailedError
from caretaker.incidents import Incident, Silence
from caretaker.rendering import Message, Unsent
from caretaker.settings import Channel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caretaker.aws.state import Item, Table

_VERSION: Final = "#version"
_SCOPES: Final = "scopes"
_SILENCES: Final = "silences"
_OUTBOX: Final = "outbox"
_HISTORY_SECONDS: Final = 400 * 86_400
_UNSENT_SECONDS: Final = 14 * 86_400
_PUBLISH_SECONDS: Final = 120
"""How long a message is its writer's to publish: longer than all tries of one Publish take."""


def list_scopes(table: Table) -> list[str]:
    """Return every scope that ever had an incident."""
    return [str(item["sk"]) for item in table.query(_SCOPES)]


def list_silences(table: Table) -> list[Silence]:
    """Return the silences that were asked for, ended ones included."""
    return [
        Silence(item["match"], datetime.fromtimestamp(item["until"], UTC), item["reason"])
        for item in table.query(_SILENCES)
    ]


def put_silence(table: Table, silence: Silence) -> None:
    """Write a silence in the place of an earlier one of the same pattern."""
    until = int(silence.until.timestamp())
    table.put(
        {
            "pk": _SILENCES,
            "sk": sha256(silence.match.encode()).hexdigest()[:32],
            "match": silence.match,
            "until": until,
            "reason": silence.reason,
            "expires_at": until + 86_400,
        }
    )


class IncidentStore:
    """The open incidents of one scope.

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

    def advance(self, version: int) -> bool:
        """Win the right to write what changed since `version`; False when another run was first."""
        if version == 0:
            self._table.put({"pk": _SCOPES, "sk": self._scope})
        try:
            self._table.put(
                {"pk": self._pk, "sk": _VERSION, "version": version + 1, "writer": self._writer},
                "attribute_not_exists(pk) OR version = :seen OR writer = :me",
                {":seen": version, ":me": self._writer},
            )
        except ConditionFailedError:
            return False
        return True

    def write(
        self, is_open: Iterable[Incident], resolved: Iterable[Incident], now: datetime
    ) -> None:
        """Write incidents as they are now; the resolved ones go into the history."""
        resolved = list(resolved)
        self._table.write_batch(
            [self._item(incident) for incident in is_open]
            + [self._history(incident, int(now.timestamp())) for incident in resolved],
            [(self._pk, incident.key) for incident in resolved],
        )

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


class Outbox:
    """Messages that are written before they are published, and taken out after."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, messages: Iterable[Message], now: datetime) -> None:
        """Write messages that this run is about to publish."""
        for message in messages:
            self._table.put(_outgoing(message, int(now.timestamp())))

    def list_unsent(self, now: datetime) -> list[Unsent]:
        """Return the messages that nobody is publishing."""
        seconds = int(now.timestamp())
        found = self._table.query(_OUTBOX)
        return [Unsent(_message(i), i["send_after"]) for i in found if i["send_after"] <= seconds]

    def claim(self, unsent: Unsent, now: datetime) -> bool:
        """Make a message this run's to publish; False when another run was first."""
        seen = {":seen": unsent.send_after}
        try:
            self._table.put(
                _outgoing(unsent.message, int(now.timestamp())), "send_after = :seen", seen
            )
        except ConditionFailedError:
            return False
        return True

    def mark_sent(self, message: Message) -> None:
        """Take a published message out."""
        self._table.write_batch([], [(_OUTBOX, message.id)])


def _outgoing(message: Message, now: int) -> Item:
    return {
        "pk": _OUTBOX,
        "sk": message.id,
        "status": "to_send",
        "channel": message.channel,
        "subject": message.subject,
        "body": message.body,
        "structured": int(message.structured),
        "send_after": now + _PUBLISH_SECONDS,
        "expires_at": now + _UNSENT_SECONDS,
    }


def _message(item: dict[str, Any]) -> Message:
    return Message(
        id=item["sk"],
        channel=Channel(item["channel"]),
        subject=item["subject"],
        body=item["body"],
        structured=bool(item["structured"]),
    )
