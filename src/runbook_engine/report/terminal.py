"""Lines for a terminal: filled to a width, in columns, in colour if it has any."""

import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from types import MappingProxyType

from msgspec import Struct

from runbook_engine.hostile import harmless
from runbook_engine.report.evidence import Table, left_out
from runbook_engine.report.ready import Ready

SIGNS: Mapping[str, str] = MappingProxyType(
    {
        "critical": "■",
        "warning": "▲",
        "passed": "✓",
        "healthy": "✓",
        "answered": "✓",
        "blind": "⊘",
        "inconclusive": "⊘",
        "skipped": "–",
        "not reached": "…",
        "not asked": "–",
        "ok": "✓",
        "unknown": "⊘",
    }
)
_ANSI: Mapping[str, str] = MappingProxyType(
    {
        "critical": "1;31",
        "warning": "1;33",
        "passed": "32",
        "healthy": "1;32",
        "answered": "32",
        "blind": "1;35",
        "inconclusive": "1;35",
        "skipped": "2",
        "not reached": "2",
        "not asked": "2",
        "ok": "32",
        "unknown": "1;35",
        "heading": "1",
        "strong": "1",
        "dim": "2",
        "accent": "36",
    }
)
_UNIT = re.compile(r"(?<=\d) (?=%|[a-zA-Zµ]{1,3}\b)")
_TOGETHER = "\u00a0"
_NARROWEST_COLUMN = 8


class Terminal(Struct, frozen=True):
    """``color``: whether it takes ANSI escapes. None from outside ever reach it."""

    width: int
    color: bool

    def paint(self, text: str, style: str) -> Ready:
        clean = text if isinstance(text, Ready) else harmless(text)
        return Ready(f"\x1b[{_ANSI[style]}m{clean}\x1b[0m") if self.color and clean else Ready(clean)

    def sign(self, status: str) -> Ready:
        return self.paint(SIGNS[status], status)

    def filled(
        self, text: str, indent: int, style: str = "", *, mark: str = "", mark_width: int = 1
    ) -> Iterator[Ready]:
        """The text in lines of the width, all indented; ``mark`` stands before the first, within the indent."""
        for index, line in enumerate(fill(text, self.width - indent)):
            painted = self.paint(line, style) if style else Ready(line)
            before = f"{' ' * (indent - 1 - mark_width)}{mark} " if mark and not index else " " * indent
            yield Ready(f"{before}{painted}")

    def block(self, text: str, indent: int, style: str) -> Iterator[Ready]:
        """Lines as they are, each indented."""
        for line in harmless(text).split("\n"):
            yield Ready(f"{' ' * indent}{self.paint(line, style)}")


class Section(Struct, frozen=True):
    """Lines below a heading, which may be empty."""

    heading: str
    lines: tuple[Ready, ...]


def fill(text: str, width: int) -> list[str]:
    """Lines no wider than ``width`` (but for words that are); a number stays with its unit."""
    kept = _UNIT.sub(_TOGETHER, harmless(text))
    lines = wrap(kept, width=max(1, width), break_on_hyphens=False, break_long_words=False)
    return [line.replace(_TOGETHER, " ") for line in lines]


def columns(table: Table, room: int) -> Iterator[str]:
    """Columns as wide as what is in them. Where there is no room the widest gives way to a half of it, then the last ones
    go, and a line says so.
    """
    rows = [*([table.columns] if len(table.columns) > 1 else []), *table.rows]
    natural = [max(len(value) for value in column) for column in zip(*rows, strict=True)]
    kept = len(natural)
    while kept > 1 and _squeezed(natural[:kept], room):
        kept -= 1
    widths = _widths(natural[:kept], room)
    for row in rows:
        cells = (
            _cell(value, width, right=numeric)
            for value, width, numeric in zip(row[:kept], widths, table.numeric[:kept], strict=True)
        )
        yield "  ".join(cells).rstrip()
    if told := left_out(table.more, table.wide + len(natural) - kept):
        yield f"… and {told}"


def _squeezed(natural: Sequence[int], room: int) -> bool:
    """Whether the widest column would be left with less than half of the room that it wants and that there is."""
    widest = max(natural)
    return max(_widths(natural, room)) < min(widest, room // 2)


def _widths(natural: Sequence[int], room: int) -> list[int]:
    widths = list(natural)
    room -= 2 * (len(widths) - 1)
    while sum(widths) > room and max(widths) > _NARROWEST_COLUMN:
        widest = widths.index(max(widths))
        widths[widest] = max(_NARROWEST_COLUMN, room - sum(widths) + widths[widest])
    return widths


def _cell(value: str, width: int, *, right: bool) -> str:
    shown = value if len(value) <= width else f"{value[: width - 1]}…"
    return shown.rjust(width) if right else shown.ljust(width)
