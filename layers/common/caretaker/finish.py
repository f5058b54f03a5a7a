"""The end of a run: report, alerts, metrics, log, answer."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from caretaker import report as reports
from caretaker.aws.alerts import Alerts
from caretaker.aws.reports import put_report, report_key
from caretaker.aws.session import home
from caretaker.cells import OF_ALL, UNREACHABLE, Ending, cell_answer
from caretaker.decisions import Result
from caretaker.errors import CallError, StateError
from caretaker.failures import Kind
from caretaker.incidents import Check, Origin, Severity
from caretaker.telemetry import log_items, logger, publish_breakdown, publish_metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from caretaker.aws.alerts import Told
    from caretaker.aws.state import Table
    from caretaker.clock import Clock
    from caretaker.decisions import Outcome
    from caretaker.errors import RefusedError
    from caretaker.report import Breakdown, Findings, Heading, OnBehalf
    from caretaker.request import Caller
    from caretaker.settings import Settings

ENDED_WELL: Final = frozenset({"event_refused", "run_failed"})
"""Incidents of whole runs; a regular one that ended resolves them, the hourly look does not."""
_ALLOWED: Final = "a call that the function's role, the boundary and the organization allow"


@dataclass(frozen=True, slots=True)
class Finish:
    """Ends one run; `started` is the monotonic time it began at.

    What is wrong with a run that a person asked for is told mildly, for that person has the answer,
    and under the policy `by_hand`, whose next scheduled run ends it; that is empty where a schedule
    asked, which goes on asking. A run that has a `caller` tells nobody and measures nothing: its
    answer, a short one, says all of it to the caller.
    """

    settings: Settings
    table: Table
    clock: Clock
    heading: Heading
    now: datetime
    started: float
    by_hand: str = ""
    caller: Caller | None = None

    def ended(
        self,
        findings: Findings,
        checks: Sequence[Check],
        *,
        heartbeat: bool,
        following: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """End a run that decided: the whole report, what people must know, the numbers.

        `following` is the event of the round that the caller is to ask for.
        """
        outcomes = findings.outcomes
        answer = reports.answer_of(self.heading, findings, report=None, duration_ms=self._took())
        written = self._write(answer, outcomes, findings.report_kind)
        answer["report"] = written.report
        all_checks = [*findings.checks, *checks, written.check]
        judged = findings.judged | (ENDED_WELL if heartbeat else frozenset())
        left_to_caller = OF_ALL if self.caller else frozenset()
        told = self._tell(
            [check for check in all_checks if check.kind not in left_to_caller],
            judged - left_to_caller,
            written.report or "",
            self.heading,
            findings.tells_for,
        )
        gauges = {**findings.gauges, **({"Heartbeat": 1} if heartbeat else {})}
        self._measure(answer, told, gauges)
        self._break_down(findings.breakdowns)
        if findings.on_behalf:
            self._measure_on_behalf(findings.on_behalf)
        if findings.remember:
            self._remember(findings.remember)
        # Keeps and skips are in the report alone.
        log_items(reports.item_of(o) for o in outcomes if o.decision.is_change)
        answer["duration_ms"] = self._took()
        return self._logged(answer, _ending_of(told, findings.gauges, following))

    def refused(self, refused: RefusedError) -> dict[str, Any]:
        """End a run that was stopped before its first change; the same fault is one incident."""
        fault = json.dumps([refused.reason, *refused.errors])
        check = Check(
            kind="event_refused",
            resource=sha256(fault.encode()).hexdigest()[:12],
            healthy=False,
            severity=self._gravity,
            name=self._name,
            what=f"{refused.reason}: {'; '.join(e['path'] for e in refused.errors[:3])}",
            evidence={error["path"]: error["problem"] for error in refused.errors[:20]},
            done="nothing was changed",
            next="correct the event, and send it again"
            if self.by_hand
            else "correct the event; the schedule goes on sending this one",
            lapsed=True,
        )
        self._tell_alone(check)
        return self.without_items("refused", refused.reason, refused.errors)

    def failed(self, failed: CallError) -> dict[str, Any]:
        """End a run that could decide nothing, and that repeating would not help."""
        check = Check(
            kind="run_failed",
            resource="run",
            healthy=False,
            severity=self._gravity,
            name=self._name,
            what=f"{failed.operation} failed: {failed.failure.code}",
            evidence={"message": failed.failure.message, "request": failed.failure.request_id},
            done="nothing was changed",
            next="mend that, and send the event again"
            if self.by_hand
            else "every scheduled run tries again",
        )
        self._tell_alone(check)
        expected = _ALLOWED if failed.failure.kind is Kind.DENIED else ""
        error = {"path": failed.operation, "problem": str(failed), "expected": expected}
        is_ours = isinstance(failed, StateError)
        is_shut_out = failed.failure.kind is Kind.DENIED and not is_ours
        status = UNREACHABLE if self.caller and is_shut_out else "failed"
        return self.without_items(status, "listing_failed", [error])

    def without_items(
        self, status: str, reason: str, errors: Sequence[Mapping[str, str]]
    ) -> dict[str, Any]:
        """End a run that decided nothing."""
        answer = reports.answer_without_items(
            self.heading, status, reason, errors, duration_ms=self._took()
        )
        return self._logged(answer, Ending({}))

    def _write(self, answer: Mapping[str, Any], outcomes: Sequence[Outcome], kind: str) -> _Written:
        bucket = self.settings.reports_bucket
        check = Check(
            kind="report_unwritten",
            resource=bucket,
            healthy=True,
            what="the whole report could not be written",
            done="the answer and the log hold what fits",
            next="the next run writes its own report",
        )
        client = home(self.settings.region).s3
        try:
            lines = reports.report_lines(answer, outcomes)
            return _Written(put_report(client, bucket, self._key(kind), lines), check)
        except CallError as error:
            logger.error("report unwritten", error=error.failure.as_error())
            return _Written(None, replace(check, healthy=False, evidence={"error": str(error)}))

    def _key(self, kind: str) -> str:
        head = self.heading
        return report_key(head.chore, head.policy, head.slot, head.run, kind)

    def _tell(
        self,
        checks: Sequence[Check],
        judged: frozenset[str],
        report: str,
        head: Heading,
        tells_for: str = "",
    ) -> Told:
        settings = self.settings
        origin = Origin(
            settings.installation, settings.environment_name, head.account, head.region,
            head.chore, head.policy, head.run, head.slot, report, settings.runbook_url,
        )  # fmt: skip
        ours = home(settings.region)
        alerts = Alerts(
            self.table,
            ours.sns,
            settings.topics,
            origin,
            self.clock,
            self.now,
            ours.told_alone,
            self.caller.fleet if self.caller else "",
            tells_for,
        )
        return alerts.tell(checks, judged)

    def _tell_alone(self, check: Check) -> None:
        """Tell the one thing that there is to tell of a run that decided nothing."""
        if self.caller:
            return
        head = replace(self.heading, policy=self.by_hand or self.heading.policy)
        told = self._tell([check], frozenset(), "", head)
        self._publish({"UnsentAlerts": told.unsent, "OpenIncidents": told.open_incidents}, head)

    def _measure(self, answer: Mapping[str, Any], told: Told, gauges: Mapping[str, float]) -> None:
        by_result = dict.fromkeys(Result, 0)
        for counted in answer["counts"].values():
            for result, number in counted.items():
                by_result[Result(result)] += number
        values = {
            "ItemsDone": by_result[Result.DONE],
            "ItemsFailed": by_result[Result.FAILED],
            "ItemsDeferred": by_result[Result.DEFERRED],
            "OpenIncidents": told.open_incidents,
            **gauges,
            "UnsentAlerts": told.unsent + gauges.get("UnsentAlerts", 0),
        }
        self._publish(values, self.heading)

    def _measure_on_behalf(self, other: OnBehalf) -> None:
        self._publish(other.values, replace(self.heading, chore=other.chore, policy=other.policy))

    def _publish(self, values: Mapping[str, float], head: Heading) -> None:
        if self.caller:
            return
        publish_metrics(
            values,
            installation=self.settings.installation,
            chore=head.chore,
            policy=head.policy,
        )

    def _break_down(self, breakdowns: Sequence[Breakdown]) -> None:
        head, settings = self.heading, self.settings
        for breakdown in () if self.caller else breakdowns:
            publish_breakdown(
                breakdown,
                installation=settings.installation,
                chore=head.chore,
                policy=head.policy,
            )

    def _remember(self, remember: Callable[[], None]) -> None:
        """Write what people have been told; unwritten, the next run tells them again."""
        try:
            remember()
        except StateError as error:
            logger.warning("not remembered", error=error.failure.as_error())

    def _logged(self, answer: dict[str, Any], ending: Ending) -> dict[str, Any]:
        short = {k: v for k, v in answer.items() if k not in {"outcomes", "outcomes_omitted"}}
        logger.info("run ended", answer=short)
        return cell_answer(answer, ending, self.caller.so_far) if self.caller else answer

    @property
    def _gravity(self) -> Severity:
        return Severity.NOTICE if self.by_hand else Severity.CRITICAL

    @property
    def _name(self) -> str:
        return f"{self.heading.chore} {self.heading.policy}"

    def _took(self) -> int:
        return round((self.clock.monotonic() - self.started) * 1000)


def _ending_of(
    told: Told, gauges: Mapping[str, float], following: Mapping[str, Any] | None
) -> Ending:
    return Ending(gauges, told.opened, told.resolved, told.open_incidents, told.unsent, following)


@dataclass(frozen=True, slots=True)
class _Written:
    report: str | None
    check: Check
