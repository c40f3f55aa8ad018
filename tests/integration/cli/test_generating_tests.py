"""``runbook test --generate``."""

import json
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
    assert "6 cases written to ports.test.yaml; carry them out with: runbook test ports.test.yaml" in done.stderr
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


def test_tests_that_notice_every_change_pass_and_those_that_do_not_say_which(shell: Any) -> None:
    shell.write("ports.yaml", RUNBOOK)
    assert shell("test", "--generate", "ports.yaml").returncode == 0
    done = shell("test", "--mutate", "ports.test.yaml")
    assert done.returncode == 0, done.stdout
    assert done.stdout == "ports: 3 of 3 changes are noticed\n\n3 of 3 changed thresholds and operators are noticed\n"
    shell.write(
        "ports.test.yaml",
        "tests: ./ports.yaml\ncases:\n"
        "  slow: {steps: {look: {connect: 1.5s}}, expect: {outcome: warning, findings: [slow]}}\n"
        "  fast: {steps: {look: {connect: 500ms}}, expect: {outcome: healthy}}\n",
    )
    assert "2 passed" in shell("test", "ports.test.yaml").stdout
    done = shell("test", "--mutate", "ports.test.yaml")
    assert done.returncode == 1
    assert done.stdout == (
        "ports: 0 of 3 changes are noticed\n"
        "  no test notices step look: connect > 1s -> connect >= 1s  (ports.yaml:9)\n"
        "  no test notices step look: connect > 1s -> connect > 999ms  (ports.yaml:9)\n"
        "  no test notices step look: connect > 1s -> connect > 1001ms  (ports.yaml:9)\n\n"
        "0 of 3 changed thresholds and operators are noticed, 3 are not: give a case the value at the threshold, or the next"
        " one to it\n"
    )
    found = json.loads(shell("test", "--mutate", "ports.test.yaml", "--format", "json").stdout)
    assert (found["schema"], found["noticed"], found["survived"]) == ("runbook.mutations/v1", 0, 3)
    assert found["runbooks"][0]["survivors"][0] == {
        "kind": "operator",
        "step": "look",
        "input": None,
        "place": "ports.yaml:9",
        "before": "connect > 1s",
        "after": "connect >= 1s",
    }


def test_a_default_that_no_case_holds_against_anything_is_told(shell: Any) -> None:
    shell.write(
        "ports.yaml",
        RUNBOOK.replace("start: look", "inputs:\n  long: {type: duration, default: 1s}\nstart: look").replace(
            "connect > 1s", "connect > inputs.long"
        ),
    )
    shell.write(
        "ports.test.yaml",
        "tests: ./ports.yaml\ninputs: {long: 2s}\ncases:\n"
        "  slow: {steps: {look: {connect: 2001ms}}, expect: {outcome: warning, findings: [slow]}}\n"
        "  fast: {steps: {look: {connect: 2s}}, expect: {outcome: healthy}}\n",
    )
    done = shell("test", "--mutate", "ports.test.yaml")
    assert done.returncode == 1
    assert "no test notices input long: 1s -> 999ms  (ports.yaml:4)\n" in done.stdout
    assert "ports: 1 of 3 changes are noticed\n" in done.stdout


def test_tests_that_fail_or_are_wrong_notice_nothing(shell: Any) -> None:
    shell.write("ports.yaml", RUNBOOK)
    head = "tests: ./ports.yaml\ncases:\n"
    shell.write(
        "ports.test.yaml", f"{head}  slow: {{steps: {{look: {{connect: 3s}}}}, expect: {{outcome: healthy}}}}\n"
    )
    done = shell("test", "--mutate", "ports.test.yaml")
    assert done.returncode == 2
    assert "the case slow fails as things are" in done.stderr
    shell.write(
        "ports.test.yaml", f"{head}  slow: {{steps: {{luck: {{connect: 3s}}}}, expect: {{outcome: healthy}}}}\n"
    )
    done = shell("test", "--mutate", "ports.test.yaml")
    assert done.returncode == 78
    assert "luck" in done.stdout
    assert shell("test", "--mutate", "--generate", "ports.yaml").returncode == 2
