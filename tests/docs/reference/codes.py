"""The reference of diagnostics: the page of each code, with what ``runbook check`` says of its wrong document."""

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.docs.reference.markdown import NOTE, code, fence, page, prose, table

from runbook_engine.alerting.audit import AuditedFile, audit
from runbook_engine.cli.check_files import CheckedFile, Checker
from runbook_engine.document import CODES, render_all
from runbook_engine.document import pages as code_pages
from runbook_engine.document.pages import Example, Page, Settings
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

RANGES: Mapping[str, str] = {
    "RB1": "The text, its YAML and its shape",
    "RB2": "Names and the graph",
    "RB3": "Conditions and proofs",
    "RB4": "Templates and probes",
    "RB5": "Policies",
    "RB6": "Knowledge",
    "RB7": "Environments, incidents, playbooks and alerts",
    "RB8": "Tests",
}

_REPEATED = re.compile(r"^(?P<line>.*)\n *# …[^\n]*\n", re.MULTILINE)


def pages() -> Iterator[tuple[str, str]]:
    registry = Registry()
    yield "diagnostics/index.md", _index()
    for each in CODES:
        yield f"diagnostics/{each}.md", _page(code_pages.page(each), registry)


def _index() -> str:
    sections = []
    for start, title in RANGES.items():
        rows = [
            (f"[{each}]({each}.md)", prose(CODES[each]), str(code_pages.page(each).level))
            for each in CODES
            if each.startswith(start)
        ]
        sections += [f"## {title}", table(["code", "what it means", "level"], rows)]
    return page(
        "Diagnostics",
        "What `runbook check` says has a code, and each code has a page: what it means, a document that has the mistake, what is "
        "said of it, and the same document without it. `runbook check --explain RB301` prints it.",
        "An *error* keeps a document from being run. A *warning* may stay where a comment gives a reason: "
        f"{code('# runbook: ignore[RB208] because the next version uses it')}. A *note* is only worth knowing, and shown by "
        "`--notes`.",
        *sections,
    )


def _page(found: Page, registry: Registry) -> str:
    said = fence("text", _said(found, registry))
    heading = f"## What `runbook {teller(found)}` says"
    before, right, after = found.body.rstrip().partition("\n## Right\n")
    level = f"*{str(found.level).capitalize()}* · [all codes](index.md)"
    first, _, rest = before.partition("\n")
    return f"{NOTE}\n\n{first}\n\n{level}\n{rest.rstrip()}\n\n{heading}\n\n{said}\n{right}{after}\n"


def teller(found: Page) -> str:
    """The command that tells of the mistake."""
    return "audit-alerts" if _rules(found) else "check"


def _rules(found: Page) -> list[str]:
    """The files of its wrong documents that are rules of alerts."""
    return [each.file for each in found.wrong if each.file.startswith("rules/")]


def _said(found: Page, registry: Registry) -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in found.wrong:
            file = folder / each.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_whole(each, found.settings))
        first, library, rules = folder / found.wrong[0].file, Library((folder,)), _rules(found)
        checked: CheckedFile | AuditedFile = Checker(registry, library).file(first)
        if rules:
            audited = audit([folder / each for each in rules], library)
            checked = next(each for each in audited if each.file == str(first))
        shown = render_all(
            [each for each in checked.diagnostics if each.code == found.code], {checked.file: checked.text}
        )
    without_count = shown.rpartition("\n\n")[0]
    return without_count.replace(f"{folder}/", "").replace(str(folder), "FOLDER")


def _whole(example: Example, settings: Settings) -> bytes:
    """The document as it is stored: a line above ``# …`` stands in it as often as the page says."""

    def many(found: re.Match[str]) -> str:
        return "".join(found["line"].replace("1", str(number)) + "\n" for number in range(1, settings.repeat + 1))

    return _REPEATED.sub(many, example.text).encode(settings.encoding)
