"""A document with a cursor in it: ``¦`` stands where somebody is writing."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from runbook_engine.document.load import kind_of_text
from runbook_engine.editor.completion import Item, Surroundings, complete
from runbook_engine.editor.hover import Hover, hover
from runbook_engine.editor.index import Index, index
from runbook_engine.editor.tree import salvaged
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

CURSOR = "¦"


@pytest.fixture(scope="session")
def around() -> Surroundings:
    return Surroundings(Registry(), Library.default(), Path("runbooks/own.yaml").resolve())


@pytest.fixture
def read() -> Callable[[str], tuple[Index, int]]:
    """The index of a document, and where its cursor stands."""

    def made(marked: str) -> tuple[Index, int]:
        before, _, after = marked.partition(CURSOR)
        text = before + after
        return index(text, salvaged(text), kind_of_text(text)), len(before)

    return made


@pytest.fixture
def offered(read: Callable[[str], tuple[Index, int]], around: Surroundings) -> Callable[[str], Sequence[Item]]:
    return lambda marked: complete(*read(marked), around)


@pytest.fixture
def chosen(offered: Callable[[str], Sequence[Item]]) -> Callable[[str, str], str]:
    """The document after one of the choices was taken."""

    def made(marked: str, label: str) -> str:
        (item,) = [each for each in offered(marked) if each.label == label]
        text = marked.replace(CURSOR, "")
        return text[: item.start] + (item.written or item.label) + text[item.end :]

    return made


@pytest.fixture
def told(read: Callable[[str], tuple[Index, int]], around: Surroundings) -> Callable[[str], Hover | None]:
    return lambda marked: hover(*read(marked), around)
