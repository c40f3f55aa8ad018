"""What a playbook gives to an incident besides its tasks."""

from collections.abc import Callable

from runbook_engine.cli.incident_view import tasks_page
from runbook_engine.document.incident_policy import IncidentPolicy
from runbook_engine.document.models import Severity
from runbook_engine.document.playbook import Playbook
from runbook_engine.incidents import acting, events
from runbook_engine.incidents.acting import start_playbook
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.policy import load_playbook_named

OPENED = 1_795_000_000.0


def channel(policy: IncidentPolicy, playbook: Playbook | None) -> str:
    first, *_ = acting.opening(policy, "Shop down", Severity.P0, OPENED, "ann", playbook=playbook)
    assert isinstance(first, events.Opened)
    return first.channel


def test_the_playbook_with_which_an_incident_is_opened_names_its_channel(policy: IncidentPolicy) -> None:
    shipped = load_playbook_named("p0-critical")
    own = shipped.model_copy(update={"channel": "#shop-%Y-%m-%d"})
    assert channel(policy, own) == "#shop-2026-11-18"
    assert channel(policy, shipped) == channel(policy, None) == "#incident-2026-11-18-11-06"


def test_an_open_task_is_shown_with_whom_to_turn_to_and_where_more_is_said(lived: Callable[..., Incident]) -> None:
    incident = lived("P0", start_playbook(OPENED, "ann", load_playbook_named("security-incident")))
    page = tasks_page(incident, OPENED)
    assert "          HIPAA breach: compliance, the channel compliance_mail of the policy\n" in page
    assert "          https://www.hhs.gov/hipaa/for-professionals/breach-notification/index.html\n" in page
