"""``runbook test --generate``."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.streams import data, note
from runbook_engine.pasteable import operands, pasteable

if TYPE_CHECKING:
    from runbook_engine.testing.generating import Generated

_COMMENT = """Made by: runbook test --generate. The values lie where each branch begins to win, and just below, at and just
above each threshold; expected is what came of them. Read them through: a case that surprises you is a mistake in the runbook,
or something to learn about it."""


def write_tests(paths: Sequence[str], output: Path | None, *, force: bool) -> int:
    """Write the tests of one runbook; 0 where they cover all of it, else 1."""
    from runbook_engine import api
    from runbook_engine.document.cases_text import write_cases
    from runbook_engine.errors import UsageError
    from runbook_engine.files import write_whole
    from runbook_engine.library import Library
    from runbook_engine.testing.generating import generate

    if len(paths) != 1:
        raise click.UsageError("--generate takes one runbook, for example: runbook test --generate my-runbook.yaml")
    library = Library.default()
    file = library.find(paths[0])
    plan = api.load(file, library=library)
    to_stdout = output is not None and str(output) == "-"
    place = file.with_name(f"{file.stem}.test.yaml") if output is None or to_stdout else output
    if place.exists() and not (force or to_stdout):
        raise UsageError(f"{place} is there already; --force replaces it, -o FILE writes another, -o - prints it")
    made = generate(plan, _named(file, place))
    text = write_cases(made.cases, comment=_COMMENT)
    if to_stdout:
        data(text)
    else:
        try:
            write_whole(place, text)
        except OSError as error:
            raise UsageError(f"{place} cannot be written: {error.strerror}") from error
    _tell(made, place, to_stdout=to_stdout)
    return 1 if made.missed else 0


def _named(file: Path, place: Path) -> str:
    """The runbook as the tests call it: its file, from where they lie."""
    path = os.path.relpath(file.resolve(), place.parent.resolve())
    return path if path.startswith(".") else f"./{path}"


def _tell(made: "Generated", place: Path, *, to_stdout: bool) -> None:
    count = len(made.cases.cases)
    if not to_stdout:
        carrying_out = pasteable("runbook", "test", *operands(place))
        note(f"{count} case{'' if count == 1 else 's'} written to {place}; carry them out with: {carrying_out}")
    for each in made.missed:
        note(f"not covered: {each}; no reading was found that leads there")
