"""Files of tests: found, checked, and carried out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from msgspec import Struct

from runbook_engine.document.cases import Case, Cases, LoadedCases, is_cases_file, load_cases_file
from runbook_engine.document.diagnostics import Diagnostic, DiagnosticLevel, quoted, render_all
from runbook_engine.document.lines import Span
from runbook_engine.document.source import Source
from runbook_engine.engine.coverage import Covered, covered
from runbook_engine.engine.given import Given, given_by
from runbook_engine.engine.recorded import recorded
from runbook_engine.engine.rehearsal import Lack, Rehearsal, rehearse
from runbook_engine.engine.replay import read_recording
from runbook_engine.engine.trace import Trace
from runbook_engine.engine.verdict import Difference, check_names, differences
from runbook_engine.errors import InvalidDocumentError, RecordingError, RunbookNotFoundError, UsageError, closest
from runbook_engine.graph.compile import Compiler
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.graph.plan import Plan
from runbook_engine.library import SUFFIXES, Library, is_file
from runbook_engine.probe.registry import Registry

Choose = Callable[[str, Case], bool]
"""Whether a case is carried out, by its name and what it says."""


class CaseResult(Struct, frozen=True):
    """What came of one case. It has passed where nothing differs and nothing is lacking."""

    name: str
    case: Case
    file: str
    span: Span
    plan: Plan
    rehearsal: Rehearsal
    differences: tuple[Difference, ...]
    source: Source

    @property
    def passed(self) -> bool:
        return not self.differences and not self.rehearsal.lacks

    @property
    def trace(self) -> Trace:
        return self.rehearsal.trace

    @property
    def lacks(self) -> tuple[Lack, ...]:
        return self.rehearsal.lacks

    def told(self) -> str:
        """Why the case failed, for a person to read; empty where it has passed."""
        from runbook_engine.testing.telling import told

        return "" if self.passed else told(self)


class FileResult(Struct, frozen=True, dict=True):
    """What came of one file. With ``diagnostics`` no case was carried out; ``files`` are all that it depends on."""

    file: str
    plan: Plan | None
    cases: tuple[CaseResult, ...]
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]
    left_out: int = 0
    files: tuple[Path, ...] = ()

    @property
    def valid(self) -> bool:
        return not any(each.level is DiagnosticLevel.ERROR for each in self.diagnostics)

    @property
    def passed(self) -> bool:
        return self.valid and all(each.passed for each in self.cases)

    @cached_property
    def coverage(self) -> tuple[Covered, ...]:
        """Of the runbook and of those that it called and that were walked."""
        return coverage_of([self])

    def told(self) -> str:
        """All that is wrong, for a person to read; empty where everything has passed."""
        if not self.valid:
            return render_all(self.diagnostics, self.sources)
        return "\n\n".join(each.told() for each in self.cases if not each.passed)


class CheckedFile(Struct, frozen=True):
    """A file of tests held against its runbook. ``given`` has what each case gives, where nothing is wrong."""

    loaded: LoadedCases
    plan: Plan | None
    given: Mapping[str, Given]
    diagnostics: tuple[Diagnostic, ...]
    sources: Mapping[str, str]
    files: tuple[Path, ...] = ()

    @property
    def failed(self) -> bool:
        return any(each.level is DiagnosticLevel.ERROR for each in self.diagnostics)

    def run(self, name: str) -> CaseResult:
        """Carry out one case. The file must have no mistakes."""
        cases, plan, source = self.loaded.cases, self.plan, self.loaded.source
        if cases is None or plan is None or self.failed:
            raise InvalidDocumentError(self.diagnostics, self.sources)
        case = cases.cases[name]
        rehearsal = rehearse(plan, self.given[name])
        # A walk that came to no end says nothing of what is expected at its end.
        different = () if rehearsal.lacks else differences(rehearsal.trace, case.expect, plan)
        span = source.span(("cases", name), key=True)
        return CaseResult(name, case, source.file, span, plan, rehearsal, different, source)

    def line(self, name: str) -> int:
        """The line in which a case begins."""
        return self.loaded.source.span(("cases", name), key=True).line


def run_file(
    file: Path | str,
    *,
    probes: Registry | None = None,
    library: Library | None = None,
    choose: Choose | None = None,
) -> FileResult:
    """Carry out the tests of a file. Raises nothing: mistakes of the file and of its runbook are in ``diagnostics``."""
    checked = check_file(file, probes=probes, library=library)
    cases, plan = checked.loaded.cases, checked.plan
    files = (Path(file), *checked.files)
    name = checked.loaded.source.file
    if cases is None or plan is None or checked.failed:
        return FileResult(name, plan, (), checked.diagnostics, checked.sources, 0, files)
    chosen = [each for each, case in cases.cases.items() if choose is None or choose(each, case)]
    results = tuple(checked.run(each) for each in chosen)
    left_out = len(cases.cases) - len(chosen)
    return FileResult(name, plan, results, checked.diagnostics, checked.sources, left_out, files)


def check_file(file: Path | str, *, probes: Registry | None = None, library: Library | None = None) -> CheckedFile:
    """Read tests, and hold them against their runbook: all that is wrong, also with the runbook."""
    return check_cases(load_cases_file(file), file, probes=probes, library=library)


def check_cases(
    loaded: LoadedCases,
    file: Path | str,
    *,
    probes: Registry | None = None,
    library: Library | None = None,
    compiler: Compiler | None = None,
) -> CheckedFile:
    """As ``check_file``, for what was read already and stands in ``file``. ``compiler`` may know the runbook already."""
    if loaded.partial is None:
        return CheckedFile(loaded, None, {}, loaded.diagnostics, loaded.sources)
    library = library or Library.default()
    found = Mistakes(loaded.source, list(loaded.diagnostics))
    runbook = _runbook(loaded.partial, Path(file), library, found)
    if runbook is None:
        return CheckedFile(loaded, None, {}, found.sorted(), loaded.sources)
    compiled = (compiler or Compiler(probes or Registry(), library)).for_others(runbook)
    if compiled.plan is None:
        errors = [each for each in compiled.diagnostics if each.level is DiagnosticLevel.ERROR]
        diagnostics = tuple(sorted((*found.sorted(), *errors)))
        return CheckedFile(loaded, None, {}, diagnostics, {**loaded.sources, **compiled.sources}, (runbook,))
    plan = compiled.plan
    files = [each.file for each in plan.plans.values() if each.file is not None]
    given: dict[str, Given] = {}
    for name, case in loaded.partial.cases.items():
        before = _recorded(case, name, Path(file), plan, found, files)
        given[name] = given_by(case, name, loaded.partial, plan, before, found)
        check_names(case, name, plan, found)
    return CheckedFile(loaded, plan, given, found.sorted(), loaded.sources, tuple(files))


def find_files(paths: Sequence[str] = (), library: Library | None = None) -> tuple[Path, ...]:
    """The files with tests: those named, those below directories, those beside runbooks that are given by name.

    Without paths those of the library. Raises UsageError where there are none.
    """
    library = library or Library.default()
    found: list[Path] = []
    if not paths:
        # As with runbooks, those of an earlier directory stand for those of the same name in a later one.
        named: dict[Path, Path] = {}
        for directory in library.directories:
            for file in _inside(directory):
                named.setdefault(file.relative_to(directory), file)
        found.extend(named.values())
    for each in paths:
        path = Path(each)
        if path.is_dir():
            inside = _inside(path)
            if not inside:
                raise UsageError(f"{path} has no tests: no file ends in .test.yaml")
            found.extend(inside)
        elif is_cases_file(path):
            if not path.is_file():
                raise UsageError(f"there is no file {path}")
            found.append(path)
        else:
            found.append(_beside(library.find(each)))
    if not found:
        places = "".join(f"\n  searched {directory}" for directory in library.directories)
        raise UsageError(f"there are no tests: no file ends in .test.yaml{places}")
    return tuple(_near(each) for each in dict.fromkeys(found))


def _inside(directory: Path) -> list[Path]:
    return sorted(file for file in directory.rglob("*") if is_cases_file(file) and not file.name.startswith("."))


def coverage_of(results: Iterable[FileResult]) -> tuple[Covered, ...]:
    """The coverage of all that was tested, and after it of what was called."""
    kept = list(results)
    walks = ((case.trace, case.plan) for each in kept for case in each.cases)
    return covered(walks, [each.plan for each in kept if each.plan is not None and each.valid])


def _runbook(cases: Cases, file: Path, library: Library, found: Mistakes) -> Path | None:
    """The file of the runbook that is tested."""
    name = cases.tests
    if "/" in name or name.endswith(SUFFIXES):
        path = file.parent / name
        if is_file(path):
            return path
        found.add("RB801", f"there is no file {quoted(name)} beside the tests, which is to be tested", ("tests",))
        return None
    try:
        return library.find(name, near=file.parent)
    except RunbookNotFoundError as error:
        guess = closest(name, error.known)
        label = f'did you mean "{guess}"?' if guess else ""
        hint = f"searched {', '.join(error.searched)}"
        found.add(
            "RB801", f"there is no runbook {quoted(name)}, which is to be tested", ("tests",), label=label, help=hint
        )
    return None


def _recorded(case: Case, name: str, file: Path, plan: Plan, found: Mistakes, files: list[Path]) -> Given | None:
    if case.recording is None:
        return None
    recording = file.parent / case.recording
    files.append(recording)
    try:
        return recorded(read_recording(recording), plan)
    except RecordingError as error:
        found.add("RB808", str(error), ("cases", name, "recording"))
    return None


def _beside(runbook: Path) -> Path:
    for suffix in SUFFIXES:
        file = runbook.with_name(f"{runbook.stem}.test{suffix}")
        if file.is_file():
            return file
    raise UsageError(f"{runbook} has no tests; write {runbook.stem}.test.yaml beside it")


def _near(file: Path) -> Path:
    """The path as people write it."""
    try:
        return file.relative_to(Path.cwd()) if file.is_absolute() else file
    except ValueError:
        return file
