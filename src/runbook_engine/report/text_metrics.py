"""The table of a triage on a terminal, and what follows from it."""

from collections.abc import Iterator, Sequence

from runbook_engine.hostile import cut
from runbook_engine.report.model import JudgedPart
from runbook_engine.report.ready import Ready
from runbook_engine.report.terminal import Section, Terminal
from runbook_engine.report.view import View, limit

UNMEASURED = "–"
_MOST_MESSAGE = 600
_HEAD = ("Metric", "Now", "Threshold", "Level", "Action", "Next runbook")
_NUMERIC = (False, True, True, False, False, False)
_BRIEF = 4
"""The columns that a narrow terminal has room for; the others stand on a line of their own then."""
_LEAST_TITLE = 14
_LONGEST_LIMIT, _LONGEST_NARROW = 20, 12
"""What is longer in the column of thresholds, as the sentence of a fault may be, stands on the line below."""


def metric_sections(view: View, terminal: Terminal) -> Iterator[Section]:
    yield Section("", tuple(_table(view.report.metrics, terminal)))
    yield Section("What to run next", tuple(_following(view, terminal)))
    yield Section("Not checked", tuple(_unmeasured(view, terminal)))
    yield Section("See it yourself", tuple(_commands(view, terminal)))


def _table(metrics: Sequence[JudgedPart], terminal: Terminal) -> Iterator[Ready]:
    """A line for each metric. Where there is no room, what to do stands below it, and long titles are cut."""
    longest = _LONGEST_LIMIT if terminal.width >= 60 else _LONGEST_NARROW
    below = {each.step: limit(each) if len(limit(each)) > longest else "" for each in metrics}
    rows = [_cells(each, "" if below[each.step] else limit(each)) for each in metrics]
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    wide = _needed(widths) <= terminal.width and any(each.action for each in metrics)
    if not wide:
        widths = widths[:_BRIEF]
        if _needed(widths) - widths[0] + _LEAST_TITLE > terminal.width:
            widths = widths[: _BRIEF - 1]  # the sign says the level too
        widths[0] = max(_LEAST_TITLE, widths[0] - max(0, _needed(widths) - terminal.width))
    yield terminal.paint(f"  {_line(_HEAD, widths)}", "dim")
    for each, cells in zip(metrics, rows, strict=True):
        padded = _padded(cells, widths)
        style = "passed" if each.level == "ok" else each.level
        painted = [terminal.paint(cell, style) if index in (1, 3) else Ready(cell) for index, cell in enumerate(padded)]
        painted[-1] = Ready(painted[-1].rstrip()) if not terminal.color else painted[-1]
        yield Ready(f"{terminal.sign(each.level)} {'  '.join(painted)}".rstrip())
        if below[each.step]:
            yield from terminal.filled(below[each.step], 4)
        if not wide and each.action:
            yield from terminal.filled(f"{each.action}: {each.command}", 4)


def _cells(each: JudgedPart, threshold: str) -> tuple[str, ...]:
    following = each.runbook if each.action else ""
    return each.title, each.shown or UNMEASURED, threshold, each.level, each.action, following


def _needed(widths: Sequence[int]) -> int:
    return 2 + sum(widths) + 2 * (len(widths) - 1)


def _padded(cells: Sequence[str], widths: Sequence[int]) -> list[str]:
    short = (
        cell if len(cell) <= width else f"{cell[: width - 1]}…" for cell, width in zip(cells, widths, strict=False)
    )
    return [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(short, widths, _NUMERIC, strict=False)
    ]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(_padded(cells, widths)).rstrip()


def _following(view: View, terminal: Terminal) -> Iterator[Ready]:
    width = max((len(each.command) for each in view.following), default=0)
    for each in view.following:
        command = terminal.paint(each.command.ljust(width), "strong")
        if 4 + width + len(each.titles) <= terminal.width:
            yield Ready(f"  {command}  {each.titles}")
        else:
            yield Ready(f"  {command.rstrip()}")
            yield from terminal.filled(each.titles, 4)


def _unmeasured(view: View, terminal: Terminal) -> Iterator[Ready]:
    for each in view.unmeasured:
        yield from terminal.filled(each.titles, 4, "strong", mark=terminal.sign("unknown"))
        yield from terminal.filled(cut(each.first.why, _MOST_MESSAGE), 4)
        if each.first.remedy:
            yield from terminal.filled(f"To see it: {cut(each.first.remedy, _MOST_MESSAGE)}", 4, "accent")
        yield from _command(view, each.metrics, terminal)


def _commands(view: View, terminal: Terminal) -> Iterator[Ready]:
    """Metrics that come of one measurement stand above its one command."""
    alike: dict[str, list[JudgedPart]] = {}
    for each in view.exceeded:
        alike.setdefault(view.steps[each.step].command, []).append(each)
    for metrics in alike.values():
        for each in metrics:
            yield from terminal.filled(cut(each.sentence, _MOST_MESSAGE), 4, "strong", mark=terminal.sign(each.level))
            if view.steps[each.step].error is not None:
                yield from terminal.filled(cut(each.why, _MOST_MESSAGE), 4)
        yield from _command(view, metrics, terminal)


def _command(view: View, metrics: Sequence[JudgedPart], terminal: Terminal) -> Iterator[Ready]:
    """What to paste, once each: two metrics may come of one measurement."""
    for command in dict.fromkeys(view.steps[each.step].command for each in metrics):
        if command:
            yield from terminal.block(f"$ {command}", 4, "dim")
