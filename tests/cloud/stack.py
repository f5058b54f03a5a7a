"""The local cloud to deploy onto: ministack, and strict moto for EC2 and what belongs to it.

That is Auto Scaling, load balancers, ECS, Systems Manager, KMS, the Recycle Bin, Organizations, STS
and the tagging API for all other services; policies are not enforced for these, but those of
sessions in other accounts.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import boto3
from botocore.config import Config

from tests.cloud.deployment import Stack
from tests.cloud.internet import environment_within, write_internet
from tests.cloud.processes import KeptServer, free_port
from tests.cloud.remote import RemoteCloud
from tests.cloud.strict import ACCOUNT, REGION
from tests.cloud.tools import BUILD, ROOT, deploy, tool

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from tests.cloud.internet import Addresses, Ports

LAUNCHER = Path(__file__).with_name("ministack_launcher.py")
ON_MOTO = frozenset(
    {
        *("ec2", "ebs", "autoscaling", "kms", "rbin", "resourcegroupstaggingapi", "organizations"),
        *("ecs", "elbv2", "ssm", "sts"),
    }
)


class NoticeRefusedError(Exception):
    """The event bus did not take an event; the text says why."""


class LocalCloud:
    """Two servers on free loopback ports; `with` starts them, and nothing outlives the process."""

    def __init__(
        self,
        *,
        region: str = REGION,
        pending_seconds: float = 5.0,
        page_size: int = 25,
    ) -> None:
        """Say how strict EC2 shall be; nothing is started yet."""
        self.region = region
        self._pending_seconds = pending_seconds
        self._page_size = page_size
        self._ec2_port, self._port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.ec2_url = f"http://127.0.0.1:{self._ec2_port}"
        self.ec2 = RemoteCloud(self.ec2_url)
        self._running = ExitStack()
        self._ministack: KeptServer | None = None
        self._world = Path(os.devnull)
        self._knobs = Path(os.devnull)

    def __enter__(self) -> Self:
        """Start both and wait until they answer."""
        try:
            moto = self._start("moto", self._moto_command(), PYTHONPATH=str(ROOT))
            # Not the repository: a worker is to run what was built, not the folders of that.
            self._ministack = self._start(
                "ministack", self._ministack_command(), **self._play_internet()
            )
            moto.wait_until_healthy(f"{self.ec2_url}/_strict/health")
            self._ministack.wait_until_healthy(f"{self.url}/_ministack/health")
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop both."""
        self._running.close()

    def environment(self) -> dict[str, str]:
        """Return the environment in which any AWS tool speaks to this cloud and to nothing else."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "AWS_ACCESS_KEY_ID": ACCOUNT,
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ENDPOINT_URL_EC2": self.ec2_url,
            "AWS_ENDPOINT_URL_AUTO_SCALING": self.ec2_url,
            "AWS_ENDPOINT_URL_KMS": self.ec2_url,
            "AWS_ENDPOINT_URL_RBIN": self.ec2_url,
            "AWS_ENDPOINT_URL_RESOURCE_GROUPS_TAGGING_API": self.ec2_url,
            "AWS_ENDPOINT_URL_ORGANIZATIONS": self.ec2_url,
            "AWS_ENDPOINT_URL_EBS": self.ec2_url,
            "AWS_ENDPOINT_URL_SERVICE_QUOTAS": self.ec2_url,
            "AWS_ENDPOINT_URL_ECS": self.ec2_url,
            "AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2": self.ec2_url,
            "AWS_ENDPOINT_URL_SSM": self.ec2_url,
            "AWS_ENDPOINT_URL_STS": self.ec2_url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1,localhost",
        }

    def client(self, service: str, account: str = ACCOUNT) -> Any:
        """Return a boto3 client for any service of this cloud, as the root user of an account."""
        session = boto3.Session(account, "local", region_name=self.region)
        return session.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.ec2_url if service in ON_MOTO else self.url,
            config=Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 3}),
        )

    def deploy(
        self,
        name: str = "caretaker",
        *,
        build: Path = BUILD,
        parameters: Mapping[str, str] | None = None,
    ) -> Stack:
        """Deploy what `sam build` left, or update the stack of that name; return it."""
        texts = {key: text.replace('"', r"\"") for key, text in (parameters or {}).items()}
        deploy(self, name, build, texts)
        return Stack(self, name)

    def deliver_notices(self) -> list[dict[str, Any]]:
        """Bring EventBridge what EC2 has to tell of snapshots that ended; return it.

        The bus stamps id and time anew.
        """
        told = self.ec2.take_notices()
        for notice in told:
            self._put_event(notice["detail-type"], notice["detail"], notice["resources"])
        return told

    def deliver_call(self, detail: Mapping[str, Any]) -> None:
        """Bring EventBridge what CloudTrail tells of one call to EC2."""
        self._put_event("AWS API Call via CloudTrail", detail, [])

    def _put_event(self, kind: str, detail: Mapping[str, Any], resources: list[str]) -> None:
        entry = {
            "Source": "aws.ec2",
            "DetailType": kind,
            "Detail": json.dumps(detail),
            "Resources": resources,
        }
        answer = self.client("events").put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            raise NoticeRefusedError(str(answer["Entries"]))

    def internet(
        self,
        names: Mapping[str, Addresses],
        ports: Ports,
        *,
        places: Mapping[str, Ports] | None = None,
        ca: str = "",
    ) -> None:
        """Let these names and addresses be the internet of all functions from now on.

        At first there is none; see `tests.cloud.internet`.
        """
        write_internet(self._world, names, ports, places=places, ca=ca)

    def turn(self, **knobs: float) -> None:
        """Set what `ministack_maps` asks for, all else as usual: `retry_scale`, `lambda_limit`."""
        self._knobs.write_text(json.dumps(knobs), encoding="utf-8")

    def _play_internet(self) -> dict[str, str]:
        folder = self._running.enter_context(tempfile.TemporaryDirectory(prefix="caretaker-net-"))
        self._world = Path(folder) / "internet.json"
        self._knobs = Path(folder) / "knobs.json"
        self.internet({}, {})
        self.turn()
        return {**environment_within(self._world), "CARETAKER_KNOBS": str(self._knobs)}

    def output(self) -> str:
        """Return what ministack has written, for a failed test to show."""
        return self._ministack.output() if self._ministack else ""

    def _start(self, name: str, command: list[str], **more: str) -> KeptServer:
        server = KeptServer(name, command, {**self._server_environment(), **more})
        self._running.callback(server.stop)
        return server

    def _moto_command(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            "tests.cloud.server",
            f"--port={self._ec2_port}",
            f"--region={self.region}",
            f"--pending-seconds={self._pending_seconds}",
            f"--page-size={self._page_size}",
        ]

    def _ministack_command(self) -> list[str]:
        ministack = tool("CARETAKER_MINISTACK", ".venvs/cloud/bin/ministack")
        return [str(ministack.with_name("python")), str(LAUNCHER)]

    def _server_environment(self) -> dict[str, str]:
        return {
            **self.environment(),
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._port),
            "MINISTACK_ACCOUNT_ID": ACCOUNT,
            "MINISTACK_REGION": self.region,
            "AUTH": "true",  # functions may do what their role's policies allow, as on AWS
            "LAMBDA_EXECUTOR": "local",
            "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "0.2",
        }
