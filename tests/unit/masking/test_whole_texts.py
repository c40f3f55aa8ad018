"""In front of the border nothing is cut to what is shown: a secret that is cut in two is not recognised."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
IN_FRONT = tuple(
    file
    for folder in ("probes/runbook_probes", "src/runbook_engine/probe", "src/runbook_engine/alerting")
    for file in sorted((ROOT / folder).rglob("*.py"))
    if file.name != "extract.py"  # it is handed the mask, and cuts what that gives back
)


def cuts(tree: ast.AST) -> Iterator[str]:
    """Where a text is cut: by ``hostile.cut``, or by a slice that is put into a message."""
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module="runbook_engine.hostile") if any(each.name == "cut" for each in node.names):
                yield f"line {node.lineno}: it imports cut"
            case ast.FormattedValue(value=ast.Subscript(slice=ast.Slice(lower=None))):
                yield f"line {node.lineno}: a part is put into a message"


@pytest.mark.parametrize("file", IN_FRONT, ids=lambda file: str(file.relative_to(ROOT)))
def test_whoever_stands_in_front_of_the_border_hands_texts_over_whole(file: Path) -> None:
    assert list(cuts(ast.parse(file.read_text(encoding="utf-8")))) == []


def test_both_ways_of_cutting_are_recognised() -> None:
    assert len(list(cuts(ast.parse('from runbook_engine.hostile import cut\nx = f"{text[:80]!r} is no name"')))) == 2
