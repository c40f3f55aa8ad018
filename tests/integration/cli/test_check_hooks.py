"""The hooks for https://pre-commit.com: what it asks of them, and that they do their work."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

FILE = Path(__file__).parents[3] / ".pre-commit-hooks.yaml"
HOOKS: dict[str, dict[str, Any]] = {each["id"]: each for each in yaml.safe_load(FILE.read_text())}
KEYS = {"id", "name", "description", "entry", "language", "files", "args", "require_serial", "pass_filenames"}

RUNBOOK = """\
runbook: slow-page
title: Find out why the page is slow
start: slow

steps:
  slow:
    ask: Is the page slow?
    branches:
      - {when: answer, finding: page_slow}
      - {else: end}

findings:
  page_slow: {level: warning, title: The page is slow, resolution: restart}

resolutions:
  restart: {title: Restart, steps: [Restart the page]}
"""
TESTS = """\
tests: slow-page
cases:
  slow:
    steps:
      slow: {answer: true}
    expect: {outcome: warning, findings: [page_slow]}
"""


@pytest.fixture
def hook(shell: Any) -> Any:
    """Runs a hook as pre-commit does, on all files of the folder that it is for."""

    def run(name: str) -> Any:
        settings = HOOKS[name]
        program, *words = shlex.split(settings["entry"])
        assert program == "runbook"
        below = (str(each.relative_to(shell.folder)) for each in sorted(shell.folder.rglob("*")) if each.is_file())
        files = [each for each in below if re.search(settings["files"], each)]
        assert files
        return shell(*words, *settings.get("args", []), *(files if settings.get("pass_filenames", True) else []))

    (shell.folder / "runbooks").mkdir()
    (shell.folder / "runbooks/slow-page.yaml").write_text(RUNBOOK)
    (shell.folder / "runbooks/slow-page.test.yaml").write_text(TESTS)
    (shell.folder / "compose.yaml").write_text("services: {}\n")
    return run


def test_hooks_have_what_pre_commit_asks_for_and_nothing_else() -> None:
    assert set(HOOKS) == {"runbook-check", "runbook-test"}
    for each in HOOKS.values():
        assert {"id", "name", "entry", "language"} <= set(each) <= KEYS
        assert each["language"] == "python"
        re.compile(each["files"])


@pytest.mark.parametrize("name", HOOKS)
def test_a_hook_passes_where_nothing_is_wrong(hook: Any, name: str) -> None:
    done = hook(name)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_check_fails_a_commit_with_a_mistake(hook: Any, shell: Any) -> None:
    (shell.folder / "runbooks/slow-page.yaml").write_text(RUNBOOK.replace("start: slow", "start: slwo"))

    done = hook("runbook-check")

    assert done.returncode == 78
    assert "runbooks/slow-page.yaml:3:8" in done.stdout


def test_the_tests_fail_a_commit_that_changes_what_comes_out(hook: Any, shell: Any) -> None:
    (shell.folder / "runbooks/slow-page.yaml").write_text(RUNBOOK.replace("level: warning", "level: critical"))

    assert hook("runbook-test").returncode == 1
