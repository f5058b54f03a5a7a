"""What the chore remembers between runs, in the state table."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.notes import Notes
from caretaker.aws.state import ConditionFailedError
from caretaker.telemetry import logger

from .facts import Cause
from .ladder import Ending, Ladder, Stand
from .sightings import Sighting, Trouble

if TYPE_CHECKING:
    from collections.abc import Mapping

    from caretaker.run import Run

    from .request import InstanceHealthRequest

CHORE: Final = "instance_health"
_SIGHTINGS: Final = "sightings"
_LADDERS: Final = "ladders"
_LEFT: Final = "recoveries-failed"
_LEFT_KEPT: Final = timedelta(hours=2)
_SIGHTING_KEPT: Final = timedelta(days=2)
_OPEN_KEPT: Final = timedelta(days=400)
_ENDED_KEPT: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a place, whatever the policy: an instance has one ladder.

    `StateError` when the table is out of reach.
    """

    run: Run[InstanceHealthRequest]

    def sightings(self) -> dict[str, Sighting]:
        """Return what earlier polls saw, by instance."""
        return {item["sk"]: _sighting(item) for item in self._notes.list(_SIGHTINGS)}

    def left(self) -> frozenset[str]:
        """Return the instances of which AWS has told lately that it gave up their recovery."""
        notes = self._notes
        return frozenset(i["sk"] for i in notes.list(_LEFT) if i["expires_at"] > notes.seconds)

    def leave(self, instance_id: str) -> None:
        """Remember that AWS has given up the recovery of an instance."""
        self._notes.put(_LEFT, instance_id, _LEFT_KEPT)

    def ladders(self) -> dict[str, Ladder]:
        """Return the last ladder of each instance that had one."""
        return {item["sk"]: _ladder(item) for item in self._notes.list(_LADDERS)}

    def remember(self, known: Mapping[str, Sighting], seen: Mapping[str, Sighting]) -> None:
        """Write what this poll saw otherwise; a report by hand where the stack acts is no poll."""
        if not self._is_poll:
            return
        notes = self._notes
        new = [
            notes.item(
                _SIGHTINGS,
                instance_id,
                _SIGHTING_KEPT,
                trouble=sighting.trouble.value,
                since=int(sighting.since.timestamp()),
                polls=sighting.polls,
                slot=sighting.slot,
            )
            for instance_id, sighting in seen.items()
            if known.get(instance_id) != sighting
        ]
        over = [(notes.key(_SIGHTINGS), each) for each in known if each not in seen]
        notes.table.write_batch(new, over)

    def write(self, instance_id: str, ladder: Ladder) -> Ladder:
        """Write how a ladder stands, unless another run has written since it was read.

        Returns it in its new version. The writer is named, so that a write whose answer got lost is
        known as its own.
        """
        me, after = self.run.scene.run_id, replace(ladder, version=ladder.version + 1)
        item = self._notes.item(
            _LADDERS,
            instance_id,
            _OPEN_KEPT if ladder.is_open else _ENDED_KEPT,
            document=json.dumps(_document(after)),
            version=after.version,
            writer=me,
        )
        self._notes.table.put(
            item,
            "attribute_not_exists(pk) OR version = :seen OR (version = :next AND writer = :me)",
            {":seen": ladder.version, ":next": after.version, ":me": me},
        )
        return after

    def move(self, instance_id: str, ladder: Ladder) -> None:
        """Write how a ladder stands by itself; overtaken, the other run has seen it too."""
        if not self._is_poll:
            return
        try:
            self.write(instance_id, ladder)
        except ConditionFailedError:
            logger.info("ladder moved by another run", instance=instance_id)

    def forget(self, instance_id: str, ladder: Ladder) -> None:
        """Forget a ladder that this run wrote and that came to nothing."""
        at = self._notes.key(_LADDERS)
        self._notes.table.delete(at, instance_id, "version = :v", {":v": ladder.version})

    @property
    def _is_poll(self) -> bool:
        return self.run.mode is self.run.scene.settings.mode

    @property
    def _notes(self) -> Notes:
        return Notes.of_place(CHORE, self.run)


def _sighting(item: Mapping[str, Any]) -> Sighting:
    since = datetime.fromtimestamp(item["since"], UTC)
    trouble = Trouble(item["trouble"])
    return Sighting(trouble, since, item["polls"], item["slot"])


def _document(ladder: Ladder) -> dict[str, Any]:
    document = asdict(ladder) | {name: getattr(ladder, name).isoformat() for name in _TIMES}
    document["ended"] = ladder.ended.isoformat() if ladder.ended else None
    document["begun"] = [each.isoformat() for each in ladder.begun]
    return document


_TIMES: Final = ("began", "at")


def _ladder(item: Mapping[str, Any]) -> Ladder:
    """Read it back; another version may have written more, or less."""
    document = json.loads(item["document"])
    known = {each.name for each in fields(Ladder)}
    read = {
        "cause": Cause(document["cause"]),
        "stand": Stand(document["stand"]),
        "ending": Ending(document["ending"]) if document.get("ending") else None,
        "ended": datetime.fromisoformat(document["ended"]) if document.get("ended") else None,
        "begun": tuple(map(datetime.fromisoformat, document.get("begun", ()))),
        **{name: tuple(document.get(name, ())) for name in ("history", "events")},
        "version": item["version"],
        **{name: datetime.fromisoformat(document[name]) for name in _TIMES},
    }
    return Ladder(**{k: v for k, v in document.items() if k in known} | read)
