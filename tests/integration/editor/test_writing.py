"""Choices, words, names, fixes and the graph, as an editor asks for them."""

import sys
from pathlib import Path
from typing import Any

import pytest

RUNBOOK = """\
runbook: slow
title: Slow 🐌 pages
start: page
steps:
  page:
    title: "🐌"
    probe: http.latency
    with: {url: "https://example.com"}
    branches:
      - {when: p95 > 1s, finding: slow, goto: database}
      - {else: end}
  database:
    probe: postgres.activity
    with: {dsn: "postgres:///shop"}
    branches:
      - {else: end}
findings:
  slow: {level: warning, title: "🐌🐌 {{ page.p95 }}", resolution: tune}
resolutions:
  tune: {title: Tune it, steps: [Look for what is slow]}
"""
NAME = "runbooks/slow.yaml"


def applied(text: str, edits: list[Any]) -> str:
    """The text after an editor's edits, whose columns count UTF-16."""
    lines = [line.encode("utf-16-le") for line in text.splitlines(keepends=True)] + [b""]

    def offset(at: Any) -> int:
        return sum(map(len, lines[: at["line"]])) + 2 * int(at["character"])

    whole = b"".join(lines)
    for edit in sorted(edits, key=lambda each: offset(each["range"]["start"]), reverse=True):
        start, end = offset(edit["range"]["start"]), offset(edit["range"]["end"])
        whole = whole[:start] + edit["newText"].encode("utf-16-le") + whole[end:]
    return whole.decode("utf-16-le")


def test_an_editor_writes_finds_and_corrects(editor: Any, place: Any) -> None:
    editor.open(NAME, RUNBOOK)
    uri = editor.uri(NAME)
    document = {"textDocument": {"uri": uri}}

    def after(word: str, inside: int | None = None) -> Any:
        """Just after a word, or so many characters into it."""
        where = place(RUNBOOK, word)
        if inside is None:
            return {**document, "position": where["end"]}
        start = where["start"]
        return {**document, "position": {**start, "character": start["character"] + inside}}

    found = editor.ask("textDocument/completion", after("🐌🐌 {{ "))["items"]
    (choice,) = [each for each in found if each["label"] == "page.p95"]
    assert choice["detail"] == "duration, at least 0 s"
    assert applied(RUNBOOK, [choice["textEdit"]]) == RUNBOOK
    assert choice["sortText"] == f"{found.index(choice):05}"

    word = editor.ask("textDocument/hover", after("http.latency", 3))
    assert word["contents"]["kind"] == "markdown"
    assert "Asks a URL several times" in word["contents"]["value"]
    assert word["range"] == place(RUNBOOK, "http.latency")

    definition = editor.ask("textDocument/definition", after("finding: slow"))
    assert definition["uri"] == uri
    assert definition["range"] == place(
        RUNBOOK.replace("runbook: slow", "runbook: x").replace("finding: slow", "finding: x"), "slow"
    )
    uses = editor.ask("textDocument/references", {**after("start: page"), "context": {"includeDeclaration": True}})
    assert len(uses) == 3
    assert len(editor.ask("textDocument/documentHighlight", after("start: page"))) == 3

    names = editor.ask("textDocument/documentSymbol", document)
    assert {each["name"]: [one["name"] for one in each["children"]] for each in names} == {
        "steps": ["page", "database"],
        "findings": ["slow"],
        "resolutions": ["tune"],
    }

    assert editor.ask("textDocument/prepareRename", after("start: page")) is not None
    renamed = editor.ask("textDocument/rename", {**after("start: page"), "newName": "front"})
    (change,) = renamed["documentChanges"]
    assert change["textDocument"] == {"uri": uri, "version": 1}
    assert applied(RUNBOOK, change["edits"]) == (
        RUNBOOK.replace("start: page", "start: front").replace("  page:", "  front:").replace("{{ page", "{{ front")
    )

    drawn = editor.ask("runbook/graph", {"uri": uri})
    assert "flowchart TD" in drawn["text"]
    assert "database" in drawn["text"]
    command = {"command": "runbook.graph", "arguments": [{"uri": uri, "format": "dot"}]}
    assert "digraph" in editor.ask("workspace/executeCommand", command)["text"]


