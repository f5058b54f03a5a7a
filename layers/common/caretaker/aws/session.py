"""Clients: the function's own, and those of a target account and region."""

from __future__ import annotations

from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Final, cast

from caretaker.aws.pacing import Buckets
from caretaker.aws.places import (
    REPEATABLE,
    Place,
    config_of,
    own_session,
    session_by,
    session_for,
    sts_at_home,
)

if TYPE_CHECKING:
    from datetime import datetime

    from botocore.config import Config
    from mypy_boto3_autoscaling import AutoScalingClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ebs import EBSClient
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
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_stepfunctions import SFNClient


ONCE: Final = config_of(attempts=1)
"""For calls whose second sending would do something else: creating snapshots, invoking."""
STATE: Final = config_of(attempts=1, connect_seconds=2, read_seconds=5)
"""For the state table, which repeats by itself what may be repeated."""
JUDGE_SECONDS: Final = 240
"""How long a function of the user's may take to judge what was restored."""
JUDGED: Final = config_of(attempts=1, read_seconds=JUDGE_SECONDS)
"""For that function: nobody else waits so long for an answer."""
KEPT_PLACES: Final = 16
"""Clients of so many places are kept: up to 4 MiB each, and a run works in one of them."""


class Account:
    """Clients for one place; made when first used, kept while the function stays warm."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.buckets = Buckets()
        self._session = session_for(place)

    @cached_property
    def ec2(self) -> EC2Client:
        """Reads, and deletes: calls that may be repeated."""
        return cast("EC2Client", self._client("ec2", REPEATABLE))

    @cached_property
    def ec2_once(self) -> EC2Client:
        """Creates: EC2 has no client token for snapshots, so the SDK must never send twice."""
        return cast("EC2Client", self._client("ec2", ONCE))

    @cached_property
    def ebs(self) -> EBSClient:
        """Reads the blocks of snapshots."""
        return cast("EBSClient", self._client("ebs", REPEATABLE))

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
    def quotas(self) -> ServiceQuotasClient:
        """Reads."""
        return cast("ServiceQuotasClient", self._client("service-quotas", REPEATABLE))

    def _client(self, service: str, config: Config) -> object:
        return self._session.create_client(service, region_name=self.place.region, config=config)


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
    def organizations(self) -> OrganizationsClient:
        """Reads; of members nobody is answered."""
        return cast("OrganizationsClient", self._client("organizations", REPEATABLE))

    @cached_property
    def functions(self) -> LambdaClient:
        """The function itself, for its next round, and others of the stack."""
        return cast("LambdaClient", self._client("lambda", ONCE))

    @cached_property
    def judges(self) -> LambdaClient:
        """The function that judges contents: its answer is waited for."""
        return cast("LambdaClient", self._client("lambda", JUDGED))

    @cached_property
    def machines(self) -> SFNClient:
        """Starts executions, which their names make safe to repeat."""
        return cast("SFNClient", self._client("stepfunctions", REPEATABLE))

    def _client(self, service: str, config: Config) -> object:
        return own_session().create_client(service, region_name=self._region, config=config)


@cache
def home(region: str) -> Home:
    """Return the stack's own clients."""
    return Home(region)


@lru_cache(maxsize=KEPT_PLACES)
def account_at(place: Place) -> Account:
    """Return the clients of a place, with the buckets that go with them."""
    return Account(place)


def forget() -> None:
    """Drop all clients; for tests."""
    for cached in (home, account_at, own_session, session_by, sts_at_home):
        cached.cache_clear()
