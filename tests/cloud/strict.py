"""Makes moto as strict as AWS, in this process or behind the server (see the package)."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import botocore.endpoint
from moto import mock_aws
from moto.core.request import normalize_request
from moto.ec2.models import ec2_backends

from tests.cloud.access import Access
from tests.cloud.ageing import age_backend, age_texts
from tests.cloud.answers import Answer, LostError, error_text, render_error
from tests.cloud.aws_keys import describe_key
from tests.cloud.balancing import StrictBalancing
from tests.cloud.buckets import Buckets
from tests.cloud.calls import Call, CallLog, Params
from tests.cloud.clock import ManualClock, StrictClock
from tests.cloud.direct_blocks import OPERATIONS as DIRECT
from tests.cloud.direct_blocks import StrictDirect, direct_operation, read_direct
from tests.cloud.ec2 import StrictEC2
from tests.cloud.extras import Extras
from tests.cloud.faults import LOSSES, Fault, FaultPlan
from tests.cloud.json_services import serve_json_service
from tests.cloud.lambda_account import Concurrency
from tests.cloud.limits import Limits
from tests.cloud.lives import KMS_MESSAGE, SnapshotLives
from tests.cloud.notices import Notice, notices
from tests.cloud.once import worked_out_once
from tests.cloud.organization import StrictOrganizations
from tests.cloud.organization_tree import Organization
from tests.cloud.pages import Pages
from tests.cloud.power import settle_instances
from tests.cloud.rbin import StrictRbin, operation_of, read_rbin
from tests.cloud.recycle_bin import RecycleBin
from tests.cloud.regions import Regions
from tests.cloud.replacing import replace_members
from tests.cloud.scaling import StrictAutoScaling
from tests.cloud.switchboard import SWITCHBOARD
from tests.cloud.tagging_api import StrictTagging

if TYPE_CHECKING:
    import boto3
    from botocore.awsrequest import AWSPreparedRequest
    from botocore.client import BaseClient

    from tests.cloud.extras import Where

ACCOUNT = "123456789012"
REGION = "eu-west-1"
LOAD_AMIS = "MOTO_EC2_LOAD_DEFAULT_AMIS"
"""Unless this is `false`, moto fills each region with 1,177 snapshots nobody made."""


class StrictCloud:
    """One cloud: its clock, what is planned to go wrong, and what was called."""

    def __init__(
        self,
        clock: StrictClock | None = None,
        *,
        page_size: int | None = None,
        pending_seconds: float = 60.0,
    ) -> None:
        """Start well-behaved, with AWS's limits and without buckets."""
        self.clock: StrictClock = clock or ManualClock()
        self.pages = Pages(page_size)
        self.limits = Limits()
        self.buckets = Buckets()
        self.faults = FaultPlan()
        self.calls = CallLog()
        self.lives = SnapshotLives(pending_seconds)
        self.extras = Extras()
        self.bin = RecycleBin()
        self.organization, self.regions = Organization(), Regions()
        self.access = Access(self.organization, self.regions)
        self.concurrency = Concurrency()
        self.seconds_per_call = 0.0
        self._lock = threading.RLock()

    def backend(self, region: str = REGION, account: str = ACCOUNT) -> Any:
        """Return moto's own EC2 of a region, brought up to now."""
        backend = ec2_backends[account][region]
        self.settle(backend)
        return backend

    def settle(self, backend: Any) -> None:
        """Bring what is on its way in one region up to now."""
        now, extras = self.clock.now(), self.extras
        self.lives.settle(backend.snapshots, now)
        replace_members(backend, extras, now)
        settle_instances(backend, extras, now)
        extras.volumes.settle(backend, extras.attachments, now)
        extras.root_tasks.settle(backend, extras, now)

    def fail_snapshots_of(
        self,
        volume_id: str,
        *,
        times: int | None = 1,
        message: str = KMS_MESSAGE,
    ) -> None:
        """Let the next snapshots of a volume (`*`: of any) end in error."""
        self.lives.fail(volume_id, times, message)

    def complete_pending(self) -> None:
        """Finish every pending snapshot now, in error where that is planned."""
        self.lives.complete_all()

    def take_notices(self, region: str = REGION, account: str = ACCOUNT) -> list[Notice]:
        """Return the events EventBridge would bring about snapshots that ended, each once."""
        with self._lock:
            self.backend(region, account)
            told = notices(self.lives.ended, account, region, self.clock.now())
            self.lives.ended.clear()
            return told

    def age(self, hours: float, tags: Sequence[str] = ()) -> None:
        """Move all that EC2 and the Recycle Bin hold into the past.

        With `tags` the times in these tags move along, as do those in snapshots' descriptions.
        """
        shift = timedelta(hours=hours)
        with self._lock:
            self.lives.age(shift)
            self.extras.age(shift)
            self.bin.age(shift)
            for regions in ec2_backends.values():
                for backend in regions.values():
                    age_backend(backend, shift)
                    age_texts(backend, shift, tags)

    def serve(self, call: Call, perform: Callable[[], Answer]) -> Answer:
        """Log a call, let its fault strike or let it happen.

        Raises LostError where the caller must get no answer.
        """
        with self._lock:
            self.calls.append(call)
            if self.seconds_per_call:
                self.clock.advance(self.seconds_per_call)
            fault = self.faults.take(call)
            if fault is not None and not fault.happens:
                return self._struck(call, fault)
            refused = self.access.refusal(call)
            answer = perform() if refused is None else render_error(call, refused)
            self.access.remember(call, answer)
            call.outcome = _outcome(answer)
            return answer if fault is None else self._struck(call, fault)

    def ec2_call(self, request: AWSPreparedRequest | Any) -> tuple[Call, StrictEC2]:
        """Read an EC2 request: its entry for the log, and who will answer it."""
        ec2 = StrictEC2(self, normalize_request(request))
        call = Call(
            "ec2",
            ec2.operation,
            self.clock.now(),
            ec2.region,
            ec2.current_account,
            read_params=ec2.read_params,
        )
        return call, ec2

    def autoscaling_call(self, request: AWSPreparedRequest | Any) -> tuple[Call, StrictAutoScaling]:
        """Read an Auto Scaling request as `ec2_call` does."""
        scaling = StrictAutoScaling(self, normalize_request(request))
        call = Call(
            "autoscaling",
            scaling.operation,
            self.clock.now(),
            scaling.region,
            scaling.current_account,
            read_params=scaling.read_params,
        )
        return call, scaling

    def elbv2_call(self, request: AWSPreparedRequest | Any) -> tuple[Call, StrictBalancing]:
        """Read a request to load balancers as `ec2_call` does."""
        served = StrictBalancing(self, normalize_request(request))
        place = served.region, served.current_account
        call = Call(
            "elbv2", served.operation, self.clock.now(), *place, read_params=served.read_params
        )
        return call, served

    def serve_rbin(self, method: str, path: str, body: bytes | str | None, where: Where) -> Answer:
        """Log and answer one request to the Recycle Bin."""
        operation = operation_of(method, path)
        call = self._call("rbin", operation, where, lambda: read_rbin(operation, path, body))
        return self.serve(call, lambda: StrictRbin(self, where).answer(call, path, body))

    def serve_direct(self, method: str, path: str, query: str, where: Where) -> Answer | None:
        """Log and answer one request to the EBS direct APIs; None: not one of ours."""
        operation = direct_operation(method, path)
        if operation not in DIRECT:
            return None
        call = self._call("ebs", operation, where, lambda: read_direct(path, query))
        return self.serve(call, lambda: StrictDirect(self, where).answer(call))

    def serve_tagging(self, operation: str, params: Params, where: Where) -> Answer | None:
        """Log and answer one request to the Resource Groups Tagging API; None: not one of ours."""
        if operation not in StrictTagging.OPERATIONS:
            return None
        call = self._call("resourcegroupstaggingapi", operation, where, lambda: params)
        return self.serve(call, lambda: StrictTagging(self, where).answer(call))

    def serve_organizations(self, operation: str, params: Params, where: Where) -> Answer | None:
        """Log and answer one request to Organizations; None: not one of ours."""
        return serve_json_service(StrictOrganizations, self, operation, params, where)

    def serve_kms(self, operation: str, params: Params, where: Where) -> Answer | None:
        """Log and answer one request to KMS; None: not one of ours."""
        if operation != "DescribeKey":
            return None
        call = self._call("kms", operation, where, lambda: params)
        return self.serve(call, lambda: describe_key(self, call))

    def _call(self, service: str, operation: str, where: Where, read: Callable[[], Params]) -> Call:
        account, region = where
        return Call(service, operation, self.clock.now(), region, account, read_params=read)

    def _struck(self, call: Call, fault: Fault) -> Answer:
        if fault.seconds:
            self.clock.advance(fault.seconds)
        if fault.kind in LOSSES:
            call.outcome = fault.kind.value
            raise LostError(fault.kind)
        text = error_text(fault, call.service)
        call.outcome = text.code
        return render_error(call, text)

    def install(self, target: boto3.Session | BaseClient) -> None:
        """Put the cloud first on a session or client that was made before `strict_moto` began."""
        SWITCHBOARD.register(target.meta.events if hasattr(target, "meta") else target.events)


