"""What CloudTrail tells of calls that made something."""

from __future__ import annotations

import json
from typing import Any

from tests.cloud.tools import ROOT

EVENT = ROOT / "events" / "tagging" / "birth-run-instances.json"


def birth_of(instance: str, **changed: Any) -> dict[str, Any]:
    """Return the detail of the event of RunInstances by a person, ann, for this instance."""
    detail: dict[str, Any] = json.loads(EVENT.read_text())["birth"]
    detail["responseElements"]["instancesSet"]["items"] = [{"instanceId": instance}]
    return {**detail, **changed}


def role_session(role_arn: str) -> dict[str, Any]:
    """Return the identity of a function that runs as a role."""
    account, name = role_arn.split(":")[4], role_arn.rpartition("/")[2]
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account}:assumed-role/{name}/function",
        "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role_arn, "userName": name}},
    }
