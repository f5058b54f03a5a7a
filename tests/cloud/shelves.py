"""What a listing goes through: items by id, shown only when somebody looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.cloud.views import View

Tags = Mapping[str, str]
_WILD = frozenset("*?\\")


@dataclass(frozen=True)
class Shelf:
    """Items by id and how EC2 shows one; a page of a huge listing shows no more than its own."""

    items: Mapping[str, Any]
    show: Callable[[Any], View]

    def views(self, ids: Iterable[str] | None = None) -> list[View]:
        """Show these items, or all; what is not there is left out."""
        wanted = self.items if ids is None else ids
        return [self.show(self.items[each]) for each in wanted if each in self.items]


def narrowed[Item](
    items: Mapping[str, Item], filters: Sequence[Mapping[str, Any]], tags: Mapping[str, Tags]
) -> dict[str, Item]:
    """Leave out what some filters of instances refuse for sure, before thousands are shown."""
    left = dict(items)
    for each in filters:
        name, values = str(each.get("Name")), set(each.get("Values") or ())
        if _WILD & set("".join(values)):
            continue
        if name == "instance-id":
            left = {key: left[key] for key in left if key in values}
        elif name == "tag-key":
            left = {key: left[key] for key in left if values & tags.get(key, {}).keys()}
        elif name.startswith("tag:"):
            wanted = name.removeprefix("tag:")
            left = {key: left[key] for key in left if tags.get(key, {}).get(wanted) in values}
    return left


def shelf_of(views: Iterable[View], key: str) -> Shelf:
    """Make a shelf of items that are shown already."""
    return Shelf({str(view[key]): view for view in views}, lambda view: view)
