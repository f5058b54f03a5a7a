"""What people must know of the alerting itself. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from caretaker.incidents import Check, Severity

from .plan import TELLING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from caretaker.aws.topics import Subscriptions
    from caretaker.decisions import Outcome

    from .plan import Facts

KINDS: Final = frozenset({"topic_unheard"})

type Listeners = Mapping[str, Subscriptions | None]
"""By channel: who listens; None when SNS did not say."""


def judge_run(
    outcomes: Iterable[Outcome], listeners: Listeners
) -> tuple[tuple[Check, ...], frozenset[str]]:
    """Return the checks of a run, and the kinds that it judged for every topic there is.

    A run sends one ALARM: where it told of incidents, the next one tells of an unheard topic.
    """
    if any(outcome.decision.action in TELLING for outcome in outcomes):
        return (), frozenset()
    return judge_topics(listeners), KINDS


def judge_topics(listeners: Listeners) -> tuple[Check, ...]:
    """Return, for each topic, whether anybody hears what is said there."""
    return tuple(_heard(channel, found) for channel, found in sorted(listeners.items()))


def _heard(channel: str, found: Subscriptions | None) -> Check:
    pending = found.pending if found else 0
    return Check(
        kind="topic_unheard",
        resource=channel,
        healthy=found.confirmed > 0 if found else None,
        severity=Severity.CRITICAL,
        what=f"nobody listens to the topic {channel}",
        evidence={"confirmed subscriptions": "0", "waiting for confirmation": str(pending)},
        done="what is said there is lost",
        next="subscribe somebody, or confirm the message that AWS sent to the subscriber",
    )


def measure(facts: Facts, unsent: int, listeners: Listeners) -> dict[str, float]:
    """Return the metrics: what is unsent, what is open in all, and the least heard topic."""
    is_open = sum(len(scope.incidents) for scope in facts.scopes)
    gauges: dict[str, float] = {"UnsentAlerts": unsent, "OpenIncidents": is_open}
    known = [found.confirmed for found in listeners.values() if found]
    if known and len(known) == len(listeners):
        gauges["ConfirmedSubscriptions"] = min(known)
    return gauges
