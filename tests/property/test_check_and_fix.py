"""Whatever a file says, it is checked and fixed without an exception, and no fix makes it worse."""

from functools import cache
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from runbook_engine.cli.check_files import Checker
from runbook_engine.cli.check_fixing import fix, unified
from runbook_engine.cli.check_github import annotations
from runbook_engine.cli.check_sarif import sarif
from runbook_engine.document.yaml_text import compose_tree
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

FILE = Path("a.yaml")
TEXT = (Path(__file__).parents[1] / "golden" / "check" / "broken-example.yaml").read_text()
PIECES = ["{{ inputs.x }}", "\t", "'", '"', "#", " # runbook: ignore[RB208] because x", "&a ", "*a", "|\n", "\r", "\ufeff", "é", "{", "]", ": ", "- ", "!!x ", "\n---\n", "\x85"]  # fmt: skip


@cache
def checker() -> Checker:
    return Checker(Registry(), Library(()))


def holds(text: str) -> None:
    checked = checker().text(text, "a.yaml", FILE)
    done = fix(checked, FILE, checker())

    assert done.after == checker().text(done.after.text, "a.yaml", FILE)
    was_read = compose_tree(checked.text) is not None
    assert done.after.errors <= checked.errors or not was_read
    assert (done.before.text == done.after.text) == (not done.done)
    # Nothing is left that could be fixed: or what is left is no better than before.
    assert fix(done.after, FILE, checker()).after.errors >= done.after.errors or done.after.errors == 0
    unified(done)
    sarif([checked, done.after])
    assert all("\n" not in line and "\r" not in line for line in annotations(checked.diagnostics))


@settings(max_examples=120, deadline=None)
@given(st.data())
@example(data=None)
def test_a_broken_document_with_more_broken_is_checked_and_fixed(data: st.DataObject | None) -> None:
    text = TEXT
    if data is not None:
        for _ in range(data.draw(st.integers(1, 3))):
            start = data.draw(st.integers(0, len(text)))
            end = start + data.draw(st.integers(0, 6))
            text = text[:start] + data.draw(st.sampled_from(PIECES) | st.text(max_size=3)) + text[end:]
    holds(text)


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("ab:-#{}[]'\"&*|>,\t\n\r .1!%"), max_size=60))
def test_any_text_is_checked_and_fixed(text: str) -> None:
    holds(text)
