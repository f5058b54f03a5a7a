"""Who may do what in which account: roles to assume, session policies, service control policies.

Sources: STS API reference, "AssumeRole"; IAM user guide, "Session policies" and "Troubleshoot
access denied error messages"; Organizations user guide, "Service control policies".
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.cloud.answers import Answer, ErrorText, LostError, error_text
from tests.cloud.faults import Fault, FaultKind
from tests.cloud.policies import Request, Statement, applies, as_list, is_allowed

if TYPE_CHECKING:
    from tests.cloud.calls import Call
    from tests.cloud.organization_tree import Organization
    from tests.cloud.regions import Regions

EVERYBODY: Final = "*"
MAX_POLICY_CHARACTERS: Final = 2_048
_ROLE: Final = re.compile(r"arn:(?P<partition>[\w-]+):iam::(?P<account>\d{12}):role/(?P<name>.+)")
_KEY: Final = re.compile(r"Credential=([^/]+)/")
_GIVEN_KEY: Final = re.compile(r"<AccessKeyId>([^<]+)</AccessKeyId>")
_PREFIXES: Final = {
    "elbv2": "elasticloadbalancing",
    "resourcegroupstaggingapi": "tag",
    "service-quotas": "servicequotas",
    "stepfunctions": "states",
}
_DENIED: Final = Fault(FaultKind.DENIED)
_ENCODED: Final = " Encoded authorization failure message: 4GIOHlTkIaWHQD0Q0m6XSnuUMCm"
_NOT_VALID: Final = "The security token included in the request is invalid."
_XML: Final = frozenset({"autoscaling", "elbv2", "sts", "sns", "iam", "cloudwatch"})


@dataclass(frozen=True)
class Role:
    """A role that others may assume: who they are, by account, and what id they have to name."""

    external_id: str = ""
    trusts: frozenset[str] = frozenset({EVERYBODY})


@dataclass(frozen=True)
class Session:
    """What was handed out for a role; without a policy it may do what the role may."""

    account: str
    arn: str
    policy: tuple[Statement, ...] | None = None


@dataclass
class Access:
    """The tables; as long as no role is in them, every role in every account may be assumed."""

    organization: Organization
    regions: Regions
    roles: dict[str, dict[str, Role]] = field(default_factory=dict)
    closed: set[str] = field(default_factory=set)
    sessions: dict[str, Session] = field(default_factory=dict)
    iam: str = ""
    """Who is asked besides whether a role may be assumed: the URL of ministack; see `ask_iam`."""
    _control: dict[str, list[Statement]] = field(default_factory=dict)
    _calling: threading.local = field(default_factory=threading.local)

    def role(
        self, account: str, name: str, *, external_id: str = "", trusts: str | list[str] = EVERYBODY
    ) -> None:
        """Put a role into an account; from the first one on what is not in the table is not there.

        `trusts` are accounts whose principals may assume it.
        """
        trusted = frozenset(as_list(trusts))
        self.roles.setdefault(account, {})[name] = Role(external_id, trusted)

    def ask_iam(self, url: str) -> None:
        """Let the server ask ministack's IAM too, which knows deployed roles and their callers."""
        self.iam = url

    def remove_role(self, account: str, name: str) -> None:
        """Delete a role."""
        del self.roles[account][name]

    def close(self, account: str) -> None:
        """Let nobody into an account, nor any session in it go on, as after its closure."""
        self.closed.add(account)

    def reopen(self, account: str) -> None:
        """Let them be assumed again."""
        self.closed.discard(account)

    def deny(
        self,
        account: str,
        *actions: str,
        regions: list[str] | None = None,
        but_regions: list[str] | None = None,
    ) -> None:
        """Let a service control policy deny an account actions, as `ec2:Create*`, or all.

        `regions` narrows it to these, `but_regions` to all others. It binds no management account.
        """
        wanted = {"StringEquals": regions, "StringNotEquals": but_regions}
        condition = {name: {"aws:RequestedRegion": each} for name, each in wanted.items() if each}
        statement = {"Effect": "Deny", "Action": list(actions) or ["*"], "Resource": "*"}
        self._control.setdefault(account, []).append({**statement, "Condition": condition})

    def allow_all(self, account: str) -> None:
        """Take an account's service control policies away."""
        self._control.pop(account, None)

    def calling(self, authorization: str) -> None:
        """Note whose key the request is signed with that this thread is about to serve."""
        found = _KEY.search(authorization)
        self._calling.key = found[1] if found else ""

    @property
    def session(self) -> Session | None:
        """The session of the request that is served, if a role was assumed for it."""
        return self.sessions.get(getattr(self._calling, "key", ""))

    def refusal(self, call: Call) -> ErrorText | None:
        """Say why a call is refused before its service looks at it, or None.

        Raises LostError where there is no such region.
        """
        if not call.region or not call.account:
            return None
        if call.region not in self.regions.names:
            raise LostError(FaultKind.NEVER_ARRIVED)
        if not self.regions.is_enabled(call.account, call.region):
            return _not_enabled(call)
        if self.session is not None and not self._is_open(call.account):
            return _not_subscribed(call)
        return self._controlled(call) or self._beyond_session(call) or self._not_assumable(call)

    def remember(self, call: Call, answer: Answer) -> None:
        """Keep the session that an AssumeRole has handed out."""
        status, _, body = answer
        if not _assumes(call) or status >= 400:
            return
        given = _GIVEN_KEY.search(body.decode() if isinstance(body, bytes) else body)
        if given is None:
            return
        role = _ROLE.fullmatch(str(call.params["RoleArn"]))
        assert role is not None
        name = f"{role['name'].rpartition('/')[2]}/{call.params['RoleSessionName']}"
        arn = f"arn:{role['partition']}:sts::{role['account']}:assumed-role/{name}"
        document = call.params.get("Policy")
        policy = tuple(as_list(json.loads(document)["Statement"])) if document else None
        self.sessions[given[1]] = Session(role["account"], arn, policy)

    def _controlled(self, call: Call) -> ErrorText | None:
        if call.account == self.organization.management:
            return None
        asked = _request(call)
        if any(applies(each, asked) for each in self._control.get(call.account, ())):
            return self._denied(call, "with an explicit deny in a service control policy")
        return None

    def _beyond_session(self, call: Call) -> ErrorText | None:
        session = self.session
        if session is None or session.policy is None or is_allowed(session.policy, _request(call)):
            return None
        return self._denied(call, f"because no session policy allows the {_action(call)} action")

    def _not_assumable(self, call: Call) -> ErrorText | None:
        if not _assumes(call):
            return None
        role = _ROLE.fullmatch(str(call.params["RoleArn"]))
        if role is None:
            return ErrorText(400, "ValidationError", f"{call.params['RoleArn']} is invalid")
        wrong = _wrong_policy(str(call.params.get("Policy") or ""))
        if wrong is not None:
            return wrong
        account = role["account"]
        if not self._trusts(account, role["name"], call):
            return self._denied(call, f"on resource: {role[0]}")
        if not self.regions.is_enabled(account, call.region):
            text = f"STS is not activated in this region for account:{account}."
            return ErrorText(403, "RegionDisabledException", text)
        return None

    def _is_open(self, account: str) -> bool:
        return account not in self.closed and self.organization.is_usable(account)

    def _trusts(self, account: str, name: str, call: Call) -> bool:
        if not self._is_open(account):
            return False
        if not self.roles:
            return True
        role = self.roles.get(account, {}).get(name)
        return (
            role is not None
            and role.external_id in {"", call.params.get("ExternalId")}
            and bool({EVERYBODY, call.account} & role.trusts)
        )

    def _denied(self, call: Call, why: str) -> ErrorText:
        session = self.session
        who = session.arn if session else f"arn:aws:sts::{call.account}:assumed-role/hub/caretaker"
        text = f"User: {who} is not authorized to perform: {_action(call)} {why}"
        worded = error_text(_DENIED, call.service)
        if call.service == "ec2":
            text = f"You are not authorized to perform this operation. {text}.{_ENCODED}"
        return ErrorText(worded.status, worded.code, text)


