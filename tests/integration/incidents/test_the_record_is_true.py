"""The record says who was told only where a message was delivered, and says what was not."""

import json
import sqlite3
from pathlib import Path

import pytest
from tests.integration.incidents.conftest import Desk, Endpoint, Mailbox


@pytest.fixture
def slack(desk: Desk, endpoint: Endpoint) -> Endpoint:
    desk.patch.setenv("RUNBOOK_SLACK_URL", f"json://127.0.0.1:{endpoint.port}/")
    return endpoint


def test_without_a_delivery_nobody_was_told(desk: Desk) -> None:
    desk("incident", "open", "Shop down", "-p", "P0")
    shown = desk.minutes(10, "incident", "update", "We roll back")
    assert "ann wrote an update, not sent yet: We roll back" in shown
    assert "told those who wait:" not in shown
    assert "nobody was told: 4 messages wait to be sent" in desk.err
    assert "0 in time, 1 missed; longest silence 40 min" in desk.minutes(40, "incident", "postmortem")
    assert "how long it hurt is not known yet, how long it lasted is not known yet" in desk("incident", "postmortem")
    assert "send those who wait the update that is written: runbook incident messages --send" in desk(
        "incident", "show"
    )


def test_a_delivery_tells_them_and_counts_from_then_on(desk: Desk, slack: Endpoint) -> None:
    desk("incident", "open", "Shop down", "-p", "P0", "--send")
    desk.minutes(10, "incident", "update", "We roll back")
    shown = desk.minutes(25, "incident", "messages", "--send") + desk("incident", "show")
    assert "ann told those who wait: We roll back" in shown
    assert "in 30 min         tell those who wait how it stands" in shown
    assert "1 in time, 0 missed; longest silence 25 min" in desk.minutes(26, "incident", "postmortem")
    assert "[P0] Incident 1 update: Shop down" in [each["title"] for each in slack.bodies]


def test_what_waits_is_the_first_line_of_the_incident(desk: Desk, slack: Endpoint) -> None:
    opened = desk("incident", "open", "Shop down", "-p", "P0")
    waiting = (
        "3 messages wait to be sent: opened (PagerDuty, SMS, Slack) (runbook incident messages --incident 1 --send)"
    )
    assert opened.splitlines()[0] == waiting
    assert desk("incident", "show").splitlines()[0] == waiting
    assert "(3 messages not sent)" in desk("incident", "list")
    assert waiting in desk("incident", "show", "--format", "html")
    assert f"incident 1  {waiting}" in desk("incident", "watch", "--once")
    found = json.loads(desk("incident", "show", "--format", "json"))["not_sent"]
    assert [(each["key"], each["state"]) for each in found] == [
        ("0/pagerduty", "waiting"),
        ("0/sms", "waiting"),
        ("0/slack", "waiting"),
    ]
    slack.usual = 400
    desk("incident", "messages", "0/slack", "--send", code=1)
    assert "; 1 given up: opened (Slack) (" in desk("incident", "show").splitlines()[0]
    desk("incident", "messages", "0/pagerduty", "0/sms", "0/slack", "--by-hand")
    assert desk("incident", "show").splitlines()[0] == "Incident 1  P0 Critical  open for 0 s"


def test_what_was_never_sent_is_said_where_it_became_too_late_and_in_the_postmortem(
    desk: Desk, slack: Endpoint
) -> None:
    desk("incident", "open", "Shop down", "-p", "P0")
    desk.minutes(20, "incident", "messages", "0/slack", "--send")
    shown = desk.minutes(30, "incident", "resolve", "Rolled back")
    never = "never sent: opened (PagerDuty, SMS), escalated after 15 min (PagerDuty, SMS, Slack)"
    assert f"ann resolved it: Rolled back; {never}" in shown
    postmortem = " ".join(desk("incident", "postmortem", "--names").split())
    assert f"ann resolved it: Rolled back; {never}" in postmortem
    assert (
        "Messages 1 sent; not sent yet: resolved (Slack); never sent: opened (PagerDuty, SMS), escalated" in postmortem
    )
    part = json.loads(desk("incident", "postmortem", "--format", "json"))["response"]["messages"]
    assert (part["sent"], part["waiting"]) == (1, ["resolved (Slack)"])
    assert "opened (PagerDuty, SMS)" in part["never_sent"]


def test_what_somebody_drops_or_tells_by_hand_is_in_the_timeline(desk: Desk) -> None:
    desk("incident", "open", "Shop down", "-p", "P1")
    desk("incident", "update", "We look")
    desk("incident", "messages", "0/sms", "--drop", "--because", "no number")
    desk("incident", "messages", "1/slack", "--by-hand", "--by", "bob")
    shown = desk("incident", "show")
    assert "Message 0/sms is not sent any more: no number" in shown
    assert "bob told by hand what message 1/slack says" in shown
    assert "ann told those who wait: We look" in shown
    assert "Message 0/sms is not sent any more: no number" in desk("incident", "postmortem")
    desk("incident", "messages", "1/slack", "--by-hand", code=2)
    assert "1/slack was sent already" in desk.err
    desk("incident", "messages", "0/slack", "--by-hand", "--drop", code=2)
    assert "either sent again, told by hand or dropped" in desk.err


def test_an_update_for_others_is_told_when_it_reaches_them(desk: Desk, slack: Endpoint) -> None:
    desk("incident", "open", "Shop down", "-p", "P0", "--send")
    written = desk("incident", "update", "We look", "--tell", "customers")
    assert "ann wrote to customers, not sent yet: We look" in written
    desk.patch.setenv("RUNBOOK_STATUS_PAGE_URL", f"json://127.0.0.1:{slack.port}/status")
    desk("incident", "messages", "--send")
    assert "ann told customers: We look" in desk("incident", "show")


def test_a_task_that_is_a_message_is_done_when_it_is_delivered(desk: Desk, slack: Endpoint) -> None:
    desk("incident", "open", "Shop down", "-p", "P0")
    shown = desk("incident", "done", "update_status_page")
    assert "ann did p0-critical/update_status_page, not sent yet" in shown
    listed = desk("incident", "tasks")
    assert "[x] update_status_page: Update status page (Communications Lead, done by ann, not sent)" in listed
    tasks = json.loads(desk("incident", "postmortem", "--format", "json"))["response"]["tasks"]
    assert (tasks["in_time"], tasks["untold"]) == (1, 1)
    desk.patch.setenv("RUNBOOK_STATUS_PAGE_URL", f"json://127.0.0.1:{slack.port}/status")
    desk("incident", "messages", "--send")
    tasks = json.loads(desk("incident", "postmortem", "--format", "json"))["response"]["tasks"]
    assert (tasks["in_time"], tasks["untold"]) == (1, 0)
    assert "not sent)" not in desk("incident", "tasks")


def test_a_summary_of_which_nobody_knows_whether_it_was_sent_is_not_called_sent(
    desk: Desk, mailbox: Mailbox, tmp_path: Path
) -> None:
    desk.patch.setenv("RUNBOOK_EMAIL_URL", f"mailto://127.0.0.1:{mailbox.port}/?from=a@example.com&to=all@example.com")
    desk("incident", "summary", "--send")
    with sqlite3.connect(tmp_path / "state" / "journal.sqlite3") as journal:
        # As whoever was killed while sending leaves it.
        journal.execute("update incident_summaries set sent_at = null")
    journal.close()
    desk("incident", "summary", "--send", code=1)
    assert "nobody knows whether it was sent by Email" in desk.err
    assert "sent by Email already" not in desk.err
