"""Runs tests against mutants: pytest is loaded and the tests are collected once, then each mutant gets a process by fork.

In that process the functions that are there get the code of the mutant. A mutant that is met by importing its module, and
each one that outlives its tests in this way, is imported anew, in a process in which nothing of the package was imported.
"""

import ctypes
import gc
import importlib
import os
import pickle
import resource
import select
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any, NamedTuple, NoReturn, TypeVar

import pytest
from tests.mutants.making import Mutant

T = TypeVar("T")

ROOT = Path(__file__).parents[2]
OPTIONS = (
    *("-p", "no:cacheprovider", "-o", "faulthandler_timeout=0", "-o", "timeout=0"),
    "--assert=plain",  # pytest would otherwise load the package itself, of which it knows a plugin, in its own way
    *("--no-header", "--no-summary", "--tb=no", "-x"),
)
_END_WITH_PARENT = 1  # PR_SET_PDEATHSIG, https://man7.org/linux/man-pages/man2/prctl.2.html
LEAST_CPU_S = 2.0
"""Seconds of processor time that a mutant gets at least; then it counts as one that never ends, and is killed."""


class Outcome(NamedTuple):
    """``by`` is the test that failed, or what else ended the mutant; "" where it survived."""

    mutant: Mutant
    by: str


class Ran(NamedTuple):
    """A test that ran the module: which functions of it, by the lines where they begin, and how long it took."""

    functions: frozenset[int]
    seconds: float


def run(
    module: Path, mutants: Sequence[Mutant], tests: Sequence[str], tell: Callable[[Outcome], None]
) -> list[Outcome]:
    """What becomes of each mutant of ``module`` (a path in the repository) under these tests. Raises RuntimeError if they fail."""
    functions = _functions(ROOT / module)
    at_once = [each for each in mutants if each.running]
    found, ran, imported = _forked(lambda: _at_once(module, at_once, tests, functions))
    outcomes: list[Outcome] = []
    for mutant in mutants:
        by = found.get(mutant.source, "")
        if not by:
            begins = functions.get(mutant.function, 0) if mutant.running else 0
            alone = begins and begins not in imported
            needed = [test for test, each in ran.items() if begins in each.functions] if alone else list(tests)
            by = _anew(module, mutant, needed, sum(each.seconds for each in ran.values())) if needed else ""
        outcomes.append(Outcome(mutant, by))
        tell(outcomes[-1])
    return outcomes


# The tests, collected once


class _Collected:
    """A plugin of pytest that runs the collected tests once for each mutant, each time in a process of its own."""

    def __init__(self, module: Path, mutants: Sequence[Mutant], functions: Mapping[str, int]) -> None:
        self._file = str(ROOT / module)
        self._mutants = mutants
        self._functions = functions
        self._watch = _Watch(self._file)
        self._watch.begin()
        self.found: dict[str, str] = {}
        self.ran: dict[str, Ran] = {}
        self.imported: frozenset[int] = frozenset()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self.imported = self._watch.end()
        if session.testsfailed:
            raise session.Interrupted("the tests cannot be collected")
        importlib.import_module(_name(Path(self._file)))  # where only a test would
        self.ran = _forked(lambda: _without_mutants(session, self._watch))
        killed: Counter[str] = Counter()
        for mutant in self._mutants:
            begins = self._functions[mutant.function]
            items = [each for each in session.items if begins in self.ran[each.nodeid].functions]
            items.sort(key=lambda each: (-killed[each.nodeid], self.ran[each.nodeid].seconds))
            if items and begins not in self.imported:
                seconds = sum(self.ran[each.nodeid].seconds for each in items)
                by = _judged(partial(self._tested, session, items, mutant), seconds)
                killed[by] += 1
                if by:
                    self.found[mutant.source] = by
        return True

    def _tested(self, session: pytest.Session, items: list[pytest.Item], mutant: Mutant) -> str:
        if not _changed(self._file, mutant):
            return ""
        return _first_failed(session, items)


def _at_once(
    module: Path, mutants: Sequence[Mutant], tests: Sequence[str], functions: Mapping[str, int]
) -> tuple[dict[str, str], dict[str, Ran], frozenset[int]]:
    collected = _Collected(module, mutants, functions)
    status = pytest.main([*OPTIONS, *tests], plugins=[collected])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED) or not collected.ran:
        raise RuntimeError(f"the tests of {module} cannot be run: {status!r}")
    return collected.found, collected.ran, collected.imported


def _without_mutants(session: pytest.Session, watch: "_Watch") -> dict[str, Ran]:
    """What each test runs of the module as it is."""
    ran: dict[str, Ran] = {}
    for item, following in _pairs(session.items):
        watch.begin()
        begun = time.process_time()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        ran[item.nodeid] = Ran(watch.end(), time.process_time() - begun)
        if session.testsfailed:
            raise RuntimeError(f"{item.nodeid} fails without any mutant")
    return ran


def _first_failed(session: pytest.Session, items: Sequence[pytest.Item]) -> str:
    for item, following in _pairs(items):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return item.nodeid
    return ""


