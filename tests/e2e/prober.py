"""The uptime and service repair functions of a stack, and the servers that they meet.

What is on the internet is `tests.farm`, by the names and addresses below. A veto on inner addresses
shows there as well: each of them leads to the farm too, for whoever goes there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

from tests.cloud.demo_memory import incidents
from tests.cloud.deployment import SCHEDULED, Json, Stack
from tests.cloud.strict import ACCOUNT, REGION
from tests.cloud.tools import ROOT
from tests.farm import running_farm

if TYPE_CHECKING:
    from tests.cloud.remote import RemoteCloud
    from tests.cloud.stack import LocalCloud
    from tests.farm import Farm

CLUSTER, DOCUMENT = "prod", "restart-unit"
CANARY = "c4n4ry-0f-a-s3cr3t"
"""What must be seen by the servers it is meant for, and nowhere else."""
RESTART = {"caretaker:remediate": "restart"}
BUCKET, KEY = "targets-of-ours", "prod/targets.json"
LISTED = {"name": "listed", "url": "http://listed.example.com/"}
_PUBLIC = ("listed", "steady", "shop", "front", "kiosk", "locked", "moved", "lured", "sly")
NAMES: Mapping[str, str] = {
    **{f"{name}.example.com": f"93.184.215.{10 + place}" for place, name in enumerate(_PUBLIC)},
    "checkip.amazonaws.com": "93.184.215.99",
    **dict.fromkeys(("example.com", "example.org"), "93.184.215.98"),
    **dict.fromkeys(
        (f"{each}.example.com" for each in ("www", "api", "batch", "intranet")), "93.184.215.97"
    ),
    "inner.example.com": "10.0.0.7",
    "rebound.example.com": "127.0.0.1",
}
FAILURES = {"failures": 2}

_minutes = count(1)
_began = datetime.now(UTC) - timedelta(hours=3)


def event(name: str, chore: str = "uptime") -> Json:
    """Return a ready event."""
    read: Json = json.loads((ROOT / "events" / chore / f"{name}.json").read_text())
    return read


def site(name: str, **more: object) -> Json:
    """Return a target of that name at the site of that name."""
    return {"name": name, "url": f"http://{name}.example.com/health", **more}


def service(name: str) -> Json:
    """Return the fix that restarts a service."""
    return {"ecs_service": {"cluster": CLUSTER, "service": name}}


@dataclass(frozen=True)
class Secrets:
    """ARNs of what the stack lets probes read, and of what it does not."""

    token: str
    password: str
    other: str

    @classmethod
    def keep(cls, cloud: LocalCloud) -> Secrets:
        """Put them into Secrets Manager and Systems Manager."""
        keeper = cloud.client("secretsmanager")
        text = json.dumps({"token": CANARY})
        token, other = (
            keeper.create_secret(Name=name, SecretString=text)["ARN"] for name in ("probe", "other")
        )
        return cls(token, cloud.ec2.seed("parameter", "/probe/password", CANARY), other)

    def parameters(self, cloud: LocalCloud) -> dict[str, str]:
        """Return those of a stack that may repair what these tests have."""
        return {
            "UptimeMode": "act",
            "UptimeTargets": list_targets(cloud),
            "UptimeSecretArns": f"{self.token},{self.password}",
            "UptimeEcsServices": f"arn:aws:ecs:{REGION}:{ACCOUNT}:service/{CLUSTER}/*",
            "UptimeDocuments": f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/{DOCUMENT}",
        }


@dataclass(frozen=True)
class Prober:
    """A stack, and the farm that its probes meet."""

    stack: Stack
    farm: Farm

    @property
    def function(self) -> str:
        """The uptime function's name."""
        return self.stack.outputs["UptimeFunctionName"]

    @property
    def repairs(self) -> str:
        """The service repair function's name."""
        return self.stack.outputs["ServiceRepairFunctionName"]

    @property
    def ec2(self) -> RemoteCloud:
        """The strict cloud, where services and instances are."""
        return self.stack.cloud.ec2

    def run(self, policy: str, *targets: Json, **more: object) -> Json:
        """Probe in the slot of the next minute; return the answer."""
        slot = _began + timedelta(minutes=next(_minutes))
        asked = {"policy": policy, "scheduled_time": f"{slot:%Y-%m-%dT%H:%M:00Z}", **more}
        answer: Json = self.stack.invoke(self.function, {**asked, "targets": list(targets)})
        return answer

    def play(
        self, policy: str, targets: Sequence[Json], until_repaired: Callable[[], object]
    ) -> list[Json]:
        """Let targets be up, down until something is done about it, and up again.

        Two runs that fail open an incident, the third asks; each of them takes its time.
        """
        names = [str(each["name"]) for each in targets]
        answers = [self.run(policy, *targets, confirm=FAILURES)]
        for name in names:
            self.farm.set(name, status=503)
        answers += [self.run(policy, *targets, confirm=FAILURES) for _ in range(3)]
        until_repaired()
        for name in names:
            self.farm.set(name)
        return answers + [self.run(policy, *targets, confirm=FAILURES) for _ in range(3)]

    def incident(self, policy: str) -> str:
        """Have an incident opened under a policy, by a schedule's wrong event; return its key."""
        wrong = {"policy": policy, "at_once": 0, "scheduled_time": SCHEDULED}
        self.stack.invoke(self.function, wrong)
        (opened,) = incidents(self.stack, policy, "uptime")
        return f"{opened['scope']}/{opened['kind']}/{opened['resource']}"

    def close(self, policy: str) -> None:
        """Let that be over."""
        closing = {"close": {"match": f"*/uptime/{policy}/*"}}
        self.stack.invoke(self.stack.outputs["AlertsFunctionName"], closing)

    def repair(self, what: Json, incident: str, **more: object) -> Json:
        """Ask for a repair; return the answer."""
        asked = {**what, "incident": incident, "target": "asked-by-hand"}
        answer: Json = self.stack.invoke(self.repairs, {"repair": asked, **more})
        return answer

    def tasks(self, name: str) -> list[str]:
        """Return the tasks of a service that are meant to run."""
        return list(self.ec2.seed("ecs_tasks", name, CLUSTER))

    def add_service(self, name: str, **how: object) -> list[str]:
        """Add a service that may be restarted; return its tasks."""
        self.ec2.seed("ecs_service", name, CLUSTER, **{"tags": RESTART, **how})
        return self.tasks(name)


