import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runbook_engine.document import Diagnostic, Loaded, load, load_file
from runbook_engine.document.models import AskStep, ProbeStep

GOLDEN = Path(__file__).parents[2] / "golden" / "document"

Text = Callable[..., str]
Messages = Callable[[str], list[str]]


def only(text: str) -> Diagnostic:
    (diagnostic,) = load(text, "r.yaml").diagnostics
    return diagnostic


def codes(text: str) -> list[str]:
    return [each.code for each in load(text, "r.yaml").diagnostics]


def broken(text: str) -> Loaded:
    loaded = load(text, "r.yaml")
    assert loaded.runbook is None
    return loaded


def test_a_sound_runbook_is_loaded_without_a_word() -> None:
    loaded = load_file(GOLDEN / "sound.yaml")

    assert loaded.diagnostics == ()
    assert loaded.runbook is not None
    assert loaded.partial is loaded.runbook
    assert loaded.broken == frozenset()
    assert loaded.runbook.inputs["service"].default == "on"
    assert loaded.names.steps == {"response_time", "database", "memory", "deployed", "network"}


def test_twelve_different_mistakes_are_reported_at_once_with_place_and_legal_alternative() -> None:
    loaded = load_file(GOLDEN / "twelve-mistakes.yaml")

    found = {(each.span.line, each.span.column): each for each in loaded.diagnostics}
    legal = {
        (3, 11): "P0, P1, P2, P3",
        (5, 35): "500s",
        (6, 34): "env: TOKEN",
        (11, 5): '"with"',
        (13, 10): "move it to the end",
        (16, 16): '"refused"',
        (17, 3): "probe, ask, call",
        (20, 3): '"slow_queries"',
        (22, 14): "15s",
        (25, 23): "a whole number",
        (27, 3): '"title"',
        (28, 26): "warning, critical",
    }
    assert found.keys() == legal.keys()
    assert [
        words
        for place, words in legal.items()
        if words not in f"{found[place].message} {found[place].label} {found[place].help}"
    ] == []


def test_misspelled_keys_are_read_as_they_were_meant_and_reported_once() -> None:
    loaded = load_file(GOLDEN / "misspelled.yaml")

    assert {each.code for each in loaded.diagnostics} == {"RB111"}
    assert loaded.broken == frozenset()
    assert loaded.partial is not None
    step = loaded.partial.steps["a"]  # type: ignore[index] # a plain text serves as a StepId
    assert isinstance(step, ProbeStep)
    assert [way.finding for way in step.branches] == ["broken", None]
    assert loaded.names.steps == {"a", "b", "c"}


def test_places_of_the_salvaged_runbook_are_those_of_the_text(runbook_text: Text) -> None:
    step = "{ask: x, branches: [{when: 5}, {else: nowhere}]}"
    loaded = broken(runbook_text(step=step))

    assert loaded.partial is not None
    assert loaded.partial.steps["first"].branches[0].model_dump(by_alias=True)["else"] == ("nowhere",)  # type: ignore[index] # as above
    span = loaded.source.span(("steps", "first", "branches", 0, "else", 0))
    assert runbook_text(step=step).splitlines()[span.line - 1][span.column - 1 :].startswith("nowhere}")


def test_only_what_is_broken_is_taken_out(runbook_text: Text) -> None:
    loaded = broken(
        runbook_text(
            "owner: 5",
            "findings:",
            "  good: {level: warning, title: x}",
            "  bad: {level: worst, title: x}",
            "prevention: [a, 5, b]",
            step="{ask: x, timeout: 5, branches: [{when: answer, goto: [a, 7, b]}, {else: end}]}",
        )
    )

    assert loaded.partial is not None
    assert loaded.partial.owner == ""
    assert list(loaded.partial.findings) == ["good"]
    assert loaded.partial.prevention == ("a", "b")
    step = loaded.partial.steps["first"]  # type: ignore[index] # a plain text serves as a StepId
    assert isinstance(step, AskStep)
    assert step.timeout is None
    assert step.branches[0].model_dump()["goto"] == ("a", "b")
    assert loaded.names.is_broken("findings", "bad")
    assert not loaded.names.is_broken("findings", "good")
    assert loaded.names.is_broken("steps", "first")
    assert loaded.names.findings == {"good", "bad"}


