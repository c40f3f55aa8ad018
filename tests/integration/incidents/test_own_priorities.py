"""A team's own priorities: as many as it likes, by its own names, the worst first."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.integration.incidents.conftest import Desk, Endpoint

from runbook_engine.document.incident_policy_load import load_incident_policy
from runbook_engine.graph.incident_policy import check_incident_policy
from runbook_engine.library import shipped_directory

SHIPPED: Mapping[str, Any] = yaml.safe_load((shipped_directory() / "policy" / "incidents.yaml").read_text("utf-8"))
PAGER = "R0123456789ABCDEF0123456789ABCDE"


def own(names: Mapping[str, str]) -> dict[str, Any]:
    """The shipped policy with other priorities: each name has the times and people of a shipped one, the worst first."""
    policy: dict[str, Any] = json.loads(json.dumps(SHIPPED))
    last = list(names)[-1]
    policy["priorities"] = {
        name: {**SHIPPED["priorities"][value], "examples": [f"An example of {name}"], "playbook": None}
        for name, value in names.items()
    }
    policy["escalation"] = [
        {"after": row["after"], **{name: row[value] for name, value in names.items()}} for row in SHIPPED["escalation"]
    ]
    asked = {name: f"is_{name.lower().replace('-', '_')}" for name in names if name != last}
    policy["facts"] = {fact: {"ask": f"Is it a {name}?"} for name, fact in asked.items()}
    policy["rules"] = [
        {"when": fact, "priority": name, "because": f"An example of {name}"} for name, fact in asked.items()
    ]
    policy["otherwise"] = last
    policy["firing"] = {"labels": ["severity"], "priorities": {"page": next(iter(names))}, "reopen_within": "24h"}
    for each in policy["routing"]:
        if "priorities" in each:
            each["priorities"] = [name for name, value in names.items() if value in each["priorities"]]
    return policy


def found(policy: Mapping[str, Any]) -> list[tuple[str, str]]:
    loaded = load_incident_policy(yaml.safe_dump(policy, sort_keys=False), "incidents.yaml")
    return [(each.code, each.message) for each in check_incident_policy(loaded)]


FIVE = {"sev1": "P0", "sev2": "P1", "sev3": "P2", "sev4": "P2", "sev5": "P3"}


@pytest.fixture
def team(desk: Desk, endpoint: Endpoint) -> Endpoint:
    """A team with five priorities and a pager."""
    Path("runbooks/policy").mkdir(parents=True)
    Path("runbooks/policy/incidents.yaml").write_text(yaml.safe_dump(own(FIVE), sort_keys=False))
    desk.patch.setenv("RUNBOOK_PAGERDUTY_KEY", f"http://{PAGER}@127.0.0.1:{endpoint.port}/v2/enqueue")
    return endpoint


@pytest.mark.parametrize(
    "names", [{"urgent": "P0", "normal": "P3"}, FIVE, {"SEV-1": "P0", "SEV-2": "P1", "SEV-3": "P3"}]
)
def test_any_ordered_set_of_priorities_is_proven(names: Mapping[str, str]) -> None:
    assert found(own(names)) == []


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (lambda p: p["escalation"][1].pop("sev4"), "RB712", "this row of the matrix calls nobody in a sev4"),
        (lambda p: p["escalation"][1].update(sev9=["cto"]), "RB711", 'there is no priority "sev9"'),
        (lambda p: p.update(otherwise="sev55"), "RB711", 'there is no priority "sev55"; did you mean "sev5"?'),
        (lambda p: p["routing"][0].update(priorities=["P0"]), "RB711", 'there is no priority "P0"'),
        (lambda p: p["firing"]["priorities"].update(low="P3"), "RB711", 'there is no priority "P3"'),
        (lambda p: p["firing"]["priorities"].update(Page="sev2"), "RB711", '"Page" and "page" are the same value'),
        (lambda p: p["rules"][0].update(priority="P0"), "RB711", 'there is no priority "P0"'),
        (lambda p: p["priorities"]["sev3"].update(response="5min", escalation="immediate"), "RB714", "sev3 stands below sev2 and must be answered sooner, within 5 min instead of 60 min"),
        (lambda p: p["priorities"].update({f"more{number}": p["priorities"]["sev5"] for number in range(5)}), "RB116", '"priorities" has more than 9 entries'),
        (lambda p: [p["priorities"].pop(f"sev{number}") for number in range(2, 6)], "RB116", '"priorities" needs at least 2 entries'),
    ],
)  # fmt: skip
def test_what_is_wrong_with_priorities_is_told(change: Any, code: str, says: str) -> None:
    policy = own(FIVE)
    change(policy)
    told = found(policy)
    assert any(each.startswith(code) and says in message for each, message in told), told


def test_an_incident_goes_by_the_priorities_of_the_team(desk: Desk, team: Endpoint) -> None:
    opened = desk("incident", "open", "Shop down", "-p", "SEV3")
    assert "Incident 1  sev3 Medium  open for 0 s" in opened
    assert team.bodies == []
    raised = desk.minutes(5, "incident", "priority", "sev2", "--because", "worse", "--send")
    assert "Incident 1  sev2 High" in raised
    assert [body["payload"]["severity"] for body in team.bodies] == ["error"]
    lowered = desk.minutes(10, "incident", "priority", "sev5", "--because", "better", "--send", code=None)
    assert "Incident 1  sev5 Low" in lowered
    assert len(team.bodies) == 1
    desk("incident", "priority", "P0", "--because", "x", code=2)
    assert "there is no priority 'P0'; priorities: sev1, sev2, sev3, sev4, sev5" in desk.err
    desk("incident", "resolve")
    assert json.loads(desk("incident", "postmortem", "--format", "json"))["priority"] == "sev5"
    stats = json.loads(desk("incident", "stats", "--format", "json"))
    assert [each["name"] for each in stats["groups"] if each["by"] == "priority"] == ["sev2"]
    assert "sev1 Critical" in desk("policy", "escalation")


def test_pagerduty_hears_how_bad_it_is_of_however_many_priorities(desk: Desk, team: Endpoint) -> None:
    policy = own(FIVE)
    policy["routing"][0]["priorities"] = list(FIVE)
    Path("runbooks/policy/incidents.yaml").write_text(yaml.safe_dump(policy, sort_keys=False))
    for name in FIVE:
        desk("incident", "open", name, "-p", name, "--send")
    assert [body["payload"]["severity"] for body in team.bodies] == ["critical", "error", "warning", "warning", "info"]


def test_an_alert_is_as_bad_as_its_label_says_in_the_words_of_the_team(desk: Desk, team: Endpoint) -> None:
    for number, (severity, priority) in enumerate([("page", "sev1"), ("Sev4", "sev4"), ("P1", "sev5")], 1):
        alert = {
            "status": "firing",
            "labels": {"alertname": f"A{number}", "severity": severity},
            "startsAt": "2026-11-18T14:00:00Z",
            "fingerprint": str(number),
        }
        Path("body.json").write_text(json.dumps({"version": "4", "groupKey": str(number), "alerts": [alert]}))
        told = json.loads(desk("alert", "body.json", "--open", "--format", "json", code=1))
        assert told["incidents"][0]["priority"] == priority


def test_a_runbook_is_for_a_priority_of_the_team(desk: Desk) -> None:
    text = "runbook: shop\ntitle: Is it up?\nseverity: {}\nstart: a\nsteps: {{a: {{ask: Why?}}}}\n"
    Path("runbooks/policy").mkdir(parents=True)
    for severity, legal in (
        ("P5", "P0, P1, P2, P3"),
        ("sev2", "P0, P1, P2, P3"),
        ("P0", "sev1, sev2, sev3, sev4, sev5"),
    ):
        Path("runbooks/shop.yaml").write_text(text.format(severity))
        if legal.startswith("sev"):
            Path("runbooks/policy/incidents.yaml").write_text(yaml.safe_dump(own(FIVE), sort_keys=False))
        desk("check", "runbooks/shop.yaml", code=78)
        told = desk.out + desk.err
        assert f'error[RB114]: "severity" is "{severity}", which is not legal' in told
        assert f"legal values: {legal}" in told
    Path("runbooks/shop.yaml").write_text(text.format("sev2"))
    desk("check", "runbooks/shop.yaml")
    desk("new", "other-shop", "--from-probe", "http.get", "--severity", "SEV3", "--no-input")
    assert "severity: sev3" in Path("runbooks/other-shop.yaml").read_text()
    desk("new", "third-shop", "--from-probe", "http.get", "--severity", "P0", "--no-input", code=2)
    assert "'P0' is none of sev1, sev2, sev3, sev4, sev5" in desk.err
