"""A file with every kind of mistake is told all of them in one go."""

from collections.abc import Callable
from pathlib import Path

import runbook_engine as rb
from runbook_engine.document import DiagnosticLevel, load, render_all
from runbook_engine.graph.compile import Compiler

HERE = Path(__file__).parent


def test_twelve_mistakes_and_more_are_reported_at_once_with_place_and_legal_values(
    golden: Callable[[Path, str], None],
) -> None:
    text = (HERE / "broken-example.yaml").read_text()
    found = Compiler(rb.Registry(), rb.Library(())).loaded(load(text, "broken-example.yaml"))
    assert found.plan is None
    errors = [each for each in found.diagnostics if each.level is DiagnosticLevel.ERROR]
    assert len(errors) >= 12
    assert len({(each.code, each.span) for each in errors}) == len(errors)
    assert all(each.help or each.label for each in errors)
    golden(HERE / "broken-example.out", render_all(found.diagnostics, found.sources, color=False))