def _outcome(answer: Answer) -> str:
    status, headers, body = answer
    if status < 400:
        return "ok"
    text = body.decode() if isinstance(body, bytes) else body
    if "<Code>" in text:
        return text.split("<Code>", 1)[1].split("<", 1)[0]
    named = {name.lower(): value for name, value in headers.items()}.get("x-amzn-errortype", "")
    return named.rsplit("#", 1)[-1] or str(status)


@contextmanager
def strict_moto(
    clock: StrictClock | None = None,
    *,
    page_size: int | None = None,
    pending_seconds: float = 60.0,
    region: str = REGION,
    default_amis: bool = False,
) -> Iterator[StrictCloud]:
    """Mock AWS in this process and yield its cloud; every boto3 session made within uses it.

    Waits of botocore between attempts move the clock and cost no time. With `default_amis` moto's
    table holds a thousand snapshots of images nobody asked for.
    """
    cloud = StrictCloud(clock, page_size=page_size, pending_seconds=pending_seconds)
    waits = SimpleNamespace(sleep=cloud.clock.advance)
    environment = {
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        LOAD_AMIS: str(default_amis).lower(),
    }
    with (
        patch.dict(os.environ, environment),
        patch.object(botocore.endpoint, "time", waits),
        worked_out_once(),
        mock_aws(config={"lambda": {"use_docker": False}}),
        patch.object(SWITCHBOARD, "cloud", cloud),
    ):
        yield cloud
