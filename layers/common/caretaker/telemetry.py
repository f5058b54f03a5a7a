"""Logs and metrics: one logger for the whole function, EMF metrics without a call to CloudWatch.

EMF: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.logging import Logger
from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import (
    AmazonCloudWatchEMFProvider,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    "UnsentAlerts": "Count",
}
"""Every metric there is; nothing per resource, because each combination of dimensions is billed."""

logger = Logger()


def publish_metrics(
    values: Mapping[str, float], *, installation: str, chore: str, policy: str
) -> None:
    """Print the metrics of a run in two dimension sets: by chore, and by chore and policy."""
    dimensions = {"Installation": installation, "Chore": chore}
    _publish(values, dimensions, {"Policy": policy})


def publish_breakdown(breakdown: Breakdown, *, installation: str, chore: str, policy: str) -> None:
    """Print a metric for each value of one dimension more than the policy.

    CloudWatch takes ASCII alone: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html
    """
    ours = {"Installation": installation, "Chore": chore, "Policy": policy}
    for value, number in breakdown.values.items():
        if value.isascii():
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