def told(answer: Json, target: str) -> tuple[str, str, str]:
    """Return action, reason and result of a target in an answer."""
    item = item_of(answer, target)
    return item["action"], item["reason"], item["result"]


def item_of(answer: Json, target: str) -> Json:
    """Return what an answer says of a target."""
    (item,) = [each for each in answer["outcomes"] if each["target"] == target]
    return dict(item)


def together(*plays: Callable[[], object]) -> None:
    """Do things side by side, each of which waits most of the time; raise what one of them does."""
    with ThreadPoolExecutor(len(plays)) as pool:
        for each in [pool.submit(play) for play in plays]:
            each.result()


@contextmanager
def farm_on_the_internet(cloud: LocalCloud) -> Iterator[Farm]:
    """Let the names above lead to a farm; so does every address, whoever it belongs to."""
    with running_farm() as farm:
        ports = {80: farm.port("http"), 443: farm.port("https"), 9001: farm.port("http")}
        cloud.internet(NAMES, ports, ca=farm.ca)
        yield farm


def list_targets(cloud: LocalCloud) -> str:
    """Put a list of targets where the stack shall look; return its address."""
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": cloud.region})
    wrong = {"name": "wrong", "url": "ftp://listed.example.com/"}
    s3.put_object(Bucket=BUCKET, Key=KEY, Body=json.dumps([LISTED, wrong]).encode())
    return f"s3://{BUCKET}/{KEY}"
