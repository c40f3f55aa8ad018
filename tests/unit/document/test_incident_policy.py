"""Mistakes in a policy of incidents: each is told at its place, in words that say what to do."""

import pytest

from runbook_engine.document.incident_policy_load import load_incident_policy_file
from runbook_engine.graph.incident_policy import check_incident_policy
from runbook_engine.library import Library, shipped_directory

FILE = shipped_directory() / "policy" / "incidents.yaml"
TEXT = FILE.read_text()


def found(old: str, new: str) -> list[tuple[str, str]]:
    assert TEXT.count(old) >= 1, old
    loaded = load_incident_policy_file(FILE, {FILE.resolve(): TEXT.replace(old, new, 1)})
    return [(each.code, each.message) for each in check_incident_policy(loaded, Library((shipped_directory(),)))]


def test_the_shipped_policy_has_no_mistake() -> None:
    assert found("policy: incidents", "policy: incidents") == []


@pytest.mark.parametrize(
    ("old", "new", "code", "says"),
    [
        ("technical_lead, security_lead", "technical_lead, securty_lead", "RB711", 'there is no role "securty_lead"'),
        ("after: 30min", "after: 15min", "RB712", "this row of the matrix comes after 15 min"),
        ("    P3: [cto]", "    P3: []", "RB1", ""),
        ("channels: [pagerduty, sms]", "channels: [pagerduty, smss]", "RB711", 'there is no channel "smss"'),
        ("channels: [pagerduty, sms]", "channels: [pagerduty]", "RB713", 'nothing is sent to "sms"'),
        ("channels: [status_page, support_mail]", "channels: [support_mail]", "RB713", 'nothing is sent to "status_page"'),
        ("name: support_mail", "name: slack", "RB711", 'there is another channel called "slack"'),
        ("      kind: webhook\n", "", "RB713", 'the channel "status_page" has a name and no "kind"'),
        ("escalated, status_update, mitigated, resolved, postmortem", "mitigated", "RB713", 'the message "escalated" reaches nobody'),
        ("when: payment,", "when: outage,", "RB714", "this rule can never decide: rule 1 holds whenever it does"),
        ("escalation: 2h", "escalation: 5h", "RB715", "a P2 is escalated after 5 h, when its response time of 4 h is over"),
        ('end: "17:00"', 'end: "08:00"', "RB716", "a business day ends at 08:00"),
        ("playbook: p0-critical", "playbook: p0-critcal", "RB711", 'did you mean "p0-critical"'),
        ("because: payment issues", "because: payments", "RB711", "is neither an example of P1 nor its impact"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(old: str, new: str, code: str, says: str) -> None:
    told = found(old, new)
    assert any(each.startswith(code) and says in message for each, message in told), told
