"""The harness every chore runs in: from the event to the answer.

    event -> request -> slot -> lease -> [ the chore: gather, decide, apply ] -> next round
          -> report -> alerts -> metrics -> answer

A run that changed nothing and may be repeated as a whole raises, so that Lambda's retries, its
Errors metric and the on-failure queue do their work; any other end is an answer.
"""

from __future__ import annotations

import os
import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final, Protocol

from caretaker.aws.elsewhere import Elsewhere, check_stays_at_home
from caretaker.aws.functions import invoke_next_round
from caretaker.aws.lease import Lease, renewed_lease
from caretaker.aws.pacing import Pacer
from caretaker.aws.places import Place
from caretaker.aws.session import account_at, home
from caretaker.aws.state import State, Table
from caretaker.cells import caller_in
from caretaker.clock import Deadline
from caretaker.errors import BusyError, CallError, FieldError, RefusedError, StateError
from caretaker.finish import Finish
from caretaker.identity import run_id
from caretaker.incidents import Check, Severity
from caretaker.report import Heading
from caretaker.request import POLICY_PATTERN, BaseRequest, effective_mode, parse_request
from caretaker.rounds import check_left_over, left_by, next_round
from caretaker.run import Run, Scene
from caretaker.settings import Mode, Settings
from caretaker.slots import slot_of
from caretaker.telemetry import logger

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from caretaker.clock import Clock
    from caretaker.report import Findings
    from caretaker.request import Caller
    from caretaker.run import Chore

NO_POLICY: Final = "-"


