"""Places to work in, and their sessions: the function's own account, and others by a role.

botocore is used without boto3's resource layer: the same clients in five sixths of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    DeferredRefreshableCredentials,
)
from botocore.session import Session
from botocore.utils import parse_timestamp


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


@dataclass(frozen=True, slots=True)
class Place:
    """An account and region to work in; `role_arn` is empty for the function's own account."""

    account: str
    region: str
    role_arn: str = ""
    external_id: str = ""


@cache
def own_session() -> Session:
    """Return the one session that all clients in the function's own account share."""
    return _new_session()


def _new_session() -> Session:
    """Return a session that reads times by the standard library: half of the work of a listing."""
    session = Session()
    parsers = session.get_component("response_parser_factory")
    parsers.set_parser_defaults(timestamp_parser=_read_time)
    return session


def _read_time(value: Any) -> datetime:  # noqa: ANN401 - text, or seconds
    """Read a time as AWS writes it; botocore's own way takes any other."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return parse_timestamp(value)
    return time if time.tzinfo else parse_timestamp(value)


@cache
def session_for(place: Place) -> Session:
    """Return the session that all clients of a place share."""
    if not place.role_arn:
        return own_session()
    fetcher = AssumeRoleCredentialFetcher(
        client_creator=_regional_sts(place.region),
        source_credentials=own_session().get_credentials(),
        role_arn=place.role_arn,
        extra_args={
            "RoleSessionName": "caretaker",
            **({"ExternalId": place.external_id} if place.external_id else {}),
        },
    )
    session = _new_session()
    session.register_component("credential_provider", _AssumedRole(fetcher))
    return session


class _AssumedRole:
    """Gives a session credentials that renew themselves before they expire."""

    def __init__(self, fetcher: AssumeRoleCredentialFetcher) -> None:
        self._fetcher = fetcher

    def load_credentials(self) -> DeferredRefreshableCredentials:
        """Return the credentials; the role is assumed when they are first used."""
        return DeferredRefreshableCredentials(
            refresh_using=self._fetcher.fetch_credentials, method="assume-role"
        )


def _regional_sts(region: str) -> Any:  # noqa: ANN401 - botocore's own callback type
    def create(service: str, **options: Any) -> Any:  # noqa: ANN401
        return own_session().create_client(
            service, region_name=region, config=REPEATABLE, **options
        )

    return create
