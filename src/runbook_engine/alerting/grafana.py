"""Bodies of Grafana's webhook contact point, which say what Alertmanager's do and more.

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
"""

from runbook_engine.alerting.alertmanager import read_alertmanager
from runbook_engine.alerting.alerts import AlertError, Body
from runbook_engine.alerting.part import Part
from runbook_engine.document.triggers import AlertSource

_OF_BODY = frozenset({"orgId", "title", "state", "message"})
_OF_ALERT = frozenset({"valueString", "values", "silenceURL", "dashboardURL", "panelURL", "imageURL"})


def is_grafana(body: Part) -> bool:
    """Whether a body with alerts is Grafana's: by what only Grafana adds."""
    alerts = body.value.get("alerts")
    if alerts is not None and _OF_BODY & body.value.keys():
        return True
    first = alerts[0] if isinstance(alerts, list) and alerts else None
    return isinstance(first, dict) and bool(_OF_ALERT & first.keys())


def refuse_legacy(body: Part) -> None:
    """What Grafana sent before version 9 has no alerts in it. Raises AlertError."""
    if body.has("ruleName") and body.has("evalMatches"):
        raise AlertError(
            "this is of Grafana's legacy alerting, which names no alerts; send it by a webhook contact point instead"
        )


def read_grafana(body: Part) -> Body:
    """All alerts of a body. Raises AlertError. What an alert links to is its panel, else its dashboard, else its rule."""
    return read_alertmanager(body, AlertSource.GRAFANA, ("panelURL", "dashboardURL", "generatorURL"))
