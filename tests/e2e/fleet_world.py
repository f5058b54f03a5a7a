"""A hub that runs fleets, and an organization: three accounts, three regions, a role in each."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tests.cloud.organization_tree import ID
from tests.cloud.strict import ACCOUNT
from tests.cloud.subscribers import QueueSubscriber
from tests.cloud.tools import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.cloud.deployment import Json, Stack
    from tests.cloud.remote import RemoteCloud
    from tests.cloud.stack import LocalCloud

MEMBERS: Final = ("111111111111", "222222222222", "333333333333")
REGIONS: Final = ("eu-central-1", "eu-west-1", "us-east-1")
MANAGEMENT: Final = "999999999999"
INSTALLATION: Final = "hub"
ROLE: Final = "caretaker-member"
EXTERNAL_ID: Final = "of-the-hub"
MEMBER: Final = ROOT / "member-role.yaml"
_SECONDS: Final = 90.0
_RETRIES: Final = 0.02
"""A cell that dies is tried again six times, five seconds and more apart."""


class Cell(NamedTuple):
    """An account and a region."""

    account: str
    region: str

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"{self.account}/{self.region}"

    @property
    def place(self) -> dict[str, str]:
        """Where a seed goes."""
        return {"in_account": self.account, "region": self.region}


CELLS: Final = tuple(Cell(account, region) for account in MEMBERS for region in REGIONS)


@dataclass(frozen=True)
class Hub:
    """The stack, who listens to its alerts, and the unit that the three accounts are in."""

    stack: Stack
    heard: QueueSubscriber
    unit: str

    @classmethod
    def deploy(cls, cloud: LocalCloud, parameters: Mapping[str, str]) -> Hub:
        """Deploy it into an account that may ask about the organization; grow that."""
        ec2 = cloud.ec2
        ec2.fleet("organization/join", MANAGEMENT, role="management", name="payer")
        ec2.fleet("organization/join", ACCOUNT, role="delegated", name="hub")
        unit = ec2.fleet("organization/unit", "Workloads")
        for each in MEMBERS:
            ec2.fleet("organization/join", each, unit, name=f"team-{each[0]}")
        own = {
            "Installation": INSTALLATION,
            "FleetMode": "act",
            "RetentionMode": "act",
            "TaggingMode": "act",
            "TargetRoleName": ROLE,
            "TargetExternalId": EXTERNAL_ID,
        }
        stack = cloud.deploy("hub", parameters={**parameters, **own})
        for each in MEMBERS:
            _deploy_member(cloud, each)
        ec2.fleet("access/ask_iam", cloud.url)
        cloud.turn(retry_scale=_RETRIES)
        heard = QueueSubscriber(cloud, stack.outputs["AlertsTopicArn"], "hub-heard")
        return cls(stack, heard, str(unit))

    def leave(self) -> None:
        """Let the other tests have their cloud back: no organization, roles that nobody guards."""
        for each in (ACCOUNT, MANAGEMENT, *MEMBERS):
            self.ec2.fleet("organization/leave", each)
        self.ec2.fleet("access/ask_iam", "")
        self.stack.cloud.turn()

    @cached_property
    def function(self) -> str:
        """The fleet function's name."""
        return self.stack.outputs["FleetFunctionName"]

    @property
    def ec2(self) -> RemoteCloud:
        """The strict EC2."""
        return self.stack.cloud.ec2

    def start(self, policy: str, chore: str, event: Json, **more: object) -> Json:
        """Ask for a run over the three accounts and regions; return the answer."""
        asked = {
            "policy": policy,
            "chore": chore,
            "event": event,
            "accounts": {"organization": True, "units": [self.unit]},
            "regions": {"names": list(REGIONS)},
            **more,
        }
        answer: Json = self.stack.invoke(self.function, asked)
        return answer

    def ended(self, answer: Json) -> Json:
        """Return what the judge of a run that was started has said, once it has ended."""
        execution = answer["summary"]["execution"]
        assert execution, answer
        client, until = self.stack.client("stepfunctions"), time.monotonic() + _SECONDS
        while time.monotonic() < until:
            told = client.describe_execution(executionArn=execution)
            if told["status"] != "RUNNING":
                assert told["status"] == "SUCCEEDED", (told.get("error"), told.get("cause"))
                return dict(json.loads(told["output"])["judged"])
            time.sleep(0.2)
        raise AssertionError(f"{execution} has not ended")

    def run(self, policy: str, chore: str, event: Json, **more: object) -> Json:
        """Start a run, wait for its end, and return what its judge has said."""
        return self.ended(self.start(policy, chore, event, **more))

    def ledger(self, judged: Json) -> dict[str, Json]:
        """Return the lines of a run's ledger, by cell."""
        return {each["target"]: each for each in self.stack.report(judged)[1:]}

    def waves(self, judged: Json) -> list[list[str]]:
        """Return the cells of each wave of a run, in their order."""
        s3, bucket = self.stack.client("s3"), self.stack.outputs["ReportsBucketName"]
        prefix = f"fleet/runs/{judged['summary']['run']}/wave-"
        listed = s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
        found: list[list[str]] = []
        for key in sorted(each["Key"] for each in listed):
            items: list[Any] = json.load(s3.get_object(Bucket=bucket, Key=key)["Body"])
            targets = [item["event"]["target"] for item in items]
            found.append([Cell(each["account"], each["region"]).name for each in targets])
        return found

    def snapshots(self, cell: Cell, **tags: str) -> list[dict[str, str]]:
        """Return the tags of the snapshots in a cell that carry these tags of ours."""
        found = [
            {tag["Key"]: tag["Value"] for tag in each["Tags"]} | {"id": each["SnapshotId"]}
            for each in self.ec2.state(**cell.place)["snapshots"]
        ]
        wanted = {f"caretaker:{key}": value for key, value in tags.items()}
        return [each for each in found if wanted.items() <= each.items()]

    def news(self, text: str) -> list[Json]:
        """Return the alerts that have arrived since the last look and hold a text."""
        return [each.document for each in self.heard.news() if text in each.message]


def _deploy_member(cloud: LocalCloud, account: str) -> None:
    """Deploy the role of members into an account, as their StackSet would."""
    values = {
        "HubAccountId": ACCOUNT,
        "HubStackName": "hub",
        "Installation": INSTALLATION,
        "OrganizationId": ID,
        "ExternalId": EXTERNAL_ID,
        "RoleName": ROLE,
        "SnapshotMode": "act",
        "RetentionMode": "act",
        "TaggingMode": "act",
    }
    stacks = cloud.client("cloudformation", account)
    stacks.create_stack(
        StackName="caretaker-member",
        TemplateBody=MEMBER.read_text(encoding="utf-8"),
        Parameters=[{"ParameterKey": name, "ParameterValue": values[name]} for name in values],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    done = stacks.get_waiter("stack_create_complete")
    done.wait(StackName="caretaker-member", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
