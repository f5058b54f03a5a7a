"""What a listing goes through: items by id, shown only when somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.cloud.views import View


@dataclass(frozen=True)
class Shelf:
    """Items by id and how EC2 shows one; a page of a huge listing shows no more than its own."""

    items: Mapping[str, Any]
    show: Callable[[Any], View]

    def views(self, ids: Iterable[str] | None = None) -> list[View]:
        """Show these items, or all; what is not there is left out."""
        wanted = self.items if ids is None else ids
        return [self.show(self.items[each]) for each in wanted if each in self.items]


def shelf_of(views: Iterable[View], key: str) -> Shelf:
    """Make a shelf of items that are shown already."""
    return Shelf({str(view[key]): view for view in views}, lambda view: view)
