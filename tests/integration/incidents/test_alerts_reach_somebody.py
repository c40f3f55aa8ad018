"""An alert that fires always leads to an incident that somebody is called for, whatever happens on the way."""

import json
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from tests.integration.incidents.conftest import BEGIN, Desk, Endpoint

from runbook_engine.alerting.log import AlertLog
from runbook_engine.alerting.reading import read_body
from runbook_engine.cli import alert_incidents
from runbook_engine.incidents import events as e
from runbook_engine.incidents.store import IncidentStore
from runbook_engine.living import this_process

HOUR = 60.0
PAGER = "R0123456789ABCDEF0123456789ABCDE"
RUNBOOK = """runbook: {name}
title: Is it up?
{severity}triggers: [{{alert: "{alert}"}}]
inputs: {{{inputs}}}
start: port
steps:
  port: {step}
findings: {{{finding}: {{level: critical, title: It is down, resolution: up}}}}
resolutions: {{up: {{title: Start it, steps: [Start it]}}}}
"""
REFUSED = (
    "{{probe: tcp.connect, with: {{host: 127.0.0.1, port: 1}}, on_error: [{{kind: refused, finding: {finding}}}]}}"
)


def runbook(
    name: str = "shop",
    alert: str = "Shop*",
    *,
    finding: str = "api_down",
    severity: str = "",
    inputs: str = "",
    step: str = REFUSED,
) -> None:
    """A runbook of the team's, which finds that nobody listens."""
    Path("runbooks").mkdir(exist_ok=True)
    text = RUNBOOK.format(
        name=name,
        alert=alert,
        finding=finding,
        severity=f"severity: {severity}\n" if severity else "",
        inputs=inputs,
        step=step.format(finding=finding) if step is REFUSED else step,
    )
    Path(f"runbooks/{name}.yaml").write_text(text)


def alert(name: str = "ShopDown", *, minute: float = 0, status: str = "firing", **labels: str) -> Mapping[str, Any]:
    """An alert of Alertmanager that began to fire so many minutes after the beginning."""
    starts = f"2026-11-{18 + int(minute // 1440)}T{14 + int(minute // 60) % 24:02}:{int(minute) % 60:02}:00Z"
    return {
        "status": status,
        "labels": {"alertname": name, **labels},
        "annotations": {"summary": f"{name} hurts"},
        "startsAt": starts,
        "fingerprint": f"{name}{labels.get('pod', '')}",
    }


def send(
    desk: Desk,
    *alerts: Mapping[str, Any],
    minute: float = 0,
    code: int | None = 1,
    options: str = "--open",
    group: str = "g",
) -> Any:
    """What the command says to programs."""
    Path("body.json").write_text(json.dumps({"version": "4", "groupKey": group, "alerts": alerts}))
    return json.loads(desk.minutes(minute, "alert", "body.json", "--format", "json", *options.split(), code=code))


def incident(desk: Desk, number: int = 1) -> Any:
    return json.loads(desk("incident", "show", "-i", str(number), "--format", "json"))


def paged(endpoint: Endpoint) -> list[str]:
    return [f"{body['event_action']} {body['dedup_key']}" for body in endpoint.bodies]


@pytest.fixture
def pager(desk: Desk, endpoint: Endpoint) -> Endpoint:
    desk.patch.setenv("RUNBOOK_PAGERDUTY_KEY", f"http://{PAGER}@127.0.0.1:{endpoint.port}/v2/enqueue")
    return endpoint


def test_an_alert_that_fires_again_after_its_incident_was_resolved_opens_it_again_and_pages_anew(
    desk: Desk, pager: Endpoint
) -> None:
    runbook()
    send(desk, alert(), options="--open --send")
    desk.minutes(5, "incident", "ack", "--send")
    desk.minutes(30, "incident", "resolve", "--send")
    told = send(desk, alert(minute=5 * HOUR), minute=5 * HOUR, options="--open --send")
    assert [(each["incident"], each["what"], each["priority"]) for each in told["incidents"]] == [(1, "reopened", "P0")]
    assert told["incidents"][0]["because"][0] == "ShopDown fires again"
    assert "opened incident 1 again, to call people anew: ShopDown fires again" in desk.err
    base = f"runbook-1-{BEGIN * 1000:.0f}"
    again = paged(pager)[3]
    assert paged(pager)[:3] == [f"trigger {base}", f"acknowledge {base}", f"resolve {base}"]
    assert again.startswith(f"trigger {base}-")
    assert str(pager.bodies[3]["payload"]["summary"]).startswith("[P0] Incident 1 opened again: ShopDown")
    shown = incident(desk)
    assert (shown["state"], shown["held_until"]) == ("open", None)
    # The acknowledgement of the morning holds nobody back now.
    assert [each["role"] for each in shown["engaged"]] == ["incident_commander"]
    late = desk.minutes(5 * HOUR + 16, "incident", "show")
    assert "Technical Lead      not assigned, after 15 min" in late
    assert "overdue 1 min     acknowledge it: somebody is to be on a P0 by then" in late
    desk.minutes(5 * HOUR + 20, "incident", "resolve", "--send")
    assert [each for each in paged(pager)[4:] if each.startswith("resolve")] == [
        f"resolve {base}",
        again.replace("trigger", "resolve"),
    ]


