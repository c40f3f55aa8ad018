"""The report for a terminal: what a tired responder wants to know first, first."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
from textwrap import wrap
from types import MappingProxyType

from runbook_engine.hostile import cut, harmless
from runbook_engine.report.evidence import Table
from runbook_engine.report.model import Report, StepPart
from runbook_engine.report.templating import Ready, environment
from runbook_engine.report.view import View, depth, duration, reason

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
        "heading": "1",
        "strong": "1",
        "dim": "2",
        "accent": "36",
    }
)
_SIGNS: Mapping[str, str] = MappingProxyType(
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
    }
)
_LEAST_WIDTH = 40
_LEAST_REASON = 28
_UNIT = re.compile(r"(?<=\d) (?=[%a-zA-Zµ]{1,3}\b|%)")
_MOST_MESSAGE = 600
_EVIDENCE_ROWS = 5
_STEP_COLUMN = 34


def text(report: Report, *, color: bool = False, width: int = 100) -> str:
    """With ``color``, ANSI escapes of our own; none from outside ever. Nothing but commands is wider than ``width``."""
    width = max(_LEAST_WIDTH, width)
    view = View(report)
    env = environment(harmless)
    env.filters["paint"] = partial(_paint, color=color)
    env.filters["wrapped"] = partial(_wrapped, width=width)
    env.filters["block"] = _block
    env.filters["ready"] = Ready
    env.filters["cut"] = lambda value: cut(value, _MOST_MESSAGE)
    paint: Callable[[str, str], Ready] = partial(_paint, color=color)
    return env.get_template("report.txt.j2").render(
        view=view,
        report=report,
        sign=lambda status: paint(_SIGNS[status], status),
        walk=[Ready(line) for step in view.walked for line in _walk_lines(view, step, paint, width)],
        table=lambda each: Ready("\n".join(_table_lines(each, width - 6))),
        evidence_rows=_EVIDENCE_ROWS,
    )


def _paint(value: str, style: str, *, color: bool) -> Ready:
    clean = value if isinstance(value, Ready) else harmless(value)
    return Ready(f"\x1b[{_ANSI[style]}m{clean}\x1b[0m") if color and clean else Ready(clean)


def _wrapped(value: str, indent: int = 0, *, first: int = 0, width: int) -> Ready:
    """Filled to the width: the first line has ``first`` columns before it already, the others are indented."""
    return Ready("\n".join(_filled(value, width, " " * first, " " * indent))[first:])


def _filled(value: str, width: int, first: str = "", then: str = "") -> list[str]:
    """Lines; a number stays with its unit."""
    kept = _UNIT.sub("\u00a0", harmless(value))
    lines = wrap(kept, width=width, initial_indent=first, subsequent_indent=then, break_on_hyphens=False)
    return [line.replace("\u00a0", " ") for line in lines]


def _block(value: str, indent: int) -> Ready:
    """Lines as they are, each indented."""
    return Ready("\n".join(" " * indent + line for line in harmless(value).split("\n")).lstrip())


def _walk_lines(view: View, step: StepPart, paint: Callable[[str, str], Ready], width: int) -> Sequence[str]:
    """``■  1.23 s  How slow is the API?     p95 1.24 s > 1 s → database, cache``."""
    status = view.status(step)
    column = min(_STEP_COLUMN, max(20, width // 3))
    told = f"{step.error.kind if step.error else 'missing'}, see above" if status == "blind" else reason(step)
    goto = step.branch.goto if step.branch else ()
    why = f"{told} → {', '.join(goto)}".strip() if goto else told
    title = f"{'  ' * depth(step)}{harmless(step.title)}"
    head = f"  {paint(_SIGNS[status], status)} {duration(step.duration_ms):>8}  "
    before = 16 + column
    if width - before < _LEAST_REASON or len(title) > column:
        lines = _filled(why, width, " " * 15, " " * 15)
        return [f"{head}{title}", *lines]
    lines = _filled(why, width - before) or [""]
    return [f"{head}{title.ljust(column)}  {lines[0]}".rstrip(), *(f"{' ' * before}{line}" for line in lines[1:])]


def _table_lines(table: Table, room: int) -> Sequence[str]:
    """Columns as wide as what is in them; the widest gives way when there is no room."""
    rows = [*([table.columns] if len(table.columns) > 1 else []), *table.rows]
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))] if rows else []
    gaps = 2 * max(0, len(widths) - 1)
    while sum(widths) + gaps > room and max(widths) > 8:
        widest = max(range(len(widths)), key=widths.__getitem__)
        others = sum(widths) - widths[widest]
        widths[widest] = max(8, room - gaps - others)
    lines = [
        "  ".join(
            _clip(value, widths[index]).rjust(widths[index])
            if table.numeric[index]
            else _clip(value, widths[index]).ljust(widths[index])
            for index, value in enumerate(row)
        ).rstrip()
        for row in rows
    ]
    return list(chain(lines, [table.left_out] if table.more else []))


def _clip(value: str, most: int) -> str:
    return value if len(value) <= most else f"{value[: most - 1]}…"
