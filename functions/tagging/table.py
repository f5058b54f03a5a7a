"""The list of all that is wrong, for a spreadsheet. Pure."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Final

from .compliance import keys_in, part_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from caretaker.decisions import Outcome

COLUMNS: Final = (
    *("account", "region", "type", "resource", "name", "owner"),
    *("key", "finding", "found", "action", "reason", "result", "value", "from"),
)
_FORMULA: Final = (*"=+-@", *"\t\r\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def table_lines(outcomes: Iterable[Outcome], *, account: str, region: str) -> Iterator[str]:
    """Yield a line for each tag that was wrong, and one for the names of the columns."""
    yield _line(COLUMNS)
    for outcome in sorted(outcomes, key=lambda o: (o.decision.target, o.decision.action)):
        for key in keys_in(outcome.decision, "findings"):
            yield _line((account, region, *_cells(outcome, key)))


def _cells(outcome: Outcome, key: str) -> Sequence[str]:
    decision = outcome.decision
    return (
        str(decision.detail["type"]),
        decision.target,
        str(decision.detail.get("name", "")),
        str(decision.detail["owner"]),
        key,
        part_of(decision, "findings", key),
        part_of(decision, "found", key),
        decision.action,
        decision.reason,
        outcome.result.value,
        part_of(decision, "set", key),
        part_of(decision, "because", key),
    )


def _line(cells: Sequence[str]) -> str:
    """Return one line; a tag must not become a formula of whoever opens the list.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    text = io.StringIO()
    safe = [f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in cells]
    csv.writer(text, lineterminator="").writerow(safe)
    return text.getvalue()
