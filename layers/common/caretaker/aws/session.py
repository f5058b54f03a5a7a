"""Sessions and clients: the function's own, and those of a target account and region.

botocore is used without boto3's resource layer: the same clients in five sixths of the time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    DeferredRefreshableCredentials,
)
from botocore.session import Session
from botocore.utils import parse_timestamp

from caretaker.aws.pacing import Buckets

if TYPE_CHECKING:
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_rbin import RecycleBinClient
    from mypy_boto3_resourcegroupstaggingapi import ResourceGroupsTaggingAPIClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient

    from caretaker.settings import Settings


def _config(*, attempts: int, connect_seconds: float = 5, read_seconds: float = 20) -> Config:
    """Every limit stands here, so that a new runtime's defaults change nothing."""
    return Config(
        connect_timeout=connect_seconds,
        read_timeout=read_seconds,
        max_pool_connections=40,
        user_agent_extra="caretaker",
        retries={"mode": "standard", "total_max_attempts": attempts},
    )


REPEATABLE: Final = _config(attempts=4)
"""For reads and for writes that may be sent twice."""
ONCE: Final = _config(attempts=1)
"""For calls whose second sending would do something else: creating snapshots, invoking."""
STATE: Final = _config(attempts=1, connect_seconds=2, read_seconds=5)
"""For the state table, which repeats by itself what may be repeated."""


@dataclass(frozen=True, slots=True)
class Place:
    """An account and region to work in; `role_arn` is empty for the function's own account."""

    account: str
    region: str
    role_arn: str = ""
    external_id: str = ""


class Account:
    """Clients for one place; made when first used, kept while the function stays warm."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.buckets = Buckets()

    @cached_property
    def ec2(self) -> EC2Client:
        """Reads, and deletes: calls that may be repeated."""
        return cast("EC2Client", self._client("ec2", REPEATABLE))

    @cached_property
    def ec2_once(self) -> EC2Client:
        """Creates: EC2 has no client token for snapshots, so the SDK must never send twice."""
        return cast("EC2Client", self._client("ec2", ONCE))

    @cached_property
    def autoscaling(self) -> AutoScalingClient:
        """Reads, and what may be repeated."""
        return cast("AutoScalingClient", self._client("autoscaling", REPEATABLE))

    @cached_property
    def load_balancers(self) -> ElasticLoadBalancingv2Client:
        """Reads."""
        return cast("ElasticLoadBalancingv2Client", self._client("elbv2", REPEATABLE))

    @cached_property
    def ecs(self) -> ECSClient:
        """Reads."""
        return cast("ECSClient", self._client("ecs", REPEATABLE))

    @cached_property
    def ecs_once(self) -> ECSClient:
        """Restarts: sent twice, they stop a second task or begin a second deployment."""
        return cast("ECSClient", self._client("ecs", ONCE))

    @cached_property
    def ssm(self) -> SSMClient:
        """Reads."""
        return cast("SSMClient", self._client("ssm", REPEATABLE))

    @cached_property
    def ssm_once(self) -> SSMClient:
        """Sends commands: SSM has no client token for them."""
        return cast("SSMClient", self._client("ssm", ONCE))

    @cached_property
    def kms(self) -> KMSClient:
        """Reads."""
        return cast("KMSClient", self._client("kms", REPEATABLE))

    @cached_property
    def rbin(self) -> RecycleBinClient:
        """Reads."""
        return cast("RecycleBinClient", self._client("rbin", REPEATABLE))

    @cached_property
    def tagging(self) -> ResourceGroupsTaggingAPIClient:
        """Reads tags of every type there is, and sets them, which may be repeated."""
        return cast(
            "ResourceGroupsTaggingAPIClient", self._client("resourcegroupstaggingapi", REPEATABLE)
        )

    @cached_property
    def organizations(self) -> OrganizationsClient:
        """Reads."""
        return cast("OrganizationsClient", self._client("organizations", REPEATABLE))

    def _client(self, service: str, config: Config) -> object:
        return _session_for(self.place).create_client(
            service, region_name=self.place.region, config=config
        )


class Home:
    """Clients for what belongs to the stack itself, always in its own account and region.

    `told_alone` is when people were told without the state table, by scope: all that this process
    remembers.
    """

    def __init__(self, region: str) -> None:
        self._region = region
        self.told_alone: dict[str, datetime] = {}

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """The state table: quick to give up, never repeated by the SDK."""
        return cast("DynamoDBClient", self._client("dynamodb", STATE))

    @cached_property
    def s3(self) -> S3Client:
        """The reports bucket."""
        return cast("S3Client", self._client("s3", REPEATABLE))

    @cached_property
    def sns(self) -> SNSClient:
        """The topics."""
        return cast("SNSClient", self._client("sns", REPEATABLE))

    @cached_property
    def secrets(self) -> SecretsManagerClient:
        """Reads."""
        return cast("SecretsManagerClient", self._client("secretsmanager", REPEATABLE))

    @cached_property
    def parameters(self) -> SSMClient:
        """Reads."""
        return cast("SSMClient", self._client("ssm", REPEATABLE))

    @cached_property
    def functions(self) -> LambdaClient:
        """The function itself, for its next round, and others of the stack."""
        return cast("LambdaClient", self._client("lambda", ONCE))

    def _client(self, service: str, config: Config) -> object:
        return own_session().create_client(service, region_name=self._region, config=config)


@cache
def home(region: str) -> Home:
    """Return the stack's own clients."""
    return Home(region)


@cache
def account_at(place: Place) -> Account:
    """Return the clients of a place, with the buckets that go with them."""
    return Account(place)


def target_role(settings: Settings, partition: str, account: str) -> str:
    """Return the role to assume in another account; its name is the stack's, never the event's."""
    return f"arn:{partition}:iam::{account}:role/{settings.target_role_name}"


def forget() -> None:
    """Drop all clients; for tests."""
    for cached in (home, account_at, own_session, _session_for):
        cached.cache_clear()


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
def _session_for(place: Place) -> Session:
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
