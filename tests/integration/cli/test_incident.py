"""``runbook incident``, as responders type it."""

import hashlib
import json
from typing import Any

import pytest


def test_an_incident_is_led_from_its_opening_to_its_end(shell: Any) -> None:
    opened = shell("incident", "open", "Checkout answers with errors", "--answer", "payment=yes", "--by", "ann")
    assert opened.returncode == 0, opened.stderr
    assert "Incident 1  P1 High  open for 0 s" in opened.stdout
    assert "payment issues" in opened.stdout
    assert "Technical Lead  not assigned, at once, +1-555-TECH-LEAD" in opened.stdout
    assert "#incident-2" in opened.stdout
    steps = (
        (("assign", "technical_lead", "bob"), "bob, at once"),
        (("ack", "--by", "bob", "--for", "20min"), "On it    bob; the escalation is held for 20 min more"),
        (("priority", "P0", "--because", "nobody can buy"), "Incident 1  P0 Critical"),
        (("escalate", "--to", "cto", "--because", "press"), "CTO "),
        (("note", "rolled back, dsn postgres://ann:hunter2@db/shop"), "ann:***@db"),
        (("update", "We roll back"), "wrote an update, not sent yet: We roll back"),
        (("mitigate", "Rolled back"), "mitigated after"),
        (("resolve",), "meet for the postmortem"),
        (("close",), "closed after"),
    )
    for arguments, says in steps:
        done = shell("incident", *arguments)
        assert done.returncode == 0, done.stderr
        assert says in done.stdout
        assert "hunter2" not in done.stdout
    assert shell("incident", "list").stderr == "no incident is open\n"
    assert "1  P0  closed" in shell("incident", "list", "--all").stdout
    told = json.loads(shell("incident", "show", "-i", "1", "--format", "json").stdout)
    assert [each["event"] for each in told["events"]] == [
        "opened", "role_assigned", "acknowledged", "priority_changed", "playbook_started", "escalated", "noted", "status_updated", "mitigated",
        "resolved", "closed",
    ]  # fmt: skip
    assert b"hunter2" not in (shell.folder / "home/.local/state/runbook/journal.sqlite3").read_bytes()


def test_a_run_says_how_bad_it_is_and_is_attached(shell: Any) -> None:
    shell.write(
        "down.yaml",
        "runbook: down\ntitle: Is it up?\nstart: port\nsteps:\n  port:\n    probe: tcp.connect\n"
        "    with: {host: 127.0.0.1, port: 1}\n    on_error: [{kind: refused, finding: api_down}]\n"
        "findings:\n  api_down: {level: critical, title: The API is down, resolution: up}\n"
        "resolutions:\n  up: {title: Start it, steps: [Start it]}\n",
    )
    assert shell("run", "down.yaml", "--no-input").returncode == 1
    (run,) = json.loads(shell("history", "--format", "json").stdout)
    assert "P0 Critical" in shell("incident", "classify", "--run", run["run_id"]).stdout
    opened = shell("incident", "open", "Shop down", "--run", run["run_id"][:10])
    assert opened.returncode == 0, opened.stderr
    assert "Incident 1  P0 Critical" in opened.stdout
    assert "critical: The API is down" in opened.stdout
    again = shell("incident", "attach", run["run_id"])
    assert again.stdout.count("down: critical") == 1


