"""The journals of restores, in the state table."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker.aws.lease import renewed_lease
from caretaker.aws.notes import Notes
from caretaker.aws.restores import PARTITION

from .facts import How, Make
from .journal import Booked, Ending, Goal, Journal, Part

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from caretaker.aws.state import Item
    from caretaker.run import Run

    from .request import RestoreRequest

_JOURNALS: Final = "journals"
_OPEN_KEPT: Final = timedelta(days=400)
_ENDED_KEPT: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Restore:
    """A plan that was started: its targets, volumes and snapshots; it is open until all ended.

    `pace` is that of its first start: the machine is asked the same each time. `is_left` is whether
    a person has to put something right, `is_closed` whether one has said that nothing is left.
    """

    plan: str
    policy: str
    targets: tuple[str, ...]
    volumes: tuple[str, ...]
    snapshots: tuple[str, ...]
    pace: float
    started: datetime
    ended: datetime | None = None
    is_left: bool = False
    is_closed: bool = False

    @property
    def is_open(self) -> bool:
        """Tell whether not all of it is over."""
        return self.ended is None

    @property
    def is_owed(self) -> bool:
        """Tell whether a person still has to put something right."""
        return self.is_left and not self.is_closed


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a place; `StateError` when the table is out of reach."""

    run: Run[RestoreRequest]

    def restores(self) -> list[Restore]:
        """Return all that is remembered, the ended ones of the last months included."""
        return [_restore(item) for item in self._place.list(PARTITION)]

    def busy(self) -> dict[str, str]:
        """Return the plans of all restores that are not over, by their targets and volumes."""
        known = (each for each in self.restores() if each.is_open)
        return {name: each.plan for each in known for name in (*each.targets, *each.volumes)}

    @contextmanager
    def beginning(self) -> Iterator[None]:
        """Keep others, of whichever policy, from beginning meanwhile; `BusyError` when one does."""
        scene, place = self.run.scene, self.run.scene.account.place
        key = f"restore/{place.account}/{place.region}"
        scene.state.acquire(key, scene.run_id, self.run.slot, scene.clock.now())
        with renewed_lease(scene.state, scene.clock, key, scene.run_id, self.run.slot):
            yield

    def begin(self, plan: str, policy: str, journals: Sequence[Journal]) -> Restore:
        """Write down what is about to begin: first each journal, at last that it has begun.

        While it is open, retention keeps its snapshots, and its instances are not repaired.
        """
        notes, parts = self._of(plan), [part for each in journals for part in each.parts]
        notes.table.write_batch([self._item(notes, journal, "") for journal in journals], [])
        restore = Restore(
            plan,
            policy,
            tuple(journal.target for journal in journals),
            tuple(part.original for part in parts if part.original),
            tuple(part.snapshot for part in parts),
            self.run.request.pace,
            self.run.scene.now,
        )
        self._write(restore)
        return restore

    def end(self, restore: Restore, journals: Iterable[Journal]) -> None:
        """Write down that all of a restore is over."""
        is_left = any(journal.ending is Ending.LEFT for journal in journals)
        ended = restore.ended or self.run.scene.now
        self._write(replace(restore, ended=ended, is_left=is_left))

    def journals(self, plan: str) -> list[Journal]:
        """Return the journals of a plan, sorted by target."""
        return [_journal(item) for item in self._of(plan).list(_JOURNALS)]

    def journal(self, plan: str, target: str) -> Journal | None:
        """Return the journal of one target."""
        notes = self._of(plan)
        item = notes.table.get(notes.key(_JOURNALS), target)
        return _journal(item) if item else None

    def write(self, journal: Journal) -> Journal:
        """Write how a target stands, unless another worker has written since it was read.

        Returns it in its new version. The writer is named, so that a write whose answer got lost is
        known as its own.
        """
        me, now = self.run.scene.run_id, self.run.scene.clock.now()
        after = replace(journal, version=journal.version + 1, moved=now)
        notes = self._of(journal.plan)
        notes.table.put(
            self._item(notes, after, me),
            "version = :seen OR (version = :next AND writer = :me)",
            {":seen": journal.version, ":next": after.version, ":me": me},
        )
        return after

    def _item(self, notes: Notes, journal: Journal, writer: str) -> Item:
        return notes.item(
            _JOURNALS,
            journal.target,
            _OPEN_KEPT if journal.is_open else _ENDED_KEPT,
            document=json.dumps(_document(journal)),
            version=journal.version,
            writer=writer,
        )

    def _write(self, restore: Restore) -> None:
        ended = restore.ended.isoformat() if restore.ended else None
        document = asdict(restore) | {"started": restore.started.isoformat(), "ended": ended}
        self._place.put(
            PARTITION,
            restore.plan,
            _OPEN_KEPT if restore.is_open or restore.is_owed else _ENDED_KEPT,
            document=json.dumps(document),
            snapshots=" ".join(restore.snapshots) if restore.is_open else "",
            targets=" ".join(restore.targets) if restore.is_open else "",
        )

    @property
    def _place(self) -> Notes:
        place, scene = self.run.scene.account.place, self.run.scene
        scope = f"{place.account}/{place.region}"
        return Notes(scene.state.table, scope, int(scene.now.timestamp()))

    def _of(self, plan: str) -> Notes:
        return replace(self._place, scope=f"{self._place.scope}/{plan}")


def _restore(item: Mapping[str, Any]) -> Restore:
    document = json.loads(item["document"])
    lists = {name: tuple(document[name]) for name in ("targets", "volumes", "snapshots")}
    times = {
        name: datetime.fromisoformat(document[name]) if document[name] else None
        for name in ("started", "ended")
    }
    return Restore(**{**document, **lists, **times})


_TIMES: Final = ("since", "turned", "moved", "ended", "refused_since", "served")


def _document(journal: Journal) -> dict[str, Any]:
    times = {name: getattr(journal, name) for name in _TIMES}
    return asdict(journal) | {name: t.isoformat() if t else None for name, t in times.items()}


def _journal(item: Mapping[str, Any]) -> Journal:
    """Read it back; another version may have written more, or less."""
    document = json.loads(item["document"])
    known = {each.name for each in fields(Journal)}
    read: dict[str, Any] = {
        "how": How(document["how"]),
        "goal": Goal(document["goal"]),
        "ending": Ending(document["ending"]) if document.get("ending") else None,
        "parts": tuple(_part(each) for each in document["parts"]),
        "booked": tuple(Booked(**each) for each in document.get("booked", ())),
        **{
            name: tuple(document.get(name, ()))
            for name in ("history", "tagged", "kept", "left_over", "unlike")
        },
        "version": item["version"],
    }
    for name in _TIMES:
        read[name] = datetime.fromisoformat(document[name]) if document.get(name) else None
    return Journal(**{k: v for k, v in document.items() if k in known} | read)


def _part(document: Mapping[str, Any]) -> Part:
    return Part(**{**document, "make": Make(**document["make"])})
