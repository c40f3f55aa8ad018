"""The report in Markdown, for an issue, a chat or an incident document."""

import re
from collections.abc import Iterable, Mapping
from html import escape
from types import MappingProxyType

from runbook_engine.hostile import cut, harmless, one_line
from runbook_engine.report.evidence import Table
from runbook_engine.report.model import Report
from runbook_engine.report.ready import Ready
from runbook_engine.report.templating import environment
from runbook_engine.report.view import View

_SIGNS: Mapping[str, str] = MappingProxyType(
    {
        "critical": "🔴",
        "warning": "🟠",
        "passed": "🟢",
        "healthy": "🟢",
        "answered": "🟢",
        "blind": "🟣",
        "inconclusive": "🟣",
        "skipped": "⚪",
        "not reached": "⚪",
        "not asked": "⚪",
        "ok": "🟢",
        "unknown": "🟣",
    }
)
_MOST_MESSAGE = 1_000
_EVIDENCE_ROWS = 10
_JOINER = "\u2060"
"""Invisible: it keeps ``@everyone`` and ``#1`` from calling anybody or linking anything."""


def markdown(report: Report) -> str:
    env = environment(inline)
    env.filters["code"] = code
    env.filters["cell"] = cell
    env.filters["fenced"] = fenced
    env.filters["summary"] = summary
    env.filters["link"] = link
    env.filters["ready"] = Ready
    return env.get_template("report.md.j2").render(
        view=View(report), report=report, signs=_SIGNS, table=table, evidence_rows=_EVIDENCE_ROWS
    )


_ADDRESS = re.compile(r"(?:[a-zA-Z][a-zA-Z0-9+.-]*://|www\.|mailto:|javascript:|data:)\S+")
_SPECIAL = re.compile(
    r"[\\`*\[\]|~$]|(?<![^\W_])_|_(?![^\W_])|<(?=[a-zA-Z/!?])|&(?=#?\w+;)|^(?:[#>+-]|=+$)|^\d+(?=[.)](?:\s|$))"
)
_MENTION = re.compile(r"(?<![\w`])([@#])(?=\w)")


def inline(text: str) -> Ready:
    """Text in a line: it reads as it is, and does nothing. Addresses become code: to be copied, not followed."""
    line = cut(one_line(text), _MOST_MESSAGE)
    parts = []
    end = 0
    for found in _ADDRESS.finditer(line):
        parts += [_plain(line[end : found.start()], first=not end), cell(found.group())]
        end = found.end()
    return Ready("".join([*parts, _plain(line[end:], first=not end)]))


def _plain(text: str, *, first: bool) -> str:
    kept = text if first else f"\x00{text}"
    escaped = _SPECIAL.sub(lambda found: _escaped(found.group()), kept).removeprefix("\x00")
    return _MENTION.sub(rf"\1{_JOINER}", escaped)


def _escaped(special: str) -> str:
    if special[0] in "<&":
        return "&lt;" if special == "<" else "&amp;"
    return f"{special}\\" if special.isdigit() else f"\\{special}"


def code(text: str) -> Ready:
    """A code span, whatever is in it."""
    return _code(cut(one_line(text), _MOST_MESSAGE))


def cell(text: str) -> Ready:
    """A code span in a table, where a bar would end the cell even inside code."""
    return _code(cut(one_line(text), _MOST_MESSAGE).replace("|", "\\|"))


def _code(line: str) -> Ready:
    fence = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return Ready(f"{fence}{pad}{line}{pad}{fence}")


def fenced(text: str, language: str = "") -> Ready:
    """A code block, whatever is in it."""
    block = harmless(text)
    fence = "`" * max(3, _longest_run(block) + 1)
    return Ready(f"{fence}{language}\n{block}\n{fence}")


def _longest_run(text: str) -> int:
    return max((len(each) for each in re.findall("`+", text)), default=0)


def summary(text: str) -> Ready:
    """Text inside HTML, where Markdown means nothing."""
    return Ready(_MENTION.sub(rf"\1{_JOINER}", escape(cut(one_line(text), _MOST_MESSAGE), quote=False)))


def link(title: str, url: str) -> Ready:
    """A link that the runbook's author gives; other schemes than http and https are shown, not linked."""
    if not re.match(r"https?://", url):
        return Ready(f"{inline(title)} ({code(url)})")
    target = re.sub(r"[\s<>()\\|`]", lambda found: f"%{ord(found.group()):02X}", url)
    return Ready(f"[{inline(title)}](<{target}>)")


def table(each: Table) -> Ready:
    """A table of evidence. Cells are code, because queries and log lines are."""
    head = each.columns or ("", "")
    rule = ("---:" if numeric else "---" for numeric in each.numeric)
    lines = [_row(inline(name) for name in head), _row(rule)]
    for row in each.rows:
        cells = (inline(row[0]), cell(row[1])) if not each.columns else _cells(row, each.numeric)
        lines.append(_row(cells))
    if each.left_out:
        lines += ["", f"*{each.left_out}*"]
    return Ready("\n".join(lines))


def _cells(row: tuple[str, ...], numeric: tuple[bool, ...]) -> tuple[str, ...]:
    return tuple(value if number else cell(value) for value, number in zip(row, numeric, strict=True))


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"
