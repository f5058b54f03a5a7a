"""Draw docs/keep.svg: which rule of retention keeps which slot, as the product's own code says.

PYTHONPATH=.:layers/common .venvs/dev/bin/python -m tools.draw_keep
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from caretaker.slots import slot_of, slot_time
from functions.retention.keep import kept_slots
from functions.retention.request import Keep

PICTURE = Path(__file__).parents[1] / "docs" / "keep.svg"
KEEP = Keep(daily=14, weekly=8, monthly=12, within_days=3)
"""What the stack's schedule asks for where nothing else was chosen."""
NEWEST = datetime(2026, 11, 21, 3, tzinfo=timezone.utc)
DAYS = 91

LEFT, RIGHT, TOP, ROW = 150, 940, 74, 30
STEP = (RIGHT - LEFT) / (DAYS - 1)
STYLE = """
    .head { fill: #1f2328; font: 600 14px "Segoe UI", Helvetica, Arial, sans-serif; }
    .text { fill: #57606a; font: 12px "Segoe UI", Helvetica, Arial, sans-serif; }
    .week { stroke: #d8dee4; stroke-width: 1; }
    .month { stroke: #8c959f; stroke-width: 1.5; }
    .none { fill: #d0d7de; }
    .rule { fill: #0969da; }
    .stays { fill: #1a7f37; }
    .goes { fill: none; stroke: #8c959f; stroke-width: 1.2; }
    @media (prefers-color-scheme: dark) {
      .head { fill: #e6edf3; }
      .text { fill: #9da7b3; }
      .week { stroke: #21262d; }
      .month { stroke: #6e7681; }
      .none { fill: #30363d; }
      .rule { fill: #4493f8; }
      .stays { fill: #3fb950; }
      .goes { stroke: #6e7681; }
    }"""


def draw() -> str:
    """Return the picture: a row for each rule in use, and one for what stays of all."""
    slots = [slot_of(NEWEST - timedelta(days=day)) for day in reversed(range(DAYS))]
    kept = kept_slots(slots, KEEP)
    rules = {name: number for name, number in KEEP.model_dump().items() if number}
    bottom = TOP + ROW * len(rules) + 28
    parts = [*_calendar(slots, bottom), *_rows(slots, kept, rules), *_union(slots, kept, bottom)]
    title = ", ".join(f"{name} {number}" for name, number in rules.items())
    summary = f"{DAYS} daily slots of one volume; {len(kept)} stay, {DAYS - len(kept)} go."
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 960 {bottom + 44}" width="960" \
height="{bottom + 44}" role="img" aria-labelledby="title summary">
  <title id="title">keep: {title}</title>
  <desc id="summary">{summary}</desc>
  <style>{STYLE}
  </style>
  <text class="head" x="20" y="26">keep: {title}</text>
  <text class="text" x="20" y="46">{summary} Time runs to the right.</text>
{chr(10).join(parts)}
</svg>
"""


def _x(place: int) -> float:
    return LEFT + place * STEP


def _calendar(slots: list[str], bottom: int) -> list[str]:
    """Draw a line before each Monday and each first of a month."""
    parts = []
    for place, slot in enumerate(slots):
        day, x = slot_time(slot), _x(place) - STEP / 2
        if day.day == 1:
            parts.append(f'  <path class="month" d="M{x:.1f} {TOP - 12} V{bottom + 14}"/>')
            parts.append(f'  <text class="text" x="{x + 4:.1f}" y="{TOP - 6}">{day:%b %Y}</text>')
        elif day.isoweekday() == 1:
            parts.append(f'  <path class="week" d="M{x:.1f} {TOP} V{bottom + 14}"/>')
    return parts


def _rows(slots: list[str], kept: dict[str, tuple[str, ...]], rules: dict[str, int]) -> list[str]:
    parts = []
    for row, (rule, number) in enumerate(rules.items()):
        y = TOP + ROW * row + 18
        parts.append(f'  <text class="head" x="20" y="{y + 4}">{rule} {number}</text>')
        for place, slot in enumerate(slots):
            is_kept = any(name.split()[0] == rule for name in kept.get(slot, ()))
            parts.append(_dot(place, y, "rule" if is_kept else "none", 3.6 if is_kept else 1.2))
    return parts


def _union(slots: list[str], kept: dict[str, tuple[str, ...]], bottom: int) -> list[str]:
    dots = [
        _dot(place, bottom, "stays" if slot in kept else "goes", 3.6)
        for place, slot in enumerate(slots)
    ]
    label = f'  <text class="head" x="20" y="{bottom + 4}">stays</text>'
    note = "filled: kept by at least one rule; empty: no rule keeps it, so it is marked"
    return [label, *dots, f'  <text class="text" x="{LEFT}" y="{bottom + 34}">{note}</text>']


def _dot(place: int, y: int, kind: str, radius: float) -> str:
    return f'  <circle class="{kind}" cx="{_x(place):.1f}" cy="{y}" r="{radius}"/>'


if __name__ == "__main__":
    PICTURE.write_text(draw(), encoding="utf-8")