def test_a_runbook_that_is_run_in_an_incident_does_its_task(shell: Any) -> None:
    (shell.folder / "runbooks").mkdir()
    shell.write(
        "runbooks/system-health.yaml",
        "runbook: system-health\ntitle: Is it up?\nstart: port\nsteps:\n  port:\n    probe: tcp.connect\n"
        "    with: {host: 127.0.0.1, port: 1}\n    on_error: [{kind: refused, finding: down}]\n"
        "findings:\n  down: {level: critical, title: The port is closed, resolution: up}\n"
        "resolutions:\n  up: {title: Start it, steps: [Start it]}\n",
    )
    shell("incident", "open", "All down", "-p", "P0")
    ran = shell("incident", "run", "system-health", "--task", "begin_investigation", "--no-input")
    assert ran.returncode == 1, ran.stderr
    assert "The port is closed" in ran.stdout
    assert "attached to incident 1" in ran.stderr
    assert "[x] begin_investigation" in shell("incident", "tasks").stdout
    assert shell("incident", "run", "system-health", "--no-input").returncode == 1
    listed = shell("incident", "tasks").stdout
    assert "[x] verify_recovery: Verify system recovery (Technical Lead, done by" in listed
    assert shell("incident", "show").stdout.count("system-health: critical (run ") == 2
    assert shell("incident", "run", "system-health", "--task", "nothing").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["show"], "no incident is open; open one: runbook incident open TITLE"),
        (["show", "-i", "7"], "there is no incident 7"),
        (["open", "Shop down", "--no-input"], "give --priority, --answer FACT=VALUE or --run RUN"),
        (["classify", "--answer", "outage"], "has no value; write outage=yes"),
        (["classify", "--answer", "outrage=yes"], 'did you mean "outage"'),
        (["open", "Shop down", "--run", "nothing"], "no run begins with 'nothing'"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_next_step(arguments: list[str], says: str, shell: Any) -> None:
    done = shell("incident", *arguments)
    assert done.returncode == 2
    assert says in done.stderr.replace("'outage'", '"outage"')
    assert done.stdout == ""


def test_with_several_open_incidents_one_must_be_named(shell: Any) -> None:
    for title in ("One", "Two\x1b[31m\nIncident 9"):
        assert shell("incident", "open", title, "-p", "P2").returncode == 0
    done = shell("incident", "ack")
    assert done.returncode == 2
    assert "several incidents are not closed (2, 1); say which with --incident NUMBER" in done.stderr
    listed = shell("incident", "list")
    assert "\x1b" not in listed.stdout
    assert len(listed.stdout.splitlines()) == 2


def test_on_a_terminal_it_is_asked_until_a_rule_decides(terminal: Any) -> None:
    screen = terminal("incident", "classify")
    screen.until("Is the system down")
    screen.type("perhaps\n")
    screen.until("write yes, no or unsure")
    screen.type("no\n")
    screen.until("Is data lost")
    screen.type("no\n")
    screen.until("Has anybody seen")
    screen.type("\n")
    screen.until("the higher priority counts")
    assert screen.end(10.0) == 0
    assert "P0 Critical" in screen.seen


def test_a_p0_is_led_by_its_playbook_and_resumed_on_another_terminal(shell: Any) -> None:
    assert shell("incident", "open", "All down", "-p", "P0", "--by", "ann").returncode == 0
    listed = shell("incident", "tasks").stdout
    assert "Immediate Actions (p0-critical)\n  Acknowledge and Assess\n    [ ] confirm_severity" in listed
    assert "runbook incident run system-health" in listed
    assert shell("incident", "done", "confirm_severity", "all fail", "--by", "ann").returncode == 0
    assert shell("incident", "skip", "scale_resources", "--by", "bob").returncode == 0
    listed = shell("incident", "tasks").stdout
    assert "[x] confirm_severity: Confirm incident severity (Incident Commander, done by ann: all fail)" in listed
    assert "[-] scale_resources" in listed
    assert shell("incident", "playbook", "security-incident").returncode == 0
    shell.write("run.recording", "recorded\n")
    refused = shell("incident", "done", "preserve_evidence")
    assert refused.returncode == 2
    kept = shell("incident", "evidence", "run.recording", "--task", "preserve_evidence")
    assert hashlib.sha256(b"recorded\n").hexdigest()[:16] in kept.stdout
    assert shell("incident", "done", "preserve_evidence").returncode == 0
    unknown = shell("incident", "playbook", "security-incidnet")
    assert unknown.returncode == 2
    assert "did you mean" in unknown.stderr


def test_a_raised_priority_brings_its_playbook(shell: Any) -> None:
    shell("incident", "open", "Slow", "-p", "P2")
    assert "no playbook is followed" in shell("incident", "tasks").stdout
    assert (
        "began to follow the playbook p0-critical" in shell("incident", "priority", "P0", "--because", "worse").stdout
    )


def test_messages_are_shown_and_sent_only_when_somebody_says_so(shell: Any) -> None:
    opened = shell("incident", "open", "Shop down", "-p", "P0")
    assert "3 messages wait to be sent: runbook incident messages --incident 1" in opened.stderr
    shown = shell("incident", "messages")
    assert "0/slack  opened for internal, by Slack: waiting\n    [P0] Incident 1 opened: Shop down\n" in shown.stdout
    assert "nothing was sent; --send sends what waits" in shown.stderr
    sent = shell("incident", "update", "We roll back", "--tell", "customers", "--send", RUNBOOK_SLACK_URL="nonsense")
    assert sent.returncode == 1
    assert "not sent 0/sms (SMS): $RUNBOOK_SMS_URL is not set" in sent.stderr
    assert "not sent 2/slack (Slack): $RUNBOOK_SLACK_URL is no address of a service" in sent.stderr
    assert shell("incident", "messages", "0/slack", "--drop", "--because", "So and so").returncode == 0
    assert "0/slack" not in shell("incident", "messages").stdout
    found = {
        each["key"]: each for each in json.loads(shell("incident", "messages", "--all", "--format", "json").stdout)
    }
    assert (found["0/slack"]["state"], found["2/slack"]["state"]) == ("dropped", "waiting")
    assert "We roll back" in found["3/status_page"]["body"]
    unknown = shell("incident", "messages", "0/slak", "--again")
    assert (unknown.returncode, 'did you mean "0/slack"' in unknown.stderr) == (2, True)


def test_nobody_can_be_told_what_is_not_so(shell: Any) -> None:
    shell("incident", "open", "Shop down", "-p", "P0")
    told = shell("incident", "tell", "customers", "--message", "resolved")
    assert (told.returncode, "incident 1 is not resolved; nobody can be told so" in told.stderr) == (2, True)
    assert "give a TEXT" in shell("incident", "tell", "customers").stderr


def test_signs_that_cannot_be_written_down_are_made_visible(shell: Any) -> None:
    strange = b"caf\xe9 \x1b[2J\xe2\x80\xae".decode("utf-8", "surrogateescape")
    (shell.folder / strange.replace("/", "")).write_text("x")
    for arguments in (
        ("open", strange, "-p", "P3", "--by", strange, "--description", strange),
        ("update", strange),
        ("tell", "customers", strange),
        ("evidence", strange, "--note", strange),
        ("assign", "cto", strange),
        ("remark", "lesson", strange),
        ("actions", "add", strange, "--owner", strange, "--link", strange),
        ("mitigate", strange),
        ("resolve", strange),
        ("meeting", "--place", strange, "--invite", strange),
        ("postmortem", "--format", "html"),
        ("postmortem", "--format", "ics"),
        ("messages", "--all"),
    ):
        done = shell("incident", *arguments)
        assert done.returncode == 0, (arguments[0], done.stderr)
        assert "\x1b" not in done.stdout
    assert "caf\ufffd ␛[2J⟨U+202E⟩" in shell("incident", "show").stdout