def test_an_alert_that_still_fires_when_somebody_has_resolved_its_incident_opens_it_again(desk: Desk) -> None:
    runbook()
    send(desk, alert())
    desk.minutes(30, "incident", "resolve")
    told = send(desk, alert(), minute=4 * HOUR)
    assert told["incidents"][0]["what"] == "reopened"
    assert told["incidents"][0]["because"] == ["ShopDown still fires"]
    assert told["runs"] == []
    assert send(desk, alert(), minute=8 * HOUR, code=0)["incidents"][0]["what"] == "unchanged"


def test_an_alert_that_fires_again_in_an_incident_that_no_longer_hurt_opens_it_again(desk: Desk) -> None:
    runbook()
    send(desk, alert())
    desk.minutes(30, "incident", "mitigate", "moved")
    assert send(desk, alert(), minute=40, code=0)["incidents"][0]["what"] == "unchanged"
    assert send(desk, alert(minute=50), minute=50)["incidents"][0]["what"] == "reopened"
    assert incident(desk)["state"] == "open"


def test_after_the_time_of_the_policy_or_a_close_the_next_incident_is_opened(desk: Desk) -> None:
    runbook()
    send(desk, alert())
    desk.minutes(30, "incident", "resolve")
    told = send(desk, alert(minute=25 * HOUR), minute=25 * HOUR)
    assert [(each["incident"], each["what"]) for each in told["incidents"]] == [(2, "opened")]
    assert told["incidents"][0]["because"][-1] == "incident 1 had it before, and is resolved"
    # Of the two, the one that goes on has it from now on.
    assert send(desk, alert(minute=26 * HOUR), minute=26 * HOUR)["incidents"][0]["incident"] == 2
    for verb in ("resolve", "close"):
        desk("incident", verb, "-i", "2")
    assert send(desk, alert(minute=26 * HOUR), minute=27 * HOUR)["incidents"][0]["incident"] == 3


def test_a_policy_may_want_the_next_incident_always(desk: Desk) -> None:
    runbook()
    shipped = Path(alert_incidents.__file__).parents[3] / "runbooks" / "policy" / "incidents.yaml"
    Path("own.yaml").write_text(shipped.read_text().replace("reopen_within: 24h", "reopen_within: 0min"))
    send(desk, alert(), options="--open --policy own.yaml")
    desk.minutes(30, "incident", "resolve")
    told = send(desk, alert(minute=31), minute=31, options="--open --policy own.yaml")
    assert [(each["incident"], each["what"]) for each in told["incidents"]] == [(2, "opened")]


def test_another_alert_of_the_group_opens_no_resolved_incident_again(desk: Desk) -> None:
    send(desk, alert("DiskFull", pod="a"))
    desk.minutes(30, "incident", "resolve")
    assert send(desk, alert("Other", minute=40), minute=40)["incidents"][0]["incident"] == 2
    desk("incident", "resolve", "-i", "2")
    both = alert("DiskFull", pod="b", minute=50), alert("Third", minute=50)
    assert [each["incident"] for each in send(desk, *both, minute=50)["incidents"]] == [1]


