"""Decide which accounts are meant: pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from caretaker.selectors import has_tag

from .facts import ACTIVE, Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .facts import Member
    from .request import Accounts


class Choice(NamedTuple):
    """The accounts that are meant, and why each other one is not; both sorted by id."""

    chosen: Sequence[Member]
    left_out: Sequence[tuple[Member, Reason]]


def choose(members: Iterable[Member], accounts: Accounts) -> Choice:
    """Return the verdict on each account, whatever their order."""
    by_id = {member.id: member for member in members}
    verdicts = [(by_id[name], _why_not(by_id[name], accounts)) for name in sorted(by_id)]
    return Choice(
        [member for member, reason in verdicts if reason is None],
        [(member, reason) for member, reason in verdicts if reason is not None],
    )


def in_question(members: Iterable[Member], accounts: Accounts) -> Sequence[Member]:
    """Return the accounts on which their tags have the last word, all that are left without any."""
    spared = accounts.left_out.model_copy(update={"tags": ()})
    return choose(members, accounts.model_copy(update={"tags": (), "left_out": spared})).chosen


def _why_not(member: Member, accounts: Accounts) -> Reason | None:
    """Return why an account is not meant; tags come last, as they are read for those alone."""
    left_out = accounts.left_out
    verdicts = (
        (Reason.NOT_ACTIVE, member.state != ACTIVE),
        (Reason.NOT_NAMED, bool(accounts.ids) and member.id not in accounts.ids),
        (Reason.MANAGEMENT, member.is_management and not accounts.management),
        (Reason.EXCLUDED, member.id in left_out.ids),
        (Reason.EXCLUDED, not member.units.isdisjoint(left_out.units)),
        (Reason.NOT_IN_UNITS, bool(accounts.units) and member.units.isdisjoint(accounts.units)),
        (Reason.EXCLUDED, any(has_tag([member.tags], pattern) for pattern in left_out.tags)),
        (Reason.NOT_TAGGED, not all(has_tag([member.tags], pattern) for pattern in accounts.tags)),
    )
    return next((reason for reason, holds in verdicts if holds), None)