def _pairs(items: Sequence[pytest.Item]) -> Iterator[tuple[pytest.Item, pytest.Item | None]]:
    return zip(items, [*items[1:], None], strict=True)


# The mutant in place of the module


def _changed(file: str, mutant: Mutant) -> bool:
    """Give the functions that are there the code of the mutant; False where it does not fit them."""
    codes = {(each.co_qualname, each.co_firstlineno): each for each in _codes(compile(mutant.source, file, "exec"))}
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename == file:
            code = codes.get((each.__code__.co_qualname, each.__code__.co_firstlineno))
            if code is None or len(code.co_freevars) != len(each.__code__.co_freevars):
                return False
            each.__code__ = code
    return True


def _codes(code: CodeType) -> Iterator[CodeType]:
    for each in code.co_consts:
        if isinstance(each, CodeType):
            yield each
            yield from _codes(each)


def _functions(file: Path) -> dict[str, int]:
    """The line where the code of each function of the module begins."""
    codes = _codes(compile(file.read_text("utf-8"), str(file), "exec"))
    return {each.co_qualname: each.co_firstlineno for each in codes}


def _anew(module: Path, mutant: Mutant, tests: Sequence[str], seconds: float) -> str:
    """Import the mutant where nothing of the package was imported yet, and run the tests."""

    def tested() -> str:
        sys.meta_path.insert(0, _Finder(ROOT / module, mutant.source))
        reporter = _Reporter()
        status = pytest.main([*OPTIONS, f"--rootdir={ROOT}", *(f"{ROOT}/{each}" for each in tests)], plugins=[reporter])
        return reporter.failed or ("" if status == pytest.ExitCode.OK else f"the tests end with {status!r}")

    return _judged(tested, seconds + 10)


class _Reporter:
    failed = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid


class _Finder:
    """Finds one module, and the mutant in it."""

    def __init__(self, file: Path, source: str) -> None:
        self._name, self._file, self._source = _name(file), file, source

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self._name:
            return None
        return spec_from_file_location(name, self._file, loader=_Loader(name, str(self._file), self._source))


class _Loader(SourceFileLoader):
    def __init__(self, name: str, file: str, source: str) -> None:
        super().__init__(name, file)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


def _name(file: Path) -> str:
    """The name of a module."""
    parts = file.with_suffix("").relative_to(ROOT).parts[1:]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


class _Watch:
    """Notes which functions of a file are called, in all threads."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._called: set[int] = set()

    def begin(self) -> None:
        self._called = set()
        threading.setprofile(self._note)
        sys.setprofile(self._note)

    def end(self) -> frozenset[int]:
        sys.setprofile(None)
        threading.setprofile(None)
        return frozenset(self._called)

    def _note(self, frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and frame.f_code.co_filename == self._file:
            self._called.add(frame.f_code.co_firstlineno)


# Processes


def _judged(tested: Callable[[], str], seconds: float) -> str:
    """What kills the mutant that ``tested`` meets, "" if nothing does. ``seconds`` is what the tests take without it."""
    limit = LEAST_CPU_S + 4 * seconds

    def limited() -> str:
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit) + 1, int(limit) + 2))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)  # where a mutant may write what it likes
            return tested()

    try:
        return _forked(limited, wait_s=10 * limit)
    except _EndedError as error:
        return str(error)


class _EndedError(Exception):
    """A process ended without a result."""


def _forked(work: Callable[[], T], wait_s: float | None = None) -> T:
    """The result of ``work`` in a process of its own; what that has started ends with it."""
    with tempfile.TemporaryFile() as results:
        child = os.fork()
        if child == 0:
            _work_and_end(work, results.fileno())
        status = _waited(child, wait_s)
        results.seek(0)
        written = results.read()
    if status is None:
        raise _EndedError("it never ends")
    if not written:
        raise _EndedError("it takes too long" if -status == signal.SIGXCPU else f"its process ends with {status}")
    done, result = pickle.loads(written)
    if not done:
        raise RuntimeError(result)
    return result  # type: ignore[no-any-return]  # what work gave


def _work_and_end(work: Callable[[], object], results: int) -> NoReturn:
    status = 1
    try:
        os.setsid()
        ctypes.CDLL(None).prctl(_END_WITH_PARENT, signal.SIGKILL)
        nothing = os.open(os.devnull, os.O_RDWR)
        for each in (0, 1, 2) if "MUTANTS_OUTPUT" not in os.environ else (0,):
            os.dup2(nothing, each)
        try:
            result = (True, work())
        except RuntimeError as error:
            result = (False, str(error))
        os.write(results, pickle.dumps(result))
        status = 0
    finally:
        os._exit(status)


def _waited(child: int, wait_s: float | None) -> int | None:
    """The exit code, negative for a signal; None where it had to be ended."""
    ended = os.pidfd_open(child)
    try:
        in_time = bool(select.select([ended], [], [], wait_s)[0])
    finally:
        os.close(ended)
        with suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if in_time else None
