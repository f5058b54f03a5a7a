"""What the chores that judge say of the volume, and of the account, in report mode."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any, Final

import boto3

from tests.smoke.trial import RUN, Trial, require

if TYPE_CHECKING:
    from collections.abc import Mapping

PUBLIC: Final = "https://checkip.amazonaws.com/"
INWARD: Final = "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next"
HTTP_OK: Final = 200


def judge_in_report_mode(trial: Trial) -> None:
    """Retention sees the snapshot, keeps it, and changes nothing, whatever the stack's mode is."""
    event = {"policy": trial.policy, "mode": "report", "keep": {"last": 1}}
    answer = trial.invoke(event, "Retention")
    require(answer["status"] == "ok", f"retention could not judge: {answer}")
    require(answer["mode"] == "report", f"not in report mode: {answer['mode']}")
    (snapshot,) = (each["SnapshotId"] for each in trial.snapshots())
    judged = report_items(answer).get(snapshot)
    require(judged is not None, f"{snapshot} was not judged")
    kept = (judged["action"], judged["reason"]) if judged else ()
    require(kept[:1] == ("keep",), f"the only snapshot of a volume is not kept: {kept}")
    require(answer["progress"] == 0, f"report mode changed something: {answer['counts']}")


def judge_tags_in_report_mode(trial: Trial) -> None:
    """Tagging lists the volume, finds its tag right, and changes nothing."""
    rule = {"required": False, "values": [trial.policy], "applies_to": ["volume"]}
    event = {"policy": trial.policy, "mode": "report", "rules": {RUN: rule}}
    answer = trial.invoke(event, "Tagging")
    require(answer["status"] == "ok", f"tagging could not judge: {answer}")
    require(answer["summary"]["list"], "no list was written")
    judged = report_items(answer).get(trial.volume_id)
    require(judged is not None, f"{trial.volume_id} was not judged")
    kept = (judged["action"], judged["reason"]) if judged else ()
    require(kept == ("keep", "compliant"), f"a right tag is not kept: {kept}")


def plan_tags_at_birth(trial: Trial) -> None:
    """What tagging would set on the volume, as if CloudTrail had told of it: planned, not done."""
    rule = {"values": [trial.policy.upper()], "case": "normalise", "applies_to": ["volume"]}
    birth = {"eventName": "CreateVolume", "responseElements": {"volumeId": trial.volume_id}}
    event = {"policy": trial.policy, "mode": "report", "rules": {RUN: rule}, "birth": birth}
    answer = trial.invoke(event, "Tagging")
    require(answer["counts"].get("set") == {"planned": 1}, f"wrong plan: {answer}")
    require(trial.tags()[RUN] == trial.policy, "report mode wrote a tag")


def watch_instances(trial: Trial) -> None:
    """Instance health judges every instance there is, and changes nothing in either mode.

    Under the policy of the schedule, so that nobody hears twice of what is impaired, and by limits
    that tell nobody earlier than the schedule does.
    """
    pages = boto3.client("ec2").get_paginator("describe_instance_status")
    listed = {
        status["InstanceId"]
        for page in pages.paginate(IncludeAllInstances=True)
        for status in page["InstanceStatuses"]
    }
    event = {"mode": "report", "repairs": {"polls": 10, "impaired_minutes": 60}}
    answer = trial.invoke(event, "InstanceHealth")
    require(answer["status"] == "ok", f"instances could not be watched: {answer}")
    require(answer["mode"] == "report", f"not in report mode: {answer['mode']}")
    require(answer["progress"] == 0, f"report mode changed something: {answer['counts']}")
    unseen = listed - report_items(answer).keys()
    require(not unseen, f"instances were not judged: {sorted(unseen)[:5]}")
    print(f"      {len(listed)} instances, {answer['summary']['impaired']} of them impaired")


def probe_by_hand(trial: Trial) -> None:
    """Uptime probes a URL of AWS's own, and not the API of the Lambda that it runs in."""
    targets = [{"name": "aws", "url": PUBLIC}, {"name": "lambda", "url": INWARD}]
    answer = trial.invoke({"policy": trial.policy, "mode": "report", "targets": targets}, "Uptime")
    require(answer["status"] == "ok", f"nothing could be probed: {answer}")
    require(answer["mode"] == "report", f"not in report mode: {answer['mode']}")
    require(answer["progress"] == 0, f"report mode asked for a repair: {answer['counts']}")
    items = report_items(answer)
    seen, inward = items["aws"]["detail"], items["lambda"]["detail"]
    require(seen.get("status") == HTTP_OK, f"{PUBLIC} was not seen: {seen}")
    missing = {"dns", "connect", "tls", "first_byte"} - seen["phases"].keys()
    require(not missing, f"phases are missing: {sorted(missing)}")
    require(seen.get("certificate_expires"), f"no certificate was read: {seen}")
    require(inward.get("fault") == "blocked", f"{INWARD} was probed: {inward}")
    print(f"      {PUBLIC} answered in {seen['ms']} ms")


def report_items(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Return the items of the whole report by target: an answer holds only some."""
    bucket, _, key = str(answer["report"]).removeprefix("s3://").partition("/")
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    items = [json.loads(line) for line in gzip.decompress(body).splitlines()[1:]]
    return {item["target"]: item for item in items}
