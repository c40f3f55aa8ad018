"""Mistakes told to an editor, while documents are written."""

from typing import Any

BROKEN = """\
runbook: slow
title: Slow 🐌 pages
start: page
steps:
  page:
    title: "🐌 and 🦥"
    probe: http.latency
    with: {url: "https://example.com"}
    branches:
      - {when: p95 > 1s, finding: slow, goto: databse}
      - {else: end}
  database:
    probe: postgres.activity
    with: {dsn: "postgres:///shop"}
    branches:
      - {else: end}
findings:
  slow: {level: warning, title: "🐌🐌", resolution: tune}
resolutions:
  tune: {title: Tune it, steps: [Look for what is slow]}
"""


def test_a_document_is_told_its_mistakes_when_it_is_opened(editor: Any, place: Any) -> None:
    found = editor.open("runbooks/slow.yaml", BROKEN)
    error = next(each for each in found if each["severity"] == 1)
    assert error["code"] == "RB203"
    assert error["source"] == "runbook"
    assert error["range"] == place(BROKEN, "databse")
    assert 'did you mean "database"?' in error["message"]
    assert error["codeDescription"]["href"].startswith("file://")
    assert error["codeDescription"]["href"].endswith("/RB203.md")


def test_places_are_counted_as_editors_count(editor: Any, place: Any) -> None:
    text = BROKEN.replace("databse", "database").replace("resolution: tune}", "resolution: tone}")
    error = next(each for each in editor.open("runbooks/slow.yaml", text) if each["severity"] == 1)
    assert error["code"] == "RB204"
    assert error["range"] == place(text, "tone")


def test_what_was_typed_last_counts_and_is_not_saved_yet(editor: Any) -> None:
    assert editor.open("runbooks/slow.yaml", BROKEN)
    for count in range(20):
        editor.change("runbooks/slow.yaml", BROKEN + f"# {count}\n")
    editor.change("runbooks/slow.yaml", BROKEN.replace("databse", "database"))
    assert [each for each in editor.diagnostics("runbooks/slow.yaml") if each["severity"] == 1] == []
    told = [each for each in editor.kept if each.get("method") == "textDocument/publishDiagnostics"]
    assert len(told) < 20, "each key typed was checked"


def test_the_server_ends_with_0_after_shutdown_and_exit(editor: Any) -> None:
    assert editor.end() == 0
