"""The pytest plug-in, in a pytest of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

RUNBOOK = """runbook: small
title: Small
start: meant
steps: {meant: {ask: "Well?", branches: [{when: answer, finding: well}, {else: end}]}}
findings: {well: {level: warning, title: Well}}
"""
CASES = """# What comes of an answer.
tests: small
cases:
  yes_is_a_finding:
    steps: {meant: {answer: true}}
    expect: {outcome: warning, findings: [well]}
  no_is_none:
    title: No means no
    steps: {meant: {answer: false}}
    expect: {outcome: OUTCOME}
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "HOME")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "error", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env={**kept, "COLUMNS": "120"},
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small.yaml").write_text(RUNBOOK)
    (tmp_path / "small.test.yaml").write_text(CASES.replace("OUTCOME", "healthy"))
    return tmp_path


def test_every_case_is_a_test_with_its_name(folder: Path) -> None:
    done = run(folder, "-v")
    assert done.returncode == 0, done.stdout
    assert re.findall(r"small\.test\.yaml::(\w+) PASSED", done.stdout) == ["yes_is_a_finding", "no_is_none"]


def test_a_case_is_chosen_as_any_test(folder: Path) -> None:
    assert "1 passed, 1 deselected" in run(folder, "-k", "no_is").stdout
    assert "1 passed" in run(folder, "small.test.yaml::no_is_none").stdout


def test_a_case_that_fails_is_told_without_a_traceback(folder: Path) -> None:
    (folder / "small.test.yaml").write_text(CASES.replace("OUTCOME", "warning"))
    done = run(folder)
    assert done.returncode == 1
    assert "outcome: expected warning, came healthy" in done.stdout
    assert "FAILED small.test.yaml:7 no_is_none: No means no" in done.stdout
    assert "Traceback" not in done.stdout
    assert "runtest" not in done.stdout


def test_a_file_with_mistakes_is_an_error_with_its_places(folder: Path) -> None:
    (folder / "small.test.yaml").write_text(CASES.replace("OUTCOME", "helthy"))
    done = run(folder)
    assert done.returncode == 2
    assert "error[RB114]" in done.stdout
    assert 'did you mean "healthy"?' in done.stdout
    assert "Traceback" not in done.stdout


PROBE = """
import sys
import pytest

@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    heavy = {"pydantic", "yaml", "anyio", "jinja2", "networkx", "runbook_engine.testing", "runbook_engine.document"}
    print("\\nloaded:", sorted(heavy & set(sys.modules) - BEFORE))

BEFORE = set(sys.modules)
"""


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("test_x.py", "def test_x(): pass\n"),
        ("other.test.yaml", "a: 1\ntests: 3\n"),
        ("more.test.yaml", "tests_of: nothing\n"),
        ("bytes.test.yaml", "\udcff\udcfe"),
    ],
)
def test_without_such_files_nothing_is_collected_and_no_engine_is_loaded(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "conftest.py").write_text(PROBE)
    (tmp_path / "test_y.py").write_text("def test_y(): pass\n")
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    done = run(tmp_path, "-p", "no:anyio", "-p", "no:hypothesispytest", "-s")
    assert done.returncode == 0, done.stdout
    assert "loaded: []" in done.stdout
    assert f"{2 if name.endswith('.py') else 1} passed" in done.stdout


def test_files_begin_as_yaml_may_begin(folder: Path) -> None:
    text = CASES.replace("OUTCOME", "healthy")
    for begin in ("\ufeff", "---\n", "\n\n  # more\r\n", "--- \n# x\n"):
        (folder / "small.test.yaml").write_text(begin + text, encoding="utf-8")
        assert "2 passed" in run(folder).stdout, begin
