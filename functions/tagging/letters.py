"""What the owner of instances is told before they are marked. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from caretaker.rendering.text import MAX_SUBJECT, ascii_line, plain

from .compliance import finding_of, keys_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.decisions import Decision

    from .request import TaggingRequest


_MAX_NAME: Final = 64
_MAX_KEYS: Final = 5
_MAX_FINDING: Final = 100
"""With these, 100 instances stay within the 256 KiB of a message, whatever letters they hold."""


class Letter(NamedTuple):
    """A message to one topic."""

    subject: str
    body: str


class Place(NamedTuple):
    """Where the instances are: the name of the environment, account and region."""

    environment: str
    account: str
    region: str


def render_letter(decisions: Sequence[Decision], request: TaggingRequest, place: Place) -> Letter:
    """Return what one owner is told of these instances of theirs."""
    owner = plain(str(decisions[0].detail["owner"]))
    days = request.stop_after_days
    ends = "will be stopped" if days else "need their tags"
    what = f"{len(decisions)} instance(s) of {owner} without right tags {ends}"
    lines = [
        f"Owner {owner}, account {place.account}, {place.region}: these instances have tags",
        "missing or wrong that a rule asks for.",
        "",
        *(_entry(decision) for decision in decisions),
        "",
        *(_before_the_stop(days) if days else ()),
        "To end this: set the tags right, or set the tag caretaker:ignore=true on the instance.",
    ]
    subject = ascii_line(f"ALARM: [NOTE] {place.environment} {what}", MAX_SUBJECT)
    return Letter(subject, "\n".join(lines) + "\n")


def _before_the_stop(days: int) -> Sequence[str]:
    return (
        f"Next: the next run writes the tag caretaker:stop-after, {days} day(s) ahead.",
        "An instance that still is without its tags by then is stopped, never terminated.",
        "To get more time: write a later time into caretaker:stop-after.",
    )


def _entry(decision: Decision) -> str:
    keys = keys_in(decision, "findings")
    said = [plain(finding_of(decision, key), _MAX_FINDING) for key in keys[:_MAX_KEYS]]
    if len(keys) > _MAX_KEYS:
        said.append(f"{len(keys) - _MAX_KEYS} more")
    who = f"{plain(str(decision.detail.get('name', '')), _MAX_NAME)} {decision.target}".strip()
    return f"  {who}: {', '.join(said)}"
