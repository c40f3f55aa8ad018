"""Completion, as a real shell does it."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ASK_BASH = """
compopt() { :; }
eval "$(runbook completion bash)"
COMP_WORDS=(%s); COMP_CWORD=%d; COMPREPLY=()
_runbook_completion runbook
printf '%%s\\n' "${COMPREPLY[@]}"
"""


def completed(shell: Any, *words: str) -> list[str]:
    """What bash offers for the last word."""
    bash = shutil.which("bash")
    assert bash is not None
    program = ASK_BASH % (" ".join(f"'{word}'" for word in words), len(words) - 1)
    folder = Path(shell.command[0]).parent
    environ = {**shell.environ, "PATH": f"{folder}:{shell.environ['PATH']}"}
    done = subprocess.run(
        [bash, "--norc", "-c", program], capture_output=True, text=True, check=True, env=environ, cwd=shell.folder
    )
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("runbook", "hi"), "history"),
        (("runbook", "run", "high-l"), "high-latency"),
        (("runbook", "show", "high-l"), "high-latency"),
        (("runbook", "probes", "postgres.a"), "postgres.activity"),
        (("runbook", "measure", "postgres.a"), "postgres.activity"),
        (("runbook", "measure", "postgres.query", "max"), "max_rows="),
        (("runbook", "run", "high-latency", "--lab", "lock"), "lock_contention"),
        (("runbook", "lab", "start", "lock"), "lock_contention"),
        (("runbook", "run", "high-latency", "--format", "mark"), "markdown"),
        (("runbook", "run", "high-latency", "--dead"), "--deadline"),
        (("runbook", "run", "high-latency", "-e", "prod"), "production"),
        (("runbook", "triage", "--environment", "stag"), "staging"),
        (("runbook", "completion", "f"), "fish"),
        (("runbook", "new", "env"), "environment"),
        (("runbook", "new", "policy", "me"), "metrics"),
        (("runbook", "check", "--str"), "--strict"),
        (("runbook", "test", "--mu"), "--mutate"),
    ],
)
def test_bash_completes_what_is_known(shell: Any, words: tuple[str, ...], expected: str) -> None:
    assert completed(shell, *words) == [expected]


def test_where_no_runbook_is_named_so_files_are_offered(shell: Any) -> None:
    asked = {"_RUNBOOK_COMPLETE": "bash_complete", "COMP_CWORD": "2"}
    assert shell(COMP_WORDS="runbook run ./hi", **asked).stdout == "file,./hi\n"
    assert shell(COMP_WORDS="runbook run high-l", **asked).stdout == "plain,high-latency\n"
