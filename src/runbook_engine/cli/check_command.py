"""``runbook check``."""

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.names import RunbookName

if TYPE_CHECKING:
    from runbook_engine.document import Diagnostic
    from runbook_engine.library import Library

INVALID = 78


class Checked(Protocol):
    """What every kind of document is checked to."""

    @property
    def diagnostics(self) -> "Sequence[Diagnostic]": ...

    @property
    def sources(self) -> Mapping[str, str]: ...


@click.command(
    "check",
    epilog=examples(
        "runbook check", "runbook check runbooks/ my-runbook.yaml", "runbook check high-latency --format json"
    ),
)
@click.argument("paths", nargs=-1, type=RunbookName())
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
def command(paths: tuple[str, ...], format_: str) -> int:
    """Report every mistake in documents of every kind: in files, in directories, or in runbooks by name.

    Without PATHS all that can be found are checked.
    Ends with 78 where there is an error, 0 where there are only warnings.
    """
    from runbook_engine.cli.screen import colored
    from runbook_engine.document import DiagnosticLevel, kind_of, render_all, summary
    from runbook_engine.engine.environments import check_environment_file
    from runbook_engine.engine.knowledge_checks import check_knowledge_file
    from runbook_engine.graph.compile import Compiler
    from runbook_engine.graph.triage_checks import compile_policy_file
    from runbook_engine.library import Library
    from runbook_engine.probe.registry import Registry

    library = Library.default()
    files = _files(paths, library)
    registry = Registry()
    compiler = Compiler(registry, library)
    found: list[Diagnostic] = []
    sources: dict[str, str] = {}
    for file in files:
        kind = kind_of(file)
        if kind == "policy":
            compiled: Checked = compile_policy_file(file, registry, library)
        elif kind == "environment":
            compiled = check_environment_file(file, library)
        elif kind == "knowledge":
            compiled = check_knowledge_file(file, library)
        else:
            compiled = compiler.file(file)
        found.extend(compiled.diagnostics)
        sources.update(compiled.sources)
    if format_ == "json":
        click.echo(json.dumps([_plain(each) for each in sorted(found)], indent=2))
    elif found:
        click.echo(render_all(found, sources, color=colored(sys.stdout)))
    else:
        click.echo(f"{len(files)} document{'s' if len(files) != 1 else ''}: {summary(found, files=len(files))}")
    return INVALID if any(each.level is DiagnosticLevel.ERROR for each in found) else 0


def _files(paths: tuple[str, ...], library: "Library") -> list[Path]:
    from runbook_engine.errors import UsageError
    from runbook_engine.library import SUFFIXES

    if not paths:
        others = (*library.policies(), *library.environments().values(), *library.knowledge_files())
        return sorted([*library.files().values(), *others])
    found: list[Path] = []
    for each in paths:
        path = Path(each)
        if path.is_dir():
            inside = sorted(
                file for file in path.rglob("*") if file.suffix in SUFFIXES and not file.name.startswith(".")
            )
            if not inside:
                raise UsageError(f"{path} has no files that end in {' or '.join(SUFFIXES)}")
            found.extend(inside)
        else:
            found.append(library.find(each))
    return list(dict.fromkeys(found))


def _plain(each: "Diagnostic") -> Mapping[str, object]:
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
    }
