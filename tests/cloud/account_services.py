"""Puts what stands behind web services into an account: ECS, load balancers, agents, secrets."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from moto.elbv2.models import elbv2_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from tests.cloud.balancing_targets import HEALTHY, BalancedTarget
from tests.cloud.ecs_life import COMPLETED, EcsDeployment, EcsService
from tests.cloud.objects import put_text
from tests.cloud.place import Place
from tests.cloud.run_command import ENDS, ONLINE, Course, Document

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_FOR_LONG = timedelta(days=10)


class ServicesPlace(Place):
    """Seeds services and what is known of them."""

    def ecs_service(
        self,
        name: str = "web",
        cluster: str = "main",
        *,
        running: int = 2,
        tags: Mapping[str, str] | None = None,
        target_groups: Sequence[str] = (),
        **how: Any,
    ) -> str:
        """Add a service that has been steady for ten days; return its ARN.

        `how` are fields of `EcsService`: minimum_percent, controller, start_seconds and so on.
        """
        now = self.cloud.clock.now()
        arn = f"arn:aws:ecs:{self.region}:{self.account}:service/{cluster}/{name}"
        service = EcsService(arn, name, cluster, running, now, tags=dict(tags or {}), **how)
        service.target_groups = tuple(target_groups)
        service.deployments = [EcsDeployment(f"ecs-svc/{name}", now, now, rollout=COMPLETED)]
        for _ in range(running):
            task = replace(service.new_task(now), started=now)
            service.tasks.append(task)
        service.say("has reached a steady state.", now)
        self._cluster(cluster)[name] = service
        service.age(_FOR_LONG)
        return arn

    def change_ecs_service(self, name: str, cluster: str = "main", **how: Any) -> None:
        """Let a service meet something from now on: start_fails, no_room, start_seconds, status."""
        service = self._settled(name, cluster)
        for field, value in how.items():
            if not hasattr(service, field):
                raise TypeError(field)
            setattr(service, field, value)

    def deploy_ecs_service(self, name: str, cluster: str = "main") -> None:
        """Let somebody else begin a deployment."""
        self._settled(name, cluster).deploy(self.cloud.clock.now())

    def ecs_tasks(self, name: str, cluster: str = "main") -> list[str]:
        """Return the ARNs of the tasks that are meant to run."""
        return [each.arn for each in self._settled(name, cluster).wanted()]

    def load_balancer(self, name: str, tags: Mapping[str, str] | None = None) -> str:
        """Add an Application Load Balancer and return its ARN."""
        subnets = [each.id for each in self.backend.get_default_subnets().values()]
        made = elbv2_backends[self.account][self.region].create_load_balancer(
            name=name,
            security_groups=[],
            subnet_ids=subnets[:2],
            subnet_mappings=[],
            scheme="internet-facing",
            loadbalancer_type="application",
            tags=[{"Key": key, "Value": value} for key, value in (tags or {}).items()],
        )
        return str(made.arn)

    def target_group(self, name: str, *states: str) -> str:
        """Add a target group whose targets are seen so, or change one; return its ARN."""
        arn = (
            f"arn:aws:elasticloadbalancing:{self.region}:{self.account}"
            f":targetgroup/{name}/0123456789abcdef"
        )
        self.cloud.extras.targets[arn] = [
            BalancedTarget(f"10.0.0.{number}", 80, state)
            for number, state in enumerate(states or (HEALTHY,), start=1)
        ]
        return arn

    def agent(self, instance_id: str, ping: str = ONLINE) -> None:
        """Let an instance have an agent: Online, ConnectionLost or Inactive."""
        self.cloud.extras.run_command.agents[instance_id] = ping

    def document(self, name: str, needs: Sequence[str] = (), takes: Sequence[str] = ()) -> None:
        """Add a document with the parameters it needs, and those it takes."""
        known = dict.fromkeys(takes, False) | dict.fromkeys(needs, True)
        self.cloud.extras.run_command.documents[name] = Document(known)

    def command_course(self, of: str = "*", **course: Any) -> None:
        """Say how commands go from now on, those on an instance, of a document, or all.

        `course` are fields of `Course`: end, late, begins, ends, code.
        """
        made = Course(**course)
        if made.end not in ENDS:
            raise ValueError(made.end)
        self.cloud.extras.run_command.courses[of] = made

    def commands(self, instance_id: str = "") -> list[dict[str, Any]]:
        """Return the commands that were sent: document, parameters, comment and state."""
        now = self.cloud.clock.now()
        return [
            {
                "document": each.document,
                "parameters": dict(each.parameters),
                "comment": each.comment,
                "state": each.state(now),
            }
            for each in self.cloud.extras.run_command.invocations
            if instance_id in {"", each.instance}
        ]

    def secret(self, name: str, value: str, *, locked: bool = False) -> str:
        """Add a secret and return its ARN; a `locked` one has a key that nobody here may use."""
        backend = secretsmanager_backends[self.account][self.region]
        made = json.loads(
            backend.create_secret(
                name=name,
                secret_string=value,
                secret_binary=None,
                description=None,
                tags=[],
                kms_key_id=None,
                client_request_token=None,
                replica_regions=[],
                force_overwrite=False,
            )
        )
        return self._locked(str(made["ARN"]), locked=locked)

    def parameter(self, name: str, value: str, *, locked: bool = False) -> str:
        """Add a SecureString and return its ARN, `locked` as a secret may be."""
        ssm_backends[self.account][self.region].put_parameter(
            name=name,
            description="",
            value=value,
            parameter_type="SecureString",
            allowed_pattern="",
            keyid="",
            overwrite=True,
            tags=[],
            data_type="text",
            tier="Standard",
            policies=None,
        )
        arn = f"arn:aws:ssm:{self.region}:{self.account}:parameter/{name.removeprefix('/')}"
        return self._locked(arn, locked=locked)

    def object(self, bucket: str, key: str, content: Any, *, listed: bool = False) -> str:
        """Put an object, as JSON unless it is text, and return its URL.

        Who reads may not list the bucket, so that what is missing is denied, unless it is `listed`.
        """
        text = content if isinstance(content, str) else json.dumps(content)
        put_text(self.where, bucket, key, text)
        if not listed:
            self.cloud.extras.unlisted_buckets.add(bucket)
        return f"s3://{bucket}/{key}"

    def _locked(self, arn: str, *, locked: bool) -> str:
        if locked:
            self.cloud.extras.locked_secrets.add(arn)
        return arn

    def _cluster(self, cluster: str) -> dict[str, EcsService]:
        return self.cloud.extras.ecs.clusters.setdefault((*self.where, cluster), {})

    def _settled(self, name: str, cluster: str) -> EcsService:
        service = self._cluster(cluster)[name]
        service.settle(self.cloud.clock.now())
        return service