def test_required_keys_at_the_top_are_stood_in_for_so_that_the_rest_is_checked() -> None:
    loaded = broken("runbook: Small\nsteps:\n  a: {ask: x}\n  b: {ask: x}\n")

    assert [each.code for each in loaded.diagnostics] == ["RB112", "RB112", "RB115"]
    assert loaded.partial is not None
    assert loaded.partial.start == ("a", "b")
    assert loaded.broken == {("runbook",), ("title",), ("start",)}


def test_nothing_is_left_of_a_runbook_without_a_sound_step(runbook_text: Text) -> None:
    loaded = broken(runbook_text("inputs: {slow: {type: duration, default: 5}}", step="{timeout: 1s}"))

    assert [each.code for each in loaded.diagnostics] == ["RB118", "RB121"]
    assert loaded.partial is None
    assert loaded.names.steps == {"first"}
    assert codes("runbook: a\ntitle: x\nstart: a\nsteps: {}\n") == ["RB116"]
    assert codes("runbook: a\ntitle: x\nstart: a\n") == ["RB112"]


def test_an_input_of_unknown_type_is_taken_out_whole(runbook_text: Text) -> None:
    loaded = broken(runbook_text("inputs: {slow: {type: duraton, default: 500ms}, fast: {}}"))

    assert loaded.partial is not None
    assert list(loaded.partial.inputs) == ["fast"]
    assert loaded.names.inputs == {"slow", "fast"}


