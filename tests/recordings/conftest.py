"""Recorded runs, replayed without any server."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest

from runbook_engine.api import Recording
from runbook_engine.engine.replay import read_recording
from runbook_engine.engine.trace import fold

FOLDER = Path(__file__).parent.parent.parent / "examples" / "recordings"


class Recorded:
    """A recording: as it was kept, and walked again."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.kept = fold(read_recording(file))
        self.replayed = Recording(file).replay()


@cache
def _recorded() -> Mapping[str, Recorded]:
    return {file.stem: Recorded(file) for file in sorted(FOLDER.rglob("*.jsonl"))}


@pytest.fixture(scope="session")
def recordings() -> Mapping[str, Recorded]:
    """All of them, by name; each is read and walked once."""
    return _recorded()