def _assumes(call: Call) -> bool:
    return (call.service, call.operation) == ("sts", "AssumeRole")


def _action(call: Call) -> str:
    operation = "InvokeFunction" if call.action == "lambda:Invoke" else call.operation
    return f"{_PREFIXES.get(call.service, call.service)}:{operation}"


def _request(call: Call) -> Request:
    """Return what IAM is asked: statements about single resources do not apply here."""
    context = {
        "aws:RequestedRegion": call.region,
        "aws:PrincipalAccount": call.account,
        "ec2:Region": call.region,
    }
    return Request(_action(call), "*", context)


def _not_enabled(call: Call) -> ErrorText:
    if call.service == "ec2":
        text = "AWS was not able to validate the provided access credentials"
        return ErrorText(401, "AuthFailure", text)
    code = "InvalidClientTokenId" if call.service in _XML else "UnrecognizedClientException"
    return ErrorText(403, code, _NOT_VALID)


def _not_subscribed(call: Call) -> ErrorText:
    """Return what an account meets that was closed, or is not activated yet.

    EC2 developer guide, "Error codes": OptInRequired.
    """
    if call.service != "ec2":
        return _not_enabled(call)
    text = (
        "You are not subscribed to this service. Please go to http://aws.amazon.com to subscribe."
    )
    return ErrorText(401, "OptInRequired", text)


def _wrong_policy(document: str) -> ErrorText | None:
    if len(document) > MAX_POLICY_CHARACTERS:
        text = (
            "1 validation error detected: Value at 'policy' failed to satisfy constraint: "
            f"Member must have length less than or equal to {MAX_POLICY_CHARACTERS}"
        )
        return ErrorText(400, "ValidationError", text)
    if not document:
        return None
    try:
        read = json.loads(document)
    except ValueError:
        read = None
    if not isinstance(read, Mapping) or read.get("Version") != "2012-10-17":
        return ErrorText(400, "MalformedPolicyDocument", "Syntax errors in policy.")
    return None
