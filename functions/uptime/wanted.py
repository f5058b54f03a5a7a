"""The targets that a run is about, read each by itself, wherever they are written. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from caretaker import tags as tag
from caretaker.errors import FieldError, RefusedError
from caretaker.repairs import NAME_PATTERN
from caretaker.request import parse_part

from .facts import Wrong
from .targets import Target

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

_TAG: Final = re.compile(r"(?P<scheme>https?)(?P<port>:[0-9]{1,5})?(?P<path>/[!-~]{0,512})?")
_NAME: Final = re.compile(NAME_PATTERN)
_LONGEST_WAY: Final = 10
"""Of targets that depend on each other: more of them in a row are more likely a circle."""


class Wanted(NamedTuple):
    """Targets by name, and those that are wrong."""

    targets: Mapping[str, Target]
    wrong: tuple[Wrong, ...]


class Found(NamedTuple):
    """A resource with the tag `caretaker:probe`: its own host, and what the tag asks for."""

    name: str
    host: str
    asked: str


def read_targets(written: Iterable[Any], found: Iterable[Found] = ()) -> Wanted:
    """Return the targets; of two with one name the second is wrong.

    What a target depends on is left out where that is none of the others, or leads in a circle.
    """
    targets: dict[str, Target] = {}
    wrong: list[_Problem] = []
    by_place = ((f"targets.{place}", each) for place, each in enumerate(written))
    for place, each in (*by_place, *map(_of_tag, found)):
        try:
            target = parse_part(Target, each, "target")
        except RefusedError as refused:
            wrong.append(_Problem(place, _name_of(each), [*map(_shown, refused.errors)]))
            continue
        if target.name in targets:
            wrong.append(_Problem(place, target.name, [_TWICE]))
        else:
            targets[target.name] = target
    sound = {
        name: target if _is_sound(name, targets) else target.model_copy(update={"depends_on": None})
        for name, target in targets.items()
    }
    wrong += [
        _Problem(f"{name}.depends_on", name, [_DEPENDS])
        for name, target in targets.items()
        if sound[name] is not target
    ]
    return Wanted(sound, tuple(each.told(sound) for each in wrong))


class _Problem(NamedTuple):
    """What is wrong with a target: where it is written, and what it is called, if anything."""

    place: str
    name: str
    errors: Sequence[FieldError]

    def told(self, sound: Container[str]) -> Wrong:
        """Return it by its name, unless another target has that."""
        return Wrong(self.place if self.name in sound else self.name or self.place, self.errors)


_TWICE: Final = FieldError("name", "another target has it", "a name of its own")
_DEPENDS: Final = FieldError(
    "depends_on", "leads to no target, or in a circle", "the name of another target"
)


def _shown(error: FieldError) -> FieldError:
    """Return an error without the names of headers: a whole line may stand there by mistake."""
    inside = error["path"].startswith("headers.")
    return FieldError("headers", error["problem"], error["expected"]) if inside else error


def _is_sound(name: str, targets: Mapping[str, Target]) -> bool:
    """Tell whether what a target depends on is there, and does not lead back to it."""
    at = targets[name].depends_on
    for _ in range(_LONGEST_WAY):
        if at is None:
            return True
        if at not in targets:
            return False
        at = targets[at].depends_on
    return False


def _of_tag(found: Found) -> tuple[str, Any]:
    """Return the target that a tag asks for; only its own host is ever probed by it."""
    asked = _TAG.fullmatch(found.asked)
    place = f"tag.{found.name}"
    if asked is None or not found.host:
        return place, {"name": found.name, "url": tag.PROBE}
    host = f"[{found.host}]" if ":" in found.host else found.host
    url = f"{asked['scheme']}://{host}{asked['port'] or ''}{asked['path'] or '/'}"
    version = "6" if ":" in found.host else "4"
    return place, {"name": found.name, "url": url, "ip_version": version}


def _name_of(written: Any) -> str:  # noqa: ANN401 - JSON
    """Return what a target is called, empty if that cannot be told."""
    name = written.get("name") if isinstance(written, dict) else None
    return name if isinstance(name, str) and _NAME.fullmatch(name) else ""
