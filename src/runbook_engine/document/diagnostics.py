"""What ``runbook check`` says about a document: a code, a place, a sentence, and what is legal instead."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import pairwise
from types import MappingProxyType

from msgspec import Struct

from runbook_engine.document.fixes import Fix
from runbook_engine.document.lines import LINE_BREAK, Span, line_of

CODES: Mapping[str, str] = MappingProxyType(
    {
        # RB1xx: the text, its YAML and its shape.
        "RB101": "the file cannot be read as text",
        "RB102": "the text is not YAML",
        "RB103": "a tab is used for indentation",
        "RB104": "a key is given twice",
        "RB105": "a key is not a text",
        "RB106": "a feature of YAML that documents do not use: a tag, a merge key, several documents in one file",
        "RB107": "a template is not quoted, so that YAML reads it as a mapping",
        "RB108": "the document is too large, too deep, or grows too large by its aliases",
        "RB109": "more mistakes than can be shown",
        "RB110": "the document is not of the kind that is read here",
        "RB111": "an unknown key",
        "RB112": "a key is missing",
        "RB113": "a value of the wrong type",
        "RB114": "a value that is none of the legal ones",
        "RB115": "a name or a text that is not written as it must be",
        "RB116": "a value out of bounds: too small, too large, too short, too long",
        "RB117": "a quantity without its unit, or with a wrong one",
        "RB118": "a step that has not exactly one kind",
        "RB119": "a branch or an error route that has not exactly one condition",
        "RB120": 'an "else" that is not the last branch, or a second one',
        "RB121": "a default that does not fit its type",
        "RB122": "an enum without values, or values without an enum",
        "RB123": "a secret written into the document",
        "RB124": "a name that is reserved",
        "RB125": "a suppression without a reason",
        "RB126": "a suppression that suppresses nothing",
        # RB2xx: names and the graph.
        "RB201": "the runbook starts with a step that does not exist",
        "RB202": "a branch raises a finding that does not exist",
        "RB203": "a branch leads to a step that does not exist",
        "RB204": "a finding names a resolution that does not exist",
        "RB205": "steps lead in a circle",
        "RB206": "nothing leads to a step",
        "RB207": "two branches to the same place",
        "RB208": "a finding, a resolution or an input that nothing uses",
        "RB209": "a finding without a resolution",
        "RB210": "a runbook is named that does not exist",
        "RB211": "runbooks that call each other in a circle",
        "RB212": "a call of a runbook that has mistakes of its own",
        "RB213": "a name of a step that may not have measured anything on the way here",
        "RB214": "errors of a probe that no route leads on from",
        "RB215": "a run that may take longer than its time box",
        "RB216": "a step of which it cannot be proven that it only reads",
        "RB217": "a text filled into what an interpreter reads",
        "RB218": "a threshold that contradicts the policy of metrics",
        "RB219": "an input that other documents define otherwise",
        "RB230": "a secret in a URL",
        "RB231": "a secret that goes to a host which the runbook itself names",
        "RB232": "a secret that goes to a host which a measurement chooses",
        "RB233": "a secret that goes to a host which a label of an alert chooses",
        # RB3xx: conditions and proofs.
        "RB301": "values that no branch covers",
        "RB302": "a text that is not a condition",
        "RB303": "a condition whose types, dimensions or bounds do not fit",
        "RB304": "a name in a condition that is not known there",
        "RB305": "a branch that can never win",
        "RB306": "branches that overlap, so that their order matters",
        "RB307": "an else that nothing is left for",
        "RB308": "a condition that comes out the same whatever is measured",
        "RB309": "a branch that an earlier step excludes",
        "RB310": "a condition that divides by zero",
        "RB311": "a threshold beyond what the step reads",
        "RB312": "a response time that is judged without the failures",
        # RB4xx: templates and probes.
        "RB401": "a probe that no installed package provides",
        "RB402": "parameters that do not fit the probe or the called runbook",
        "RB403": "a text that is not a template",
        "RB404": "a name in a template that is not known there",
        "RB405": "an extract for a probe that has nothing to extract from",
        "RB406": "an extract that does not fit",
        "RB407": "a path that leads nowhere in the probe's document",
        # RB5xx: policies.
        "RB501": "a metric that its probe does not have",
        "RB502": "a threshold that does not fit its metric",
        "RB503": "thresholds that are not in the order of their levels",
        "RB504": "a metric that is measured twice",
        "RB505": "a threshold that has not exactly one limit",
        # RB6xx: knowledge.
        "RB601": "an error message that two entries explain",
        "RB602": "an entry that nothing leads to: it has neither messages nor errors",
        "RB603": "a message that would be found in nearly every text",
        # RB7xx: environments, policies of incidents, playbooks, alerts.
        "RB701": "a value of an environment that does not fit the input of that name",
        "RB702": "a value of an environment for an input that no runbook has",
        "RB711": "a name in a policy of incidents that stands for nothing there",
        "RB712": "an escalation matrix whose rows do not follow each other",
        "RB713": "a channel that nothing is sent to, or a message that reaches nobody",
        "RB714": "a rule of classification that cannot decide, or an example that none decides for",
        "RB715": "an escalation that comes too late",
        "RB716": "a business day that ends before it begins",
        "RB717": "a playbook that leads through other priorities",
        "RB731": "phases of a playbook that do not follow each other",
        "RB732": "a name that two tasks of a playbook have",
        "RB733": "a task whose time does not fit its phase",
        "RB734": "a task that is not exactly one thing",
        "RB735": "a name in a playbook that stands for nothing: a role, a runbook, an input",
        "RB736": "a pattern that makes no name of a channel",
        "RB737": "a task that is due again too soon",
        "RB738": "a message of a playbook that reaches nobody",
        "RB751": "a trigger fills an input that the runbook does not have, or a secret",
        "RB752": "a trigger that another one hides",
        "RB753": "a pattern of a trigger that is none",
        "RB761": "rules of alerts that are not written as they must be",
        "RB762": "a runbook_url that leads to no runbook",
        "RB763": "an alert without a runbook",
        "RB764": "a runbook to which no alert leads",
        "RB765": "a trigger that matches no alert",
        "RB766": "an alert that names a runbook and does not trigger it",
        "RB767": "a runbook_url of which nobody can say where it leads",
        # RB8xx: tests.
        "RB801": "tests of a runbook that does not exist",
        "RB802": "a test names a step that the runbook does not have",
        "RB803": "a test gives a metric that the step does not measure",
        "RB804": "a value that does not fit its metric, its answer or its input",
        "RB805": "a step is given what a step of its kind cannot bring",
        "RB806": "a test gives a value to an input that the runbook does not have",
        "RB807": "a test expects a finding that the runbook does not have",
        "RB808": "a recording that cannot be read",
    }
)
"""Every diagnostic's code with what it means, in ranges by the layer that finds it."""