@pytest.mark.parametrize(
    ("how", "labels", "priority", "because"),
    [
        ({"finding": "api_down", "severity": "P3"}, {"severity": "info"}, "P0", "Complete outage"),
        ({"finding": "odd", "severity": "P1"}, {"severity": "Warning"}, "P2", 'the alert ShopDown has severity "Warning"'),
        ({"finding": "odd", "severity": "P1"}, {"priority": "p0"}, "P0", 'the alert ShopDown has priority "p0"'),
        ({"finding": "odd", "severity": "P1"}, {}, "P1", "the runbook shop is for a P1"),
        ({"finding": "odd", "severity": "P1"}, {"severity": "so-so"}, "P1", 'nobody says how bad severity "so-so" is: firing.priorities of the policy'),
        ({"finding": "odd"}, {}, "P3", "neither a run nor a label of ShopDown says how bad it is, so that the policy's otherwise counts"),
        ({"inputs": "token: {type: secret, env: NOBODYS_TOKEN}"}, {"severity": "critical"}, "P1", 'the alert ShopDown has severity "critical"'),
        ({"inputs": "token: {type: secret, env: NOBODYS_TOKEN}", "severity": "P2"}, {}, "P2", "the runbook shop is for a P2"),
        ({"alert": "Else*"}, {"severity": "page"}, "P1", 'the alert ShopDown has severity "page"'),
        ({"alert": "Else*"}, {}, "P3", "neither a run nor a label of ShopDown says how bad it is, so that the policy's otherwise counts"),
    ],
)  # fmt: skip
def test_each_alert_that_fires_leads_to_an_incident_with_the_priority_that_is_known_best(
    desk: Desk, how: dict[str, str], labels: dict[str, str], priority: str, because: str
) -> None:
    runbook(**how)
    told = send(desk, {**alert(), "labels": {"alertname": "ShopDown", **labels}}, code=None)
    assert desk.code in (1, 2)
    assert told["exit_code"] == desk.code
    assert [(each["incident"], each["what"], each["priority"]) for each in told["incidents"]] == [
        (1, "opened", priority)
    ]
    assert because in told["incidents"][0]["because"]
    assert told["alerts"][0]["incident"] == 1
    assert {each["state"] for each in told["incidents"][0]["messages"]} == {"waiting"}
    assert incident(desk)["priority"] == priority


def test_a_healthy_run_does_not_keep_an_alert_from_somebody(desk: Desk, endpoint: Endpoint) -> None:
    runbook(
        step=f"{{probe: tcp.connect, with: {{host: 127.0.0.1, port: {endpoint.port}}}, on_error: [{{else: end, finding: api_down}}]}}"
    )
    told = send(desk, alert(severity="critical"))
    assert told["runs"][0]["report"]["outcome"] == "healthy"
    assert (told["incidents"][0]["what"], told["incidents"][0]["priority"]) == ("opened", "P1")


def test_the_worst_of_several_alerts_says_how_bad_it_is(desk: Desk) -> None:
    told = send(desk, alert("One", severity="info"), alert("Two", severity="critical"), alert("Three"))
    assert told["incidents"][0]["priority"] == "P1"


def test_an_alert_that_is_worse_than_its_incident_raises_it_and_pages(desk: Desk, pager: Endpoint) -> None:
    send(desk, alert(severity="info"), options="--open --send")
    assert pager.bodies == []
    told = send(desk, alert("ShopGone", severity="critical"), minute=10, options="--open --send")
    assert (told["incidents"][0]["what"], told["incidents"][0]["priority"]) == ("raised", "P1")
    assert [body["event_action"] for body in pager.bodies] == ["trigger"]
    desk("incident", "priority", "P2", "--because", "few people")
    # What somebody has decided since then stands.
    send(desk, alert("ShopGone", severity="critical"), minute=20, code=0)
    assert incident(desk)["priority"] == "P2"


@pytest.mark.parametrize("how", [{"inputs": "token: {type: secret, env: NOBODYS_TOKEN}"}, {"step": "shell"}])
def test_what_could_not_run_for_want_of_a_secret_or_a_grant_is_run_when_the_alert_is_sent_again(
    desk: Desk, how: dict[str, str]
) -> None:
    shell = '{probe: shell.run, with: {argv: ["false"]}, branches: [{when: exit_code != 0, finding: api_down}, {else: end}]}'
    runbook(**({"step": shell} if "step" in how else how))
    told = send(desk, alert(), code=None)
    assert desk.code in (1, 2)
    assert told["incidents"][0]["what"] == "opened"
    again = send(desk, alert(), minute=10, code=None)
    assert again["alerts"][0]["standing"] == "unfinished"
    assert desk.code in (2, 3)
    assert again["incidents"][0]["what"] == "unchanged"
    desk.patch.setenv("NOBODYS_TOKEN", "hunter2222")
    done = send(desk, alert(), minute=20, options="--open --allow shell")
    assert [each["report"]["outcome"] for each in done["runs"]] == ["critical"]
    assert done["incidents"][0]["priority"] == "P0"
    assert send(desk, alert(), minute=30, code=0)["runs"] == []


