"""What is read of a knowledge document, and what is said of one that has mistakes."""

from pathlib import Path

import jsonschema
import pytest

import runbook_engine as rb
from runbook_engine.document import knowledge_schema, render_all
from runbook_engine.document.knowledge import LoadedKnowledge, load_knowledge, load_knowledge_file
from runbook_engine.document.yaml_text import compose
from runbook_engine.engine.knowledge_checks import check_knowledge_file
from runbook_engine.library import shipped_directory

HEAD = "knowledge: ours\ntitle: Ours\nentries:\n"
REST = "    cause: c\n    solution: s\n    source: {title: here}\n"


def read(entries: str) -> LoadedKnowledge:
    return load_knowledge(HEAD + entries, "knowledge.yaml")


def told(entries: str) -> list[tuple[str, int, int, str]]:
    return [(each.code, each.span.line, each.span.column, each.message) for each in read(entries).diagnostics]


def test_one_message_or_several_lead_to_an_entry() -> None:
    loaded = read(f"  one:\n    messages: it broke\n{REST}  two:\n    messages: [it burnt, 'it fell']\n{REST}")
    assert loaded.diagnostics == ()
    assert loaded.knowledge is not None
    assert [each.messages for each in loaded.knowledge.entries.values()] == [("it broke",), ("it burnt", "it fell")]
    assert [each.name for each in loaded.knowledge.entries.values()] == ["it broke", "it burnt"]


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        (f"  one:\n{REST}", ("RB602", 4, 3, 'nothing leads to entry "one"')),
        (
            f"  one:\n    messages: [it broke]\n{REST}  two:\n    messages: [fine, It  Broke]\n{REST}",
            ("RB601", 10, 22, 'the message "It  Broke" stands in entry "one" already'),
        ),
        (
            f"  one:\n    messages: 'a * b'\n{REST}",
            ("RB603", 5, 15, 'the message "a * b" is too short: it would be found in nearly every text'),
        ),
        (
            f"  one:\n    mesages: [it broke]\n{REST}",
            ("RB111", 5, 5, 'entry "one" has no key "mesages"'),
        ),
        (
            f"  one:\n    errors: [{{kind: broken}}]\n{REST}",
            ("RB114", 5, 21, '"kind" of error 1 of entry "one" is "broken", which is not legal'),
        ),
        (
            "  one:\n    messages: it broke\n    cause: c\n    source: {title: here}\n",
            ("RB112", 4, 3, 'entry "one" has no "solution"'),
        ),
    ],
)
def test_a_mistake_is_told_with_its_place(entries: str, expected: tuple[str, int, int, str]) -> None:
    assert told(entries) == [expected]


def test_a_broken_entry_does_not_take_the_others_with_it() -> None:
    loaded = read(f"  one:\n{REST}  two:\n    messages: it fell\n{REST}")
    assert loaded.knowledge is None
    assert loaded.partial is not None
    assert list(loaded.partial.entries) == ["two"]


@pytest.mark.parametrize("text", ["", "[1]", "runbook: x\n", "title: x\n"])
def test_another_document_is_not_knowledge(text: str) -> None:
    loaded = load_knowledge(text, "x.yaml")
    assert loaded.knowledge is None
    assert [each.code for each in loaded.diagnostics] == ["RB110"]


def test_a_file_that_cannot_be_read_is_a_diagnostic(tmp_path: Path) -> None:
    assert [each.code for each in load_knowledge_file(tmp_path / "none.yaml").diagnostics] == ["RB101"]


def test_a_runbook_that_does_not_exist_is_told_with_the_one_that_was_meant(tmp_path: Path) -> None:
    file = tmp_path / "knowledge.yaml"
    file.write_text(f"{HEAD}  one:\n    messages: it broke\n    runbook: hihg-latency\n{REST}")
    loaded = check_knowledge_file(file, rb.Library((shipped_directory(),)))
    assert loaded.knowledge is None
    shown = render_all(loaded.diagnostics, loaded.sources)
    assert 'RB210]: entry "one" names the runbook "hihg-latency", which does not exist' in shown
    assert 'did you mean "high-latency"?' in shown


def test_a_runbook_beside_the_knowledge_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "ours.yaml").write_text("runbook: ours\n")
    file = tmp_path / "knowledge.yaml"
    file.write_text(f"{HEAD}  one:\n    messages: it broke\n    runbook: ours\n{REST}")
    assert check_knowledge_file(file, rb.Library(())).diagnostics == ()


def test_the_schema_takes_the_shipped_knowledge_and_refuses_a_misspelled_key() -> None:
    schema = knowledge_schema()
    value = compose((shipped_directory() / "knowledge.yaml").read_text(), "knowledge.yaml").value
    jsonschema.validate(value, schema)
    assert isinstance(value, dict)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**value, "entrys": {}}, schema)


def test_an_entry_for_failed_probes_alone_is_called_by_what_they_mean() -> None:
    loaded = read(
        f"  one:\n    errors: [{{kind: refused, probe: redis}}]\n{REST}  two:\n    errors: [{{kind: timeout}}]\n{REST}"
    )
    assert loaded.knowledge is not None
    assert [each.name for each in loaded.knowledge.entries.values()] == [
        "redis: nobody listens there, or the server turned the connection away",
        "No answer before the deadline",
    ]
