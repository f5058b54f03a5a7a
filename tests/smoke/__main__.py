"""Try the deployed chores on one 1 GiB volume, and clean up what was made.

Needs `CARETAKER_SMOKE=yes` and `CARETAKER_SMOKE_STACK=<stack name>`; docs/smoke.md says what it
does and what it costs.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from tests.smoke.judging import (
    judge_in_report_mode,
    judge_tags_in_report_mode,
    plan_tags_at_birth,
    probe_by_hand,
    watch_instances,
)
from tests.smoke.trial import CONSENT, NEEDED, RUN, STACK, SmokeError, Trial, poll, require

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def main() -> int:
    stack = os.environ.get(STACK, "")
    if os.environ.get(CONSENT) != "yes" or not stack:
        print(
            f"This works on a real account. Set {CONSENT}=yes and {STACK}=<stack name>; "
            "read docs/smoke.md first."
        )
        return 2
    trial = Trial(stack)
    print(
        f"Stack {stack}, policy {trial.policy}: one 1 GiB gp3 volume and one snapshot, for some "
        "minutes. Less than 0.05 USD. Two messages go to the alerts topic, and a test, with its "
        "end, to every topic: phones and pagers will ring."
    )
    try:
        for name, step in STEPS.items():
            step(trial)
            print(f"ok    {name}", flush=True)
    except (SmokeError, ClientError, BotoCoreError) as error:
        print(f"FAIL  {error}")
        return 1
    finally:
        clean_up(trial)
    print("all checked")
    return 0


def read_stack(trial: Trial) -> None:
    described = boto3.client("cloudformation").describe_stacks(StackName=trial.stack)["Stacks"][0]
    trial.outputs = {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}
    missing = [name for name in NEEDED if name not in trial.outputs]
    require(not missing, f"the stack has no outputs {missing}; is it Caretaker's?")


def make_volume(trial: Trial) -> None:
    ec2 = boto3.client("ec2")
    zone = ec2.describe_availability_zones()["AvailabilityZones"][0]["ZoneName"]
    key = os.environ.get("CARETAKER_SMOKE_KMS_KEY", "alias/aws/ebs")
    tags = {
        "Name": "caretaker-smoke",
        "caretaker:backup": trial.policy,
        "purpose": "smoke test",
        RUN: trial.policy,
    }
    made = ec2.create_volume(
        AvailabilityZone=zone,
        Size=1,
        VolumeType="gp3",
        Encrypted=True,
        KmsKeyId=key,
        ClientToken=trial.policy,
        TagSpecifications=[
            {
                "ResourceType": "volume",
                "Tags": [{"Key": name, "Value": value} for name, value in tags.items()],
            }
        ],
    )
    trial.volume_id = made["VolumeId"]
    for _ in poll("the volume is not available"):
        state = ec2.describe_volumes(VolumeIds=[trial.volume_id])["Volumes"][0]["State"]
        require(state != "error", "the volume ended in error: is the KMS key usable?")
        if state == "available":
            return


def refuse_wrong_event(trial: Trial) -> None:
    answer = trial.invoke({"policy": trial.policy, "max_age_hours": "soon"})
    require(answer["status"] == "refused", f"a wrong event was not refused: {answer}")
    paths = [error["path"] for error in answer["errors"]]
    require(paths == ["max_age_hours"], f"the wrong field was not named: {answer['errors']}")


def plan_without_change(trial: Trial) -> None:
    answer = trial.invoke({**trial.regular, "mode": "report"})
    require(answer["counts"].get("create") == {"planned": 1}, f"wrong plan: {answer['counts']}")
    require(not trial.snapshots(), "report mode made a snapshot")


def take_snapshot(trial: Trial) -> None:
    answer = trial.invoke(trial.regular)
    require(answer["mode"] == "act", "the stack's SnapshotMode is report; nothing can be taken")
    require(answer["counts"].get("create") == {"done": 1}, f"no snapshot was taken: {answer}")
    require(answer["report"], "no report was written")


def wait_for_snapshot(trial: Trial) -> None:
    for _ in poll("the snapshot is not completed"):
        found = trial.snapshots()
        states = [snapshot["State"] for snapshot in found]
        require(len(found) == 1, f"one snapshot was expected: {states}")
        require(states != ["error"], f"it ended in error: {found[0].get('StateMessage')}")
        if states == ["completed"]:
            break
    snapshot = trial.snapshots()[0]
    tags = {tag["Key"]: tag["Value"] for tag in snapshot["Tags"]}
    expected = {
        "caretaker:managed-by": trial.outputs["Installation"],
        "caretaker:slot": trial.regular["scheduled_time"],
        "caretaker:attempt": "1",
        "purpose": "smoke test",
    }
    wrong = {name: tags.get(name) for name, value in expected.items() if tags.get(name) != value}
    require(not wrong, f"wrong tags: {wrong}")
    require(snapshot["Encrypted"], "the snapshot of an encrypted volume is not encrypted")


def repeat_without_change(trial: Trial) -> None:
    answer = trial.invoke(trial.regular)
    require(answer["progress"] == 0, f"the second run changed something: {answer['counts']}")
    require(answer["counts"].get("keep") == {"unchanged": 1}, f"not kept: {answer['counts']}")
    require(len(trial.snapshots()) == 1, "the second run made a snapshot")


def read_report(trial: Trial) -> None:
    prefix = f"snapshot/{trial.policy}/"
    bucket = trial.outputs["ReportsBucketName"]
    listed = boto3.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    require(len(listed) >= 2, f"reports are missing below {prefix}")


def look_into_outbox(trial: Trial) -> None:
    """The topic and its key took both messages: none is left to send."""
    items = boto3.client("dynamodb").query(
        TableName=trial.outputs["StateTableName"],
        KeyConditionExpression="pk = :outbox",
        ExpressionAttributeValues={":outbox": {"S": "outbox"}},
    )["Items"]
    left = [item for item in items if f"/{trial.policy}#" in item["sk"]["S"]]
    require(not left, "the alerts topic did not take a message: look at its key's policy")


def simulate_denials(trial: Trial) -> None:
    """IAM's own judgement of what roles must not do; left out where it cannot be asked."""
    try:
        simulate = boto3.client("iam").simulate_principal_policy
        results = [
            each
            for chore, actions, resource, context in _forbidden(trial)
            for each in simulate(
                PolicySourceArn=trial.role_of(chore),
                ActionNames=actions,
                ResourceArns=[resource],
                ContextEntries=[context],
            )["EvaluationResults"]
        ]
    except ClientError as error:
        print(f"      IAM was not asked: {error}")
        return
    allowed = [each["EvalActionName"] for each in results if each["EvalDecision"] == "allowed"]
    require(not allowed, f"a role may do what it must not: {allowed}")


