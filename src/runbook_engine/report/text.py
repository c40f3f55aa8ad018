"""The report for a terminal: what a tired responder wants to know first, first."""

from collections.abc import Iterator

from msgspec import Struct

from runbook_engine.hostile import cut, harmless, one_line
from runbook_engine.report.model import FindingPart, KnowledgePart, Report, StepPart
from runbook_engine.report.ready import Ready
from runbook_engine.report.terminal import Section, Terminal, columns, fill
from runbook_engine.report.view import View, depth, duration, seen

_LEAST_WIDTH = 40
_LEAST_REASON = 28
_TITLE_COLUMN = 34
_MOST_MESSAGE = 600
_EVIDENCE_ROWS = 5


def text(report: Report, *, color: bool = False, width: int = 100) -> str:
    """With ``color``, ANSI escapes of our own. Nothing but commands and long words is wider than ``width``."""
    page = _Page(View(report), Terminal(max(_LEAST_WIDTH, width), color))
    lines: list[Ready] = list(page.head())
    for section in page.sections():
        if section.lines:
            heading = [page.terminal.paint(section.heading, "heading")] if section.heading else []
            lines += [Ready(), *heading, *section.lines]
    return "\n".join([*lines, "", page.foot(), ""])


class _Page(Struct, frozen=True):
    view: View
    terminal: Terminal

    def head(self) -> Iterator[Ready]:
        report, terminal = self.view.report, self.terminal
        outcome = terminal.paint(report.outcome.upper(), report.outcome)
        before = len(report.outcome) + 4
        first, *rest = terminal.filled(report.runbook.title.strip() or report.runbook.name, before, "strong")
        yield Ready(f"{terminal.sign(report.outcome)} {outcome}  {first[before:]}")
        yield from rest
        yield from terminal.filled(self.view.verdict, 2)
        owner = f" Owner: {report.runbook.owner}" if report.runbook.owner else ""
        severity = f" ({report.runbook.severity})" if report.runbook.severity and owner else ""
        yield from terminal.filled(f"{self.view.ran}.{owner}{severity}{'.' if owner else ''}", 2, "dim")

    def sections(self) -> Iterator[Section]:
        view = self.view
        if view.report.metrics:
            from runbook_engine.report.text_metrics import metric_sections

            yield from metric_sections(view, self.terminal)
            yield self._besides()
            yield self._not_asked()
            return
        yield Section("What is wrong", tuple(line for each in view.causes for line in self._finding(each)))
        hurts = "Symptoms" if view.causes else "Symptoms (no cause was found)"
        yield Section(hurts, tuple(line for each in view.symptoms for line in self._finding(each)))
        yield Section("What to do", tuple(self._remedies()))
        yield Section("Not checked", tuple(self._unseen()))
        yield self._besides()
        yield Section("What was looked at" if view.healthy else "How it was found", tuple(self._walk()))
        if view.report.findings:
            yield Section("Prevention", tuple(self._prevention()))
        yield self._not_asked()

    def foot(self) -> Ready:
        report = self.view.report
        line = f"{report.runbook.name} {report.runbook.version}, run {report.run_id}, {report.started_at}"
        if self.view.granted:
            line += f"; allowed: {self.view.granted}"
        if self.view.overruled:
            line += f"; set, but overruled: {self.view.overruled}"
        return Ready("\n".join(self.terminal.filled(line, 0, "dim")))

    def _finding(self, finding: FindingPart) -> Iterator[Ready]:
        terminal = self.terminal
        step = self.view.step(finding)
        yield from terminal.filled(finding.title, 4, "strong", mark=terminal.sign(finding.level))
        if finding.condition:
            yield from terminal.filled(cut(finding.condition, _MOST_MESSAGE), 4, "accent")
        if finding.cause and finding.cause not in finding.condition:
            yield from terminal.filled(cut(finding.cause, _MOST_MESSAGE), 4)
        if finding.kind == "cause":
            for table in self.view.tables(step, _EVIDENCE_ROWS):
                if table.caption and table.columns:
                    yield from terminal.filled(f"{cut(table.caption, _MOST_MESSAGE)}:", 6, "dim")
                if table.columns:
                    yield from (Ready(f"      {harmless(line)}") for line in columns(table, terminal.width - 6))
        for each in self.view.known_of(finding):
            yield from self._known(each)
        yield from self._command(step)

    def _besides(self) -> Section:
        """Known messages that no finding and no blind spot stands for."""
        lines = (line for each in self.view.known_besides for line in self._known(each))
        return Section("Known error messages that were seen", tuple(lines))

    def _not_asked(self) -> Section:
        """What was not configured, in one sentence."""
        told = self.view.not_asked
        lines = self.terminal.filled(told, 4, "dim", mark=self.terminal.sign("not asked")) if told else ()
        return Section("Not asked, because not configured", tuple(lines))

    def _known(self, known: KnowledgePart) -> Iterator[Ready]:
        terminal = self.terminal
        yield from terminal.filled(f"Known error: {known.pattern}", 6, "strong", mark=terminal.paint("≡", "accent"))
        if seen := self.view.seen(known):
            yield from terminal.filled(f"“{seen}”", 6, "dim")
        yield from terminal.filled(f"Cause: {known.cause}", 6)
        yield from terminal.filled(f"Solution: {known.solution}", 6)
        yield from terminal.filled(f"Source: {known.source.title} {known.source.url}".strip(), 6, "dim")

    def _command(self, step: StepPart) -> Iterator[Ready]:
        if step.command:
            yield from self.terminal.block(f"$ {step.command}", 4, "dim")

    def _remedies(self) -> Iterator[Ready]:
        for remedy in self.view.remedies:
            yield from self.terminal.filled(remedy.resolution.title, 2, "strong")
            for number, each in enumerate(remedy.resolution.steps, 1):
                mark = f"{number}."
                yield from self.terminal.filled(each, 7, mark=mark, mark_width=len(mark))

    def _unseen(self) -> Iterator[Ready]:
        terminal = self.terminal
        for each in self.view.unseen:
            first = each.first
            yield from terminal.filled(f"{each.titles}: {first.kind}", 4, "strong", mark=terminal.sign("blind"))
            yield from terminal.filled(cut(first.message, _MOST_MESSAGE), 4)
            if first.remedy:
                yield from terminal.filled(f"To see it: {cut(first.remedy, _MOST_MESSAGE)}", 4, "accent")
            for known in self.view.known_unseen(each):
                yield from self._known(known)
            steps = {self.view.steps[spot.path].command: self.view.steps[spot.path] for spot in each.spots}
            for step in steps.values():
                yield from self._command(step)

    def _walk(self) -> Iterator[Ready]:
        for step in self.view.walked:
            yield from self._step(step)
        if not self.view.healthy:
            yield from self._left_out("skipped", self.view.skipped)
        yield from self._left_out("not reached", self.view.not_reached)

    def _step(self, step: StepPart) -> Iterator[Ready]:
        """``■  1.23 s  How slow is the API?     p95 1.24 s > 1 s → database, cache``."""
        status, width = self.view.status(step), self.terminal.width
        told = seen(step, status)
        goto = step.branch.goto if step.branch else ()
        why = f"{told} → {', '.join(goto)}".strip() if goto else told
        title = f"{'  ' * depth(step)}{one_line(step.title)}"
        head = f"  {self.terminal.sign(status)} {duration(step.duration_ms):>8}  "
        column = min(_TITLE_COLUMN, max(20, width // 3))
        before = 16 + column
        if width - before < _LEAST_REASON or len(title) > column:
            name, *more = fill(title, width - 14)
            yield Ready(f"{head}{name}")
            yield from (Ready(f"{' ' * 14}{line}") for line in more)
            yield from self.terminal.filled(why, 16)
            return
        first, *rest = fill(why, width - before) or [""]
        yield Ready(f"{head}{title.ljust(column)}  {first}".rstrip())
        yield from (Ready(f"{' ' * before}{line}") for line in rest)

    def _left_out(self, word: str, steps: tuple[StepPart, ...]) -> Iterator[Ready]:
        if steps:
            titles = ", ".join(step.title for step in steps)
            yield from self.terminal.filled(f"{word}: {titles}", 4, "dim", mark=self.terminal.sign(word))

    def _prevention(self) -> Iterator[Ready]:
        for each in self.view.report.prevention:
            yield from self.terminal.filled(each, 4, mark="-")
