"""Start the state machine that runs the cells."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.session import home
from caretaker.errors import CallError
from caretaker.slots import slot_time

if TYPE_CHECKING:
    from caretaker.settings import Settings
    from functions.fleet.manifest import Manifest

_ENDED: Final = "ExecutionAlreadyExists"


def start(settings: Settings, manifest: Manifest) -> str:
    """Start the execution of a run and return its ARN; empty where it has ended already.

    One of that name that runs with the same input is the same one.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    time = slot_time(manifest.slot).isoformat()
    event = {"policy": manifest.policy, "scheduled_time": time, "wave": {"number": 0}}
    try:
        answer = home(settings.region).machines.start_execution(
            stateMachineArn=settings.fleet_machine, name=manifest.run, input=json.dumps(event)
        )
    except AWS_ERRORS as error:
        failure = classify(error)
        if failure.code == _ENDED:
            return ""
        raise CallError("StartExecution", failure) from error
    return str(answer["executionArn"])
