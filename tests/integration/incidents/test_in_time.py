"""Incidents as time passes: watching, reminders, summaries, clocks that go wrong, and completion."""

import re
import sqlite3
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from tests.integration.incidents.conftest import BEGIN, Desk, Endpoint, Mailbox

from runbook_engine.cli.app import app
from runbook_engine.cli.incident_command import SUMMARIES, command
from runbook_engine.incidents.messages import destinations
from runbook_engine.incidents.policy import load_policy
from runbook_engine.library import shipped_directory


def test_watching_says_what_comes_and_what_is_late_each_once(desk: Desk) -> None:
    desk("incident", "open", "Shop down", "-p", "P1")
    desk.clock.stop_after = 8
    seen = desk("incident", "watch", "--every", "10min", code=130)
    assert desk.clock.waits == [600.0] * 9
    assert seen.count("incident 1  P1 open: Shop down") == 1
    assert seen.count("overdue") == 1
    assert "overdue 10 min: acknowledge it: somebody is to be on a P1 by then" in seen
    assert "interrupted" in desk.err


def test_watching_sends_what_the_matrix_calls_for_as_time_passes(desk: Desk, endpoint: Endpoint) -> None:
    desk.patch.setenv("RUNBOOK_SLACK_URL", f"json://127.0.0.1:{endpoint.port}/")
    desk("incident", "open", "Shop down", "-p", "P0", "--send")
    desk.clock.stop_after = 13
    desk("incident", "watch", "--send", "--every", "10min", code=130)
    assert [str(each["title"]).removeprefix("[P0] Incident 1 ") for each in endpoint.bodies] == [
        "opened: Shop down",
        "escalated after 15 min without an end: Shop down",
        "escalated after 30 min without an end: Shop down",
        "escalated after 1 h without an end: Shop down",
        "escalated after 2 h without an end: Shop down",
    ]


def test_watching_once_is_for_cron(desk: Desk) -> None:
    assert desk("incident", "watch", "--once") == "no incident is open\n"
    desk("incident", "open", "Shop down", "-p", "P0")
    seen = desk.minutes(31, "incident", "watch", "--once")
    assert "overdue 1 min: tell those who wait how it stands: runbook incident update" in seen
    assert desk.clock.waits == []


def test_watching_ends_with_the_incident(desk: Desk) -> None:
    desk("incident", "open", "Shop down", "-p", "P3")
    desk("incident", "resolve")
    desk("incident", "close")
    assert "incident 1  P3 closed" in desk("incident", "watch", "-i", "1")
    refused = desk("incident", "watch", "--every", "fast", code=2)
    assert (refused, "--every" in desk.err) == ("", True)


def test_a_summary_of_whole_days_goes_out_once(desk: Desk, mailbox: Mailbox) -> None:
    desk.patch.setenv("RUNBOOK_EMAIL_URL", f"mailto://127.0.0.1:{mailbox.port}/?from=a@example.com&to=all@example.com")
    desk("incident", "open", "Shop down", "-p", "P0")
    desk.minutes(45, "incident", "resolve")
    desk.minutes(50, "incident", "open", "A typo", "-p", "P3")
    shown = desk.minutes(24 * 60, "incident", "summary")
    assert shown.startswith("Incidents of 2026-11-18: 2 opened, 1 resolved, 1 open\n")
    assert "  1  P0  Shop down (resolved after 45 min)" in shown
    assert "sent" not in desk.err
    assert mailbox.got == []
    for _ in range(2):
        desk("incident", "summary", "--send")
    assert "sent by Email already; --again sends it once more" in desk.err
    (to, told) = mailbox.got[0]
    assert (len(mailbox.got), to) == (1, ["all@example.com"])
    assert told["Subject"] == "Incidents of 2026-11-18: 2 opened, 1 resolved, 1 open"
    desk("incident", "summary", "--send", "--again")
    desk("incident", "summary", "--send", "--days", "7")
    assert len(mailbox.got) == 3


def test_a_summary_that_surely_did_not_go_out_is_sent_by_the_next(desk: Desk, mailbox: Mailbox) -> None:
    desk.patch.setenv("RUNBOOK_EMAIL_URL", f"mailto://127.0.0.1:{mailbox.port}/?from=a@example.com&to=all@example.com")
    mailbox.refusals = ["451 try later"]
    desk("incident", "summary", "--send", code=1)
    assert "not sent by Email" in desk.err
    desk("incident", "summary", "--send")
    assert len(mailbox.got) == 1
    desk.patch.delenv("RUNBOOK_EMAIL_URL")
    desk("incident", "summary", "--send", "--days", "3", code=1)
    assert "$RUNBOOK_EMAIL_URL is not set" in desk.err


