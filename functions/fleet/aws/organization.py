"""Listings of the organization: its accounts, and where asked for their units and tags.

Who may ask is the management account, or a delegated administrator:
https://docs.aws.amazon.com/organizations/latest/userguide/services-that-can-integrate_list.html
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from caretaker.aws.ec2 import list_pages
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.session import home
from caretaker.errors import ListingError
from caretaker.failures import Failure, Kind
from functions.fleet.facts import ACTIVE, Member
from functions.fleet.members import in_question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from caretaker.run import Scene
    from caretaker.tags import Tags
    from functions.fleet.request import Accounts

_PAGE: Final = 20
"""What these listings give at most.

https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html
"""
_AT_ONCE: Final = 8
"""Workers; the pace is kept by all of them together."""
_UNTOLD: Final = "UNTOLD"


class Listed(NamedTuple):
    """All accounts that are in question, and all units there are."""

    members: Sequence[Member]
    units: frozenset[str] = frozenset()


def list_members(scene: Scene, accounts: Accounts) -> Listed:
    """Return the accounts that are named, or all of the organization; `ListingError`."""
    if not accounts.organization:
        ids = accounts.ids or (scene.account.place.account,)
        return Listed([Member(each) for each in dict.fromkeys(ids)])
    return _Organization(scene).list(accounts)


class _Organization:
    """The organization that the stack's own account is in, and may ask about."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._client = home(scene.settings.region).organizations

    def list(self, accounts: Accounts) -> Listed:
        """Return its accounts, with what the choice of them needs."""
        management = self._management()
        found = self._pages("ListAccounts", "Accounts")
        members = {each["Id"]: _member(each, management) for each in found}
        units: frozenset[str] = frozenset()
        if accounts.units or accounts.left_out.units:
            members, units = self._with_units(members)
        if accounts.tags or accounts.left_out.tags:
            asked = [member.id for member in in_question(members.values(), accounts)]
            for account, tags in zip(asked, self._at_once(self._tags, asked), strict=True):
                members[account] = replace(members[account], tags=tags)
        return Listed(list(members.values()), units)

    def _management(self) -> str:
        action = "DescribeOrganization"
        try:
            answer = self._scene.pacer.call(action, self._client.describe_organization)
        except AWS_ERRORS as error:
            raise ListingError(action, classify(error)) from error
        return answer["Organization"]["MasterAccountId"]

    def _with_units(
        self, members: Mapping[str, Member]
    ) -> tuple[dict[str, Member], frozenset[str]]:
        """Walk down from the root; each account is below one unit, and all those above that."""
        above = {root: frozenset({root}) for root in _ids(self._pages("ListRoots", "Roots"))}
        level = list(above)
        while level:
            below = self._at_once(self._units, level)
            for parent, units in zip(level, below, strict=True):
                above |= {unit: above[parent] | {unit} for unit in units}
            level = [unit for units in below for unit in units]
        found: dict[str, frozenset[str]] = {}
        listed = zip(above, self._at_once(self._accounts, list(above)), strict=True)
        for parent, accounts in listed:
            # One that moves meanwhile may be seen twice: then both count.
            found |= {each: found.get(each, frozenset()) | above[parent] for each in accounts}
        for member in members.values():
            if member.state == ACTIVE and member.id not in found:
                raise _moved(member)
        nowhere: frozenset[str] = frozenset()
        placed = {
            each.id: replace(each, units=found.get(each.id, nowhere)) for each in members.values()
        }
        return placed, frozenset(above)

    def _units(self, parent: str) -> Sequence[str]:
        action, key = "ListOrganizationalUnitsForParent", "OrganizationalUnits"
        return _ids(self._pages(action, key, ParentId=parent))

    def _accounts(self, parent: str) -> Sequence[str]:
        return _ids(self._pages("ListAccountsForParent", "Accounts", ParentId=parent))

    def _tags(self, account: str) -> Tags:
        found = self._pages("ListTagsForResource", "Tags", size=None, ResourceId=account)
        return {each["Key"]: each["Value"] for each in found}

    def _pages(
        self, action: str, key: str, *, size: int | None = _PAGE, **params: str
    ) -> Iterator[Any]:
        ways: dict[str, Callable[..., Any]] = {
            "ListAccounts": self._client.list_accounts,
            "ListRoots": self._client.list_roots,
            "ListOrganizationalUnitsForParent": self._client.list_organizational_units_for_parent,
            "ListAccountsForParent": self._client.list_accounts_for_parent,
            "ListTagsForResource": self._client.list_tags_for_resource,
        }
        return list_pages(self._scene.pacer, ways[action], action, key, size=size, **params)

    def _at_once[T](self, ask: Callable[[str], T], names: Sequence[str]) -> Sequence[T]:
        """Ask about many beside each other; return the answers in their order."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(ask, names))


def _member(item: Mapping[str, Any], management: str) -> Member:
    """Read an account; one that tells nothing of its state is not active.

    `State` takes the place of `Status`, which is gone since 2026-09-09:
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
    """
    return Member(
        id=item["Id"],
        name=item.get("Name", ""),
        state=item.get("State") or item.get("Status") or _UNTOLD,
        is_management=item["Id"] == management,
    )


def _ids(found: Iterator[Mapping[str, Any]]) -> Sequence[str]:
    return [each["Id"] for each in found]


def _moved(member: Member) -> ListingError:
    """Say that an account was below no unit, as one that moves just then; a second look tells."""
    message = f"{member.id} was listed below no unit"
    return ListingError("ListAccountsForParent", Failure(Kind.UNKNOWN, "AccountMoved", message))
