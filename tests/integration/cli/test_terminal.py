"""On a terminal: a live view, questions, secrets that are not echoed."""

import re
from typing import Any

ASKING = """runbook: asking
title: Asks before it looks
inputs:
  host: {type: string, help: Where to look}
  token: {type: secret, env: THE_TOKEN, help: How to get in}
start: deployed
steps:
  deployed:
    title: Was there a deployment?
    ask: Was there a deployment?
    branches:
      - {when: answer, finding: fresh, goto: port}
      - {else: port}
  port:
    title: Connect
    probe: tcp.connect
    with: {host: "{{ inputs.host }}", port: 1}
    on_error: [{kind: refused, finding: closed}]
findings:
  fresh: {level: warning, title: "Freshly deployed to {{ inputs.host }} with {{ inputs.token }}", resolution: fix}
  closed: {level: critical, title: The port is closed, resolution: fix}
resolutions:
  fix: {title: Fix it, steps: [Fix it]}
"""


def test_missing_inputs_are_asked_for_and_secrets_are_not_echoed(shell: Any, terminal: Any) -> None:
    screen = terminal("run", shell.write("asking.yaml", ASKING))
    screen.until(r"host \(Where to look\)")
    screen.type("127.0.0.1\n")
    screen.until(r"token \(How to get in\)")
    screen.type("never-to-be-seen\n")
    screen.until(r"Was there a deployment\? \(yes or no\)")
    screen.type("perhaps\n")
    screen.until("answer yes or no")
    screen.type("yes\n")
    assert screen.end() == 1
    assert "Freshly deployed to 127.0.0.1 with $THE_TOKEN" in screen.seen
    assert "never-to-be-seen" not in screen.seen


def test_the_live_view_shows_what_was_decided_and_why(shell: Any, terminal: Any) -> None:
    file = shell.write("asking.yaml", ASKING)
    screen = terminal("run", file, "-s", "host=127.0.0.1", "--answer", "deployed=no", THE_TOKEN="abcdefgh")
    assert screen.end() == 1
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.seen)
    assert "Asks before it looks" in plain
    assert "✓ Was there a deployment?" in plain
    assert "→ port" in plain
    assert "✗ Connect" in plain
    assert "\x1b[" in screen.seen


CALLED = """runbook: called
title: The one that is called
start: port
steps:
  port:
    title: Who listens?
    probe: tcp.connect
    with: {host: 127.0.0.1, port: 1}
    on_error: [{kind: refused, finding: closed}]
findings:
  closed: {level: critical, title: The port is closed, resolution: fix}
resolutions:
  fix: {title: Fix it, steps: [Fix it]}
"""
CALLING = """runbook: calling
title: The one that calls
start: below
steps:
  below: {title: Look below, call: called}
"""


def test_the_live_view_shows_the_steps_of_a_called_runbook_below_its_call(shell: Any, terminal: Any) -> None:
    (shell.folder / "runbooks").mkdir()
    shell.write("runbooks/called.yaml", CALLED)
    screen = terminal("run", shell.write("runbooks/calling.yaml", CALLING))
    assert screen.end() == 1
    lines = [
        "\u25b8 Look below  runs called",
        "  ! The port is closed",
        "  \u2717 Look below \u203a Who listens?  refused",
        "\u2717 Look below  called is critical: 1 finding",
    ]
    places = [screen.plain.index(each) for each in lines]
    assert places == sorted(places)


def test_the_names_in_titles_and_questions_are_filled_while_a_run_goes_on(shell: Any, terminal: Any) -> None:
    text = ASKING.replace("title: Connect", "title: Connect to {{ inputs.host }}")
    text = text.replace("title: Asks before it looks", "title: Asks before it looks at {{ inputs.host }}")
    text = text.replace("ask: Was there a deployment?", "ask: Was {{ inputs.host }} deployed?")
    screen = terminal("run", shell.write("titled.yaml", text), "-s", "host=127.0.0.1", THE_TOKEN="abcdefgh")
    screen.until(r"Was 127\.0\.0\.1 deployed\? \(yes or no\)")
    screen.type("no\n")
    assert screen.end() == 1
    assert "Asks before it looks at 127.0.0.1" in screen.seen
    assert "Connect to 127.0.0.1" in screen.seen
    assert "{{" not in screen.seen


def test_a_dumb_terminal_gets_plain_lines(shell: Any, terminal: Any) -> None:
    file = shell.write("asking.yaml", ASKING)
    screen = terminal(
        "run", file, "-s", "host=127.0.0.1", "--answer", "deployed=no", THE_TOKEN="abcdefgh", TERM="dumb", NO_COLOR="1"
    )
    assert screen.end() == 1
    assert "port  started" in screen.seen
    assert "\x1b" not in screen.seen


def test_the_end_of_input_means_that_nobody_answers(shell: Any, terminal: Any) -> None:
    file = shell.write("asking.yaml", ASKING)
    screen = terminal("run", file, "-s", "host=127.0.0.1", THE_TOKEN="abcdefgh")
    screen.until(r"Was there a deployment\? \(yes or no\)")
    screen.type("\x04")
    screen.until("nobody answered")
    screen.end()


def test_ctrl_c_at_a_question_still_reports(shell: Any, terminal: Any) -> None:
    file = shell.write("asking.yaml", ASKING.replace("start: deployed", "start: [deployed, port]"))
    file_text = (
        (shell.folder / file)
        .read_text()
        .replace("finding: fresh, goto: port}", "finding: fresh}")
        .replace("{else: port}", "{else: end}")
    )
    shell.write(file, file_text)
    screen = terminal("run", file, "-s", "host=127.0.0.1", THE_TOKEN="abcdefgh")
    screen.until(r"Was there a deployment\? \(yes or no\)")
    screen.until("The port is closed")
    assert screen.interrupt_until_it_ends() == 130
    assert "interrupted" in screen.seen
