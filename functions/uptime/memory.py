"""What the chore remembers between runs, in the state table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from caretaker.aws.notes import Notes

from .shelves import names_of_items, pack, read_past, read_record, unpack, write_past, write_record
from .spans import DAY, ROLLUP

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sized

    from caretaker.aws.state import Item
    from caretaker.run import Run

    from .records import Record
    from .request import UptimeRequest
    from .shelves import Past
    from .targets import Target

CHORE: Final = "uptime"
_INSTANCES: Final = "instance_health"
_POLICY: Final = "default"
_OF_INSTANCES: Final = ("instance_not_running", "instance_left_stopped", "instance_impaired")
_RECORDS: Final = "targets"
_PAST: Final = "past"
_RAW: Final = "raw"
_KEPT: Final = timedelta(days=400)
_RAW_KEPT: Final = timedelta(hours=48)
_SPANS: Final = {ROLLUP: ("minutes", timedelta(days=30)), DAY: ("days", timedelta(days=400))}


def incident_of(target: Target, run: Run[UptimeRequest]) -> str:
    """Return the full key of the incident that a target is down."""
    place, installation = run.scene.account.place, run.scene.settings.installation
    scope = (installation, place.account, place.region, CHORE, run.request.policy)
    return f"{'/'.join(scope)}/target_down/{target.name}"


class History(NamedTuple):
    """What is added to the history: this run's results, and sums by length and beginning."""

    raw: Mapping[str, Any]
    sums: Mapping[tuple[int, int], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Memory:
    """The memory of a policy in a place. `StateError` when the table is out of reach."""

    run: Run[UptimeRequest]

    def records(self) -> dict[str, Record]:
        """Return how the last run left each target."""
        return {name: read_record(kept) for name, kept in self._read(_RECORDS)}

    def past(self) -> dict[str, Past]:
        """Return the sums of each target's last hours and days."""
        return {name: read_past(kept) for name, kept in self._read(_PAST)}

    def remember(
        self,
        known: Sized,
        records: Mapping[str, Record],
        past: Mapping[str, Past] | None,
        history: History,
    ) -> None:
        """Write how this run leaves everything; the past only where it has changed.

        A run that is repeated writes the same items again. `known` are the records that were read:
        items that held more of them than there are now are deleted.
        """
        notes = self._notes
        items = list(self._items(_RECORDS, "", _KEPT, records, write_record))
        over = names_of_items(known)[len(items) :]
        if past is not None:
            items += self._items(_PAST, "", _KEPT, past, write_past)
        slot = self.run.slot
        items += self._items(f"{_RAW}-{slot[:10]}", f"{slot}/", _RAW_KEPT, history.raw)
        for (length, begun), sums in history.sums.items():
            if length in _SPANS:
                name, keep = _SPANS[length]
                time = datetime.fromtimestamp(begun, UTC)
                kind = f"{name}-{time:%Y-%m-%d}" if length < DAY else name
                items += self._items(kind, f"{time:%Y-%m-%dT%H:%MZ}/", keep, sums)
        notes.table.write_batch(items, [(notes.key(_RECORDS), key) for key in over])

    def open_behind(self, instances: Mapping[str, str]) -> dict[str, str]:
        """Return, of targets with an instance behind them, the open incident of that, if any."""
        place, scene = self.run.scene.account.place, self.run.scene
        parts = (scene.settings.installation, place.account, place.region)
        scope = "/".join((*parts, _INSTANCES, _POLICY))
        found = {item["sk"] for item in scene.state.table.query(f"incidents#{scope}")}
        return {
            name: f"{scope}/{kind}/{instance_id}"
            for name, instance_id in instances.items()
            for kind in _OF_INSTANCES
            if f"{kind}/{instance_id}" in found
        }

    def _read(self, kind: str) -> Iterator[tuple[str, Any]]:
        for item in self._notes.list(kind):
            yield from unpack(item["content"]).items()

    def _items[T](
        self,
        kind: str,
        prefix: str,
        keep: timedelta,
        values: Mapping[str, T],
        write: Callable[[T], Any] = lambda value: value,
    ) -> Iterator[Item]:
        for name, content in pack(values, write):
            yield self._notes.item(kind, f"{prefix}{name}", keep, content=content)

    @property
    def _notes(self) -> Notes:
        return Notes.of_policy(CHORE, self.run)