class LambdaContext(Protocol):
    """What Lambda tells of an invocation."""

    aws_request_id: str
    invoked_function_arn: str

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds left."""
        ...


def run_chore[R: BaseRequest](
    chore: Chore[R], event: Mapping[str, Any], context: LambdaContext, *, clock: Clock
) -> dict[str, Any]:
    """Run a chore and return its answer."""
    return _Invocation(chore, context, clock).answer(event)


class _Invocation[R: BaseRequest]:
    """One invocation of the function, whatever it turns out to be."""

    def __init__(self, chore: Chore[R], context: LambdaContext, clock: Clock) -> None:
        self._chore = chore
        self._context = context
        self._clock = clock
        self._started = clock.monotonic()
        self._now = clock.now()
        self._run_id = run_id(self._now, os.urandom(10))
        self._settings = Settings.from_env(os.environ)
        _, self._partition, _, _, self._account, *_ = context.invoked_function_arn.split(":")
        table = Table(home(self._settings.region).dynamodb, self._settings.state_table, clock)
        self._state = State(table)
        self._by_hand = False
        self._caller: Caller | None = None
        logger.clear_state()
        logger.append_keys(run=self._run_id, chore=chore.name)

    def answer(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Turn the event into an answer; raises only what may be repeated as a whole."""
        self._by_hand = _is_by_hand(event)
        self._caller = caller_in(event) if self._chore.rights else None
        try:
            resolved = self._resolve(event)
            if resolved is None:
                return self._decided_nothing("ok", "nothing_of_ours")
            request = parse_request(self._chore.request, resolved)
            mode = effective_mode(request.mode, self._settings.mode)
            scene = self._scene(request, mode)
        except RefusedError as refused:
            return self._before_deciding(event).refused(refused)
        except CallError as failed:
            if failed.may_pass:
                raise
            return self._before_deciding(event).failed(failed)
        return self._run(request, mode, scene, resolved)

    def _resolve(self, event: Mapping[str, Any]) -> dict[str, Any] | None:
        if not isinstance(event, dict):
            problem = FieldError("event", "not a JSON object", "an object, {} for the defaults")
            raise RefusedError("event_invalid", [problem])
        if "detail-type" not in event:
            return dict(event)
        if self._chore.resolve is None:
            problem = FieldError("detail-type", "this chore takes no EventBridge events")
            raise RefusedError("event_invalid", [problem])
        return self._chore.resolve(event, self._scene(BaseRequest(), self._settings.mode))

    def _scene(self, request: BaseRequest, mode: Mode) -> Scene:
        place = self._place(request, mode)
        left = self._context.get_remaining_time_in_millis() / 1000
        deadline = Deadline(self._clock, left)
        account = account_at(place)
        pacer = Pacer(account.buckets, self._clock, deadline, request.pace)
        return Scene(
            settings=self._settings,
            account=account,
            pacer=pacer,
            deadline=deadline,
            state=self._state,
            clock=self._clock,
            now=self._now,
            run_id=self._run_id,
            request_id=self._context.aws_request_id,
            partition=self._partition,
        )

    def _place(self, request: BaseRequest, mode: Mode) -> Place:
        own = Place(self._account, self._settings.region)
        if self._chore.rights is None:
            check_stays_at_home(request)
            return own
        elsewhere = Elsewhere(self._settings, self._partition, own, self._chore.name)
        account = request.target.account or own.account
        region = request.target.region or own.region
        return elsewhere.place_of(account, region, self._chore.rights.policy_for(mode))

    def _slot(self, request: BaseRequest) -> str:
        """Lambda's own retries share the request id, and so the minute of the first attempt."""
        if request.scheduled_time is not None:
            return slot_of(request.scheduled_time)
        minute = slot_of(self._now)
        try:
            return self._state.remember("first", self._context.aws_request_id, minute, self._now)
        except StateError as error:
            logger.warning("slot not remembered", error=error.failure.as_error())
            return minute

    def _run(
        self, request: R, mode: Mode, scene: Scene, event: Mapping[str, Any]
    ) -> dict[str, Any]:
        slot = self._slot(request)
        heading = self._heading(request.policy, mode, slot, scene.account.place)
        logger.append_keys(policy=request.policy, slot=slot)
        finish = self._finish(heading)
        try:
            with self._lease(heading, request, mode) as lease:
                findings = self._chore.steps(Run(scene, request, mode, slot, lease))
        except BusyError as busy:
            # A caller asks again: what the run that is at work comes to is this cell's, too.
            if request.caller or not request.is_spared_by(busy.slot, slot):
                raise
            reason = "slot_in_progress" if busy.slot == slot else "run_in_progress"
            return self._decided_nothing("skipped", reason, heading)
        except CallError as failed:
            if failed.may_pass or not self._chore.tell_failures:
                raise
            return finish.failed(failed)
        except RefusedError as refused:
            return finish.refused(refused)
        regular = request.mode is not Mode.REPORT and not request.lease_scope
        following = next_round(event, request, slot, findings, mode)
        left = self._check_left(request, mode, findings, following)
        checks = [*self._checks(lease), *left]
        return finish.ended(findings, checks, heartbeat=regular, following=following)

    def _lease(
        self, heading: Heading, request: BaseRequest, mode: Mode
    ) -> AbstractContextManager[Lease]:
        """Hold the lease of the policy; reporting needs none, and adding goes on without one."""
        if mode is Mode.REPORT:
            return nullcontext(Lease())
        parts = (heading.chore, heading.policy, heading.account, heading.region)
        key = "/".join((*parts, request.lease_scope) if request.lease_scope else parts)
        try:
            self._state.acquire(key, self._run_id, heading.slot, self._clock.now())
        except StateError as error:
            if not self._chore.adds_only:
                raise
            logger.error("lease not taken", error=error.failure.as_error())
            return nullcontext(Lease(unreachable=error.failure.message))
        return renewed_lease(self._state, self._clock, key, self._run_id, heading.slot)

    def _check_left(
        self,
        request: BaseRequest,
        mode: Mode,
        findings: Findings,
        following: Mapping[str, Any] | None,
    ) -> list[Check]:
        """Start the next round, unless a caller does, and judge how it stands with what is left."""
        if mode is Mode.REPORT:
            return []
        problem = ""
        if following is not None:
            problem = "" if request.caller else self._invoke_next(following)
            if not problem:
                return []
        left = left_by(findings)
        # A run about a part of it all does not know what else was left.
        return [check_left_over(left, problem)] if left or not request.lease_scope else []

    def _invoke_next(self, following: Mapping[str, Any]) -> str:
        """Invoke the function itself; return why that went wrong, empty where it did not."""
        try:
            client = home(self._settings.region).functions
            invoke_next_round(client, self._context.invoked_function_arn, following)
        except CallError as error:
            return str(error)
        logger.info("next round invoked", round=following["round"])
        return ""

    def _checks(self, lease: Lease) -> list[Check]:
        return [
            Check(
                kind="state_unavailable",
                resource=self._settings.state_table,
                healthy=not lease.unreachable,
                severity=Severity.CRITICAL,
                what="state table unreachable",
                evidence={"error": lease.unreachable},
                done="went on with what only adds; nothing is deleted or retaken",
                next="the next run tries again",
            )
        ]

    def _heading(self, policy: str, mode: str, slot: str, place: Place | None) -> Heading:
        where = place or Place(self._account, self._settings.region)
        name = self._chore.name
        return Heading(name, policy, mode, self._run_id, slot, where.account, where.region)

    def _finish(self, heading: Heading) -> Finish:
        return Finish(
            self._settings,
            self._state.table,
            self._clock,
            heading,
            self._now,
            self._started,
            self._default_policy if self._by_hand else "",
            self._caller,
        )

    def _before_deciding(self, event: Mapping[str, Any]) -> Finish:
        """End under the policy that the event meant, or else the chore's default one."""
        policy = event.get("policy") if isinstance(event, dict) else None
        if not (isinstance(policy, str) and re.fullmatch(POLICY_PATTERN, policy)):
            policy = self._default_policy
        return self._finish(self._heading(policy, self._settings.mode, "", None))

    @property
    def _default_policy(self) -> str:
        return str(self._chore.request.model_fields["policy"].default)

    def _decided_nothing(
        self, status: str, reason: str, heading: Heading | None = None
    ) -> dict[str, Any]:
        head = heading or self._heading(NO_POLICY, self._settings.mode, "", None)
        return self._finish(head).without_items(status, reason, [])


def _is_by_hand(event: object) -> bool:
    """Tell whether a person, and neither a schedule nor a rule, has sent an event.

    What is no object tells nothing of who sent it.
    """
    return isinstance(event, dict) and not event.keys() & {"scheduled_time", "detail-type"}
