"""Questions while a run goes on."""

from typing import Any

SIDE_BY_SIDE = """runbook: asking
title: Asks while it looks
start: [deployed, port]
steps:
  deployed:
    title: Was there a deployment?
    ask: Was there a deployment?
    branches: [{when: answer, finding: fresh}, {else: end}]
  port:
    title: Connect
    probe: tcp.connect
    with: {host: 127.0.0.1, port: 1}
    on_error: [{kind: refused, finding: closed}]
findings:
  fresh: {level: warning, title: Freshly deployed, resolution: fix}
  closed: {level: critical, title: The port is closed, resolution: fix}
resolutions:
  fix: {title: Fix it, steps: [Fix it]}
"""
QUESTION = r"Was there a deployment\? \(yes or no\)"


def test_ctrl_c_at_a_question_ends_at_once_though_nobody_presses_enter(shell: Any, terminal: Any) -> None:
    screen = terminal("run", shell.write("asking.yaml", SIDE_BY_SIDE))
    screen.until("The port is closed")
    screen.until(QUESTION)
    screen.interrupt()
    assert screen.end(10.0) == 130
    assert "The port is closed" in screen.seen
    assert "interrupted" in screen.seen


def test_a_question_gives_up_at_its_timeout_and_the_run_ends(shell: Any, terminal: Any) -> None:
    text = SIDE_BY_SIDE.replace("    ask: Was", "    timeout: 300ms\n    ask: Was")
    screen = terminal("run", shell.write("asking.yaml", text))
    assert screen.end(10.0) == 1
    assert "nobody answered" in screen.seen


def test_what_is_found_meanwhile_stands_on_a_line_of_its_own_and_the_question_again_below(
    shell: Any, terminal: Any
) -> None:
    screen = terminal("run", shell.write("asking.yaml", SIDE_BY_SIDE))
    screen.until(rf"The port is closed(.|\n)*{QUESTION} \Z")
    lines = screen.plain.splitlines()
    (found,) = [line for line in lines if "The port is closed" in line]
    assert "deployment" not in found
    screen.type("yes\n")
    assert screen.end(10.0) == 1
    assert "Freshly deployed" in screen.seen


def test_an_empty_answer_is_the_default(shell: Any, terminal: Any) -> None:
    text = SIDE_BY_SIDE.replace("    ask: Was", "    default: true\n    ask: Was")
    screen = terminal("run", shell.write("asking.yaml", text))
    screen.until(r"\(yes or no\) \[yes\]")
    screen.type("\n")
    assert screen.end(10.0) == 1
    assert "Freshly deployed" in screen.seen


def test_two_questions_are_asked_one_after_the_other(shell: Any, terminal: Any) -> None:
    text = SIDE_BY_SIDE.replace("start: [deployed, port]", "start: [deployed, port, sure]").replace(
        "  port:\n", "  sure: {title: Sure, ask: Are you sure?}\n  port:\n"
    )
    screen = terminal("run", shell.write("asking.yaml", text))
    screen.until(QUESTION)
    assert "Are you sure?" not in screen.seen.rpartition("Was there")[2]
    screen.type("no\n")
    screen.until(r"Are you sure\? \(yes or no\)")
    screen.type("yes\n")
    assert screen.end(10.0) == 1
