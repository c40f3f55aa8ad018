"""``runbook test``, as a person or CI types it."""

import json
import os
import select
import signal
import subprocess
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runbook_engine.cli.test_command import _watched
from runbook_engine.library import shipped_directory

Shell = Any  # conftest's own class

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
CASE = """tests: port
cases:
  open:
    steps: {port: {connect: 10ms}}
    expect: {outcome: healthy}
"""
CLOSED = """  closed:
    steps: {port: {error: refused}}
    expect: {outcome: critical, findings: [closed]}
"""


@pytest.fixture
def tests(shell: Shell, port_runbook: Callable[..., str]) -> Callable[[str], str]:
    """Tests of the runbook ``port``, which has no default for its input, beside it."""
    port_runbook()

    def write(text: str) -> str:
        return str(shell.write("port.test.yaml", text))

    return write


def test_tests_pass_without_a_network_and_without_inputs(shell: Shell, tests: Callable[[str], str]) -> None:
    done = shell("test", tests(CASE + CLOSED))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "port.test.yaml: 2 passed" in done.stdout
    assert "port: 60 % covered: 1 of 2 branches, 1 of 1 error routes, 1 of 2 findings" in done.stdout


def test_variables_of_the_machine_change_nothing(shell: Shell, tests: Callable[[str], str]) -> None:
    assert shell("test", tests(CASE), THE_PORT="not a number").returncode == 0


def test_a_case_that_fails_ends_with_1_and_mistakes_with_78(shell: Shell, tests: Callable[[str], str]) -> None:
    assert shell("test", tests(CASE.replace("healthy", "warning"))).returncode == 1
    assert shell("test", tests(CASE.replace("connect", "conect"))).returncode == 78


def test_one_file_with_mistakes_does_not_keep_others_from_being_tested(
    shell: Shell, tests: Callable[[str], str]
) -> None:
    tests(CASE)
    shell.write("broken.test.yaml", "tests: prot\ncases: {one: {expect: {outcome: healthy}}}\n")
    done = shell("test", ".")
    assert done.returncode == 78
    assert "port.test.yaml: 1 passed" in done.stdout
    assert 'there is no runbook "prot"' in done.stdout
    assert 'did you mean "port"?' in done.stdout


@pytest.mark.parametrize(("percent", "code"), [("60", 0), ("60.1", 1), ("100", 1), ("0", 0)])
def test_too_little_coverage_ends_with_1(shell: Shell, tests: Callable[[str], str], percent: str, code: int) -> None:
    done = shell("test", tests(CASE + CLOSED), "--fail-under", percent)
    assert done.returncode == code
    assert ("--fail-under asks for" in done.stderr) == bool(code)


def test_a_runbook_that_was_only_called_is_not_held_to_be_covered(shell: Shell) -> None:
    shell.write(
        "inner.yaml",
        "runbook: inner\ntitle: I\nstart: a\nsteps: {a: {ask: Well?, branches: [{when: answer, goto: b}, {else: end}]}, b: {ask: So?}}\n",
    )
    shell.write(
        "outer.yaml", "runbook: outer\ntitle: O\nstart: a\nsteps: {a: {call: inner, branches: [{else: end}]}}\n"
    )
    shell.write(
        "outer.test.yaml", "tests: outer\ncases: {one: {steps: {a/a: {answer: false}}, expect: {outcome: healthy}}}\n"
    )
    done = shell("test", "outer.yaml", "--fail-under", "100")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "outer: 100 % covered: 1 of 1 branches" in done.stdout
    assert "inner: 50 % covered (called, not tested itself)" in done.stdout


def test_a_word_chooses_cases_and_leaves_coverage_out(shell: Shell, tests: Callable[[str], str]) -> None:
    done = shell("test", tests(CASE.replace("healthy", "warning") + CLOSED), "-k", "CLOSE", "--fail-under", "100")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed, 1 left out" in done.stdout
    assert "covered" not in done.stdout
    assert "-k" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nothing.test.yaml",), "there is no file nothing.test.yaml"),
        (("port.yaml",), "port.yaml has no tests; write port.test.yaml beside it"),
        (("home",), "home has no tests"),
        (("--fail-under", "101"), "101"),
        (("port.test.yaml", "-k", "nowhere"), "no case has the word 'nowhere'"),
        (("port.test.yaml", "--junit", "no/such/folder.xml"), "folder.xml cannot be written"),
    ],
)
def test_what_cannot_be_tested_ends_with_2(
    shell: Shell, tests: Callable[[str], str], arguments: tuple[str, ...], says: str
) -> None:
    file = tests(CASE)
    (shell.folder / "home").mkdir()
    if arguments == ("port.yaml",):
        (shell.folder / file).unlink()
    done = shell("test", *arguments)
    assert (done.returncode, says in done.stderr) == (2, True), done.stderr


def test_without_paths_the_tests_of_the_library_are_found(shell: Shell, tests: Callable[[str], str]) -> None:
    (shell.folder / "runbooks").mkdir()
    tests(CASE)
    for name in ("port.yaml", "port.test.yaml"):
        (shell.folder / name).rename(shell.folder / "runbooks" / name)
    done = shell("test", "--format", "json")
    assert "runbooks/port.test.yaml" in [each["file"] for each in json.loads(done.stdout)["files"]]
    assert shell("list").stdout.count("port.test") == 0


