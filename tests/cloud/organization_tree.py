"""An organization: its root, its units, its accounts, and who may ask about them.

Source: Organizations API reference, "Account", "OrganizationalUnit" and "Root".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MANAGEMENT: Final = "management"
DELEGATED: Final = "delegated"
MEMBER: Final = "member"
ROOT: Final = "r-ab12"
ID: Final = "o-a1b2c3d4e5"
ACTIVE: Final = "ACTIVE"
STATES: Final = frozenset({"PENDING_ACTIVATION", ACTIVE, "SUSPENDED", "PENDING_CLOSURE", "CLOSED"})
_STATUSES: Final = frozenset({ACTIVE, "SUSPENDED", "PENDING_CLOSURE"})
"""All that `Status` can say."""
_JOINED: Final = datetime(2024, 3, 1, tzinfo=UTC)


@dataclass
class Unit:
    """An organizational unit below another or the root."""

    id: str
    name: str
    parent: str


@dataclass
class Joined:
    """An account of the organization, right below `parent`."""

    id: str
    name: str
    parent: str
    state: str = ACTIVE


@dataclass
class Organization:
    """The only one of the cloud; there is none until an account is in it.

    Without `shows_status` accounts have no `Status` any more, which AWS takes away in favour of
    `State`. `stale` are accounts whose `Status` still is ACTIVE, whatever their state is.
    """

    shows_status: bool = True
    stale: set[str] = field(default_factory=set)
    roles: dict[str, str] = field(default_factory=dict)
    """By account: management, delegated or member; not here: in no organization."""
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    """By the id of an account, a unit or the root."""
    units: dict[str, Unit] = field(default_factory=dict)
    accounts: dict[str, Joined] = field(default_factory=dict)

    @property
    def management(self) -> str:
        """The management account, empty where there is no organization."""
        return next((each for each, role in self.roles.items() if role == MANAGEMENT), "")

    def unit(self, name: str, parent: str = ROOT, *, tags: Mapping[str, str] | None = None) -> str:
        """Add an organizational unit; return its id."""
        self._parent(parent)
        made = f"ou-ab12-{len(self.units) + 1:08d}"
        self.units[made] = Unit(made, name, parent)
        self.tags[made] = dict(tags or {})
        return made

    def join(
        self,
        account: str,
        unit: str = ROOT,
        *,
        role: str = MEMBER,
        name: str = "",
        state: str = ACTIVE,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Put an account below a unit or the root, or change what is known of it."""
        assert role in {MANAGEMENT, DELEGATED, MEMBER}, role
        assert state in STATES, state
        self._parent(unit)
        self.accounts[account] = Joined(account, name or f"account-{account}", unit, state)
        self.roles[account] = role
        self.tags[account] = dict(tags or {})

    def leave(self, account: str) -> None:
        """Take an account out."""
        del self.accounts[account], self.roles[account], self.tags[account]

    def set_state(self, account: str, state: str) -> None:
        """Change an account's state; with any but ACTIVE nobody gets in."""
        assert state in STATES, state
        self.accounts[account].state = state

    def is_usable(self, account: str) -> bool:
        """Tell whether an account works; one outside of the organization does."""
        found = self.accounts.get(account)
        return found is None or found.state == ACTIVE

    def is_parent(self, parent: str) -> bool:
        """Tell whether there is such a unit or root."""
        return parent == ROOT or parent in self.units

    def account_view(self, account: str) -> dict[str, Any]:
        """Show an account as the API does."""
        found = self.accounts[account]
        view = {
            "Id": account,
            "Arn": f"{self._arn('account')}/{account}",
            "Email": f"{account}@example.com",
            "Name": found.name,
            "State": found.state,
            "JoinedMethod": "CREATED",
            "JoinedTimestamp": _JOINED,
        }
        status = ACTIVE if account in self.stale else found.state
        if self.shows_status and status in _STATUSES:
            view["Status"] = status
        return view

    def unit_view(self, unit: str) -> dict[str, Any]:
        """Show a unit as the API does."""
        found = self.units[unit]
        return {"Id": unit, "Arn": f"{self._arn('ou')}/{unit}", "Name": found.name}

    def root_view(self) -> dict[str, Any]:
        """Show the root as the API does."""
        types = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
        arn = f"{self._arn('root')}/{ROOT}"
        return {"Id": ROOT, "Arn": arn, "Name": "Root", "PolicyTypes": types}

    def view(self) -> dict[str, Any]:
        """Show the organization as the API does."""
        master = self.management
        return {
            "Id": ID,
            "Arn": self._arn("organization"),
            "FeatureSet": "ALL",
            "MasterAccountArn": f"{self._arn('account')}/{master}",
            "MasterAccountId": master,
            "MasterAccountEmail": f"{master}@example.com",
        }

    def _arn(self, kind: str) -> str:
        return f"arn:aws:organizations::{self.management}:{kind}/{ID}"

    def _parent(self, parent: str) -> None:
        assert self.is_parent(parent), f"no unit {parent}"
