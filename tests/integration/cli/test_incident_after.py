"""What is learned from an incident, as people type it."""

import csv
import json
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import jsonschema
import pytest

from runbook_engine.document.models import Severity
from runbook_engine.incidents import acting
from runbook_engine.incidents.policy import load_policy
from runbook_engine.incidents.store import IncidentStore

CLOSED = ("-i", "1")
JOURNAL = "home/.local/state/runbook/journal.sqlite3"


@pytest.fixture
def closed(shell: Any) -> Any:
    """The command, with a P1 that was led to its end."""
    now = time.time()
    with IncidentStore(shell.folder / JOURNAL) as store:
        store.open(acting.opening(load_policy(), "Checkout answers with errors", Severity.P1, now - 60, "ann"))
        for decide in (
            acting.assign(now - 50, "ann", "technical_lead", "bob"),
            acting.acknowledge(now - 40, "bob"),
            acting.resolve(now - 30, "bob", "Rolled back"),
            acting.close(now - 20, "ann"),
        ):
            store.act(1, decide)
    return lambda *arguments: shell("incident", *arguments)


def test_a_postmortem_is_written_from_what_was_said_in_every_format(closed: Any, shell: Any) -> None:
    said = closed("remark", "impact", "Nobody could pay, dsn postgres://ann:hunter2@db/shop", *CLOSED)
    assert said.stdout == "kept for the postmortem of incident 1: impact\n"
    assert closed("pin", "2", "--remove", *CLOSED).stdout.endswith("leaves out event 2\n")
    text = closed("postmortem", *CLOSED).stdout
    assert "Nobody could pay, dsn postgres://ann:***@db/shop" in text
    assert "Technical Lead resolved it: Rolled back" in text
    assert "acknowledged it" not in text
    assert "bob resolved it: Rolled back" in closed("postmortem", "--names", *CLOSED).stdout
    assert closed("postmortem", "--format", "markdown", *CLOSED).stdout.startswith("# Postmortem of incident 1: ")
    document = json.loads(closed("postmortem", "--format", "json", *CLOSED).stdout)
    jsonschema.Draft202012Validator(json.loads(shell("schema", "postmortem").stdout)).validate(document)
    written = closed("postmortem", "--format", "html", "-o", "pm.html", *CLOSED)
    assert (written.returncode, written.stdout, written.stderr) == (0, "", "the postmortem written to pm.html\n")
    assert "Nobody could pay" in (shell.folder / "pm.html").read_text("utf-8")
    assert b"hunter2" not in (shell.folder / JOURNAL).read_bytes()


def test_the_meeting_goes_into_a_calendar(closed: Any, shell: Any) -> None:
    missing = closed("postmortem", "--format", "ics", *CLOSED)
    assert missing.returncode == 2
    assert "schedule it: runbook incident meeting -i 1" in missing.stderr
    begins = (datetime.now(UTC) + timedelta(hours=3)).replace(minute=0, second=0, microsecond=0)
    done = closed(
        "meeting", "--at", begins.strftime("%Y-%m-%d %H:%M"), "--place", "Room 1", "--invite", "a@example.com", *CLOSED
    )
    assert done.returncode == 0, done.stderr
    assert f"{begins:%Y-%m-%d %H:%M} UTC, 60 minutes, Room 1\nwith bob, ann" in done.stdout
    assert closed("postmortem", "--format", "ics", "-o", "meeting.ics", *CLOSED).returncode == 0
    (event,) = icalendar.Calendar.from_ical((shell.folder / "meeting.ics").read_bytes()).walk("VEVENT")
    assert event.decoded("dtstart") == begins
    assert str(event["attendee"]) == "mailto:a@example.com"


