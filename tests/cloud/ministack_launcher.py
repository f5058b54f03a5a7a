"""Starts ministack with EventBridge Scheduler's context words mended.

Run by ministack's own Python, so nothing of this repository is imported. ministack hands a
schedule's input on as it stands; EventBridge Scheduler replaces `<aws.scheduler.scheduled-time>`
and its kin first. Source: EventBridge Scheduler user guide, "Adding context attributes". And EC2
lives in another server here, so its events come in through PutEvents, which refuses `aws.` sources.
And e-mail and SMS, which ministack drops, go into the queue of their mailbox, where there is one;
an address that begins with `unconfirmed` stays pending until it is confirmed with the token
`confirm-<address>`. `AWS::Rbin::Rule`, unknown to ministack, is made at the strict server. The
plain HTTP of this machine's own loopback counts as TLS, so that policies can ask for it. Conditions
may join a list parameter, which ministack leaves as it stands and takes for true. A layer is
unpacked once for all functions, not for each: five thousand files take seconds, twice. What
`ministack_maps` mends of state machines is put in place here.
"""

# ruff: noqa: SLF001 - mending somebody else's program means reaching into it

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
import tempfile
import threading
import zipfile
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.request import Request, urlopen
from uuid import uuid4

# As a script this folder leads the path, and its modules' names are common ones.
sys.path.pop(0)

from ministack import app
from ministack.core import lambda_runtime
from ministack.services import eventbridge, scheduler, sns
from ministack.services.cloudformation import changesets, engine, handlers, provisioners, stacks

_invoke_target = eventbridge._invoke_target
_put_given_events = eventbridge._put_events
_fan_out = sns._fanout
_count_subscriptions = sns._refresh_subscription_counts
_pin_request_origin = app.pin_request_origin
_evaluate_conditions = engine._evaluate_conditions

MAILED = frozenset({"email", "sms"})


def _words(event: dict[str, Any], schedule: dict[str, Any]) -> dict[str, str]:
    expression = schedule["ScheduleExpression"]
    once = scheduler._at_time_epoch(expression)
    fired = datetime.fromtimestamp(float(once or event["Time"]), UTC)
    scheduled = fired.replace(second=0) if expression.startswith("cron") else fired
    return {
        "schedule-arn": schedule["Arn"],
        "scheduled-time": scheduled.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": str(uuid4()),
        "attempt-number": "1",
    }


def _invoke(target: dict[str, Any], event: dict[str, Any], rule: dict[str, Any], *rest: Any) -> Any:
    if event.get("Source") == "aws.scheduler" and target.get("Input"):
        words = _words(event, rule)
        mended = re.sub(
            r"<aws\.scheduler\.([a-z-]+)>",
            lambda found: words.get(found[1], found[0]),
            target["Input"],
        )
        target = {**target, "Input": mended}
    return _invoke_target(target, event, rule, *rest)


def _put_events(data: dict[str, Any], allow_aws_source: bool = False) -> Any:  # noqa: FBT001, FBT002
    sources = {entry.get("Source") for entry in data.get("Entries", ())}
    return _put_given_events(data, allow_aws_source or sources == {"aws.ec2"})


def _send_mails(topic_arn: str, message: str, subject: str, structure: str) -> None:
    topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": ()}
    place = topic_arn.rpartition(":")[0].replace(":sns:", ":sqs:")
    for subscription in topic["subscriptions"]:
        _ask_for_confirmation(subscription)
        if subscription["protocol"] in MAILED and subscription["confirmed"]:
            text = sns._resolve_message_for_protocol(message, structure, subscription["protocol"])
            mail = json.dumps({"Subject": subject, "Message": text})
            queue = "mailbox-" + re.sub(r"[^A-Za-z0-9]", "-", subscription["endpoint"])
            sns._deliver_to_sqs(f"{place}:{queue}", mail, True, mail)  # noqa: FBT003


def _fan_out_mails_too(
    topic_arn: str,
    message_id: str,
    message: str,
    subject: str,
    structure: str = "",
    *rest: Any,
    **options: Any,
) -> None:
    _fan_out(topic_arn, message_id, message, subject, structure, *rest, **options)
    _send_mails(topic_arn, message, subject, structure)


def _ask_for_confirmation(subscription: dict[str, Any]) -> None:
    address = subscription["endpoint"]
    if address.startswith("unconfirmed") and not subscription.get("asked"):
        subscription |= {"asked": True, "confirmed": False, "token": f"confirm-{address}"}
        subscription["attributes"]["PendingConfirmation"] = "true"


