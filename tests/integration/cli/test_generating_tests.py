"""``runbook test --generate``."""

from typing import Any

RUNBOOK = """runbook: ports
title: Is the port open?
start: look
steps:
  look:
    probe: tcp.connect
    with: {host: 127.0.0.1, port: 1}
    branches:
      - {when: connect > 1s, finding: slow}
      - {else: end}
    on_error:
      - {kind: refused, finding: closed}
findings:
  slow: {level: warning, title: Slow, resolution: fix}
  closed: {level: critical, title: Closed, resolution: fix}
resolutions:
  fix: {title: Fix it, steps: [Look]}
"""


def test_tests_are_written_beside_the_runbook_and_cover_all_of_it(shell: Any) -> None:
    shell.write("ports.yaml", RUNBOOK)
    done = shell("test", "--generate", "ports.yaml")
    assert done.returncode == 0
    assert "3 cases written to ports.test.yaml; carry them out with: runbook test ports.test.yaml" in done.stderr
    tested = shell("test", "ports.test.yaml", "--fail-under", "100")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert "ports: 100 % covered" in tested.stdout


def test_a_file_is_not_replaced_unasked(shell: Any) -> None:
    shell.write("ports.yaml", RUNBOOK)
    shell.write("ports.test.yaml", "mine")
    done = shell("test", "--generate", "ports.yaml")
    assert done.returncode == 2
    assert "ports.test.yaml is there already; --force replaces it" in done.stderr
    assert (shell.folder / "ports.test.yaml").read_text() == "mine"
    assert shell("test", "--generate", "ports.yaml", "--force").returncode == 0
    assert (shell.folder / "ports.test.yaml").read_text() != "mine"


def test_tests_can_be_printed_or_lie_elsewhere(shell: Any) -> None:
    shell.write("ports.yaml", RUNBOOK)
    done = shell("test", "--generate", "ports.yaml", "-o", "-")
    assert "tests: ./ports.yaml\n" in done.stdout
    assert not (shell.folder / "ports.test.yaml").exists()
    (shell.folder / "elsewhere").mkdir()
    assert shell("test", "--generate", "ports.yaml", "-o", "elsewhere/ports.test.yaml").returncode == 0
    assert shell("test", "elsewhere/ports.test.yaml").returncode == 0


def test_what_cannot_be_reached_is_told_and_the_exit_code_says_so(shell: Any) -> None:
    unreachable = RUNBOOK.replace("{else: end}", "{else: end}").replace(
        "- {when: connect > 1s, finding: slow}",
        "- {when: connect > 1s, finding: slow}\n      - {when: connect > 2s, finding: slow}",
    )
    shell.write("ports.yaml", unreachable)
    done = shell("test", "--generate", "ports.yaml")
    assert done.returncode == 1
    assert "not covered: step look: branch 2 (connect > 2s); no reading was found that leads there" in done.stderr


def test_one_runbook_at_a_time(shell: Any) -> None:
    assert shell("test", "--generate").returncode == 2
    assert "--generate takes one runbook" in shell("test", "--generate").stderr
    assert "-o and --force are for --generate" in shell("test", "--force").stderr
