"""What is wrong with tests, held against their runbook."""

from collections.abc import Callable
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.errors import InvalidDocumentError, UsageError
from runbook_engine.testing import FileResult, check_file, find_files, run_file

Tested = Callable[..., FileResult]
Said = Callable[[FileResult], list[str]]

RUNBOOK = """
start: look
inputs:
  limit: {type: percent, default: 80%}
  mode: {type: enum, values: [fast, slow], default: fast}
  url: {type: secret, optional: true}
steps:
  look:
    probe: fake.state
    retry: {attempts: 2, on: [timeout]}
    branches: [{when: used > inputs.limit, finding: full, goto: meant}, {else: rows}]
  rows: {probe: fake.answer, extract: {count: {path: "length(rows)", type: count}}, branches: [{else: call_it}]}
  meant: {ask: "Well?", type: percent, branches: [{when: answer > 3%, goto: call_it}, {else: end}]}
  call_it: {call: called, branches: [{else: end}]}
findings:
  full: {level: warning, title: Full}
"""
CALLED = """
start: look
steps: {look: {probe: fake.state, branches: [{when: used > 1%, finding: well}, {else: end}]}}
findings: {well: {level: warning, title: Well}}
"""
CASE = "cases: {one: {expect: {outcome: healthy}}}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps: {loook: {}}", '2 RB802 the runbook example has no step "loook"'),
        ("steps: {call_it/lok: {}}", '2 RB802 the runbook called has no step "lok"'),
        ("steps: {look/x: {}}", '2 RB802 step "look" of the runbook example calls no runbook'),
        ("steps: {nothing/x: {}}", '2 RB802 the runbook example has no step "nothing"'),
        ("steps: {look: {p59: 1s}}", '2 RB803 step "look" measures no "p59"'),
        ("steps: {look: {document: {}}}", '2 RB803 step "look" measures no "document"'),
        ("steps: {rows: {rows: 3}}", '2 RB803 step "rows" measures no "rows"'),
        ("steps: {look: {p95: 100}}", '2 RB804 p95 of step "look" is 100, a number without a unit'),
        ("steps: {look: {p95: 80%}}", '2 RB804 p95 of step "look" is "80%", which is not a quantity of the type duration'),
        ("steps: {look: {used: 120%}}", '2 RB804 used of step "look" is "120%", and can only be percent, 0 % to 100 %'),
        ("steps: {look: {p95: -1s}}", '2 RB804 p95 of step "look" is "-1s", and can only be duration, at least 0 s'),
        ("steps: {look: {connections: 1.5}}", '2 RB804 connections of step "look" is 1.5, which is not a whole number'),
        ("steps: {look: {state: dwon}}", '2 RB804 state of step "look" is "dwon", which is not one of its values'),
        ("steps: {look: {p95: [1s]}}", '2 RB804 p95 of step "look" is a list, not a value'),
        ("steps: {look: {p95: null}}", '2 RB804 p95 of step "look" is never missing'),
        ("steps: {rows: {document: {rows: 3}}}", '2 RB804 count of step "rows" cannot be taken: length(rows) cannot be asked of this document (JMESPathTypeError): the document is an object with rows'),
        ("steps: {look: {answer: true}}", '2 RB803 step "look" measures no "answer"'),
        ("steps: {look: [{error: timeout}, {error: timeout}, {}]}", '2 RB805 step "look" is tried at most 2 times, and 3 attempts are given'),
        ("steps: {rows: [{error: timeout}, {}]}", '2 RB805 step "rows" is tried once, and 2 attempts are given'),
        ("steps: {look: [{used: 1%}, {}]}", '2 RB805 attempt 1 of step "look" has measured, and is not the last'),
        ("steps: {look: [{error: tls}, {}]}", '2 RB805 after tls step "look" is not tried again'),
        ("steps: {meant: {}}", '2 RB805 step "meant" is given no answer'),
        ("steps: {meant: {anwser: 3%}}", '2 RB805 step "meant" asks a person, and is given "anwser"'),
        ("steps: {meant: {answer: 3}}", '2 RB804 answer of step "meant" is 3, a number without a unit'),
        ("steps: {meant: {error: timeout}}", '2 RB805 step "meant" asks a person, and a person is no cause of timeout'),
        ("steps: {call_it: {}}", '2 RB805 step "call_it" is given nothing'),
        ("steps: {call_it: {outcom: healthy}}", '2 RB805 step "call_it" calls a runbook, and is given "outcom"'),
        ("steps: {call_it: {outcome: fine}}", '2 RB804 the outcome of step "call_it" is "fine", which there is not'),
        ("steps: {call_it: {findings: [wel]}}", '2 RB807 the runbook called has no finding "wel"'),
        ("steps: {call_it: {blind_spots: lok}}", '2 RB802 the runbook called has no step "lok"'),
        ("steps: {call_it: {outcome: critical, findings: [well]}}", '2 RB804 step "call_it" is given the outcome critical, and what it found comes to warning'),
        ("steps: {call_it: {outcome: healthy}, call_it/look: {}}", '2 RB805 step "call_it" is given as a whole, and its own steps are given, too'),
        ("inputs: {limt: 3%}", '2 RB806 the runbook example has no input "limt"'),
        ("inputs: {limit: 3}", '2 RB804 the value of "limit" is 3, a number without a unit'),
        ("inputs: {mode: fats}", '2 RB804 the value of "mode" is "fats", which is not one of its values'),
        ('inputs: {url: "postgres://reader:hunter2@db/app"}', '2 RB123 "url" is a secret, and its password is written into the document'),
    ],
)  # fmt: skip
def test_each_mistake_is_told(text: str, expected: str, tested: Tested, said: Said) -> None:
    result = tested(RUNBOOK, f"{text}\n{CASE}", called=CALLED)
    assert said(result) == [expected]
    assert not result.passed
    assert result.cases == ()


