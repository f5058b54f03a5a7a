"""Apply: repairs are asked for; who does them judges again whether they may be done."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from caretaker.apply import fail
from caretaker.aws.errors import AWS_ERRORS, classify
from caretaker.aws.session import home
from caretaker.decisions import Outcome, Result
from caretaker.slots import slot_time
from functions.uptime.facts import Reason
from functions.uptime.memory import incident_of

if TYPE_CHECKING:
    from caretaker.decisions import Batch
    from caretaker.run import Run
    from functions.uptime.plan import Plan
    from functions.uptime.request import UptimeRequest
    from functions.uptime.targets import Target


class Steps:
    """Asks for the repairs of one run."""

    def __init__(self, run: Run[UptimeRequest], plan: Plan) -> None:
        self._run = run
        self._targets = plan.case.facts.targets

    def ask(self, unit: Batch) -> list[Outcome]:
        """Ask for one repair, by an invocation that nobody waits for."""
        (decision,) = unit.decisions
        scene, target = self._run.scene, self._targets[decision.target]
        function = self._function_for(target)
        asked = event_of(decision.reason, target, incident_of(target, self._run))
        event = {**asked, "scheduled_time": slot_time(self._run.slot).isoformat()}
        client = home(scene.settings.region).functions
        try:
            scene.pacer.call(
                unit.lane,
                lambda: client.invoke(
                    FunctionName=function,
                    InvocationType="Event",
                    Payload=json.dumps(event).encode(),
                ),
            )
        except AWS_ERRORS as error:
            return fail([decision], classify(error).as_error(), {})
        return [Outcome(decision, Result.DONE, {"asked": function.rpartition(":")[2]})]

    def _function_for(self, target: Target) -> str:
        settings = self._run.scene.settings
        is_instance = target.fix is not None and target.fix.instance is not None
        return settings.instance_repairs if is_instance else settings.service_repairs


def event_of(reason: str, target: Target, incident: str) -> dict[str, Any]:
    """Return the event that asks for the repair of what stands behind a target.

    When it is up again an empty one: then it is only looked which repairs are over.
    """
    if reason == Reason.RECOVERED:
        return {}
    assert target.fix is not None  # noqa: S101 - else nothing was decided
    what = target.fix.model_dump(exclude_none=True)
    if "instance" in what:
        return {"repair": {"instance": what["instance"], "incident": incident}}
    return {"repair": {**what, "target": target.name, "incident": incident}}