def test_a_runbook_that_comes_later_is_run_when_the_alert_is_sent_again(desk: Desk) -> None:
    assert send(desk, alert())["runs"] == []
    runbook()
    assert [each["runbook"] for each in send(desk, alert(), minute=10)["runs"]] == ["shop"]
    assert send(desk, alert(), minute=20, code=0)["runs"] == []


def test_an_alert_that_was_taken_without_an_incident_gets_one_with_what_had_run(desk: Desk) -> None:
    runbook()
    send(desk, alert(), options="")
    told = send(desk, alert(), minute=10)
    assert told["runs"] == []
    assert (told["incidents"][0]["what"], told["incidents"][0]["priority"]) == ("opened", "P0")
    assert [each["runbook"] for each in incident(desk)["runs"]] == ["shop"]


def test_what_waits_is_delivered_when_the_alert_is_sent_again(desk: Desk, pager: Endpoint) -> None:
    send(desk, alert(severity="critical"))
    assert pager.bodies == []
    told = send(desk, alert(severity="critical"), minute=10, code=None, options="--open --send")
    assert [body["event_action"] for body in pager.bodies] == ["trigger"]
    assert {each["channel"]: each["state"] for each in told["incidents"][0]["messages"]}["pagerduty"] == "sent"


def test_where_nobody_could_be_told_the_command_says_so(desk: Desk, pager: Endpoint) -> None:
    pager.usual = 400
    told = send(desk, alert(severity="critical"), options="--open --send")
    (message,) = [each for each in told["incidents"][0]["messages"] if each["channel"] == "pagerduty"]
    assert (message["state"], message["error"]) == (
        "dead",
        "PagerDuty answered 400: the integration key or the event is wrong",
    )
    assert told["exit_code"] == 1


def test_a_policy_or_a_playbook_with_mistakes_keeps_nobody_from_being_called(desk: Desk) -> None:
    runbook()
    Path("runbooks/policy").mkdir(parents=True)
    Path("runbooks/policy/incidents.yaml").write_text("policy: incidents\ntitle: Broken\n")
    told = send(desk, alert(), code=78)
    assert told["incidents"][0]["what"] == "opened"
    assert "the policy has mistakes, so that the shipped one counts" in desk.err
    Path("runbooks/policy/incidents.yaml").unlink()
    Path("runbooks/playbooks").mkdir()
    Path("runbooks/playbooks/p0-critical.yaml").write_text("playbook: p0-critical\n")
    assert send(desk, alert("ShopGone"), code=78, group="h")["incidents"][0]["what"] == "opened"
    assert "no playbook is followed: the one of a P0 cannot be read" in desk.err


def test_where_the_journal_cannot_be_written_people_are_called_from_memory(
    desk: Desk, pager: Endpoint, tmp_path: Path
) -> None:
    runbook()
    (tmp_path / "file").write_text("")
    desk.patch.setenv("RUNBOOK_STATE", str(tmp_path / "file"))
    told = send(desk, alert(), code=2, options="--open --send")
    assert [body["event_action"] for body in pager.bodies] == ["trigger"]
    assert [(each["incident"], each["what"]) for each in told["incidents"]] == [(None, "opened")]
    assert told["alerts"][0]["incident"] is None
    assert "people are called all the same" in desk.err


def test_whoever_was_killed_between_opening_and_calling_is_made_up_for_when_the_alert_is_sent_again(
    desk: Desk, pager: Endpoint, tmp_path: Path
) -> None:
    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> int:
        raise Killed

    runbook()
    with desk.patch.context() as patched:
        patched.setattr("runbook_engine.cli.incident_sending.deliver", die)
        with pytest.raises(Killed):
            send(desk, alert(), options="--open --send")
    with sqlite3.connect(tmp_path / "state" / "journal.sqlite3") as journal:
        # As the lease of a process that was killed: nobody released it.
        journal.execute("update alerts set state = 'taken', pid = 2147483646")
    journal.close()
    assert pager.bodies == []
    told = send(desk, alert(), minute=5, code=None, options="--open --send")
    assert [body["event_action"] for body in pager.bodies] == ["trigger"]
    assert [each["incident"] for each in told["incidents"]] == [1]


