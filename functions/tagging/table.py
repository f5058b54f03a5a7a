"""The list of all that is wrong, for a spreadsheet. Pure."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from .compliance import keys_in
from .facts import Action

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from caretaker.decisions import Json, Outcome

COLUMNS: Final = (
    *("account", "region", "type", "resource", "owner"),
    *("key", "finding", "action", "reason", "result", "value", "from"),
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def table_lines(outcomes: Iterable[Outcome], *, account: str, region: str) -> Iterator[str]:
    """Yield a line for each tag that was wrong, and one for the names of the columns."""
    yield _line(COLUMNS)
    for outcome in sorted(outcomes, key=lambda o: (o.decision.target, o.decision.action)):
        for key in keys_in(outcome.decision, "findings"):
            yield _line((account, region, *_cells(outcome, key)))


def _cells(outcome: Outcome, key: str) -> Sequence[str]:
    decision = outcome.decision
    detail, is_set = decision.detail, decision.action == Action.SET
    return (
        str(detail["type"]),
        decision.target,
        str(detail["owner"]),
        key,
        _part(detail["findings"], key),
        decision.action,
        decision.reason,
        outcome.result.value,
        _part(detail["set"], key) if is_set else "",
        _part(detail["because"], key) if is_set else "",
    )


def _part(held: Json, key: str) -> str:
    return str(held.get(key, "")) if isinstance(held, dict) else ""


def _line(cells: Sequence[str]) -> str:
    """Return one line; a tag must not become a formula of whoever opens the list.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    text = io.StringIO()
    safe = [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
    csv.writer(text, lineterminator="").writerow(safe)
    return text.getvalue()
