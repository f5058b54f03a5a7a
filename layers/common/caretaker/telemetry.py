"""Logs and metrics: one logger for the whole function, EMF metrics without a call to CloudWatch.

EMF: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, Final, cast

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TextIO

    from caretaker.report import Breakdown

NAMESPACE: Final = "Caretaker"
UNITS: Final = {
    "Heartbeat": "Count",
    "ItemsDone": "Count",
    "ItemsFailed": "Count",
    "ItemsDeferred": "Count",
    "NewestBackupAgeHours": "None",
    "TagCompliancePercent": "Percent",
    "ConfirmedSubscriptions": "Count",
    "OpenIncidents": "Count",
    "InstancesWatched": "Count",
    "InstancesImpaired": "Count",
    "RepairsUnderWay": "Count",
    "TargetsProbed": "Count",
    "TargetsDown": "Count",
    "OpenRestores": "Count",
    "OldestProofAgeDays": "None",
    "UptimePercent": "Percent",
    "LatencyMs": "Milliseconds",
    "PhaseMs": "Milliseconds",
    "UnsentAlerts": "Count",
}
"""Every metric there is; nothing per resource, because each combination of dimensions is billed."""

logger = Logger()
_ITEM: Final = "{item}"


def log_items(items: Iterable[Mapping[str, Any]]) -> None:
    """Log one line for each item; what all have in common is formatted once.

    A line through the logger takes an eighth of a millisecond, and there may be 100,000 of them.
    """
    if logger.log_level > logging.INFO:
        return
    told = {"msg": "item", "levelno": logging.INFO, "levelname": "INFO", "funcName": "log_items"}
    record = logging.makeLogRecord({**told, "item": _ITEM})
    line = logger.registered_formatter.format(record)
    head, _, tail = line.partition(json.dumps(_ITEM))
    write = cast("logging.StreamHandler[TextIO]", logger.registered_handler).stream.write
    for item in items:
        write(f"{head}{json.dumps(item)}{tail}\n")


def publish_metrics(
    values: Mapping[str, float], *, installation: str, chore: str, policy: str
) -> None:
    """Print the metrics of a run in two dimension sets: by chore, and by chore and policy."""
    dimensions = {"Installation": installation, "Chore": chore}
    _publish(values, dimensions, {"Policy": policy})


def publish_breakdown(breakdown: Breakdown, *, installation: str, chore: str, policy: str) -> None:
    """Print a metric for each value of one dimension more than the policy.

    CloudWatch takes printable ASCII alone, not blank: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
    """
    ours = {"Installation": installation, "Chore": chore, "Policy": policy}
    for value, number in breakdown.values.items():
        if value.isascii() and value.isprintable() and value.strip():
            _publish({breakdown.metric: number}, {**ours, breakdown.dimension: value}, {})


def _publish(
    values: Mapping[str, float], dimensions: Mapping[str, str], more: Mapping[str, str]
) -> None:
    provider = AmazonCloudWatchEMFProvider(
        namespace=NAMESPACE,
        service="",  # powertools would add a dimension of its own
        default_dimensions=dict(dimensions),
    )
    if more:
        provider.add_dimensions(**more)
    for name, value in values.items():
        provider.add_metric(name=name, unit=UNITS[name], value=value)
    provider.flush_metrics()