def test_actions_are_added_listed_and_done_when_all_is_closed(closed: Any, shell: Any) -> None:
    today = datetime.now(UTC).date()
    added = closed("actions", "add", "=Alert on errors", "--owner", "ann", "--horizon", "immediate", *CLOSED)
    assert added.stdout == f"open  {today + timedelta(days=7)}  1/1  ann  =Alert on errors\n"
    asked = closed("actions", "documentation", "--owner", "bob", *CLOSED)
    assert [line.split("bob  ")[1] for line in asked.stdout.splitlines()] == [
        "Update troubleshooting guides", "Revise monitoring thresholds", "Improve alerting rules",
        "Enhance automation scripts",
    ]  # fmt: skip
    assert closed("actions", "documentation", "--owner", "bob", *CLOSED).stdout == asked.stdout
    assert len(closed("actions", "list").stdout.splitlines()) == 5
    assert closed("actions", "done", "1", "in place", *CLOSED).stdout.startswith("done  ")
    assert len(closed("actions", "list").stdout.splitlines()) == 4
    assert closed("actions", "list", "--all", "--format", "csv", "-o", "actions.csv").returncode == 0
    with (shell.folder / "actions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["state"], row["title"], row["note"]) for row in rows][-1] == ("done", "'=Alert on errors", "in place")
    assert b"\r\r" not in (shell.folder / "actions.csv").read_bytes()
    assert json.loads(closed("actions", "list", "--format", "json").stdout)[0]["incident"] == 1


def test_overdue_actions_of_closed_incidents_come_first_and_are_called_so(closed: Any, shell: Any) -> None:
    for horizon in ("immediate", "long_term"):
        assert (
            closed("actions", "add", f"Do {horizon}", "--owner", "ann", "--horizon", horizon, *CLOSED).returncode == 0
        )
    late = (datetime.now(UTC) - timedelta(days=3)).date()
    with sqlite3.connect(shell.folder / JOURNAL) as connection:
        connection.execute(
            "update incident_events set event = json_set(event, '$.due', ?) where json_extract(event, '$.action') = 1",
            (str(late),),
        )
    connection.close()
    listed = closed("actions", "list")
    assert listed.stdout.splitlines()[0] == f"OVERDUE 3 d  {late}  1/1  ann  Do immediate"
    assert "1 overdue; when one is done: runbook incident actions done NUMBER" in listed.stderr


def test_statistics_are_told_as_text_json_and_csv(closed: Any) -> None:
    text = closed("stats").stdout
    assert "1 incident opened from" in text
    assert "MTTA" in text
    assert json.loads(closed("stats", "--format", "json").stdout)["groups"][0]["resolve"]["n"] == 1
    assert closed("stats", "--format", "csv", "--months", "1").stdout.startswith("by,name,incidents,acknowledge_n")


def test_the_page_of_an_incident_is_written(closed: Any, shell: Any) -> None:
    assert closed("show", "--format", "html", "-o", "incident.html", *CLOSED).returncode == 0
    assert "bob resolved it: Rolled back" in (shell.folder / "incident.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (
            ["postmortem"],
            "no incident is open; open one: runbook incident open TITLE, or name a closed one with --incident",
        ),
        (["postmortem", *CLOSED, "-o", "nowhere/pm.html"], "the postmortem cannot be written to nowhere/pm.html"),
        (["remark", "lessons", "x", *CLOSED], "'lessons' is not one of"),
        (["pin", "77", *CLOSED], "has no event 77; they are numbered 0 to"),
        (["meeting", "--at", "tomorrow", *CLOSED], "write for example '2026-11-25 10:00'"),
        (["meeting", "--at", "2026-11-25", *CLOSED], "write for example '2026-11-25 10:00'"),
        (["meeting", "--at", "2020-01-01 10:00", *CLOSED], "lies in the past"),
        (["meeting", "--at", "2199-01-01 10:00", *CLOSED], "or say why it is later with --late-because"),
        (
            ["meeting", "--at", "2199-01-01 10:00", "--minutes", "5", *CLOSED],
            "the policy wants 60 to 90 minutes, not 5",
        ),
        (["actions", "add", "x", *CLOSED], "Missing option '--owner'"),
        (["actions", "add", "x", "--owner", "ann", "--due", "soon", *CLOSED], "write for example 2026-11-30"),
        (["actions", "add", "x", "--owner", "ann", "--due", "2199-01-01", *CLOSED], "is not in the horizon Short-term"),
        (["actions", "done", "9", *CLOSED], "has no action 9, it has none"),
    ],
)
def test_what_cannot_be_done_afterwards_is_refused_with_the_next_step(
    arguments: list[str], says: str, closed: Any
) -> None:
    done = closed(*arguments)
    assert done.returncode == 2
    assert says in " ".join(done.stderr.split())
    assert done.stdout == ""


def test_where_there_is_nothing_it_is_said(shell: Any) -> None:
    assert shell("incident", "actions", "list").stderr == "no action is open\n"
    nothing = shell("incident", "stats")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert nothing.stderr == "no incident was opened in the last 3 months; open one: runbook incident open TITLE\n"
