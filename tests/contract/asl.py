"""State machines as they are written: their ways, their payloads, and what the language allows."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.contract.iam import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.template import Properties

MAX_PAYLOAD: Final = 262_144
"""Bytes of a state's input or output. Source: AWS Step Functions developer guide, "Quotas"."""
MAX_NAME: Final = 80
"""Characters. Source: AWS Step Functions API reference, CreateStateMachine, name."""


def lint(definition: str, folder: Path) -> str:
    """Return what cfn-lint, which knows the language, says of a definition."""
    own = {"RoleArn": f"arn:aws:iam::{ACCOUNT}:role/machine", "DefinitionString": definition}
    machine = {"Type": "AWS::StepFunctions::StateMachine", "Properties": own}
    template = folder / "template.json"
    template.write_text(json.dumps({"Resources": {"Machine": machine}}), encoding="utf-8")
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), template],
        env={"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def reached_from(scope: Properties) -> set[str]:
    """Return the states that any way leads to."""
    reached, waiting = set[str](), [scope["StartAt"]]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += _following(scope["States"][name])
    return reached


def _following(state: Properties) -> Iterator[str]:
    yield from (each["Next"] for each in (state, *state.get("Choices", ())) if "Next" in each)
    if "Default" in state:
        yield state["Default"]


def resolved(value: Any, known: Properties) -> Any:
    """Return parameters with every path in place."""
    if not isinstance(value, dict):
        return value
    return {
        key.removesuffix(".$"): known[inner] if key.endswith(".$") else resolved(inner, known)
        for key, inner in value.items()
    }
