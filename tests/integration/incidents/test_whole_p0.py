"""A whole P0: from the alert to the last action item; once on a clock of its own, and once killed at every commit."""

import csv
import io
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import icalendar
import pytest
from tests.integration.incidents import play
from tests.integration.incidents.conftest import Desk, Endpoint, Mailbox

from runbook_engine.incidents import events as e
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.store import IncidentStore

ROOT = Path(__file__).resolve().parents[3]
KEY = "R0123456789ABCDEF0123456789ABCDE"
CALLED = {
    0: ["Incident Commander"],
    15: ["Technical Lead", "Security Lead"],
    30: ["Engineering Manager"],
    60: ["VP Engineering"],
    120: ["CTO"],
}


def variables(endpoint: Endpoint, mailbox: Mailbox) -> dict[str, str]:
    base = f"127.0.0.1:{endpoint.port}"
    return {
        "RUNBOOK_PAGERDUTY_KEY": f"http://{KEY}@{base}/v2/enqueue",
        "RUNBOOK_SLACK_URL": f"json://{base}/slack",
        "RUNBOOK_STATUS_PAGE_URL": f"json://{base}/status",
        "RUNBOOK_EMAIL_URL": f"mailto://127.0.0.1:{mailbox.port}/?from=runbook@example.com&to=all@example.com",
        "RUNBOOK_SUPPORT_EMAIL_URL": f"mailto://127.0.0.1:{mailbox.port}/?from=runbook@example.com&to=support@example.com",
    }


def told_at(endpoint: Endpoint, path: str) -> list[str]:
    return [str(body.get("title")) for where, body, _ in endpoint.got if where == path]


def shown(desk: Desk) -> Any:
    return json.loads(desk("incident", "show", "-i", "1", "--format", "json"))


def test_a_whole_p0_is_led_from_the_alert_to_the_last_action(
    desk: Desk, endpoint: Endpoint, mailbox: Mailbox, tmp_path: Path
) -> None:
    for name, value in variables(endpoint, mailbox).items():
        desk.patch.setenv(name, value)
    play.prepare(tmp_path)

    report = desk.minutes(0, "alert", "alert.json", "--open", "--send", code=1)
    assert "Nothing listens on the port of the shop" in report
    assert "opened incident 1, P0: ShopDown: No request is answered" in desk.err
    assert desk.minutes(1, "alert", "alert.json", "--open", "--send") == ""
    assert shown(desk)["because"] == ["Complete outage", shown(desk)["because"][1]]
    assert [each["runbook"] for each in shown(desk)["runs"]] == ["shop-down"]
    assert told_at(endpoint, "/slack") == ["[P0] Incident 1 opened: ShopDown: No request is answered"]

    engaged: list[str] = []
    updates = 0
    for minute in range(0, 125, 5):
        desk.minutes(max(minute, 1), "incident", "watch", "--once", "--send", code=None)
        engaged += CALLED.get(minute, [])
        now = shown(desk)
        assert [each["title"] for each in now["engaged"]] == engaged, minute
        (update,) = [each for each in now["due"] if each["kind"] == "update"]
        assert datetime.fromisoformat(update["at"]).timestamp() == play.BEGIN + (updates + 1) * 1800
        if minute and minute % 30 == 0:
            desk("incident", "update", f"Update {updates}", "--tell", "customers", "--send", code=None)
            updates += 1
    assert told_at(endpoint, "/slack").count("[P0] Incident 1 update: ShopDown: No request is answered") == 4
    assert len(told_at(endpoint, "/status")) == 4
    assert Counter(body["event_action"] for where, body, _ in endpoint.got if where == "/v2/enqueue") == {"trigger": 5}

    desk.minutes(121, "incident", "assign", "technical_lead", "tina")
    desk.minutes(122, "incident", "ack", "--by", "tina", "--send", code=None)
    desk.minutes(125, "incident", "mitigate", "It runs again", "--send", code=None)
    desk.minutes(140, "incident", "resolve", "It starts by itself", "--send", code=None)
    pager = Counter(body["event_action"] for where, body, _ in endpoint.got if where == "/v2/enqueue")
    assert pager == {"trigger": 5, "acknowledge": 5, "resolve": 5}
    assert "postmortem" in [each["kind"] for each in shown(desk)["due"]]

    desk.minutes(150, "incident", "remark", "lesson", "A process that ends is started again")
    met = desk("incident", "meeting", "--place", "Room 1")
    assert "2026-11-19 09:00 UTC, 60 minutes, Room 1" in met
    desk("incident", "messages", "--send", code=None)
    assert [to for to, _ in mailbox.got] == [["support@example.com"]] * 4 + [["all@example.com"]]
    desk("incident", "actions", "add", "Start it by a supervisor", "--owner", "tina", "--horizon", "immediate")
    desk("incident", "actions", "documentation", "--owner", "ann")
    desk.minutes(160, "incident", "close")

    document = json.loads(desk("incident", "postmortem", "-i", "1", "--format", "json"))
    assert document["lessons"] == ["A process that ends is started again"]
    assert document["root_cause"]["found"][0]["title"] == "Nothing listens on the port of the shop"
    words = desk("incident", "postmortem", "-i", "1")
    for line in (
        "Time to acknowledge     2 h 02 min (P0: within 15 min: late)",
        "Time to diagnose        0 s",
        "Time to mitigate        2 h 05 min",
        "Time to resolve         2 h 20 min",
        "Status updates          4 in time, 0 missed",
    ):
        assert line in words
    calendar = icalendar.Calendar.from_ical(desk("incident", "postmortem", "-i", "1", "--format", "ics"))
    (meeting,) = calendar.walk("VEVENT")
    assert 0 < meeting.decoded("dtstart").timestamp() - (play.BEGIN + 140 * 60) <= 86400
    rows = list(csv.DictReader(io.StringIO(desk("incident", "actions", "list", "--format", "csv"))))
    assert len(rows) == 5
    assert {row["link"] for row in rows} == {"", "shop-down"}
    late = desk.minutes(9 * 24 * 60, "incident", "actions", "list")
    assert late.count("OVERDUE") == 1
    desk("incident", "actions", "done", "1", "It is there", "-i", "1")
    assert "P0" in desk("incident", "stats")


