"""Bodies of Grafana's webhook contact point, which say what Alertmanager's do and more.

https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
"""

from msgspec.structs import replace

from runbook_engine.alerting.alertmanager import read_alertmanager
from runbook_engine.alerting.alerts import Alert, AlertError, Body
from runbook_engine.alerting.part import Part
from runbook_engine.document.models import AlertSource

_OF_BODY = frozenset({"orgId", "title", "state", "message"})
_OF_ALERT = frozenset({"valueString", "values", "silenceURL", "dashboardURL", "panelURL", "imageURL"})


def is_grafana(body: Part) -> bool:
    """Whether a body with alerts is Grafana's: by what only Grafana adds."""
    if _OF_BODY & body.value.keys():
        return True
    alerts = body.value.get("alerts")
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
    found = read_alertmanager(body, AlertSource.GRAFANA)
    alerts = tuple(_linked(alert, part) for alert, part in zip(found.alerts, body.parts("alerts"), strict=True))
    return replace(found, alerts=alerts)


def _linked(alert: Alert, part: Part) -> Alert:
    url = next((found for key in ("panelURL", "dashboardURL") if (found := part.name(key, ""))), alert.url)
    return replace(alert, url=url) if url != alert.url else alert