def test_a_mistake_below_an_anchor_is_reported_once(runbook_text: Text) -> None:
    loaded = broken(runbook_text("  second: &s {ask: x, titel: y}", "  third: *s"))

    assert [each.code for each in loaded.diagnostics] == ["RB111"]
    assert loaded.partial is not None
    assert [step.title for step in loaded.partial.steps.values()] == ["", "y", "y"]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("{title: x}", 'RB118 step "first" has no kind'),
        ("{}", 'RB118 step "first" has no kind'),
        ("{probe: http.get, ask: x}", 'RB118 step "first" has more than one kind: "probe" and "ask"'),
        ("{ask: x, call: y}", 'RB118 step "first" has more than one kind: "ask" and "call"'),
        ("{call: x, with: {}, ask: y}", 'RB118 step "first" has more than one kind: "ask" and "call"'),
        ("5", 'RB113 step "first" must be a mapping of keys and values, not 5'),
        ("", 'RB113 step "first" must be a mapping of keys and values, not empty'),
        ("{proobe: http.get}", 'RB111 step "first" has no key "proobe"'),
        ("{probe: postgres}", 'RB115 "probe" of step "first" is "postgres", which is no legal name'),
        ("{call: Other}", 'RB115 "call" of step "first" is "Other", which is no legal name'),
        ('{ask: ""}', 'RB116 "ask" of step "first" is an empty text'),
        ("{ask: x, timeout: 2d}", 'RB116 "timeout" of step "first" must be at most 24 h'),
        ("{ask: x, timeout: 0s}", 'RB116 "timeout" of step "first" must be more than 0 s'),
        ("{ask: x, timeout: [1s]}", 'RB113 "timeout" of step "first" must be a duration, such as 500ms or 2s, not a list'),
        ("{ask: x, timeout: 5%}", 'RB117 "timeout" of step "first" is "5%", not a duration'),
        ("{ask: x, default: [a]}", 'RB113 "default" of step "first" must be a text, a number, true or false, not a list'),
        ("{ask: x, type: duraton}", 'RB114 "type" of step "first" is "duraton", which is not legal'),
        ("{ask: x, type: enum}", 'RB122 step "first" is an enum without values'),
        ("{ask: x, values: [a]}", 'RB122 step "first" has values, and its type is bool'),
        ("{ask: x, default: yes}", 'RB121 the default of step "first" is "yes", which is not true or false'),
        ("{ask: x, type: duration, default: -5s}", 'RB121 the default of step "first" is "-5s", which is below zero'),
        ("{probe: a.b, params: {}}", 'RB111 step "first" has no key "params"'),
        ("{probe: a.b, with: [x]}", 'RB113 "with" of step "first" must be a mapping of keys and values, not a list'),
        ("{probe: a.b, retry: 3}", 'RB113 the retry of step "first" must be a mapping of keys and values, not 3'),
        ("{probe: a.b, retry: {attempts: 2.5}}", 'RB113 "attempts" of the retry of step "first" must be a whole number, not 2.5'),
        ("{probe: a.b, retry: {jitter: 200%}}", 'RB116 "jitter" of the retry of step "first" must be at most 100 %'),
        ("{probe: a.b, extract: {x: {}}}", 'RB112 extract "x" of step "first" has neither "path" nor "match"'),
        ("{probe: a.b, extract: {in: {path: a}}}", 'RB124 extract "in" of step "first" has a name that means something else where it is used'),
        ("{ask: x, branches: {when: a}}", 'RB113 "branches" of step "first" must be a list, not a mapping'),
        ("{ask: x, branches: [{goto: end}]}", 'RB119 branch 1 of step "first" has neither "when" nor "else"'),
        ("{ask: x, branches: [{when: a, else: end}]}", 'RB119 branch 1 of step "first" has both "when" and "else"'),
        ("{ask: x, branches: [{when: a, else: b, goto: c}]}", 'RB119 branch 1 of step "first" has both "when" and "else"'),
        ("{ask: x, branches: [{else: a, goto: b}]}", 'RB119 branch 1 of step "first" has both "else" and "goto"'),
        ("{ask: x, branches: [{when: a, goto: }]}", 'RB113 "goto" of branch 1 of step "first" is empty'),
        ("{ask: x, branches: [when]}", 'RB113 branch 1 of step "first" must be a mapping of keys and values, not "when"'),
        ("{ask: x, branches: [{else: end}, {when: a}]}", 'RB120 branch 1 of step "first" is "else" and not the last, so that those after it are never tried'),
        ("{ask: x, branches: [{else: end}, {else: a}]}", 'RB120 branch 2 of step "first" is a second "else"; branch 1 of step "first" is taken before it'),
        ("{ask: x, on_error: [{goto: end}]}", 'RB119 error route 1 of step "first" has neither "kind" nor "else"'),
        ("{ask: x, on_error: [{kind: dns, else: end}]}", 'RB119 error route 1 of step "first" has both "kind" and "else"'),
        ("{ask: x, on_error: [{else: end}, {kind: dns}]}", 'RB120 error route 1 of step "first" is "else" and not the last, so that those after it are never tried'),
        ("{ask: x, on_error: [{kind: [dns, tsl]}]}", 'RB114 item 2 of "kind" of error route 1 of step "first" is "tsl", which is not legal'),
        ("{ask: x, on_error: [{kind: [tsl]}]}", 'RB114 item 1 of "kind" of error route 1 of step "first" is "tsl", which is not legal'),
        ("{ask: x, on_error: [{kind: []}]}", 'RB116 "kind" of error route 1 of step "first" needs at least one entry'),
    ],
)  # fmt: skip
def test_each_mistake_in_a_step_is_one_sentence(
    runbook_text: Text, messages: Messages, step: str, expected: str
) -> None:
    assert [each.partition(" ")[2] for each in messages(runbook_text(step=step))] == [expected]


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("{type: duration, default: 500}", 'the default of input "x" is 500, a number without a unit'),
        ("{type: duration, default: 5 weeks}", 'the default of input "x" is "5 weeks": \'weeks\' in \'5 weeks\' is not a unit'),
        ("{type: duration, default: 80%}", 'the default of input "x" is "80%", which is not a quantity of the type duration'),
        ("{type: percent, default: 80}", 'the default of input "x" is 80, a number without a unit'),
        ("{type: bytes, default: 1024}", 'the default of input "x" is 1024, a number without a unit'),
        ("{type: rate, default: true}", 'the default of input "x" is true, which is not a quantity of the type rate'),
        ("{type: number, default: 500ms}", 'the default of input "x" is "500ms", which is not a number'),
        ("{type: number, default: '5'}", 'the default of input "x" is "5", which is not a number'),
        ("{type: number, default: .nan}", 'the default of input "x" is nan, which is not a finite number'),
        ("{type: int, default: 2.5}", 'the default of input "x" is 2.5, which is not a whole number'),
        ("{type: int, default: true}", 'the default of input "x" is true, which is not a whole number'),
        ("{type: bool, default: yes}", 'the default of input "x" is "yes", which is not true or false'),
        ("{type: url, default: example.com}", 'the default of input "x" is "example.com", which is not a URL'),
        ("{type: string, default: 404}", 'the default of input "x" is 404, which is not a text'),
        ("{default: true}", 'the default of input "x" is true, which is not a text'),
        ("{type: enum, values: [a, b], default: c}", 'the default of input "x" is "c", which is not one of its values'),
    ],
)  # fmt: skip
def test_a_default_must_fit_its_type(runbook_text: Text, spec: str, expected: str) -> None:
    diagnostic = only(runbook_text(f"inputs: {{x: {spec}}}"))

    assert (diagnostic.code, diagnostic.message) == ("RB121", expected)