@pytest.mark.parametrize("moment", ["after", "before"])
def test_killed_at_every_commit_nothing_is_lost_and_nothing_is_sent_twice(
    moment: str, tmp_path: Path, endpoint: Endpoint, mailbox: Mailbox, desk: Desk
) -> None:
    play.prepare(tmp_path)
    environ = {**variables(endpoint, mailbox), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.integration.incidents.play", moment, str(tmp_path)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    ended = json.loads(done.stdout)
    assert ended["status"] == 0, done.stdout + done.stderr
    with IncidentStore(tmp_path / "state" / "journal.sqlite3") as store:
        assert list(store.numbers()) == [1]
        incident = store.load(1)
    assert ended["deaths"] > len(incident.events) / 3
    assert _happened(incident) == EXPECTED

    # Of what nobody knows whether it was sent, a person looks there, and says.
    for name, value in variables(endpoint, mailbox).items():
        desk.patch.setenv(name, value)
    desk.clock.at = incident.last_at + 61
    box = json.loads(desk("incident", "messages", "-i", "1", "--all", "--format", "json"))
    unknown = [each for each in box if each["state"] == "uncertain"]
    assert unknown
    assert all(each["service"] != "pagerduty" for each in unknown)
    for each in unknown:
        arrived = _arrived(each, endpoint, mailbox)
        assert arrived == (moment == "before"), each
        how = ("--drop",) if arrived else ("--again", "--send")
        desk("incident", "messages", "-i", "1", each["key"], *how)
    box = json.loads(desk("incident", "messages", "-i", "1", "--all", "--format", "json"))
    assert {each["state"] for each in box if each["channel"] != "sms"} <= {"sent", "dropped", "obsolete"}
    assert [each["key"] for each in box if each["state"] == "obsolete" and each["channel"] != "sms"] == []

    texts = Counter((where, json.dumps(body)) for where, body, _ in endpoint.got if where != "/v2/enqueue")
    assert set(texts.values()) == {1}
    assert len(mailbox.got) == len({str(message["Message-ID"]) for _, message in mailbox.got})
    pages = Counter(
        (body["event_action"], body["dedup_key"]) for where, body, _ in endpoint.got if where == "/v2/enqueue"
    )
    assert Counter(action for action, _ in pages) == {"trigger": 5, "acknowledge": 5, "resolve": 5}
    assert max(pages.values()) <= 2


EXPECTED = Counter(
    {
        "opened": 1, "playbook_started": 1, "alert_taken": 1, "run_attached": 1, "role_assigned": 2, "task_done": 9, "told": 6,
        "status_updated": 4, "acknowledged": 1, "mitigated": 1, "resolved": 1, "remarked": 1, "meeting_scheduled": 1,
        "action_added": 5, "closed": 1,
    }
)  # fmt: skip


def _happened(incident: Incident) -> Counter[str]:
    """How often what happened, but for messages."""
    messages = (e.MessageBegun, e.MessageSent, e.MessageFailed, e.MessageRetried, e.MessageDropped)
    kinds = [type(each).__struct_config__.tag for each in incident.events if not isinstance(each, messages)]
    return Counter(map(str, kinds))


def _arrived(message: Any, endpoint: Endpoint, mailbox: Mailbox) -> bool:
    if message["service"] == "email":
        first = message["body"].strip().splitlines()[0]
        told = [(str(mail["Subject"]), mail.get_body(("plain", "html"))) for _, mail in mailbox.got]
        return any(title == message["title"] and text and first in text.get_content() for title, text in told)
    bodies: Sequence[str] = [str(body.get("message", "")).strip() for _, body, _ in endpoint.got]
    return message["body"].strip() in bodies
