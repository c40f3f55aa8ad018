"""From the bytes that somebody sent to alerts, whoever that was."""

from runbook_engine.alerting import cloudwatch, grafana
from runbook_engine.alerting.alertmanager import read_alertmanager
from runbook_engine.alerting.alerts import AlertError, Body
from runbook_engine.alerting.json_text import read_json
from runbook_engine.alerting.part import Part, kind

KNOWN = "a body of Alertmanager or Grafana (with alerts), or an alarm of CloudWatch (by SNS, or with AlarmName)"


def read_body(data: bytes) -> Body:
    """The alerts of a body, in its order. Raises AlertError, and nothing else whatever the bytes."""
    value = read_json(data)
    if not isinstance(value, dict):
        raise AlertError(f"the body is {kind(value)}, where an object is expected: {KNOWN}")
    body = Part(value)
    if cloudwatch.is_sns(body):
        return cloudwatch.read_sns(body)
    if cloudwatch.is_alarm(body):
        return cloudwatch.read_alarm(body)
    if body.has("alerts"):
        return grafana.read_grafana(body) if grafana.is_grafana(body) else read_alertmanager(body)
    grafana.refuse_legacy(body)
    raise AlertError(f"nobody known here sends such a body; what is read is {KNOWN}")
