"""Where lines end: records at a line feed alone, as what others write has other line breaks within."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.engine.events import StepMeasured
from runbook_engine.engine.knowledge import Entry, KnowledgeBase, recognise
from runbook_engine.hostile import lines_of
from runbook_engine.library import Library
from runbook_engine.probe.fake import FakeProbe

ROOT = Path(__file__).parents[3]
NO_LINE_FEED = ["\v", "\f", "\r", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
"""Where ``str.splitlines`` ends a line, besides the line feed."""

ONE_STEP = """
start: look
steps:
  look:
    probe: fake.value
    branches:
      - {when: state contains "lost", finding: lost}
      - {else: end}
findings:
  lost: {level: warning, title: "{{ look.state }}"}
"""


@pytest.mark.parametrize("sign", NO_LINE_FEED, ids=lambda sign: f"U+{ord(sign):04X}")
def test_a_recording_with_any_sign_in_its_log_lines_is_read_as_it_was_written(
    plan: Callable[..., rb.Plan], fake: Callable[..., FakeProbe], tmp_path: Path, sign: str
) -> None:
    text = f"a task was{sign}lost"
    trace = rb.run(plan(ONE_STEP, fake({"state": text, "evidence": {"samples": [text]}})), environ={})
    replayed = rb.record(trace, tmp_path / "run.jsonl").replay()
    measured = next(each for each in replayed.events if isinstance(each, StepMeasured))
    assert measured.metrics["state"] == text
    assert measured.evidence["samples"] == [text]
    assert replayed.events == trace.events


def test_lines_end_at_a_line_feed_alone() -> None:
    assert lines_of("one\ntwo\n") == ["one", "two"]
    assert lines_of("") == [""]
    text = f"a{''.join(NO_LINE_FEED)}b"
    assert lines_of(f"{text}\n{text}") == [text, text]


def test_a_known_message_is_found_in_a_line_with_a_line_separator_in_it() -> None:
    entries: tuple[Entry, ...] = KnowledgeBase.of(Library.default()).entries
    found = recognise("worker 7: FATAL: sorry,\u2028too many clients already", entries)
    assert [each.entry.name for each in found] == ["postgresql-too-many-connections"]


SHOWN_ALONE = {
    "src/runbook_engine/document/cases_text.py",  # comments of YAML, which ends lines at these signs too
    "src/runbook_engine/authoring/writing.py",  # the same
    "src/runbook_engine/editor/hover.py",  # a sentence of ours
}


def test_whoever_reads_what_others_wrote_ends_lines_at_line_feeds() -> None:
    """``str.splitlines`` stands only where something is shown: in the command line, in comments of YAML."""
    found = {
        str(file.relative_to(ROOT))
        for folder in ("src", "probes")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(r"\.splitlines\(", file.read_text(encoding="utf-8"))
    }
    shown = {each for each in found if each.startswith("src/runbook_engine/cli/")}
    assert found - shown == SHOWN_ALONE