def test_junit_has_a_case_for_each_case_and_an_error_for_a_broken_file(
    shell: Shell, tests: Callable[[str], str]
) -> None:
    tests(CASE + CLOSED.replace("critical", "healthy"))
    shell.write("broken.test.yaml", "tests: nothing\ncases: {}\n")
    shell("test", ".", "--junit", "out.xml")
    root = ET.parse(shell.folder / "out.xml").getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("3", "1", "1")
    assert [each.get("name") for each in root.iter("testcase")] == ["document", "open", "closed"]
    failure = next(root.iter("failure"))
    assert failure.get("message") == "outcome: expected healthy, came critical"
    assert "port.test.yaml:6 closed" in str(failure.text)


def test_json_tells_what_came_and_what_is_covered(shell: Shell, tests: Callable[[str], str]) -> None:
    told = json.loads(shell("test", tests(CASE + CLOSED), "--format", "json").stdout)
    assert (told["schema"], told["passed"], told["failed"]) == ("runbook.tests/v1", 2, 0)
    (coverage,) = told["coverage"]
    assert (coverage["runbook"], coverage["percent"]) == ("port", 60)
    assert [(each["part"], each["step"], each["text"]) for each in coverage["missed"]] == [
        ("branch", "port", "connect > 5s"),
        ("finding", "", "slow"),
    ]


def test_nothing_of_a_hostile_test_reaches_the_terminal(shell: Shell, tests: Callable[[str], str]) -> None:
    evil = CASE.replace("open:", 'open:\n    title: "\\e[2J\\u202e"').replace("healthy", "warning")
    done = shell("test", tests(evil), "--junit", "out.xml")
    assert done.returncode == 1
    assert "\x1b" not in done.stdout + (shell.folder / "out.xml").read_text()
    assert "\u202e" not in done.stdout


class Watching:
    """``runbook test --watch``, of which is read what it says on standard error."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self._seen = ""

    def until(self, text: str, seconds: float = 30.0) -> None:
        """Read up to the text, which is not looked for again."""
        assert self.process.stderr is not None
        deadline = time.monotonic() + seconds
        while text not in self._seen:
            ready, _, _ = select.select([self.process.stderr], [], [], max(0.0, deadline - time.monotonic()))
            assert ready, f"never saw {text!r} in {self._seen!r}"
            read = os.read(self.process.stderr.fileno(), 65_536).decode()
            assert read, f"it has ended: {self._seen!r}"
            self._seen += read
        self._seen = self._seen.partition(text)[2]


@pytest.fixture
def watching(shell: Shell) -> Iterator[Callable[..., Watching]]:
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str) -> Watching:
        started.append(shell.start("test", *arguments, "--watch"))
        return Watching(started[-1])

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_watching_tests_again_whenever_a_file_changes_comes_or_goes(
    shell: Shell, tests: Callable[[str], str], watching: Callable[..., Watching]
) -> None:
    tests(CASE)
    here = watching(".")
    here.until("[0] waiting for a change")
    tests(CASE + CLOSED.replace("critical", "warning"))
    here.until("[1] waiting for a change")
    runbook = shell.folder / "port.yaml"
    runbook.write_text(runbook.read_text().replace("level: critical", "level: warning"))
    here.until("[0] waiting for a change")
    shell.write("other.test.yaml", "tests: nothing\ncases: {}\n")
    here.until("[78] waiting for a change")
    (shell.folder / "other.test.yaml").unlink()
    here.until("[0] waiting for a change")
    (shell.folder / "port.test.yaml").unlink()
    here.until("has no tests")
    tests(CASE)
    here.until("[0] waiting for a change")
    here.process.send_signal(signal.SIGINT)
    assert here.process.wait(20) == 130


def test_a_file_that_changes_while_the_tests_first_read_it_is_tested_again(tmp_path: Path) -> None:
    read, rounds = tmp_path / "read.yaml", []

    def once() -> tuple[int, set[Path]]:
        rounds.append(read.exists())
        if len(rounds) > 1:
            raise KeyboardInterrupt
        read.write_text("written after it was read")
        return 0, {read}

    with pytest.raises(KeyboardInterrupt):
        _watched(once, [str(tmp_path)])
    assert rounds == [False, True]


def test_the_example_is_tested_by_its_folder(shell: Shell) -> None:
    done = shell("test", str(EXAMPLES / "own_runbook"), "--fail-under", "100")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_shipped_runbook_can_be_tested_by_name_from_anywhere(shell: Shell) -> None:
    name = min(each.stem for each in shipped_directory().glob("*.yaml") if each.read_text().startswith("runbook:"))
    shell.write("mine.test.yaml", f"tests: {name}\ncases: {{one: {{expect: {{outcome: healthy}}}}}}\n")
    done = shell("test", "mine.test.yaml")
    assert done.returncode == 1
    assert "the test gives it no" in done.stdout
