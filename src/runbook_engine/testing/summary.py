"""The results of many files: as text, as JSON, as JUnit XML."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from xml.etree import ElementTree as ET

from runbook_engine.document.diagnostics import Diagnostic, render_all, visible
from runbook_engine.engine.coverage import Covered
from runbook_engine.engine.verdict import blind_spots_of, findings_of, path_of
from runbook_engine.hostile import harmless
from runbook_engine.testing.running import CaseResult, FileResult
from runbook_engine.testing.telling import Places, told

SCHEMA = "runbook.tests/v1"


def as_text(results: Sequence[FileResult], coverage: Sequence[Covered], *, color: bool = False) -> str:
    """What failed and why, each file in a line, and what is covered."""
    places = Places()
    blocks = [told(case, places) for each in results for case in each.cases if not case.passed]
    diagnostics: dict[Diagnostic, None] = {}
    sources: dict[str, str] = {}
    for each in results:
        if not each.valid:
            diagnostics.update(dict.fromkeys(each.diagnostics))
            sources.update(each.sources)
    if diagnostics:
        blocks.append(render_all(diagnostics, sources, color=color))
    blocks.append("\n".join(visible(_file_line(each)) for each in results))
    if coverage:
        blocks.append("\n".join(visible(line) for line in _coverage_lines(coverage, places)))
    blocks.append(_last_line(results))
    return "\n\n".join(blocks) + "\n"


def _file_line(result: FileResult) -> str:
    if not result.valid:
        return f"{result.file}: has mistakes, nothing was tested"
    failed = sum(not case.passed for case in result.cases)
    told = [f"{len(result.cases) - failed} passed", *([f"{failed} FAILED"] if failed else [])]
    if result.left_out:
        told.append(f"{result.left_out} left out")
    return f"{result.file}: {', '.join(told)}"


def _coverage_lines(coverage: Sequence[Covered], places: Places) -> Iterator[str]:
    for each in coverage:
        counts = ", ".join(
            f"{sum(item.part == part and item in each.reached for item in each.items)} of {total} {noun}"
            for part, noun in _PARTS.items()
            if (total := sum(item.part == part for item in each.items))
        )
        called = "" if each.tested else " (called, not tested itself)"
        yield f"{each.plan.runbook.runbook}: {each.shown} covered{called}: {counts or 'nothing to cover'}"
        for item in each.missed if each.tested else ():
            place = places.of(each.plan, item.place, key=item.part == "finding")
            yield f"  never reached: {item}{f'  ({place})' if place else ''}"


_PARTS: Mapping[str, str] = MappingProxyType(
    {"branch": "branches", "error route": "error routes", "finding": "findings"}
)


def _last_line(results: Sequence[FileResult]) -> str:
    cases = [case for each in results for case in each.cases]
    failed = sum(not case.passed for case in cases)
    invalid = sum(not each.valid for each in results)
    told = [f"{len(cases) - failed} of {len(cases)} cases passed"]
    if invalid:
        told.append(f"{invalid} of {len(results)} files have mistakes")
    return ", ".join(told)


def as_json(results: Sequence[FileResult], coverage: Sequence[Covered]) -> str:
    """One object, ``schema: runbook.tests/v1``."""
    places = Places()
    cases = [case for each in results for case in each.cases]
    whole = {
        "schema": SCHEMA,
        "passed": sum(case.passed for case in cases),
        "failed": sum(not case.passed for case in cases),
        "files": [_json_file(each) for each in results],
        "coverage": [_json_coverage(each, places) for each in coverage],
    }
    return json.dumps(whole, indent=2) + "\n"


def _json_file(result: FileResult) -> Mapping[str, object]:
    return {
        "file": result.file,
        "runbook": result.plan.runbook.runbook if result.plan else None,
        "left_out": result.left_out,
        "cases": [_json_case(each) for each in result.cases],
        "diagnostics": [
            {
                "code": each.code,
                "level": each.level.value,
                "message": each.message,
                "file": each.file,
                "line": each.span.line,
                "column": each.span.column,
            }
            for each in (() if result.valid else result.diagnostics)
        ],
    }


def _json_case(result: CaseResult) -> Mapping[str, object]:
    trace = result.trace
    return {
        "name": result.name,
        "title": result.case.title,
        "line": result.span.line,
        "passed": result.passed,
        # A walk that came to no end has no outcome.
        "outcome": None if result.lacks else trace.outcome.value,
        "findings": findings_of(trace),
        "blind_spots": blind_spots_of(trace),
        "path": path_of(trace),
        "differences": [
            {"about": each.about, "message": each.message, "lines": each.lines} for each in result.differences
        ],
        "lacks": [{"step": each.path, "message": each.message, "hint": each.hint} for each in result.lacks],
        "unused": result.rehearsal.unused,
    }


def _json_coverage(each: Covered, places: Places) -> Mapping[str, object]:
    return {
        "runbook": each.plan.runbook.runbook,
        "digest": each.plan.digest,
        "tested": each.tested,
        "percent": round(each.percent, 4),
        "items": len(each.items),
        "missed": [
            {
                "part": item.part,
                "step": item.step,
                "text": item.text,
                "place": places.of(each.plan, item.place, key=item.part == "finding"),
            }
            for item in each.missed
        ],
    }


def as_junit(results: Iterable[FileResult]) -> str:
    """A suite for each file, a test case for each case. A file with mistakes is a suite with one error."""
    root = ET.Element("testsuites", name="runbook test")
    places = Places()
    for each in results:
        suite = ET.SubElement(root, "testsuite", name=harmless(each.file))
        runbook = each.plan.runbook.runbook if each.plan else each.file
        if not each.valid:
            case = ET.SubElement(
                suite, "testcase", classname=harmless(runbook), name="document", file=harmless(each.file)
            )
            error = ET.SubElement(case, "error", message="the document has mistakes")
            error.text = harmless(render_all(each.diagnostics, each.sources))
        for result in each.cases:
            _junit_case(suite, result, places)
        suite.set("tests", str(len(suite)))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("errors", str(len(suite.findall("testcase/error"))))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _junit_case(suite: ET.Element, result: CaseResult, places: Places) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=result.plan.runbook.runbook,
        name=result.name,
        file=harmless(result.file),
        line=str(result.span.line),
    )
    if result.passed:
        return
    first = result.lacks[0].told if result.lacks else result.differences[0].told
    failure = ET.SubElement(case, "failure", message=harmless(first))
    failure.text = harmless(told(result, places))