def test_a_clock_that_goes_back_loses_nothing_and_is_told(desk: Desk) -> None:
    desk("incident", "open", "Shop down", "-p", "P0")
    desk.minutes(10, "incident", "note", "Later")
    shown = desk.minutes(-300, "incident", "note", "Earlier, by this clock")
    assert "warning: this machine's clock is 18600 s behind the last event" in desk.err
    assert "open for 10 min" in shown
    assert "Earlier, by this clock" in desk("incident", "show")
    assert "waiting" in desk("incident", "messages")


@pytest.mark.parametrize(
    ("typed", "beginning", "offered"),
    [
        (["incident", "assign"], "te", {"technical_lead", "team_lead"}),
        (["incident", "escalate", "--to"], "ct", {"cto"}),
        (
            ["incident", "done"],
            "update",
            {"update_status_page", "update_every_30_minutes", "update_status_page_resolved"},
        ),
        (["incident", "messages"], "0/", {"0/pagerduty", "0/sms", "0/slack"}),
        (["incident", "playbook"], "sec", {"security-incident"}),
        (["incident", "tell", "customers", "x", "--channel"], "status", {"status_page"}),
        (["incident", "show", "--incident"], "", {"1"}),
        (["incident", "tell"], "cu", {"customers"}),
    ],
)
def test_names_of_an_incident_are_completed(desk: Desk, typed: list[str], beginning: str, offered: set[str]) -> None:
    desk("incident", "open", "Shop down", "-p", "P0")
    found = ShellComplete(app, {}, "runbook", "_RUNBOOK_COMPLETE").get_completions(typed, beginning)
    assert {each.value for each in found} == offered


def test_where_there_is_no_incident_completion_is_silent(desk: Desk) -> None:
    assert ShellComplete(app, {}, "runbook", "_RUNBOOK_COMPLETE").get_completions(["incident", "done"], "") == []
    assert desk.clock.at == BEGIN


def test_the_playbooks_that_there_are_are_listed(desk: Desk) -> None:
    assert desk("incident", "playbook").splitlines() == [
        "p0-critical        P0 Critical Incident Playbook (P0)",
        "security-incident  Security Incident Playbook",
    ]


@pytest.mark.parametrize(("there", "gone"), [('"acknowledgement"', '"acknowledgment"'), ('"phases"', '"fases"')])
def test_what_another_version_wrote_is_told_and_nothing_breaks(
    desk: Desk, tmp_path: Path, there: str, gone: str
) -> None:
    desk("incident", "open", "Shop down", "-p", "P0")
    with sqlite3.connect(tmp_path / "state" / "journal.sqlite3") as connection:
        connection.execute("update incident_events set event = replace(event, ?, ?)", (there, gone))
    connection.close()
    desk("incident", "show", code=2)
    assert "cannot be read by this version of runbook-engine" in desk.err
    assert "use the version that opened it" in desk.err


def test_every_command_is_listed_with_what_it_is_for_on_a_narrow_terminal(desk: Desk) -> None:
    desk.patch.setenv("COLUMNS", "72")
    shown = desk("incident", "--help")
    assert set(SUMMARIES) == set(command.commands)
    assert all(re.search(rf"^  {name} +{re.escape(text)}$", shown, re.MULTILINE) for name, text in SUMMARIES.items())


def test_who_opens_an_incident_is_told_whose_policy_counts(desk: Desk, tmp_path: Path) -> None:
    desk("incident", "open", "Shop down", "-p", "P0")
    assert "policy incidents: the shipped file " in desk.err
    own = tmp_path / "runbooks" / "policy" / "incidents.yaml"
    own.parent.mkdir(parents=True)
    own.write_text((shipped_directory() / "policy" / "incidents.yaml").read_text())
    desk("incident", "open", "Shop slow", "-p", "P1")
    assert "policy incidents: runbooks/policy/incidents.yaml\n" in desk.err


def test_nobodys_address_is_shipped() -> None:
    policy = load_policy(shipped_directory() / "policy" / "incidents.yaml")
    told = [destination.recipient for destination in destinations(policy).values()]
    assert not any(told)
    assert not any("@" in each.address for each in (*policy.communication.external, *policy.communication.regulatory))
