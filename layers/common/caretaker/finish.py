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
    from caretaker.report import Breakdown, Findings, Heading
    from caretaker.settings import Settings

ENDED_WELL: Final = frozenset({"event_refused", "run_failed"})
"""Incidents of whole runs; a regular one that ended resolves them, the hourly look does not."""
_ALLOWED: Final = "a call that the function's role, the boundary and the organization allow"


@dataclass(frozen=True, slots=True)
class Finish:
    """Ends one run; `started` is the monotonic time it began at.

    What is wrong with a run that a person asked for is told mildly, for that person has the answer,
    and under the policy `by_hand`, whose next scheduled run ends it; that is empty where a schedule
    asked, which goes on asking.
    """

    settings: Settings
    table: Table
    clock: Clock
    heading: Heading
    now: datetime
    started: float
    by_hand: str = ""

    def ended(
        self, findings: Findings, checks: Sequence[Check], *, heartbeat: bool
    ) -> dict[str, Any]:
        """End a run that decided: the whole report, what people must know, the numbers."""
        outcomes = findings.outcomes
        answer = reports.answer_of(self.heading, findings, report=None, duration_ms=self._took())
        written = self._write(answer, outcomes)
        answer["report"] = written.report
        told = self._tell(
            [*findings.checks, *checks, written.check],
            findings.judged | (ENDED_WELL if heartbeat else frozenset()),
            written.report or "",
            self.heading,
        )
        self._measure(answer, told, {**findings.gauges, **({"Heartbeat": 1} if heartbeat else {})})
        self._break_down(findings.breakdowns)
        if findings.remember:
            self._remember(findings.remember)
        # Keeps and skips are in the report alone.
        log_items(reports.item_of(o) for o in outcomes if o.decision.is_change)
        answer["duration_ms"] = self._took()
        return self._logged(answer)

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
        return self.without_items("failed", "listing_failed", [error])

    def without_items(
        self, status: str, reason: str, errors: Sequence[Mapping[str, str]]
    ) -> dict[str, Any]:
        """End a run that decided nothing."""
        answer = reports.answer_without_items(
            self.heading, status, reason, errors, duration_ms=self._took()
        )
        return self._logged(answer)

    def _write(self, answer: Mapping[str, Any], outcomes: Sequence[Outcome]) -> _Written:
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
            return _Written(put_report(client, bucket, self._key(), lines), check)
        except CallError as error:
            logger.error("report unwritten", error=error.failure.as_error())
            return _Written(None, replace(check, healthy=False, evidence={"error": str(error)}))

    def _key(self) -> str:
        head = self.heading
        return report_key(head.chore, head.policy, head.slot, head.run)

    def _tell(
        self, checks: Sequence[Check], judged: frozenset[str], report: str, head: Heading
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
        )
        return alerts.tell(checks, judged)

    def _tell_alone(self, check: Check) -> None:
        """Tell the one thing that there is to tell of a run that decided nothing."""
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

    def _publish(self, values: Mapping[str, float], head: Heading) -> None:
        publish_metrics(
            values,
            installation=self.settings.installation,
            chore=head.chore,
            policy=head.policy,
        )

    def _break_down(self, breakdowns: Sequence[Breakdown]) -> None:
        head, settings = self.heading, self.settings
        for breakdown in breakdowns:
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

    def _logged(self, answer: dict[str, Any]) -> dict[str, Any]:
        short = {k: v for k, v in answer.items() if k not in {"outcomes", "outcomes_omitted"}}
        logger.info("run ended", answer=short)
        return answer

    @property
    def _gravity(self) -> Severity:
        return Severity.NOTICE if self.by_hand else Severity.CRITICAL

    @property
    def _name(self) -> str:
        return f"{self.heading.chore} {self.heading.policy}"

    def _took(self) -> int:
        return round((self.clock.monotonic() - self.started) * 1000)


@dataclass(frozen=True, slots=True)
class _Written:
    report: str | None
    check: Check