@pytest.mark.parametrize(
    ("expect", "expected"),
    [
        (
            "findings: [ful]",
            '2 RB807 neither the runbook example nor one that it calls has a finding "ful"',
        ),
        (
            "findings: [call_it/full]",
            '2 RB807 neither the runbook example nor one that it calls has a finding "call_it/full"',
        ),
        ("path: [lok]", '2 RB802 the runbook example has no step "lok"'),
        ("blind_spots: [call_it/lok]", '2 RB802 the runbook called has no step "lok"'),
    ],
)
def test_what_is_expected_has_to_be_there(expect: str, expected: str, tested: Tested, said: Said) -> None:
    text = f"cases: {{one: {{expect: {{outcome: healthy, {expect}}}}}}}\n"
    assert said(tested(RUNBOOK, text, called=CALLED)) == [expected]


def test_a_bare_name_may_be_that_of_a_called_finding(tested: Tested, said: Said) -> None:
    text = "cases: {one: {expect: {outcome: warning, findings: [well, call_it/well]}}}\n"
    assert said(tested(RUNBOOK, text, called=CALLED)) == []


def test_a_misspelled_name_is_told_with_the_one_that_was_meant(tested: Tested) -> None:
    result = tested(RUNBOOK, f"steps: {{call_it/lok: {{usde: 3%}}, look: {{usde: 3%}}}}\n{CASE}", called=CALLED)
    assert [each.label for each in result.diagnostics] == ['did you mean "call_it/look"?', 'did you mean "used"?']
    assert result.diagnostics[1].help == "it measures p95, used, connections, state, hit_rate"


def test_a_password_in_a_test_is_never_shown(tested: Tested) -> None:
    result = tested(RUNBOOK, f'inputs: {{url: "postgres://reader:hunter2@db/app"}}\n{CASE}', called=CALLED)
    assert "hunter2" not in result.told()


def test_tests_of_no_runbook_say_what_was_meant(tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text("runbook: small\n")
    file = tmp_path / "smal.test.yaml"
    file.write_text(f"tests: smal\n{CASE}")
    (found,) = run_file(file, library=rb.Library((tmp_path,))).diagnostics
    assert (found.code, found.message) == ("RB801", 'there is no runbook "smal", which is to be tested')
    assert found.label == 'did you mean "small"?'
    file.write_text(f"tests: ./small.yml\n{CASE}")
    (found,) = run_file(file, library=rb.Library((tmp_path,))).diagnostics
    assert found.message == 'there is no file "./small.yml" beside the tests, which is to be tested'


def test_mistakes_of_the_runbook_are_told_in_its_own_file(tested: Tested) -> None:
    result = tested("start: nowhere\nsteps: {look: {ask: Well?}}\n", CASE)
    assert {Path(each.file).name for each in result.diagnostics} == {"example.yaml"}
    assert "nowhere" in result.told()
    assert not result.passed


@pytest.mark.parametrize("content", [None, "", '{"schema":"runbook.recording/v1"}\n{}'])
def test_a_recording_that_cannot_be_read_is_a_mistake(content: str | None, tested: Tested, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "kept.jsonl").write_text(content)
    result = tested(RUNBOOK, "cases: {one: {recording: kept.jsonl, expect: {outcome: healthy}}}\n", called=CALLED)
    assert [each.code for each in result.diagnostics] == ["RB808"]
    assert "kept.jsonl" in result.diagnostics[0].message


def test_a_file_with_mistakes_carries_out_nothing(tmp_path: Path) -> None:
    file = tmp_path / "x.test.yaml"
    file.write_text("tests: nothing\n")
    checked = check_file(file, library=rb.Library((tmp_path,)))
    with pytest.raises(InvalidDocumentError):
        checked.run("one")


def test_files_are_found_by_name_by_directory_and_beside_runbooks(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("one.test.yaml", "deep/two.test.yml", "one.yaml", ".hidden.test.yaml", "none.yaml"):
        (tmp_path / name).write_text("")
    library = rb.Library((tmp_path,))
    one, two = tmp_path / "one.test.yaml", tmp_path / "deep" / "two.test.yml"
    assert set(find_files((), library)) == {one, two}
    assert set(find_files([str(tmp_path)], library)) == {one, two}
    assert find_files([str(one), "one", str(tmp_path / "one.yaml")], library) == (one,)
    for path, message in [
        ("none", "has no tests; write none.test.yaml beside it"),
        (str(tmp_path / "no.test.yaml"), "there is no file"),
        ("nothing", "there is no runbook"),
    ]:
        with pytest.raises(UsageError, match=message):
            find_files([path], library)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"has no tests: no file ends in \.test\.yaml"):
        find_files([str(tmp_path / "empty")], library)
    with pytest.raises(UsageError, match="searched"):
        find_files((), rb.Library((tmp_path / "empty",)))