class DiagnosticLevel(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Related(Struct, frozen=True):
    """Another place in the same file that belongs to a mistake, for programs that can show it: where a key was given first.

    People are told of it in the label.
    """

    message: str
    span: Span


class Diagnostic(Struct, frozen=True):
    """One mistake. ``label`` stands beside the place, ``help`` below it: what is legal, what to write instead.

    ``fix`` is there where what to write is certain enough to be written. ``suppressed`` is the reason that a comment gives.
    """

    code: str
    message: str
    file: str
    span: Span
    label: str = ""
    help: str = ""
    level: DiagnosticLevel = DiagnosticLevel.ERROR
    fix: Fix | None = None
    related: tuple[Related, ...] = ()
    suppressed: str | None = None

    def __lt__(self, other: "Diagnostic") -> bool:
        return self._order() < other._order()

    def __str__(self) -> str:
        return f"{visible(self.file)}:{self.span.line}:{self.span.column}: {self.level}[{self.code}]: {visible(self.message)}"

    def _order(self) -> tuple[str, int, int, str, str]:
        return self.file, self.span.line, self.span.column, self.code, self.message


def visible(text: str) -> str:
    """The same text with control characters, line breaks and invisible formatting shown as escapes."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def quoted(text: object) -> str:
    """A text in double quotes, cut when it is long."""
    shown = str(text)
    return f'"{shown[:_LONGEST_QUOTE]}…"' if len(shown) > _LONGEST_QUOTE else f'"{shown}"'


def render(diagnostic: Diagnostic, text: str, *, color: bool = False) -> str:
    """The diagnostic under the line of ``text`` (the file's) that it is about, for a person to read."""
    span, paint = diagnostic.span, _painted if color else _plain
    number = str(span.line)
    gutter = " " * len(number)
    bar = paint("bar", "|")
    line, before, marked = _excerpt(line_of(text, span.line), span)
    strong = str(diagnostic.level)
    label = f" {visible(diagnostic.label)}" if diagnostic.label else ""
    shown = [
        f"{paint(strong, f'{strong}[{diagnostic.code}]')}{paint('message', f': {visible(diagnostic.message)}')}",
        f"{gutter}{paint('bar', '-->')} {visible(diagnostic.file)}:{span.line}:{span.column}",
        f"{gutter} {bar}",
        f"{paint('bar', number)} {bar} {line}".rstrip(),
        f"{gutter} {bar} {' ' * before}{paint(strong, '^' * marked + label)}",
    ]
    if diagnostic.help:
        shown.append(f"{gutter} {paint('bar', '=')} help: {visible(diagnostic.help)}")
    return "\n".join(shown)


def render_all(diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], *, color: bool = False) -> str:
    """All of them in the order of their places, and a last line that counts them. ``sources`` has each file's text.

    What is suppressed is counted and not shown.
    """
    everything = sorted(diagnostics)
    ordered = [each for each in everything if each.suppressed is None]
    of_file: dict[str, list[Diagnostic]] = {}
    for each in ordered:
        of_file.setdefault(each.file, []).append(each)
    shown = {file: without_secrets(sources.get(file, ""), found) for file, found in of_file.items()}
    blocks = [render(each, shown[each.file], color=color) for each in ordered]
    return "\n\n".join([*blocks, summary(everything, files=len(of_file or sources))])


SECRET_IN_TEXT = "RB123"  # noqa: S105 - a code, not a secret
_PASSWORD = re.compile(r"(?<=://)([^/?#\s:@{}]*:)([^/?#\s@{}]+)(?=@)")


def without_secrets(text: str, diagnostics: Iterable[Diagnostic]) -> str:
    """The text with secrets that were written into it starred out, every column where it was."""
    hidden = _PASSWORD.sub(lambda found: found[1] + "*" * len(found[2]), text)
    spans = [each.span for each in diagnostics if each.code == SECRET_IN_TEXT]
    if not spans:
        return hidden
    starts = [0, *(found.end() for found in LINE_BREAK.finditer(hidden)), len(hidden)]
    lines = [hidden[start:end] for start, end in pairwise(starts)]
    for span in spans:
        for number in range(span.line, min(span.end_line, len(lines)) + 1):
            line = lines[number - 1]
            first = span.column - 1 if number == span.line else 0
            last = span.end_column - 1 if number == span.end_line else len(line.rstrip("\r\n"))
            lines[number - 1] = line[:first] + "*" * (last - first) + line[last:]
    return "".join(lines)


def summary(diagnostics: Iterable[Diagnostic], *, files: int) -> str:
    """``2 errors, 1 warning in 1 file``, ``no mistakes in 14 files (2 suppressed)``."""
    found = list(diagnostics)
    levels = [each.level for each in found if each.suppressed is None]
    counts = [_counted(levels.count(level), level) for level in DiagnosticLevel if level in levels]
    suppressed = f" ({len(found) - len(levels)} suppressed)" if len(found) > len(levels) else ""
    return f"{', '.join(counts) or 'no mistakes'} in {_counted(files, 'file')}{suppressed}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


_LONGEST_QUOTE = 60
_WIDEST = 120
_LEAD = 40


def _excerpt(line: str, span: Span) -> tuple[str, int, int]:
    """The line as shown, cut to a window round the span when it is long; the columns before the span, and its own."""
    first = min(span.column - 1, len(line))
    last = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line.rstrip())
    start, stop = 0, len(line)
    if stop > _WIDEST or sum(map(_width, map(_shown, line))) > _WIDEST:
        start, stop = _window(line, first)
    before, marked, after = (
        "".join(map(_shown, part)) for part in (line[start:first], line[first : min(last, stop)], line[last:stop])
    )
    left = "…" if start else ""
    right = "…" if stop < len(line) else ""
    return f"{left}{before}{marked}{after}{right}", _width(left + before), max(1, _width(marked))


def _window(line: str, first: int) -> tuple[int, int]:
    """From a little before the span to as far as fits."""
    start, room = first, _LEAD
    while start > 0 and (room := room - _width(_shown(line[start - 1]))) >= 0:
        start -= 1
    stop, room = start, _WIDEST
    while stop < len(line) and (room := room - _width(_shown(line[stop]))) >= 0:
        stop += 1
    return start, stop


def _shown(character: str) -> str:
    if character == "\t":
        return "    "
    if character.isprintable() or character == " ":
        return character
    # Line separators, escapes, bidirectional overrides: never handed to a terminal. Other kinds of space are harmless.
    if unicodedata.category(character) == "Zs":
        return " "
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _width(shown: str) -> int:
    """Columns on a terminal: two for East Asian wide characters, none for combining marks."""
    if shown.isascii():
        return len(shown)
    return sum(
        0 if unicodedata.combining(each) else 2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in shown
    )


_STYLES = MappingProxyType({"error": "1;31", "warning": "1;33", "note": "1;36", "message": "1", "bar": "34"})


def _painted(style: str, text: str) -> str:
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"


def _plain(style: str, text: str) -> str:  # noqa: ARG001 - the same shape as _painted
    return text
