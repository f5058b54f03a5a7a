"""The list of what is wrong, in the reports bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from caretaker.aws.reports import put_report, report_key
from caretaker.aws.session import home
from caretaker.errors import CallError
from caretaker.telemetry import logger
from functions.tagging.table import table_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from caretaker.decisions import Outcome
    from caretaker.run import Run
    from functions.tagging.request import TaggingRequest


def put_table(run: Run[TaggingRequest], outcomes: Sequence[Outcome]) -> str:
    """Write the list and return where; empty where the bucket did not take it.

    The report, which is written next, has the same and tells of a bucket out of reach.
    """
    scene = run.scene
    place, settings = scene.account.place, scene.settings
    key = report_key("tagging", run.request.policy, run.slot, scene.run_id, "csv")
    lines = table_lines(outcomes, account=place.account, region=place.region)
    try:
        return put_report(home(settings.region).s3, settings.reports_bucket, key, lines)
    except CallError as error:
        logger.error("list unwritten", error=error.failure.as_error())
        return ""
