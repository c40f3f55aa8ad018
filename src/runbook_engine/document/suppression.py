"""Comments that say why a warning may stand: ``# runbook: ignore[RB208] because the mobile team uses it next week``.

Such a comment is about its own line, or, alone on a line, about the next one that is no comment. An error cannot be
suppressed, because a document with an error cannot be run.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import yaml
from msgspec import Struct
from msgspec.structs import replace

from runbook_engine.document.diagnostics import CODES, Diagnostic, DiagnosticLevel, quoted
from runbook_engine.document.lines import Lines, Span, line_of
from runbook_engine.document.nodes import begin, end
from runbook_engine.errors import closest

FOUND_ELSEWHERE = frozenset({"RB764", "RB765"})
"""What is said of runbooks only by ``runbook audit-alerts``, which holds them against rules of alerts."""
EXAMPLE = "# runbook: ignore[RB208] because the mobile team uses it next week"

_MARK = re.compile(r"#[ \t]*runbook:[ \t]*ignore\b(?:\[([^\]\r\n]*)\]?)?([^\r\n]*)")
_CODE = re.compile(r"[^,\s]+")
_BECAUSE = re.compile(r"[\s:,–-]*(?:because\b)?[\s:]*")
_ONLY_COMMENT = re.compile(r"[ \t]*#")


class Suppression(Struct, frozen=True):
    """A comment at ``span`` about the line ``line``; ``codes`` are what it names, each with its place."""

    span: Span
    line: int
    codes: tuple[tuple[str, Span], ...]
    reason: str


def suppressed(text: str, file: str, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The diagnostics of a file in the order of their places, those that a comment suppresses with its reason.

    What is wrong with the comments themselves is among them.
    """
    found = suppressions(text)
    if not found:
        return tuple(sorted(diagnostics))
    broken = any(each.level is DiagnosticLevel.ERROR for each in diagnostics)
    kept = list(diagnostics)
    for each in found:
        if not each.reason:
            message = "a suppression without a reason, which suppresses nothing"
            kept.append(Diagnostic("RB125", message, file, each.span, "say why", f"for example {EXAMPLE}"))
            continue
        if not each.codes:
            message = "a suppression that names no code, and so suppresses nothing"
            kept.append(_nothing(message, file, each.span, help_=f"for example {EXAMPLE}"))
        for code, span in each.codes:
            at = [
                index
                for index, one in enumerate(kept)
                if (one.code, one.span.line, one.file) == (code, each.line, file)
            ]
            usable = [index for index in at if kept[index].level is not DiagnosticLevel.ERROR]
            for index in usable:
                kept[index] = replace(kept[index], suppressed=each.reason)
            if at and not usable:
                message = f"{code} is an error here, and errors cannot be suppressed"
                kept.append(_nothing(message, file, span, help_="a document with an error cannot be run; correct it"))
            elif not at and code not in CODES:
                guess = closest(code.upper(), CODES)
                label = f'did you mean "{guess}"?' if guess else ""
                kept.append(_nothing(f"{quoted(code)} is no code", file, span, label))
            elif not at and not broken and code not in FOUND_ELSEWHERE:
                # What else is to be found behind an error nobody knows.
                message = f"there is no {code} to suppress on line {each.line}"
                kept.append(_nothing(message, file, span, "delete it"))
    return tuple(sorted(kept))


def suppressions(text: str) -> Sequence[Suppression]:
    """All of a text, in its order; none where the text is no YAML."""
    marks = list(_MARK.finditer(text))
    if not marks:
        return ()
    texts = _scalars(text)
    if texts is None:
        return ()
    lines = Lines(text)
    return tuple(_suppression(mark, text, lines) for mark in marks if _is_comment(mark.start(), text, texts))


def _suppression(mark: re.Match[str], text: str, lines: Lines) -> Suppression:
    span = lines.span(mark.start(), mark.start() + len(mark[0].rstrip()))
    line = span.line
    if _ONLY_COMMENT.match(line_of(text, line)):
        while _ONLY_COMMENT.match(line_of(text, line)):
            line += 1
    codes = _CODE.finditer(text, *mark.span(1)) if mark[1] is not None else ()
    reason = _BECAUSE.sub("", mark[2], count=1).strip()
    return Suppression(span, line, tuple((each[0], lines.span(*each.span())) for each in codes), reason)


def _is_comment(at: int, text: str, texts: Sequence[tuple[int, int]]) -> bool:
    """Whether the ``#`` at that offset begins a comment: after white space, and in no text. ``texts`` are in order."""
    if at > 0 and not text[at - 1].isspace():
        return False
    index = bisect_right(texts, (at, len(text))) - 1
    return index < 0 or not texts[index][0] <= at < texts[index][1]


def _scalars(text: str) -> Sequence[tuple[int, int]] | None:
    """Where texts stand that may hold a ``#``: in quotes and in blocks. None where the text is no YAML."""
    try:
        return list(_texts(text))
    except yaml.YAMLError:
        return None


def _texts(text: str) -> Iterator[tuple[int, int]]:
    for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
        if not isinstance(event, yaml.ScalarEvent) or not event.style:
            continue
        start = begin(event)
        if event.style in "|>":
            # A comment may follow the sign that opens a block.
            start = len(text) if (line := re.compile(r"[\r\n]").search(text, start)) is None else line.start()
        yield start, end(event)


def _nothing(message: str, file: str, span: Span, label: str = "", *, help_: str = "") -> Diagnostic:
    return Diagnostic("RB126", message, file, span, label, help_, DiagnosticLevel.WARNING)