@pytest.mark.parametrize("opened_by", ["an alert", "a person"])
@pytest.mark.parametrize("options", ["--open --send", "--incident 1 --send"])
def test_what_waits_is_delivered_when_the_alert_is_sent_again_while_somebody_who_works_on_it_stands_still(
    desk: Desk, pager: Endpoint, tmp_path: Path, opened_by: str, options: str
) -> None:
    if opened_by == "a person":
        desk("incident", "open", "Shop down", "-p", "P1")
        send(desk, alert(severity="critical"), options="--incident 1")
    else:
        send(desk, alert(severity="critical"))
    journal = tmp_path / "state" / "journal.sqlite3"
    with sqlite3.connect(journal) as connection:
        connection.execute("update alerts set state = 'released'")
    connection.close()
    with AlertLog(journal) as other:
        other.take(read_body(Path("body.json").read_bytes()).alerts, BEGIN)  # and does nothing more
        told = send(desk, alert(severity="critical"), minute=10, code=None, options=options)
    assert [each["standing"] for each in told["alerts"]] == ["running"]
    assert "sent again, while another process works on it: nothing is run" in desk.err
    assert told["runs"] == []
    assert [body["event_action"] for body in pager.bodies] == ["trigger"]
    assert [(each["incident"], each["what"]) for each in told["incidents"]] == [(1, "unchanged")]


def test_an_alert_delivers_what_waits_in_other_incidents_that_alerts_opened_and_nothing_of_a_persons(
    desk: Desk, pager: Endpoint
) -> None:
    send(desk, alert("One", severity="critical"), group="one")
    desk("incident", "open", "Somebody's own", "-p", "P1")
    assert pager.bodies == []
    told = send(desk, alert("Two", severity="critical"), minute=5, group="two", options="--open --send")
    assert [(each["incident"], each["what"]) for each in told["incidents"]] == [(1, "unchanged"), (3, "opened")]
    assert [str(body["dedup_key"]).split("-")[1] for body in pager.bodies] == ["1", "3"]


def test_who_was_killed_while_sending_in_another_incident_is_told_when_any_alert_comes(
    desk: Desk, pager: Endpoint, tmp_path: Path
) -> None:
    first = send(desk, alert("One", severity="critical"), group="one")
    keys = [each["key"] for each in first["incidents"][0]["messages"]]
    gone = structs.replace(this_process(), started="1")
    with IncidentStore(tmp_path / "state" / "journal.sqlite3") as store:
        for key in keys:
            store.act(1, lambda it, key=key: (e.MessageBegun(at=it.last_at, by="ann", key=key, process=gone),))  # type: ignore[misc]
    told = send(desk, alert("Two"), minute=0.1, group="two", options="--open --send")
    states = {each["key"]: each["state"] for each in told["incidents"][0]["messages"]}
    assert (states["0/pagerduty"], states["0/slack"]) == ("sent", "uncertain")
    assert [body["event_action"] for body in pager.bodies] == ["trigger"]
    assert "0/slack: nobody knows whether it was sent; look there, then --again or --drop" in desk.err


@pytest.mark.parametrize(
    ("body", "options", "code"),
    [
        ("{", (), 2),
        ("[]", ("--open",), 2),
        ("{}", ("--incident", "9"), 2),
        ('{"alerts": []}', ("--incident", "9"), 2),
        ('{"alerts": []}', ("--open", "-p", "P7"), 2),
        ('{"alerts": []}', ("--open",), 0),
    ],
)
def test_a_program_always_gets_a_document(desk: Desk, body: str, options: tuple[str, ...], code: int) -> None:
    Path("body.json").write_text(body)
    told = json.loads(desk("alert", "body.json", "--format", "json", *options, code=code))
    assert (told["exit_code"], bool(told["problem"])) == (code, code != 0)
    assert told["alerts"] == told["runs"] == told["incidents"] == []
    missing = json.loads(desk("alert", "nothing.json", "--format", "json", code=2))
    assert "cannot be read" in missing["problem"]


def test_an_alert_is_added_to_a_resolved_incident_that_is_named_and_opens_it_again(desk: Desk) -> None:
    desk("incident", "open", "Shop down", "-p", "P2")
    desk("incident", "resolve")
    assert send(desk, alert(), minute=5, options="--incident 1")["incidents"][0]["what"] == "reopened"
    with IncidentStore(Path("state/journal.sqlite3")) as store:
        assert store.load(1).priority == "P2"
