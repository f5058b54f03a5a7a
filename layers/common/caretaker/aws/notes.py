"""What a chore writes down for its later runs: items of the state table under one scope."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import timedelta

    from caretaker.aws.state import Item, Table, Value
    from caretaker.run import Run


@dataclass(frozen=True, slots=True)
class Notes:
    """The items of one scope; `seconds` is the time of the run. `StateError` as the table's."""

    table: Table
    scope: str
    seconds: int

    @classmethod
    def of_policy(cls, chore: str, run: Run[Any]) -> Notes:
        """Return those of a run's policy and place."""
        return cls.of_place(f"{chore}/{run.request.policy}", run)

    @classmethod
    def of_place(cls, chore: str, run: Run[Any]) -> Notes:
        """Return those of a run's place, which all policies share."""
        place, scene = run.scene.account.place, run.scene
        scope = f"{chore}/{place.account}/{place.region}"
        return cls(scene.state.table, scope, int(scene.now.timestamp()))

    def key(self, kind: str) -> str:
        """Return the partition of a kind of items."""
        return f"{kind}#{self.scope}"

    def list(self, kind: str) -> Iterator[dict[str, Any]]:
        """Yield all items of a kind."""
        return self.table.query(self.key(kind))

    def put(self, kind: str, name: str, keep: timedelta, **values: Value) -> None:
        """Write an item, whole; it is forgotten after a while."""
        self.table.put(self.item(kind, name, keep, **values))

    def forget(self, kind: str, names: Iterable[str]) -> None:
        """Delete items of a kind, where they are."""
        self.table.write_batch([], [(self.key(kind), name) for name in names])

    def item(self, kind: str, name: str, keep: timedelta, **values: Value) -> Item:
        """Return an item as it would be written."""
        expires = self.seconds + int(keep.total_seconds())
        return {"pk": self.key(kind), "sk": name, **values, "expires_at": expires}