def test_what_cannot_be_done_is_refused_with_a_sentence(editor: Any, place: Any) -> None:
    editor.open(NAME, RUNBOOK)
    editor.open("runbooks/other.yaml", RUNBOOK.replace("start: page\n", ""))
    uri = editor.uri(NAME)
    where = {"textDocument": {"uri": uri}, "position": place(RUNBOOK, "start: page")["end"]}
    for method, params, says in (
        ("textDocument/rename", {**where, "newName": "No Name"}, "is not a name"),
        ("runbook/graph", {"uri": editor.uri("runbooks/other.yaml")}, "while the document has mistakes"),
        ("runbook/graph", {"uri": "file:///none.yaml"}, "is not open"),
    ):
        editor.send(id="refused", method=method, params=params)
        answer = editor.wait(lambda each: each.get("id") == "refused")
        assert says in answer["error"]["message"]


def test_fixes_are_offered_and_all_of_them_are_those_of_the_checker(editor: Any, place: Any, start: Any) -> None:
    broken = (
        RUNBOOK.replace("goto: database", "goto: databse")
        .replace("p95 > 1s", "p95x > 1s")
        .replace("resolution: tune", "resolution: tone")
    )
    editor.open(NAME, broken)
    params = {"textDocument": {"uri": editor.uri(NAME)}, "range": place(broken, "databse")}
    found = editor.ask("textDocument/codeAction", {**params, "context": {"diagnostics": []}})
    (quick,) = [each for each in found if each["kind"] == "quickfix"]
    assert quick["isPreferred"]
    assert quick["diagnostics"][0]["code"] == "RB203"
    (change,) = quick["edit"]["documentChanges"]
    assert applied(broken, change["edits"]) == broken.replace("databse", "database")

    only = {**params, "context": {"diagnostics": [], "only": ["source.fixAll"]}}
    (everything,) = editor.ask("textDocument/codeAction", only)
    (change,) = everything["edit"]["documentChanges"]
    file: Path = editor.root / NAME
    file.write_text(broken, "utf-8")
    assert start([sys.executable, "-m", "runbook_engine", "check", "--fix", str(file)]).wait(60) in (0, 78)
    assert applied(broken, change["edits"]) == file.read_text("utf-8") == RUNBOOK


def test_a_called_runbook_is_found_in_its_file(editor: Any, place: Any) -> None:
    other = editor.root / "runbooks" / "parts.yaml"
    other.write_text(RUNBOOK.replace("runbook: slow", "runbook: parts"), "utf-8")
    text = RUNBOOK.replace('probe: postgres.activity\n    with: {dsn: "postgres:///shop"}', "call: parts")
    editor.open(NAME, text)
    where = {"textDocument": {"uri": editor.uri(NAME)}, "position": place(text, "call: parts")["end"]}
    assert editor.ask("textDocument/definition", where)["uri"] == other.as_uri()
    names = [each["label"] for each in editor.ask("textDocument/completion", where)["items"]]
    assert {"parts", "high-latency"} <= set(names)


@pytest.mark.parametrize("method", ["completion", "hover", "definition", "documentHighlight", "prepareRename"])
def test_a_yaml_file_that_is_none_of_ours_is_left_alone(method: str, editor: Any) -> None:
    editor.open("compose.yaml", "services:\n  shop: {image: shop}\n")
    where = {"textDocument": {"uri": editor.uri("compose.yaml")}, "position": {"line": 1, "character": 4}}
    assert editor.ask(f"textDocument/{method}", where) in (None, [], {"isIncomplete": False, "items": []})
