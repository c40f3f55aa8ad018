"""What people read of tests, as it was approved."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

FILES = Path(__file__).parent / "files"
RUNBOOK = """runbook: port-closed
title: Nothing answers on the port
inputs:
  slow: {type: duration, default: 500ms}
start: port
steps:
  port:
    probe: tcp.connect
    with: {host: 127.0.0.1, port: 5432}
    branches:
      - {when: connect > inputs.slow, finding: slow, goto: meant}
      - {else: end}
    on_error:
      - {kind: [refused, timeout], finding: closed, goto: meant}
  meant:
    ask: Was the server stopped on purpose?
    branches:
      - {when: answer, finding: on_purpose}
      - {else: end}
findings:
  slow: {kind: symptom, level: warning, title: "It takes {{ port.connect }}"}
  closed: {level: critical, title: "{{ error.message }}"}
  on_purpose: {level: warning, title: It was meant}
"""
TESTS = """tests: port-closed
cases:
  quick:
    steps: {port: {connect: 10ms}}
    expect: {outcome: healthy, path: [port]}

  slow:
    title: A connection that takes its time
    steps: {port: {connect: 600ms}, meant: {answer: true}}
    expect:
      outcome: warning
      findings: [slow, on_purpose]

  on_the_edge:
    title: Exactly the threshold is not slow
    steps: {port: {connect: 500ms}}
    expect: {outcome: healthy}
"""
FAILING = """
  not_as_expected:
    title: All that can differ
    steps: {port: {error: {kind: refused, message: "nobody listens"}}, meant: {answer: false}}
    expect:
      outcome: warning
      findings: [slow, closed]
      blind_spots: [port]
      path: [port]

  forgotten:
    steps: {port: {error: refused}}
    expect: {outcome: critical, findings: [closed]}

  given_too_much:
    steps: {port: {error: auth}, meant: {answer: true}}
    expect: {outcome: healthy}
"""
BROKEN = """tests: port-closed
cases:
  one:
    inputs: {slwo: 3s}
    steps:
      prot: {connect: 1s}
      port: {conect: 1s, connect: 10}
      meant: {error: timeot}
    expect: {outcome: heathy, findings: [slwo], path: [prot]}
"""


@pytest.fixture
def typed(tmp_path: Path) -> Callable[..., str]:
    """What ``runbook test`` shows of a runbook and its tests."""

    def run(tests: str, *arguments: str) -> str:
        (tmp_path / "port-closed.yaml").write_text(RUNBOOK)
        (tmp_path / "port-closed.test.yaml").write_text(tests)
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH")}
        done = subprocess.run(
            [str(Path(sys.executable).with_name("runbook")), "test", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**kept, "HOME": str(tmp_path), "LANG": "C.UTF-8", "COLUMNS": "100"},
            stdin=subprocess.DEVNULL,
        )
        told = "".join(f"! {line}\n" for line in done.stderr.splitlines())
        return f"$ runbook test {' '.join(arguments)}\n{done.stdout}{told}[{done.returncode}]\n"

    return run


@pytest.mark.parametrize(
    ("name", "tests", "arguments"),
    [
        ("passed", TESTS, (".",)),
        ("failed", TESTS + FAILING, (".",)),
        ("fail-under", TESTS, (".", "--fail-under", "90")),
        ("one-word", TESTS + FAILING, (".", "-k", "threshold")),
        ("no-such-word", TESTS, (".", "-k", "nothing")),
        ("broken", BROKEN, (".",)),
        ("json", TESTS + FAILING, (".", "--format", "json")),
        ("junit", TESTS + FAILING, (".", "-k", "t", "--junit", "/dev/stdout")),
        ("help", TESTS, ("--help",)),
    ],
)
def test_tests_are_told_as_it_was_approved(
    name: str, tests: str, arguments: tuple[str, ...], typed: Callable[..., str], golden: Callable[[Path, str], None]
) -> None:
    golden(FILES / f"{name}.out", typed(tests, *arguments))
