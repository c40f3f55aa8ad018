"""``runbook check``."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.names import RunbookName

if TYPE_CHECKING:
    from runbook_engine.cli.check_files import CheckedFile
    from runbook_engine.document import Diagnostic
    from runbook_engine.library import Library

INVALID = 78


@click.command(
    "check",
    epilog=examples(
        "runbook check",
        "runbook check runbooks/ my-runbook.yaml",
        "runbook check --strict runbooks/",
        "runbook check --explain RB203",
        "runbook check --fix --diff runbooks/",
        "runbook check runbooks/ --format sarif > check.sarif",
    ),
)
@click.argument("paths", nargs=-1, type=RunbookName())
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
    help="For people, for programs, for code scanning, or as annotations of a GitHub workflow.",
)
@click.option("--notes", is_flag=True, help="Say what is only worth knowing, too: overlaps, errors without a route ...")
@click.option("--strict", is_flag=True, help="End with 78 where there is a warning, too.")
@click.option("--explain", metavar="CODE", help="Print the page of a code, such as RB203, and check nothing.")
@click.option("--fix", is_flag=True, help="Correct what is certain, in the files themselves; then report the rest.")
@click.option(
    "--diff",
    "--dry-run",
    "diff",
    is_flag=True,
    help="Show what --fix would change, as a diff, and write nothing.",
)
def command(
    paths: tuple[str, ...], format_: str, explain: str | None, *, notes: bool, strict: bool, fix: bool, diff: bool
) -> int:
    """Report every mistake in documents of every kind: in files, in directories, or in runbooks by name.

    Without PATHS all that can be found are checked.
    A warning may stay where a comment gives a reason: # runbook: ignore[RB208] because ...
    Ends with 78 where there is an error, 0 where there are only warnings; with --strict these count as errors.
    """
    if explain is not None:
        return _explain(explain)
    from runbook_engine.cli.check_many import check_all
    from runbook_engine.errors import UsageError
    from runbook_engine.library import Library

    if diff and format_ != "text":
        raise UsageError(f"a diff is no {format_}: leave out --format, or --diff")
    if (fix or diff) and not paths:
        raise UsageError("say which files or directories to fix, for example: runbook check --fix runbooks/")
    library = Library.default()
    files = _files(paths, library)
    checked = list(check_all(list(files), library, notes=notes))
    if fix or diff:
        before = checked
        checked = _fixed(list(zip(files.items(), checked, strict=True)), library, diff=diff, format_=format_)
        if diff:
            return _exit_code(before, strict=strict)
    show_checked(checked if notes else [each.without_notes() for each in checked], format_)
    return _exit_code(checked, strict=strict)


def _exit_code(checked: "Sequence[CheckedFile]", *, strict: bool) -> int:
    """A warning that a comment gives a reason for counts in no case."""
    return INVALID if any(each.errors or (strict and each.warnings) for each in checked) else 0


def _explain(code: str) -> int:
    from runbook_engine.cli.streams import out
    from runbook_engine.document.pages import page

    out(page(code).body)
    return 0


def show_checked(checked: "Sequence[CheckedFile]", format_: str) -> None:
    """What was found in files, in one of the formats."""
    from runbook_engine.cli.screen import colored
    from runbook_engine.cli.streams import data, out
    from runbook_engine.document import render_all, summary

    found = sorted(each for file in checked for each in file.diagnostics)
    if format_ == "json":
        data(json.dumps([_plain(each) for each in found], indent=2) + "\n")
    elif format_ == "sarif":
        from runbook_engine.cli.check_sarif import sarif

        data(json.dumps(sarif(checked), indent=2, ensure_ascii=False) + "\n")
    elif format_ == "github":
        from runbook_engine.cli.check_github import annotations

        data("".join(f"{line}\n" for line in annotations(found)))
    elif any(each.suppressed is None for each in found):
        text = render_all(found, {each.file: each.text for each in checked}, color=colored(sys.stdout))
        out(f"{text}\n", painted=True)
    else:
        plural = "" if len(checked) == 1 else "s"
        out(f"{len(checked)} document{plural}: {summary(found, files=len(checked))}\n")


def _fixed(
    files: "Sequence[tuple[tuple[Path, Path], CheckedFile]]", library: "Library", *, diff: bool, format_: str
) -> "list[CheckedFile]":
    """The files as they are after it; what was done is said, and shown or written."""
    from runbook_engine.cli.check_files import Checker
    from runbook_engine.cli.check_fixing import fix, told, unified, write
    from runbook_engine.cli.screen import visible
    from runbook_engine.cli.streams import data, note, say
    from runbook_engine.errors import UsageError
    from runbook_engine.probe.registry import Registry

    checker = Checker(Registry(), library)
    kept: list[CheckedFile] = []
    done = 0
    for (path, root), file in files:
        made = fix(file, path, checker)
        kept.append(made.after)
        if not made.done:
            continue
        if diff:
            data(unified(made))
            done += len(made.done)
            continue
        try:
            write(path, root, made)
        except UsageError as error:
            kept[-1] = file
            note(f"error: {error}")
            continue
        for line in map(visible, told(made.done)):
            (note if format_ != "text" else say)(line)
        done += len(made.done)
    if diff:
        note(f"{done} fix{'' if done == 1 else 'es'} would be made" if done else "nothing can be fixed with certainty")
    return kept


def _files(paths: tuple[str, ...], library: "Library") -> dict[Path, Path]:
    """Every file that is meant, with the directory out of which no link may lead what is written to it."""
    from runbook_engine.errors import UsageError
    from runbook_engine.library import SUFFIXES

    if not paths:
        others = (
            *library.policies(),
            *library.playbooks().values(),
            *library.environments().values(),
            *library.knowledge_files(),
        )
        return {file: file.parent for file in sorted([*library.files().values(), *others])}
    found: dict[Path, Path] = {}
    for each in paths:
        path = Path(each)
        if path.is_dir():
            inside = sorted(
                file for file in path.rglob("*") if file.suffix in SUFFIXES and not file.name.startswith(".")
            )
            if not inside:
                raise UsageError(f"{path} has no files that end in {' or '.join(SUFFIXES)}")
            found |= {file: path for file in inside if file not in found}
        else:
            file = library.find(each)
            # What is found by name may be a runbook that came with the package.
            found.setdefault(file, path.parent if path.is_file() else Path())
    return found


def _plain(each: "Diagnostic") -> Mapping[str, object]:
    fix = each.fix
    return {
        "code": each.code,
        "level": each.level.value,
        "message": each.message,
        "file": each.file,
        "line": each.span.line,
        "column": each.span.column,
        "end_line": each.span.end_line,
        "end_column": each.span.end_column,
        "label": each.label,
        "help": each.help,
        "suppressed": each.suppressed,
        "fix": fix
        and {
            "description": fix.description,
            "edits": [{"start": edit.start, "end": edit.end, "text": edit.text} for edit in fix.edits],
        },
    }
