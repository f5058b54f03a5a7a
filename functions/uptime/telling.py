"""What is said of one target at the end of a run. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from caretaker.decisions import Result
from caretaker.incidents import Check, Severity
from caretaker.settings import Mode

from .facts import Action, Reason
from .spans import State
from .urls import parse_url
from .words import minutes, said_of, said_of_figures, said_of_phases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from caretaker.decisions import Outcome

    from .ended import Ended
    from .verdict import Verdict

NOTICES: Final = (1, 3, 7, 14)
"""Days left at which people hear again of a certificate that expires."""
_SOON: Final = 3
_NEAR: Final = 7
_SEEN: Final = frozenset({State.UP, State.UNSTABLE, State.DEGRADED, State.DOWN})


@dataclass(frozen=True, slots=True)
class Telling:
    """One target, and how the repair that was asked for it was taken."""

    ended: Ended
    verdict: Verdict
    outcome: Outcome

    def checks(self) -> Iterator[Check]:
        """Yield all that is judged of it; what was not seen is not told of."""
        yield self._down()
        yield self._degraded("target_slow", Reason.SLOW, self._slow())
        yield self._degraded("target_partial", Reason.PARTIAL, "fails at some of its addresses")
        if self._is_secured:
            yield self._certificate()
        if self.verdict.target.slo is not None:
            yield self._objective()

    def _down(self) -> Check:
        verdict, record = self.verdict, self.verdict.record
        is_up = verdict.state in _SEEN and not record.bad and not record.is_down
        failure = verdict.failure
        said = said_of(failure) if failure else "it answers again"
        lasted = minutes(max(0, self.ended.plan.case.seconds - record.since))
        return self._check(
            "target_down",
            healthy=False if verdict.decision.reason == Reason.DOWN else (True if is_up else None),
            severity=Severity.CRITICAL,
            what=f"down {lasted}: {said}{', repair asked for' if self._is_asked else ''}",
            done=self._done(),
            next=self._next(),
            stage=self._stage(),
            cause=failure.fault.value if failure else "",
            within=self._within(),
            ending=self._ending(),
        )

    def _degraded(self, kind: str, reason: Reason, what: str) -> Check:
        verdict = self.verdict
        is_so = verdict.decision.reason == reason
        is_up = verdict.state in {State.UP, State.UNSTABLE}
        return self._check(
            kind,
            healthy=False if is_so else (True if is_up else None),
            what=what,
            done="nothing: it answers",
            next="resolved when it is as it should be",
        )

    def _slow(self) -> str:
        target, record = self.verdict.target, self.verdict.record
        return f"slow: {record.median_ms} ms, the median of five, over {target.max_latency_ms} ms"

    def _certificate(self) -> Check:
        """Judge the one that expires first, of all that were seen."""
        seen = [each.certificate for each in self.verdict.tries if each.certificate]
        if not seen:
            return self._check("certificate_expiring", healthy=None)
        shown = min(seen, key=lambda each: each.expires)
        now, least = self.ended.plan.case.now, self.verdict.target.tls.min_days
        left = (shown.expires - now) // timedelta(days=1)
        whose = "its certificate" if shown.expires == shown.leaf_expires else "its chain"
        reached = next((days for days in NOTICES if left < days), least)
        severity = Severity.CRITICAL if left < _SOON else Severity.WARNING
        return self._check(
            "certificate_expiring",
            healthy=left >= least,
            severity=Severity.NOTICE if left >= _NEAR else severity,
            what=f"{whose} has expired" if left < 0 else f"{whose} expires within {left + 1} days",
            done="nothing",
            next="renew it",
            stage="expired" if left < 0 else str(reached),
            cause=shown.fingerprint[:16],
            more={"expires": f"{shown.expires.astimezone(UTC):%Y-%m-%d %H:%M} UTC"},
        )

    def _objective(self) -> Check:
        figures = self.ended.figures(self.verdict)
        budget = figures.budget
        return self._check(
            "slo_missed",
            healthy=None if budget is None else budget.left > 0,
            what=f"less than {self.verdict.target.slo:g} % in 30 days: {said_of_figures(figures)}",
            done="nothing",
            next="resolved when 30 days are as they should be",
        )

    def _within(self) -> str:
        """Return the incident that stands for this one, where one does."""
        target, behind = self.verdict.target, self.ended.plan.case.facts.behind
        if target.name in behind or target.depends_on is None:
            return behind.get(target.name, "")
        return f"target_down/{target.depends_on}"

    @property
    def _is_secured(self) -> bool:
        """Tell whether it has a certificate, or leads to one by a redirect."""
        seen = any(each.certificate for each in self.verdict.tries)
        return seen or parse_url(self.verdict.target.url).scheme == "https"

    @property
    def _is_asked(self) -> bool:
        return self.ended.modes.run is Mode.ACT and bool(self.verdict.record.asked)

    def _stage(self) -> str:
        """Return what people hear of again: that a repair was asked for, or could not be."""
        is_due = self.outcome.decision.action == Action.FIX and self.ended.modes.run is Mode.ACT
        if is_due and self.outcome.result is not Result.DONE:
            return "unasked"
        return "asked" if self._is_asked else ""

    def _done(self) -> str:
        decision, asked = self.outcome.decision, self.verdict.record.asked
        if decision.action == Action.FIX:
            if self.outcome.result is Result.DONE:
                return "asked for a repair"
            if self.outcome.result is Result.PLANNED:
                return "nothing: this run only reports; to act is to ask for a repair"
            error = self.outcome.error or {"code": self.outcome.result.value}
            return f"a repair was due and could not be asked for: {error['code']}"
        return (
            f"asked for a repair at {datetime.fromtimestamp(asked, UTC):%H:%M}"
            if asked
            else "nothing"
        )

    def _ending(self) -> str:
        """Return how it ended: whether after a repair, and how available it was."""
        after = "repair asked for" if self.verdict.record.is_owed else ""
        figures = said_of_figures(self.ended.figures(self.verdict))
        return ", ".join(filter(None, (after, figures)))

    def _next(self) -> str:
        if self.verdict.target.fix is None:
            return "find out by hand: nothing stands in its `fix`"
        if self.ended.modes.run is not Mode.ACT:
            return "repair it by hand: this run only reports, to act is to ask for a repair"
        return "every run looks again; a repair is asked for where it may help"

    def _check(self, kind: str, *, more: dict[str, str] | None = None, **said: Any) -> Check:  # noqa: ANN401
        return Check(
            kind=kind,
            resource=self.verdict.name,
            evidence={**self._evidence(), **(more or {})},
            **said,
        )

    def _evidence(self) -> dict[str, str]:
        shown = self.verdict.shown
        if shown is None:
            return {}
        said = {
            "url": shown.url.shown,
            "address": shown.address,
            "status": str(shown.status or ""),
            "phases": said_of_phases(shown),
            "group": self.verdict.target.group,
        }
        return {key: value for key, value in said.items() if value}
