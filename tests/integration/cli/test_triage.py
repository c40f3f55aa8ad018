"""The command triage, as a person or a script starts it."""

import json
from collections.abc import Callable
from typing import Any

import pytest

POLICY = """policy: metrics
title: Ports
inputs:
  port: {{type: int, env: THE_PORT, default: {port}}}
  other: {{type: int, optional: true, env: OTHER_PORT}}
  slow: {{type: duration, default: 5s}}
metrics:
  connect:
    title: Time to connect
    probe: tcp.connect
    with: {{host: 127.0.0.1, port: "{{{{ inputs.port }}}}"}}
    metric: connect
    thresholds:
      - {{level: critical, above: inputs.slow, errors: refused, action: Start the server}}
    runbook: high-latency
  other:
    title: Time to connect to the other
    probe: tcp.connect
    with: {{host: 127.0.0.1, port: "{{{{ inputs.other }}}}"}}
    timeout: {timeout}
    metric: connect
    thresholds:
      - {{level: warning, above: 10s, action: Look at it}}
    runbook: high-latency
"""


@pytest.fixture
def policy(shell: Any) -> Callable[..., str]:
    def write(port: int, name: str = "ports.yaml", timeout: str = "10s") -> str:
        return str(shell.write(name, POLICY.format(port=port, timeout=timeout)))

    return write


def test_a_healthy_triage_ends_with_0_and_only_the_report_on_standard_output(
    shell: Any, policy: Callable[..., str], listening: int
) -> None:
    done = shell("triage", "--policy", policy(listening), "-s", f"other={listening}")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("✓ HEALTHY  Ports\n")
    assert "connect  started" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_a_metric_beyond_its_threshold_ends_with_1(
    shell: Any, policy: Callable[..., str], closed: int, listening: int
) -> None:
    done = shell("triage", "--policy", policy(closed), "-s", f"other={listening}", "-q")

    assert done.returncode == 1
    assert "critical  Start the server  high-latency" in done.stdout
    assert done.stderr == ""


def test_a_row_without_its_optional_input_is_not_asked_and_the_rest_decides(
    shell: Any, policy: Callable[..., str], listening: int
) -> None:
    done = shell("triage", "--policy", policy(listening), "-q", "--no-input")

    assert done.returncode == 0
    assert "unknown" not in done.stdout
    assert "not asked" in done.stdout.lower()
    assert "other" in done.stdout.lower().rpartition("not asked")[2]


def test_variables_give_inputs_their_values(
    shell: Any, policy: Callable[..., str], closed: int, listening: int
) -> None:
    done = shell("triage", "--policy", policy(closed), "-q", THE_PORT=str(listening), OTHER_PORT=str(listening))

    assert done.returncode == 0, done.stdout


def test_a_flag_moves_a_threshold(shell: Any, policy: Callable[..., str], listening: int) -> None:
    done = shell("triage", "--policy", policy(listening), "-s", f"other={listening}", "-s", "slow=1ns", "-q")

    assert done.returncode == 1
    assert "above 0.001 µs" in done.stdout


def test_ones_own_policy_directory_comes_before_the_shipped_one(
    shell: Any, policy: Callable[..., str], listening: int
) -> None:
    (shell.folder / "mine" / "policy").mkdir(parents=True)
    policy(listening, "mine/policy/metrics.yaml")

    done = shell("triage", "-q", "-s", f"other={listening}", RUNBOOK_PATH=str(shell.folder / "mine"))

    assert done.returncode == 0, done.stderr
    assert "HEALTHY  Ports" in done.stdout


def test_the_report_goes_to_a_file_in_the_format_of_its_name(
    shell: Any, policy: Callable[..., str], closed: int, listening: int
) -> None:
    done = shell("triage", "--policy", policy(closed), "-s", f"other={listening}", "-o", "triage.json")

    assert done.returncode == 1
    assert done.stdout == ""
    found = json.loads((shell.folder / "triage.json").read_text())
    assert [(each["step"], each["level"]) for each in found["metrics"]] == [("connect", "critical"), ("other", "ok")]


