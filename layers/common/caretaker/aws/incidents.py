"""Incidents and silences in the state table."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from caretaker.aws.state import ConditionFailedError
from caretaker.incidents import SCOPE_PARTS, Incident, Silence
from caretaker.telemetry import logger
from caretaker.transitions import FLAP_SPAN

if TYPE_CHECKING:
    from collections.abc import Iterable

    from caretaker.aws.state import Item, Table
    from caretaker.transitions import Changes

_VERSION: Final = "#version"
_RECENT: Final = "#recent/"
_SCOPES: Final = "scopes"
_SILENCES: Final = "silences"
_HISTORY_SECONDS: Final = 400 * 86_400
WRITING_SECONDS: Final = 20
"""How long a run that was killed while it wrote keeps the others waiting."""


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


def is_open(table: Table, key: str) -> bool:
    """Tell whether an incident, by its full key, is open."""
    return key in find_open(table, [key])


def find_open(table: Table, keys: Iterable[str]) -> dict[str, datetime]:
    """Return those of these full keys whose incidents are open, and since when."""
    scopes: dict[str, dict[str, str]] = {}
    for key in keys:
        scope = "/".join(key.split("/")[:SCOPE_PARTS])
        scopes.setdefault(scope, {})[key.removeprefix(f"{scope}/")] = key
    return {
        wanted[item["sk"]]: Incident.from_document(json.loads(item["document"])).opened
        for scope, wanted in scopes.items()
        for item in table.query(f"incidents#{scope}")
        if item["sk"] in wanted and "document" in item
    }


class Loaded(NamedTuple):
    """The open incidents of a scope as of a version, and the changes of those just over."""

    version: int
    incidents: list[Incident]
    recent: Changes


class IncidentStore:
    """The open incidents of one scope.

    A version guards them: of two runs that saw the same state only one may write what changed, and
    until it has, no other may read. `writer` names this invocation, so that a write whose answer
    got lost is known as its own.
    """

    def __init__(self, table: Table, scope: str, writer: str) -> None:
        self._table = table
        self._writer = writer
        self._pk = f"incidents#{scope}"
        self._scope = scope

    def load(self, now: datetime) -> Loaded | None:
        """Return the version and the open incidents; None while another run is writing."""
        version, found, recent = 0, [], {}
        for item in self._table.query(self._pk):
            if item["sk"].startswith(_RECENT):
                recent[item["sk"].removeprefix(_RECENT)] = _times(item["changes"])
            elif item["sk"] != _VERSION:
                incident = Incident.from_document(json.loads(item["document"]))
                found.append(replace(incident, scope=self._scope))
            elif item["writer"] != self._writer and item.get("writing_until", 0) > now.timestamp():
                return None
            else:
                version = item["version"]
        return Loaded(version, found, recent)

    def advance(self, version: int, now: datetime) -> bool:
        """Win the right to write what changed since `version`; False when another run was first."""
        self._table.put({"pk": _SCOPES, "sk": self._scope})
        until = int(now.timestamp()) + WRITING_SECONDS
        try:
            self._table.put(
                self._versioned(version + 1, until),
                "attribute_not_exists(pk) OR version = :seen OR writer = :me",
                {":seen": version, ":me": self._writer},
            )
        except ConditionFailedError:
            return False
        return True

    def write(
        self,
        version: int,
        is_open: Iterable[Incident],
        resolved: Iterable[Incident],
        now: datetime,
    ) -> None:
        """Write incidents as they are since `version`; the resolved ones go into the history."""
        resolved = list(resolved)
        self._table.write_batch(
            [self._item(incident) for incident in is_open]
            + [self._history(incident, int(now.timestamp())) for incident in resolved]
            + [self._recent(incident, int(now.timestamp())) for incident in resolved],
            [(self._pk, incident.key) for incident in resolved],
        )
        try:
            self._table.put(self._versioned(version + 1, 0), "writer = :me", {":me": self._writer})
        except ConditionFailedError:
            logger.warning("incidents written late", scope=self._scope)

    def _versioned(self, version: int, writing_until: int) -> Item:
        key = {"pk": self._pk, "sk": _VERSION, "writer": self._writer}
        return {**key, "version": version, "writing_until": writing_until}

    def _item(self, incident: Incident) -> Item:
        document = json.dumps(incident.as_document())
        return {"pk": self._pk, "sk": incident.key, "document": document}

    def _recent(self, incident: Incident, now: int) -> Item:
        """Return the last changes of what is over: it may open again, and flap."""
        changes = " ".join(str(int(each.timestamp())) for each in incident.changes)
        expires = now + int(FLAP_SPAN.total_seconds())
        sk = f"{_RECENT}{incident.key}"
        return {"pk": self._pk, "sk": sk, "changes": changes, "expires_at": expires}

    def _history(self, incident: Incident, now: int) -> Item:
        return {
            "pk": f"resolved#{self._scope}",
            "sk": f"{incident.opened:%Y-%m-%dT%H:%M:%SZ}#{incident.key}",
            "document": json.dumps(incident.as_document()),
            "resolved_at": now,
            "expires_at": now + _HISTORY_SECONDS,
        }


def _times(text: str) -> tuple[datetime, ...]:
    return tuple(datetime.fromtimestamp(int(each), UTC) for each in text.split())
