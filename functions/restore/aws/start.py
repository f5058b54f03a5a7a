"""Start what was planned: the state machine takes each target from there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.session import home
from caretaker.errors import CallError

if TYPE_CHECKING:
    from caretaker.run import Run
    from functions.restore.memory import Restore
    from functions.restore.request import RestoreRequest

_ENDED: Final = "ExecutionAlreadyExists"
_MOST_NAMES: Final = 20


def start(run: Run[RestoreRequest], restore: Restore) -> str:
    """Start the machine under the name of the plan, and return the ARN of its execution.

    An execution of that name that runs is the same one. Where it has ended and the restore has not,
    another goes on from the journals.
    https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    """
    event = {"plan": restore.plan, "policy": restore.policy, "pace": restore.pace}
    for number in range(1, _MOST_NAMES):
        name = restore.plan if number == 1 else f"{restore.plan}-r{number}"
        try:
            return _start(run, name, json.dumps(event))
        except CallError as error:
            if error.failure.code != _ENDED:
                raise
    return _start(run, f"{restore.plan}-r{_MOST_NAMES}", json.dumps(event))


def _start(run: Run[RestoreRequest], name: str, event: str) -> str:
    settings = run.scene.settings
    try:
        answer = home(settings.region).machines.start_execution(
            stateMachineArn=settings.restore_machine, name=name, input=event
        )
    except AWS_ERRORS as error:
        raise CallError("StartExecution", classify(error)) from error
    return str(answer["executionArn"])
