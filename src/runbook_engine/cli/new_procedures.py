"""The procedures of a Markdown document that ``runbook new`` is asked for."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runbook_engine.cli.new_writing import plural
from runbook_engine.cli.screen import visible
from runbook_engine.cli.streams import note

if TYPE_CHECKING:
    from runbook_engine.authoring.markdown import Procedure

_MOST_MARKDOWN = 5_000_000


def chosen(file: Path, section: str | None, *, every: bool) -> "Sequence[Procedure]":
    """The procedures of a document that are asked for."""
    from runbook_engine.authoring.markdown import document
    from runbook_engine.errors import UsageError, did_you_mean

    try:
        raw = sys.stdin.buffer.read(_MOST_MARKDOWN + 1) if str(file) == "-" else file.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not in UTF-8: byte {error.start} cannot be read") from None
    if len(raw) > _MOST_MARKDOWN:
        raise UsageError(f"{file} has more than {_MOST_MARKDOWN // 1_000_000} MB; give the part with the procedure")
    read = document(text)
    found = read.procedures
    if not found:
        raise UsageError(
            f"there is no procedure in {file}: a heading with Symptoms and Diagnostic Steps below it is looked for, as in\n"
            "\n  # Slow pages\n  ## Symptoms\n  - Pages take seconds\n  ## Diagnostic Steps\n  1. Check the database\n"
            "  ## Resolution\n  - Restart it"
        )
    if section is not None:
        titles = [each.title for each in found]
        fitting = [each for each in found if section.casefold() in each.title.casefold()]
        exact = [each for each in fitting if each.title.casefold() == section.casefold()]
        if len(exact or fitting) != 1:
            which = "several procedures" if fitting else "no procedure"
            guess = "" if fitting else did_you_mean(section, titles)
            raise UsageError(f"{file} has {which} called {section!r}{guess}; it has:\n{_listed(found)}")
        return exact or fitting
    if len(found) > 1 and not every:
        raise UsageError(
            f"{file} has {len(found)} procedures; choose one with --section, or take --all:\n{_listed(found)}"
        )
    if section is None:
        for line, title, lines in read.others:
            where = f'below "{visible(title)}"' if title else "above the first heading"
            note(f"{file}:{line}: {plural(lines, 'line')} of code {where}: left out, no procedure is there")
    return found


def _listed(found: "Iterable[Procedure]") -> str:
    return "\n".join(f"  line {each.line}: {visible(each.title)}" for each in found)


def apart(names: Sequence[str]) -> Sequence[str]:
    """Names of which none is there twice."""
    found: list[str] = []
    for name in names:
        number = 2
        one = name
        while one in found:
            one = f"{name}-{number}"
            number += 1
        found.append(one)
    return found
