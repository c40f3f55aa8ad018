"""The commands of the page, pasted into a real shell."""

import subprocess
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "own_runbook" / "website-down.yaml"
RUNBOOK = """runbook: stand-ins
title: Values that are not known yet
inputs:
  url:  {type: url, env: SITE_URL}
  host: {type: string}
  port: {type: int}
start: first
steps:
  first:
    probe: http.get
    with: {url: "{{ inputs.url }}/health?a b=c"}
    extract: {next: {path: next, type: string}}
    branches: [{else: second}]
  second:
    probe: tcp.connect
    with: {host: "{{ inputs.host }}", port: "{{ inputs.port }}"}
    branches: [{else: third}]
  third:
    probe: tcp.connect
    with: {host: "{{ first.next }}", port: 1}
"""


def commands(page: str) -> list[str]:
    return [line.strip().removeprefix("$ ") for line in page.splitlines() if line.strip().startswith("$ ")]


def words(command: str, **variables: str) -> list[str]:
    """What a shell makes of a command, without running it."""
    program = f"printf '%s\\n' {command}"
    done = subprocess.run(["sh", "-c", program], capture_output=True, text=True, check=True, env=variables)
    return done.stdout.splitlines()


def test_a_shell_fills_in_the_variables_of_inputs_that_have_no_default(shell: Any) -> None:
    text = RUNBOOK.replace("?a b=c", "?a=b&c=d")
    first, second, third = commands(shell("show", shell.write("s.yaml", text)).stdout)
    assert words(first, SITE_URL="https://real.example")[-1] == "https://real.example/health?a=b&c=d"
    assert words(second, HOST="db with space", PORT="5432")[-2:] == ["db with space", "5432"]
    assert third.endswith("<first.next> 1")


def test_every_step_of_the_example_has_a_command(shell: Any) -> None:
    page = shell("show", str(EXAMPLE)).stdout
    assert "depends on the run" not in page
    assert words(commands(page)[0], WEBSITE_URL="https://real.example")[-1].rstrip("/") == "https://real.example"
    assert '"$WEBSITE_HOST" 443' in page


def test_a_question_is_no_command(shell: Any) -> None:
    page = shell("show", str(EXAMPLE)).stdout
    assert "? Was a new version deployed in the last hour?" in page
    assert not any("deployed" in each for each in commands(page))


def test_a_thing_asked_once_is_shown_once_and_its_answer_pointed_to(shell: Any) -> None:
    page = shell("show", "ecs-service").stdout
    assert page.count("$ aws ecs describe-services") == 1
    assert page.count("(the answer of step 1)") == 4


def test_a_step_with_one_way_goes_on_and_has_no_otherwise(shell: Any) -> None:
    page = shell("show", "high-error-rate").stdout
    recent = page[page.index("[deployment]") : page.index("[server_errors]")]
    assert "then: go on with server_errors" in recent
    assert recent.count("if it fails otherwise") == 1
    assert "else:" not in recent


def test_a_threshold_stands_beside_the_input_that_it_is_the_default_of(shell: Any) -> None:
    page = shell("show", "high-latency").stdout
    assert "if p95 > inputs.very_slow (1s): finding api_very_slow" in page
    assert "if p95 > inputs.slow (500ms): finding api_slow" in page


def test_steps_stand_in_the_order_of_the_document(shell: Any) -> None:
    page = shell("show", "tls-certificate").stdout
    places = [page.index(f"[{step}]") for step in ("dates", "name", "chain", "protocols", "acm")]
    assert places == sorted(places)


def test_what_wants_an_arn_or_a_duration_has_a_command_too(shell: Any) -> None:
    health, errors = (shell("show", name).stdout for name in ("system-health", "high-error-rate"))
    assert '$ aws elbv2 describe-target-health --target-group-arn "$TARGET_GROUP_ARN"' in health
    assert "date -d '<deployment.deployment_age> seconds ago'" in errors
    assert "depends on the run" not in health + errors


def test_the_page_says_by_which_alerts_the_runbook_is_triggered(shell: Any) -> None:
    shown = shell("show", "memory").stdout
    assert 'Triggers\n  - alert "MemoryHigh"\n' in shown
    assert '- alert "*", Namespace "AWS/ECS", MetricName "MemoryUtilization", of cloudwatch' in shown


CALLED = """runbook: called
title: The one that is called
inputs:
  host:   {type: string}
  token:  {type: secret, env: TOKEN}
  slow:   {type: duration, default: 1s}
  share:  {type: percent, default: 50%}
  name:   {type: string, default: a name}
  region: {type: string, default: here}
start: only
steps:
  only:
    probe: tcp.connect
    with: {host: "{{ inputs.host }}", port: 1}
"""
CALLING = """runbook: calling
title: The one that calls
inputs:
  server:    {type: string, env: SERVER}
  other_key: {type: secret, env: OTHER_TOKEN}
  slow:      {type: duration, default: 300ms}
  region:    {type: string, default: here}
start: below
steps:
  below:
    call: called
    with:
      host: "{{ inputs.server }}"
      token: "{{ inputs.other_key }}"
      share: 20%
      name: "it's at {{ inputs.region }}"
"""


def test_a_call_shows_the_command_with_the_inputs_that_it_hands_down(shell: Any) -> None:
    (shell.folder / "runbooks").mkdir()
    shell.write("runbooks/called.yaml", CALLED)
    (command,) = commands(shell("show", shell.write("runbooks/calling.yaml", CALLING)).stdout)
    assert words(command, SERVER="a b", OTHER_TOKEN="s3cret") == [
        "runbook",
        "run",
        "called",
        "-s",
        "host=a b",
        "-s",
        "token=s3cret",
        "-s",
        "slow=300ms",
        "-s",
        "share=20%",
        "-s",
        "name=it's at here",
    ]


def test_no_text_around_a_secret_that_is_handed_down_is_a_command_of_the_shell(shell: Any) -> None:
    (shell.folder / "runbooks").mkdir()
    shell.write("runbooks/called.yaml", CALLED)
    text = CALLING.replace('"{{ inputs.other_key }}"', """'a"; `echo owned` $(echo owned) {{ inputs.other_key }}!'""")
    (command,) = commands(shell("show", shell.write("runbooks/calling.yaml", text)).stdout)
    assert 'token=a"; `echo owned` $(echo owned) s3cret!' in words(command, SERVER="s", OTHER_TOKEN="s3cret")


def test_what_a_called_runbook_takes_by_itself_is_not_handed_down_in_its_command(shell: Any) -> None:
    """Every input of the shipped callers has the variable or the default that the called runbook has itself."""
    assert "$ runbook run redis-cache\n" in shell("show", "high-latency").stdout