@pytest.mark.parametrize("env", ["9X", "A-B", "A B", "''"])
def test_an_environment_variable_has_a_legal_name(runbook_text: Text, env: str) -> None:
    assert codes(runbook_text(f"inputs: {{x: {{env: {env}}}}}")) == ["RB115"]


def test_a_secret_has_no_default_and_its_text_is_not_repeated(runbook_text: Text) -> None:
    diagnostic = only(runbook_text("inputs: {token: {type: secret, default: hunter2}}"))

    assert diagnostic.code == "RB123"
    assert "hunter2" not in f"{diagnostic.message}{diagnostic.label}{diagnostic.help}"


def test_true_and_false_are_written_as_such(runbook_text: Text) -> None:
    diagnostic = only(runbook_text("inputs: {x: {optional: yes}}"))

    assert diagnostic.message == '"optional" of input "x" must be true or false, not "yes"'
    assert diagnostic.label == "write true"


def test_values_of_an_enum_are_texts_and_yes_is_one(runbook_text: Text) -> None:
    assert codes(runbook_text("inputs: {x: {type: enum, values: [yes, no, on]}}")) == []
    assert codes(runbook_text("inputs: {x: {type: enum, values: [1, true]}}")) == ["RB113", "RB113"]


@pytest.mark.parametrize("name", ["end", "inputs", "error", "and", "missing", "true"])
def test_a_step_cannot_have_a_name_that_means_something_else(runbook_text: Text, name: str) -> None:
    diagnostic = only(runbook_text(f'  "{name}": {{ask: x}}'))

    assert diagnostic.code == "RB124"
    assert name in diagnostic.help


def test_a_name_is_suggested_in_the_legal_form(runbook_text: Text) -> None:
    diagnostic = only(runbook_text("  Slow-QueryTimes: {ask: x}"))

    assert diagnostic.message == 'step "Slow-QueryTimes" has no legal name'
    assert diagnostic.label == 'write "slow_query_times"'


def test_a_name_has_a_bounded_length(runbook_text: Text) -> None:
    assert codes(runbook_text(f"  {'a' * 64}: {{ask: x}}")) == []
    assert codes(runbook_text(f"  {'a' * 65}: {{ask: x}}")) == ["RB116"]


def test_unknown_keys_are_named_with_the_legal_ones(runbook_text: Text) -> None:
    diagnostic = only(runbook_text("findings:", "  slow: {level: warning, title: x, severety: P1}"))

    assert diagnostic.message == 'finding "slow" has no key "severety"'
    assert diagnostic.help == "its keys are level, kind, title, cause, resolution"


def test_a_misspelled_key_is_not_missing_too(runbook_text: Text) -> None:
    diagnostic = only(runbook_text("findings:", "  slow: {levle: warning, title: x}"))

    assert (diagnostic.code, diagnostic.label) == ("RB111", 'did you mean "level"?')


def test_a_misspelled_key_with_a_wrong_value_is_one_mistake(runbook_text: Text) -> None:
    loaded = broken(runbook_text().replace("start: first", "strat: 5"))

    assert [each.message for each in loaded.diagnostics] == ['the runbook has no key "strat"']
    assert loaded.partial is not None
    assert loaded.partial.start == ("first",)


def test_an_else_is_read_as_the_last_and_the_first_of_several_counts(runbook_text: Text) -> None:
    step = "{ask: x, branches: [{when: a}, {else: b}, {when: c}, {else: d}, {when: e}]}"
    loaded = broken(runbook_text(step=step))

    assert [(each.code, each.span.column) for each in loaded.diagnostics] == [("RB120", 42), ("RB120", 64)]
    assert loaded.partial is not None
    branches = [each.model_dump(by_alias=True) for each in loaded.partial.steps["first"].branches]  # type: ignore[index] # as above
    assert [each.get("when", each.get("else")) for each in branches] == ["a", "c", "e", ("b",)]
    assert loaded.source.span(("steps", "first", "branches", 3, "else")).column == 48