def test_a_recorded_triage_is_judged_again_offline(
    shell: Any, policy: Callable[..., str], closed: int, listening: int
) -> None:
    first = shell("triage", "--policy", policy(closed), "-s", f"other={listening}", "-q", "--record", "run.jsonl")

    again = shell("triage", "--replay", "run.jsonl")

    assert (again.returncode, again.stdout) == (first.returncode, first.stdout)


def test_what_was_recorded_cannot_be_changed(shell: Any, policy: Callable[..., str], listening: int) -> None:
    shell("triage", "--policy", policy(listening), "-q", "--record", "run.jsonl")

    for option in (("-s", "slow=1s"), ("--policy", "ports.yaml"), ("--deadline", "1s")):
        done = shell("triage", "--replay", "run.jsonl", *option)
        assert done.returncode == 2
        assert "cannot change what was recorded" in done.stderr


def test_the_recording_of_a_runbook_is_no_triage(shell: Any, port_runbook: Callable[..., str], listening: int) -> None:
    shell("run", port_runbook(listening), "--record", "run.jsonl")

    done = shell("triage", "--replay", "run.jsonl")

    assert done.returncode == 2
    assert "is a recording of 'port', not of 'triage'" in done.stderr


def test_a_deadline_ends_it_and_the_report_says_what_was_not_seen(
    shell: Any, policy: Callable[..., str], listening: int
) -> None:
    latency = """policy: metrics
title: Silent
metrics:
  response_time:
    title: Response time
    probe: http.latency
    with: {{url: "http://127.0.0.1:{port}/"}}
    timeout: 60s
    metric: p95
    thresholds: [{{level: warning, above: 500ms, action: Look}}]
    runbook: high-latency
"""
    shell.write("silent.yaml", latency.format(port=listening))

    done = shell("triage", "--policy", "silent.yaml", "--deadline", "300ms", "-q")

    assert done.returncode == 3
    assert "The run's deadline passed." in done.stdout
    assert "the run's own deadline passed first" in done.stdout


def test_the_history_shows_it_again(shell: Any, policy: Callable[..., str], closed: int, listening: int) -> None:
    first = shell("triage", "--policy", policy(closed), "-s", f"other={listening}", "-q")

    listed = json.loads(shell("history", "--runbook", "triage", "--format", "json").stdout)
    again = shell("history", listed[0]["run_id"])

    assert again.stdout == first.stdout


def test_a_policy_with_a_mistake_is_refused_with_its_place(shell: Any, policy: Callable[..., str], closed: int) -> None:
    file = policy(closed)
    (shell.folder / file).write_text((shell.folder / file).read_text().replace("metric: connect", "metric: conect", 1))

    done = shell("triage", "--policy", file)

    assert done.returncode == 78
    assert 'error[RB501]: the probe tcp.connect has no metric "conect"' in done.stderr
    assert 'did you mean "connect"?' in done.stderr


def test_check_looks_at_policies_too(shell: Any, policy: Callable[..., str], closed: int) -> None:
    file = policy(closed)

    assert shell("check", file).returncode == 0
    (shell.folder / file).write_text((shell.folder / file).read_text().replace("above: 10s", "above: 10%"))
    done = shell("check", ".")
    assert done.returncode == 78
    assert "connect is a duration, and 10% a percentage" in done.stdout


def test_the_schema_of_policies_is_printed(shell: Any, policy: Callable[..., str], closed: int) -> None:
    import jsonschema

    schema = json.loads(shell("schema", "policy").stdout)

    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["required"] == ["policy", "title", "metrics"]


def test_a_terminal_gets_colours_and_the_same_table(
    terminal: Callable[..., Any], policy: Callable[..., str], closed: int, listening: int
) -> None:
    started = terminal("triage", "--policy", policy(closed), "-s", f"other={listening}")

    assert started.end() == 1
    assert "\x1b[1;31mcritical" in started.seen
    assert "What to run next" in started.plain
