"""What all tests share."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

# Whoever starts the tests in the background hands them an ignored SIGINT, which every process that they start would inherit;
# a handler of ours is the default again in those.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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
