"""Places to work in, and their sessions: the function's own account, and others by a role.

botocore is used without boto3's resource layer: the same clients in five sixths of the time.
"""

from __future__ import annotations

import logging
import os
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, Final

from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import ClientError
from botocore.session import Session
from botocore.utils import parse_timestamp

from caretaker.settings import AWS_REGION

# Its two tracebacks for each role that is not taken on tell no more than the run does itself.
logging.getLogger("botocore.credentials").setLevel(logging.ERROR)


def config_of(*, attempts: int, connect_seconds: float = 5, read_seconds: float = 20) -> Config:
    """Return the limits of calls: all stand here, so that no new runtime's defaults count."""
    return Config(
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        max_pool_connections=40,
        user_agent_extra="caretaker",
        retries={"mode": "standard", "total_max_attempts": attempts},
    )


REPEATABLE: Final = config_of(attempts=4)
"""For reads and for writes that may be sent twice."""
KEPT_SESSIONS: Final = 64
"""Credentials of so many accounts are kept: each session has 0.1 MiB, and saves an AssumeRole for
every other region of its account that a warm function meets within the hour."""


@dataclass(frozen=True, slots=True)
class Place:
    """An account and region to work in; `role_arn` is empty for the function's own account.

    The role is taken on with `session_policy`, where there is one: then a call needs both to allow
    it. `session_name` is what the account's own logs and policies know the run by.
    """

    account: str
    region: str
    role_arn: str = ""
    external_id: str = ""
    session_policy: str = ""
    session_name: str = "caretaker"


@cache
def own_session() -> Session:
    """Return the one session that all clients in the function's own account share.

    It reads times by the standard library: half of the work of a listing.
    """
    session = Session()
    parsers = session.get_component("response_parser_factory")
    parsers.set_parser_defaults(timestamp_parser=_read_time)
    return session


def _sibling_of(session: Session) -> Session:
    """Return a session that shares what does not depend on credentials: API models, hooks, parsers.

    Read anew, the model of EC2 alone takes 20 MiB and a quarter of a second.
    """
    sibling = Session(include_builtin_handlers=False)
    for shared in ("data_loader", "event_emitter", "response_parser_factory"):
        sibling.register_component(shared, session.get_component(shared))
    return sibling


def _read_time(value: Any) -> datetime:  # noqa: ANN401 - text, or seconds
    """Read a time as AWS writes it; botocore's own way takes any other."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return parse_timestamp(value)
    return time if time.tzinfo else parse_timestamp(value)


def session_for(place: Place) -> Session:
    """Return the session that all clients of a place share, with those of its other regions."""
    return session_by(replace(place, region="")) if place.role_arn else own_session()


@lru_cache(maxsize=KEPT_SESSIONS)
def session_by(place: Place) -> Session:
    """Return the session of a place's role; its region does not matter.

    Credentials of a regional endpoint are valid in all regions:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
    """
    asked = {
        "RoleSessionName": place.session_name,
        "ExternalId": place.external_id,
        "Policy": place.session_policy,
    }
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=lambda *_, **__: sts_at_home(),
        source_credentials=own_session().get_credentials(),
        role_arn=place.role_arn,
        extra_args={name: value for name, value in asked.items() if value},
    )
    session = _sibling_of(own_session())
    session.register_component("credential_provider", _AssumedRole(fetcher, place.role_arn))
    return session


class _AssumedRole:
    """Gives a session credentials that renew themselves before they expire."""

    def __init__(self, fetcher: AssumeRoleCredentialFetcher, role_arn: str) -> None:
        self._fetcher = fetcher
        self._role_arn = role_arn

    def load_credentials(self) -> DeferredRefreshableCredentials:
        """Return the credentials; the role is assumed when they are first used."""
        return DeferredRefreshableCredentials(refresh_using=self._fetch, method="assume-role")

    def _fetch(self) -> dict[str, Any]:
        """Assume the role; a refusal names it, or it would read as one of the call to be signed."""
        try:
            return self._fetcher.fetch_credentials()
        except ClientError as refused:
            answer = deepcopy(refused.response)
            said = answer["Error"].get("Message", "")
            answer["Error"]["Message"] = f"role {self._role_arn} not taken on: {said}"
            raise ClientError(answer, refused.operation_name) from refused


@cache
def sts_at_home() -> Any:  # noqa: ANN401 - a client of STS
    """Return the one client that takes on roles, at the endpoint of the function's own region.

    That of the place's region answers only where the function's own account has it enabled:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html
    """
    region = os.environ.get(AWS_REGION)
    return own_session().create_client("sts", region_name=region, config=REPEATABLE)