def test_a_missing_key_says_what_it_is_for(runbook_text: Text) -> None:
    diagnostic = only(runbook_text("findings:", "  slow: {title: x}"))

    assert diagnostic.message == 'finding "slow" has no "level"'
    assert diagnostic.help == '"level": How bad it is; warning or critical'
    assert (diagnostic.span.line, diagnostic.span.column) == (7, 3)


def test_several_missing_keys_cost_only_what_lacks_them(runbook_text: Text) -> None:
    loaded = broken(runbook_text("findings: {a: {}, b: {level: warning, title: x}}"))

    assert [each.label for each in loaded.diagnostics] == ['"level" is missing', '"title" is missing']
    assert loaded.partial is not None
    assert list(loaded.partial.findings) == ["b"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("# only a comment\n", "empty"),
        ("just text\n", '"just text"'),
        ("[a, b]\n", "a list"),
        ("5\n", "5"),
        ("playbook: p0\n", "playbook"),
        ("policy: severity\n", "policy"),
        ("knowledge: []\n", "knowledge"),
        ("environment: production\n", "environment"),
        ("runbok: x\n", "does not say what it is"),
    ],
)
def test_a_document_that_is_no_runbook_says_which_documents_there_are(text: str, words: str) -> None:
    loaded = broken(text)

    (diagnostic,) = loaded.diagnostics
    assert diagnostic.code == "RB110"
    assert words in diagnostic.message
    assert "runbook, playbook, policy, knowledge, environment" in diagnostic.help
    assert loaded.partial is None


def test_a_runbook_without_its_first_key_is_still_checked_as_one() -> None:
    assert codes("title: x\nstart: a\nsteps: {a: {aks: x}}\n") == ["RB112", "RB111"]


def test_mistakes_of_yaml_and_of_shape_are_reported_together(runbook_text: Text) -> None:
    assert codes(runbook_text("owner: a", "owner: b", "severity: P 7")) == ["RB104", "RB114"]


def test_more_mistakes_than_anybody_reads_are_cut_off(runbook_text: Text) -> None:
    loaded = broken(runbook_text(*(f"k{index}: 1" for index in range(700))))

    assert len(loaded.diagnostics) == 501
    assert [each.message for each in loaded.diagnostics if each.code == "RB109"] == [
        "there are more mistakes than these 500"
    ]


def test_a_file_is_named_as_people_write_it(
    tmp_path: Path, runbook_text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sub").mkdir()
    file = tmp_path / "sub" / "small.yaml"
    file.write_text(runbook_text(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)

    assert load_file(file).source.file == str(Path("sub", "small.yaml"))
    assert load_file("sub/small.yaml").source.file == str(Path("sub", "small.yaml"))
    assert load_file(file).runbook is not None


@pytest.mark.parametrize(
    ("content", "place", "words"),
    [
        (b"a: 1\nb: \xff\n", (2, 4), "byte 0xff"),
        ("é: 1\nb: é".encode("latin-1"), (1, 1), "UTF-8"),
        ("\ufeffa: 1".encode("utf-16-le"), (1, 1), "UTF-16"),
        (b"a: b\xc3", (1, 5), "byte 0xc3"),
    ],
)
def test_bytes_that_are_no_text_are_a_diagnostic(
    tmp_path: Path, content: bytes, place: tuple[int, int], words: str
) -> None:
    file = tmp_path / "r.yaml"
    file.write_bytes(content)

    (diagnostic,) = load_file(file).diagnostics
    assert diagnostic.code == "RB101"
    assert words in diagnostic.message
    assert (diagnostic.span.line, diagnostic.span.column) == place


def test_a_file_that_cannot_be_read_is_a_diagnostic(tmp_path: Path) -> None:
    missing, directory, nonsense = (load_file(each) for each in (tmp_path / "missing.yaml", tmp_path, "a\0b"))

    found = [*missing.diagnostics, *directory.diagnostics, *nonsense.diagnostics]
    assert [each.code for each in found] == ["RB101", "RB101", "RB101"]
    assert os.strerror(2) in missing.diagnostics[0].message


def test_a_huge_file_is_refused_without_reading_it_whole(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    with file.open("wb") as stream:
        stream.truncate(1 << 40)

    assert [each.code for each in load_file(file).diagnostics] == ["RB108"]
