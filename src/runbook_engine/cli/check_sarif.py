"""Diagnostics as SARIF 2.1.0, which code scanning and editors read.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from runbook_engine.cli.check_files import CheckedFile
from runbook_engine.cli.check_places import uri
from runbook_engine.document.diagnostics import CODES, SECRET_IN_TEXT, Diagnostic, visible
from runbook_engine.document.fixes import Fix
from runbook_engine.document.lines import Lines, Span
from runbook_engine.document.pages import page
from runbook_engine.version import VERSION

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"
_Json = dict[str, object]


def sarif(files: Iterable[CheckedFile]) -> _Json:
    """The log of one run. Columns count characters, from 1; the end is just after the last."""
    numbers = {code: index for index, code in enumerate(CODES)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "runbook",
                        "fullName": "runbook check",
                        "version": VERSION,
                        "semanticVersion": VERSION,
                        "rules": [_rule(code, title) for code, title in CODES.items()],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "originalUriBaseIds": {_ROOT: {"description": _text("The directory in which runbook check ran.")}},
                "results": [each for file in files for each in _results(file, numbers)],
            }
        ],
    }


def _rule(code: str, title: str) -> _Json:
    about = page(code)
    return {
        "id": code,
        "shortDescription": _text(_sentence(title)),
        "fullDescription": _text(about.summary),
        "help": {"text": about.body, "markdown": about.body},
        "defaultConfiguration": {"level": about.level.value},
    }


def _results(file: CheckedFile, numbers: Mapping[str, int]) -> Iterator[_Json]:
    lines = Lines(file.text)
    for each in file.diagnostics:
        yield _result(each, numbers, lines)


def _result(each: Diagnostic, numbers: Mapping[str, int], lines: Lines) -> _Json:
    found: _Json = {
        "ruleId": each.code,
        "ruleIndex": numbers[each.code],
        "level": each.level.value,
        "message": _text(_message(each)),
        "locations": [{"physicalLocation": _place(each.file, each.span)}],
        "partialFingerprints": {"runbook/v1": _fingerprint(each)},
        # Where one result says whether it is suppressed, all must.
        "suppressions": []
        if each.suppressed is None
        else [{"kind": "inSource", "status": "accepted", "justification": visible(each.suppressed)}],
    }
    if each.related:
        found["relatedLocations"] = [
            {"id": number, "message": _text(visible(one.message)), "physicalLocation": _place(each.file, one.span)}
            for number, one in enumerate(each.related)
        ]
    if each.fix is not None and each.code != SECRET_IN_TEXT:
        found["fixes"] = [_fix(each.file, each.fix, lines)]
    return found


def _message(each: Diagnostic) -> str:
    label = f" ({each.label})" if each.label else ""
    help_ = f"\nHelp: {each.help}" if each.help else ""
    return "\n".join(visible(line) for line in f"{each.message}{label}{help_}".split("\n"))


def _place(file: str, span: Span) -> _Json:
    return {"artifactLocation": _artifact(file), "region": _region(span)}


def _artifact(file: str) -> _Json:
    at = uri(file)
    return {"uri": at} if at.startswith("file:") else {"uri": at, "uriBaseId": _ROOT}


def _region(span: Span) -> _Json:
    return {
        "startLine": span.line,
        "startColumn": span.column,
        "endLine": span.end_line,
        "endColumn": span.end_column,
    }


def _fix(file: str, fix: Fix, lines: Lines) -> _Json:
    replacements: Sequence[_Json] = [
        {"deletedRegion": _region(lines.span(edit.start, edit.end)), "insertedContent": {"text": edit.text}}
        for edit in fix.edits
    ]
    return {
        "description": _text(_sentence(visible(fix.description))),
        "artifactChanges": [{"artifactLocation": _artifact(file), "replacements": replacements}],
    }


def _fingerprint(each: Diagnostic) -> str:
    """The same for the same mistake when lines move."""
    return hashlib.sha256(f"{each.code}\0{uri(each.file)}\0{each.message}".encode()).hexdigest()[:32]


def _text(text: str) -> _Json:
    return {"text": text}


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
