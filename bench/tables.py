"""Results as tables on the terminal, and as JSON beside the code."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Table as RichTable

from bench.bed import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RESULTS: Final = ROOT / "bench/results"
_WIDTH: Final = 190


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the first column is a text, the others are figures."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def show(self) -> None:
        """Print it."""
        drawn = RichTable(title=self.title, title_justify="left", header_style="bold")
        for number, name in enumerate(self.head):
            drawn.add_column(name, justify="right" if number else "left", no_wrap=True)
        for row in self.rows:
            drawn.add_row(*row)
        console = Console()
        (console if console.is_terminal else Console(width=_WIDTH)).print(drawn)

    def as_json(self) -> dict[str, object]:
        """Return the table for the results file."""
        return {
            "title": self.title,
            "rows": [dict(zip(self.head, r, strict=True)) for r in self.rows],
        }


def ratio(part: float, whole: float, digits: int = 2) -> str:
    """Return part / whole, or a dash where there is nothing to compare with."""
    return f"{part / whole:.{digits}f}" if whole else "-"


def write(name: str, content: object) -> Path:
    """Keep a result under its time and name."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{name}.json"
    file.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return file
