"""``runbook test``."""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runbook_engine.cli.examples import examples
from runbook_engine.cli.names import RunbookName
from runbook_engine.cli.streams import data, note, out

if TYPE_CHECKING:
    from runbook_engine.document.cases import Case
    from runbook_engine.testing import Choose, FileResult

PASSED, FAILED, INVALID = 0, 1, 78
_LOOK = 0.3
"""Seconds between two looks at the files that are watched."""
_CLOCK = 50_000_000
"""Nanoseconds by which the times of files may be behind the clock."""


@click.command(
    "test",
    epilog=examples(
        "runbook test",
        "runbook test runbooks/ --fail-under 100",
        "runbook test high-latency -k database --watch",
        "runbook test --generate my-runbook.yaml",
        "runbook test --mutate my-runbook.yaml",
    ),
)
@click.argument("paths", nargs=-1, type=RunbookName())
@click.option("-k", "word", default="", metavar="WORD", help="Only cases with this word in their name or title.")
@click.option(
    "--fail-under",
    type=click.FloatRange(0, 100),
    metavar="PERCENT",
    help="Fail where the tests of a runbook cover less of it.",
)
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write the results as JUnit XML, too.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
@click.option("--watch", is_flag=True, help="Test again whenever a file changes, until Ctrl-C.")
@click.option(
    "--generate",
    is_flag=True,
    help="Write the fewest cases that take every branch, error route and finding of the one runbook in PATHS, and those"
    " just below, at and just above each threshold.",
)
@click.option(
    "--mutate",
    is_flag=True,
    help="Move each threshold by the least that can be told, exchange each operator, and say which of it no test notices.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="Where --generate writes; - is standard output.  [default: beside the runbook]",
)
@click.option("--force", is_flag=True, help="Let --generate replace a file.")
def command(
    paths: tuple[str, ...],
    word: str,
    fail_under: float | None,
    junit: Path | None,
    format_: str,
    *,
    watch: bool,
    generate: bool,
    mutate: bool,
    output: Path | None,
    force: bool,
) -> int:
    """Test runbooks with given readings: nothing is measured, nobody waits.

    PATHS are files of tests (NAME.test.yaml), directories, or runbooks by name; without them all that can be found.
    Tells what the tests cover: branches, error routes by kind of error, findings.
    Ends with 0 where all passed, 1 where a case failed, too little is covered or --mutate is not noticed, 78 where a
    document has mistakes.
    """
    if mutate and (generate or watch or word or junit is not None or fail_under is not None):
        raise click.UsageError("--mutate asks all cases of the tests; only PATHS and --format go with it")
    if generate:
        from runbook_engine.cli.test_writing import write_tests

        return write_tests(paths, output, force=force)
    if output is not None or force:
        raise click.UsageError("-o and --force are for --generate")
    if mutate:
        from runbook_engine.cli.test_mutating import mutate_tests

        return mutate_tests(paths, format_)

    def once() -> tuple[int, set[Path]]:
        return _tested(paths, word, fail_under, junit, format_)

    return _watched(once, paths) if watch else once()[0]


def _tested(
    paths: Sequence[str], word: str, fail_under: float | None, junit: Path | None, format_: str
) -> tuple[int, set[Path]]:
    """The exit code, and the files on which it depends."""
    from runbook_engine.cli.screen import colored
    from runbook_engine.errors import UsageError
    from runbook_engine.files import write_whole
    from runbook_engine.library import Library
    from runbook_engine.probe.registry import Registry
    from runbook_engine.testing import coverage_of, find_files, run_file
    from runbook_engine.testing.summary import as_json, as_junit, as_text

    library, registry = Library.default(), Registry()
    files = find_files(paths, library)
    results = [run_file(each, probes=registry, library=library, choose=_chosen(word)) for each in files]
    if word and not any(each.cases for each in results) and all(each.valid for each in results):
        raise UsageError(f"no case has the word {word!r} in its name or title")
    # Cases that were not chosen are missing from what is covered.
    covered = () if word else coverage_of(results)
    low = [each for each in covered if each.tested and fail_under is not None and each.percent < fail_under]
    if junit is not None:
        try:
            write_whole(junit, as_junit(results))
        except OSError as error:
            raise UsageError(f"{junit} cannot be written: {error.strerror}") from error
    if format_ == "json":
        data(as_json(results, covered))
    else:
        out(as_text(results, covered, color=colored(sys.stdout)), painted=True)
    for each in low:
        note(
            f"error: the tests of {each.plan.runbook.runbook} cover {each.shown}, and --fail-under asks for {fail_under:g} %"
        )
    if word and fail_under is not None:
        note("--fail-under says nothing of some of the cases, and is left out of account with -k")
    code = FAILED if low or not all(each.passed for each in results) else PASSED
    return (INVALID if not all(each.valid for each in results) else code), _depends(results, files)


def _chosen(word: str) -> "Choose":
    def choose(name: str, case: "Case") -> bool:
        return word.casefold() in f"{name} {case.title}".casefold()

    return choose


def _depends(results: Sequence["FileResult"], files: Sequence[Path]) -> set[Path]:
    return {*files, *(file for each in results for file in each.files)}


def _watched(once: Callable[[], tuple[int, set[Path]]], paths: Sequence[str]) -> int:
    """Test again whenever something changes that was read, or files come and go. Ends with Ctrl-C alone."""
    from runbook_engine.errors import RunbookError
    from runbook_engine.library import Library

    folders = [Path(each) for each in paths if Path(each).is_dir()] if paths else list(Library.default().directories)
    files: set[Path] = set()
    while True:
        began = time.time_ns() - _CLOCK
        before = dict(_state(files, folders))
        try:
            code, read = once()
            files |= read
            note(f"[{code}] waiting for a change; Ctrl-C ends")
        except RunbookError as error:
            note(f"error: {error}")
        # Of a file that was not known before, nobody has looked at the time; but it tells when it was written.
        learnt = {each: known for each, known in _state(files, ()).items() if each not in before}
        if any(written >= began for written, _ in learnt.values()):
            continue
        before |= learnt
        while _state(files, folders) == before:
            time.sleep(_LOOK)


def _state(files: set[Path], folders: Sequence[Path]) -> Mapping[Path, tuple[int, int]]:
    """When each file was last written (nanoseconds), and its size; nothing of those that there are not."""
    from runbook_engine.document.cases import is_cases_file

    found = {*files, *(each for folder in folders for each in folder.rglob("*") if is_cases_file(each))}
    state = {}
    for each in found:
        try:
            known = each.stat()
        except OSError:
            continue
        state[each] = (known.st_mtime_ns, known.st_size)
    return state
