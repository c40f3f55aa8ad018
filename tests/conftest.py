"""What all tests share."""

import faulthandler
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from tests.servers import need, packages

# How hard properties are tested. The gate makes the same examples each time: what a random seed finds is mended and kept as
# an example, and turns nobody else's change red. HYPOTHESIS_PROFILE=random, or thorough, looks for more.
settings.register_profile(
    "gate",
    deadline=None,
    max_examples=60,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("random", parent=settings.get_profile("gate"), derandomize=False, print_blob=True)
settings.register_profile("thorough", parent=settings.get_profile("random"), max_examples=1000)
# Whether a property fails is all that is asked then, not by what smallest example.
settings.register_profile("mutants", parent=settings.get_profile("gate"), phases=(Phase.explicit, Phase.generate))
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "gate"))

# Whoever starts the tests in the background hands them an ignored SIGINT, which every process that they start would inherit;
# a handler of ours is the default again in those.
signal.signal(signal.SIGINT, signal.default_int_handler)


ENDING_S = 120.0
"""How long a process of the tests may take to end, after its last test."""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """A thread or a server that never ends must not hold the process: then it ends anyhow, and shows where each thread was."""
    faulthandler.dump_traceback_later(ENDING_S, exit=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(program): runs where this program of tests.servers is installed")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture starts a server."""
    for mark in item.iter_markers("needs"):
        need(*mark.args)


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    missing = packages([each.longrepr[2] for each in skipped if isinstance(each.longrepr, tuple)])
    if missing:
        terminalreporter.write_line(
            f"Some tests were skipped for want of servers. To run them as well: apt-get install {' '.join(missing)}"
        )


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def start() -> Iterator[Callable[..., Any]]:
    """Starts processes as ``subprocess.Popen`` does, whose own context would wait for ever for one that a failed test leaves.

    They end with the test, however it ends.
    """
    with ExitStack() as started:

        def popen(*arguments: Any, **options: Any) -> Any:
            process = subprocess.Popen(*arguments, **options)
            started.callback(end, process)
            return process

        yield popen


def end(process: "subprocess.Popen[Any]") -> None:
    process.kill()
    process.wait(10)
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(BrokenPipeError):
                stream.close()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="rewrite the golden files, to be reviewed as a diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Hold a text against a golden file, or rewrite the file with --update-golden."""

    def check(file: Path, text: str) -> None:
        if request.config.getoption("--update-golden"):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.is_file(), f"{file} is missing; write it with pytest --update-golden"
        assert text == file.read_text(encoding="utf-8")

    return check
