"""What the demo writes to the terminal, and the picture that may be made of parts of it."""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.text import Text

WIDTH = 100
_FONT_FROM_ELSEWHERE = re.compile(r" *@font-face \{.*?\n *\}\n", re.DOTALL)


class UnexpectedError(Exception):
    """Something that the demo shows is not so; the text says what was expected."""


def expect(holds: object, sentence: str) -> None:
    """Check one claim; raise UnexpectedError with the sentence where it does not hold."""
    if not holds:
        raise UnexpectedError(sentence)


class Screen:
    """Headings, steps with their time, and tables; `picture` keeps what belongs on the picture."""

    def __init__(self) -> None:
        """Write to the terminal, 100 columns at most; to a pipe without spinners and colours."""
        terminal = Console()
        self._console = Console(width=min(WIDTH, terminal.width) if terminal.is_terminal else WIDTH)
        self._picture = Console(width=WIDTH, record=True, file=io.StringIO())
        self._started = time.monotonic()

    def heading(self, title: str, look: str, *, picture: bool = False) -> None:
        """Begin a scene: its title, and one sentence that says what to look at."""
        rule = Rule(Text(title, "bold"), align="left", style="bright_black")
        self._print(Group("", rule, Text(look, "italic bright_black")), picture=picture)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Show what is being done, with a spinner and the time, then that it is done."""
        started = time.monotonic()
        columns = (SpinnerColumn("line"), TextColumn("{task.description}"), TimeElapsedColumn())
        hidden = not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=hidden) as progress:
            progress.add_task(what)
            yield
        took = f"{time.monotonic() - started:5.1f} s"
        room = self._console.width - 18
        done = Text.assemble(("  done ", "green"), f"{what:<{room}}", (took, "bright_black"))
        self._print(done, picture=False)

    def show(self, *parts: RenderableType, picture: bool = False) -> None:
        """Show tables and texts."""
        for part in parts:
            self._print(Padding(part, (1, 0, 0, 2)), picture=picture)

    def fail(self, text: str) -> None:
        """Say what went wrong."""
        self._console.print(Text(f"\n{text}", "red"), soft_wrap=True)

    def end(self, text: str) -> None:
        """Say how it ended, and after how long."""
        took = time.monotonic() - self._started
        self._console.print(Text(f"\n{text} ({took:.0f} s)", "bold green"))

    def save_picture(self, path: Path, title: str) -> None:
        """Write what belongs on the picture as an SVG file."""
        path.parent.mkdir(parents=True, exist_ok=True)
        drawing = self._picture.export_svg(title=title, unique_id="demo")
        path.write_text(_FONT_FROM_ELSEWHERE.sub("", drawing), encoding="utf-8")

    def _print(self, part: RenderableType, *, picture: bool) -> None:
        self._console.print(part)
        if picture:
            self._picture.print(part)
