"""Organizations: who is in it, and with what tags.

Source: Organizations API reference, the operations of these names: only the management account or a
delegated administrator may ask, DescribeOrganization apart. A page has at most 20 items, may have
none though more follow, and comes with a token as long as more do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from tests.cloud.answers import Answer, ErrorText, render_error
from tests.cloud.json_services import JsonService, RefusedError
from tests.cloud.organization_tree import DELEGATED, MANAGEMENT, MEMBER, ROOT
from tests.cloud.views import tag_set

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tests.cloud.calls import Call, Params
    from tests.cloud.organization_tree import Organization

__all__ = ["DELEGATED", "MANAGEMENT", "MEMBER", "StrictOrganizations"]

_MOST = 20


@dataclass(frozen=True)
class StrictOrganizations(JsonService):
    """Answers for one account."""

    name: ClassVar[str] = "organizations"
    invalid: ClassVar[str] = "InvalidInputException"
    invalid_token: ClassVar[str] = "InvalidInputException"
    throttled: ClassVar[str] = "TooManyRequestsException"

    @property
    def organization(self) -> Organization:
        """The only one there is."""
        return self.cloud.organization

    def answer(self, call: Call) -> Answer:
        """Do what is asked, if the caller may ask it."""
        role = self.organization.roles.get(self.where[0])
        if role is None:
            text = "Your account is not a member of an organization."
            return _refused(call, "AWSOrganizationsNotInUseException", text)
        if role == MEMBER and call.operation != "DescribeOrganization":
            text = "You don't have permissions to access this resource."
            return _refused(call, "AccessDeniedException", text)
        return super().answer(call)

    def describe_organization(self, _: Params) -> dict[str, Any]:
        """Tell of the organization itself."""
        return {"Organization": self.organization.view()}

    def describe_account(self, asked: Params) -> dict[str, Any]:
        """Tell of one account."""
        account = str(asked["AccountId"])
        if account not in self.organization.accounts:
            text = "You specified an account that doesn't exist."
            raise RefusedError("AccountNotFoundException", text)
        return {"Account": self.organization.account_view(account)}

    def list_roots(self, asked: Params) -> dict[str, Any]:
        """Page through the roots, of which there is one."""
        view = self.organization.root_view()
        return self._listed("ListRoots", "Roots", [ROOT], lambda _: view, asked)

    def list_units(self, asked: Params) -> dict[str, Any]:
        """Page through the units right below a parent."""
        found, parent = self.organization, self._parent(asked)
        keys = [key for key, each in found.units.items() if each.parent == parent]
        named = "ListOrganizationalUnitsForParent", "OrganizationalUnits"
        return self._listed(*named, keys, found.unit_view, asked)

    def list_accounts_below(self, asked: Params) -> dict[str, Any]:
        """Page through the accounts right below a parent."""
        found, parent = self.organization, self._parent(asked)
        keys = [key for key, each in found.accounts.items() if each.parent == parent]
        return self._listed("ListAccountsForParent", "Accounts", keys, found.account_view, asked)

    def list_accounts(self, asked: Params) -> dict[str, Any]:
        """Page through all accounts."""
        found = self.organization
        return self._listed("ListAccounts", "Accounts", found.accounts, found.account_view, asked)

    def list_tags(self, asked: Params) -> dict[str, Any]:
        """Page through the tags of an account, a unit or the root."""
        tags = self.organization.tags.get(str(asked["ResourceId"]))
        if tags is None:
            raise RefusedError("TargetNotFoundException", "There is no such target.")

        def shown(key: str) -> dict[str, Any]:
            return dict(tag_set({key: tags[key]})[0])

        return self._listed("ListTagsForResource", "Tags", tags, shown, asked, most=1000)

    def _listed(
        self,
        operation: str,
        name: str,
        keys: Iterable[str],
        show: Callable[[str], dict[str, Any]],
        asked: Params,
        most: int = _MOST,
    ) -> dict[str, Any]:
        size = min(int(asked.get("MaxResults") or most), most)
        page, token = self.page(operation, list(keys), size, asked.get("NextToken"))
        told: dict[str, Any] = {name: [show(each) for each in page]}
        return told | ({"NextToken": token} if token else {})

    def _parent(self, asked: Params) -> str:
        parent = str(asked["ParentId"])
        if not self.organization.is_parent(parent):
            text = "You specified a parent that doesn't exist."
            raise RefusedError("ParentNotFoundException", text)
        return parent

    operations: ClassVar[Mapping[str, Callable[..., dict[str, Any]]]] = {
        "DescribeAccount": describe_account,
        "DescribeOrganization": describe_organization,
        "ListAccounts": list_accounts,
        "ListAccountsForParent": list_accounts_below,
        "ListOrganizationalUnitsForParent": list_units,
        "ListRoots": list_roots,
        "ListTagsForResource": list_tags,
    }


def _refused(call: Call, code: str, message: str) -> Answer:
    return render_error(call, ErrorText(400, code, message))
