"""Bodies of Alertmanager's webhook, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config."""

from runbook_engine.alerting.alerts import Alert, AlertError, Body, Status, fingerprint_of
from runbook_engine.alerting.part import Part
from runbook_engine.document.models import AlertSource

VERSION = "4"
NAME_LABEL = "alertname"


def read_alertmanager(body: Part, source: AlertSource = AlertSource.ALERTMANAGER) -> Body:
    """All alerts of a body. Raises AlertError with the path of the first thing that is not as it must be."""
    version = body.text("version", VERSION) if source is AlertSource.ALERTMANAGER else VERSION
    if version != VERSION:
        raise AlertError(f"the body is of version {version!r}, and what is read is Alertmanager's version {VERSION!r}")
    group_key = body.identifier("groupKey")
    alerts = tuple(read_alert(each, source, group_key) for each in body.parts("alerts"))
    truncated = body.count("truncatedAlerts")
    return Body(source=source, alerts=alerts, truncated=truncated, notes=(_left_out(truncated),) if truncated else ())


def _left_out(truncated: int) -> str:
    several = f"{truncated} alerts" if truncated > 1 else "an alert"
    remedy = "raise max_alerts of its webhook, or group by more labels"
    return f"the sender left out {several} of this group, of which nothing is known here; {remedy}"


def read_alert(alert: Part, source: AlertSource, group_key: str) -> Alert:
    labels = alert.texts("labels")
    return Alert(
        source=source,
        name=" ".join(labels.get(NAME_LABEL, "").split()),
        status=_status(alert),
        starts_at=alert.time("startsAt"),
        ends_at=alert.optional_time("endsAt"),
        labels=labels,
        annotations=alert.texts("annotations"),
        fingerprint=alert.identifier("fingerprint") or fingerprint_of(labels),
        group_key=group_key,
        url=alert.name("generatorURL", ""),
    )


def _status(alert: Part) -> Status:
    said = alert.text("status")
    try:
        return Status(said)
    except ValueError:
        raise AlertError(f"{alert.at('status')} is {said[:60]!r}, where firing or resolved is expected") from None