def _count(topic: dict[str, Any]) -> None:
    for subscription in topic["subscriptions"]:
        _ask_for_confirmation(subscription)
    _count_subscriptions(topic)


def _rbin(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    scope = f"{provisioners.get_account_id()}/20260101/{provisioners.get_region()}/rbin"
    request = Request(  # noqa: S310 - our own loopback server
        os.environ["AWS_ENDPOINT_URL_RBIN"] + path,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}/aws4_request"},
        method=method,
    )
    with urlopen(request, timeout=30) as answer:  # noqa: S310
        return dict(json.loads(answer.read() or b"{}"))


def _asked_rule(properties: dict[str, Any], *names: str) -> dict[str, Any]:
    asked = {name: properties[name] for name in names if name in properties}
    period = dict(asked.get("RetentionPeriod") or {})
    if period:
        period["RetentionPeriodValue"] = int(period["RetentionPeriodValue"])
        asked["RetentionPeriod"] = period
    return asked


_CHANGEABLE = ("Description", "ResourceTags", "ExcludeResourceTags", "RetentionPeriod")


def _create_rule(_: str, properties: dict[str, Any], __: str) -> tuple[str, dict[str, Any]]:
    made = _rbin("POST", "/rules", _asked_rule(properties, "ResourceType", *_CHANGEABLE))
    return made["RuleArn"], {"Arn": made["RuleArn"], "Identifier": made["Identifier"]}


def _update_rule(
    arn: str, _: dict[str, Any], properties: dict[str, Any], __: str
) -> tuple[str, dict[str, Any]]:
    identifier = arn.rpartition("/")[2]
    _rbin("PATCH", f"/rules/{identifier}", _asked_rule(properties, *_CHANGEABLE))
    return arn, {"Arn": arn, "Identifier": identifier}


def _delete_rule(arn: str, _: dict[str, Any]) -> None:
    _rbin("DELETE", f"/rules/{arn.rpartition('/')[2]}")


def _pin_as_secure(source_ip: str, _: bool) -> None:  # noqa: FBT001
    _pin_request_origin(source_ip, True)  # noqa: FBT003


def _evaluate_joined_too(template: dict[str, Any], params: dict[str, Any]) -> Any:
    conditions = _joined(template.get("Conditions", {}), params)
    return _evaluate_conditions({**template, "Conditions": conditions}, params)


def _joined(value: Any, params: dict[str, Any]) -> Any:
    match value:
        case {"Fn::Join": [str(separator), {"Ref": str(name)}]}:
            return separator.join(params[name]["Value"].split(","))
        case dict():
            return {key: _joined(inner, params) for key, inner in value.items()}
        case list():
            return [_joined(inner, params) for inner in value]
        case _:
            return value


class _ZipFile(zipfile.ZipFile):
    """Leaves a link to what was unpacked of the same layer before."""

    _unpacking = threading.Lock()

    def extractall(self, path: Any = None, *rest: Any, **options: Any) -> None:
        """Unpack, a layer into a place that its functions share."""
        place = Path(path)
        if not place.name.startswith("layer_"):
            super().extractall(path, *rest, **options)
            return
        digest = sha256(Path(str(self.filename)).read_bytes()).hexdigest()[:16]
        shared = Path(tempfile.gettempdir(), f"shared-layer-{digest}")
        with self._unpacking:
            if not shared.exists():
                super().extractall(shared, *rest, **options)
        place.rmdir()
        place.symlink_to(shared)


def _neighbour(name: str) -> Any:
    """Return a module beside this one, which no path leads to."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_neighbour("ministack_maps").mend()
app.pin_request_origin = _pin_as_secure
lambda_runtime.zipfile = SimpleNamespace(**{**vars(zipfile), "ZipFile": _ZipFile})
eventbridge._invoke_target = _invoke
eventbridge._put_events = _put_events
sns._fanout = _fan_out_mails_too
sns._refresh_subscription_counts = _count
provisioners._RESOURCE_HANDLERS["AWS::Rbin::Rule"] = {
    "create": _create_rule,
    "update": _update_rule,
    "delete": _delete_rule,
}
for _module in (changesets, engine, handlers, stacks):
    _module._evaluate_conditions = _evaluate_joined_too
scheduler._SCHEDULE_TICK_INTERVAL = float(os.environ.get("SCHEDULER_TICK_SECONDS", "1"))

if __name__ == "__main__":
    app.main()