def _forbidden(trial: Trial) -> Iterator[tuple[str, list[str], str, Any]]:
    """Yield the chore, the actions, of what, and the tags that go with it."""
    _, partition, _, region, account, *_ = trial.outputs["SnapshotFunctionArn"].split(":")
    instance = f"arn:{partition}:ec2:{region}:{account}:instance/i-0123456789abcdef0"
    task = f"arn:{partition}:ecs:{region}:{account}:task/smoke/0123456789abcdef0123456789abcdef"
    snapshot = f"arn:{partition}:ec2:{region}::snapshot/{trial.snapshots()[0]['SnapshotId']}"
    changes = ["ec2:CreateTags", "ec2:DeleteSnapshot", "ec2:ModifySnapshotAttribute"]
    foreign = _context("aws:ResourceTag/caretaker:managed-by", "string", "somebody else")
    powers = ["ec2:RebootInstances", "ec2:StopInstances", "ec2:TerminateInstances"]
    opted_out, opted_in = (
        _context("aws:ResourceTag/caretaker:remediate", "string", said)
        for said in ("none", "restart")
    )
    yield "Snapshot", changes, snapshot, foreign
    yield "InstanceHealth", [*powers, "ec2:CreateTags"], instance, opted_out
    yield "Uptime", [*powers, "ssm:SendCommand"], instance, opted_in
    yield "Uptime", ["ecs:StopTask"], task, opted_in
    yield "ServiceRepair", ["ecs:StopTask"], task, opted_out
    for key in ("caretaker:managed-by", "Caretaker:Managed-By", "caretaker:delete-after"):
        yield "Tagging", ["ec2:CreateTags"], snapshot, _context("aws:TagKeys", "stringList", key)


def _context(name: str, kind: str, value: str) -> dict[str, Any]:
    return {"ContextKeyName": name, "ContextKeyValues": [value], "ContextKeyType": kind}


def try_topics(trial: Trial) -> None:
    """Every topic takes a test; who confirmed nothing is named, and is no failure."""
    answer = trial.invoke({"test": True}, "Alerts")
    failed = [each["target"] for each in answer["outcomes"] if each["result"] == "failed"]
    require(not failed, f"topics did not take the test: {failed}")
    require(answer["counts"].get("test", {}).get("done"), f"nothing was tested: {answer}")
    for each in answer["outcomes"]:
        if each["result"] == "done" and not each["detail"].get("confirmed"):
            print(f"      nobody has confirmed to hear the topic {each['target']}")


def clean_up(trial: Trial) -> None:
    """Delete the volume made here, and the snapshots of it that carry this run's policy."""
    if not trial.volume_id:
        return
    ec2 = boto3.client("ec2")
    try:
        for snapshot in trial.snapshots():
            ec2.delete_snapshot(SnapshotId=snapshot["SnapshotId"])
        ec2.delete_volume(VolumeId=trial.volume_id)
    except (ClientError, BotoCoreError) as error:
        print(f"LEFT  {trial.volume_id} and snapshots of policy {trial.policy}: {error}")
    else:
        print(f"gone  {trial.volume_id} and its snapshots")


STEPS: Final[dict[str, Callable[[Trial], None]]] = {
    "the stack has Caretaker's outputs": read_stack,
    "an encrypted volume is there": make_volume,
    "a wrong event is refused, with the field's name": refuse_wrong_event,
    "report mode plans one snapshot and makes none": plan_without_change,
    "one snapshot is taken": take_snapshot,
    "it is completed, with its tags": wait_for_snapshot,
    "a second run changes nothing": repeat_without_change,
    "reports are in the bucket": read_report,
    "the alerts topic took its messages": look_into_outbox,
    "retention judges the snapshot in report mode and keeps it": judge_in_report_mode,
    "tagging judges the volume in report mode and finds it right": judge_tags_in_report_mode,
    "tagging plans a tag at the volume's birth and sets none": plan_tags_at_birth,
    "instance health reads every status check and changes nothing": watch_instances,
    "uptime probes a public URL, and none that leads inwards": probe_by_hand,
    "every topic takes a test alert": try_topics,
    "no role can tag, share, delete or stop what is not its own or opted in": simulate_denials,
}

if __name__ == "__main__":
    sys.exit(main())
