"""Bodies of Alertmanager's webhook, version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config."""

from collections.abc import Sequence

from runbook_engine.alerting.alerts import Alert, AlertError, Body, Status, fingerprint_of
from runbook_engine.alerting.derived import derive
from runbook_engine.alerting.part import Part
from runbook_engine.document.triggers import AlertSource

VERSION = "4"
NAME_LABEL = "alertname"
MOST_TOLD = 3
"""Reasons for which a body is refused."""


def read_alertmanager(
    body: Part, source: AlertSource = AlertSource.ALERTMANAGER, links: Sequence[str] = ("generatorURL",)
) -> Body:
    """All alerts of a body that can be read. Raises AlertError where none can, with the paths of what is wrong."""
    version = str(body.value.get("version") or VERSION) if source is AlertSource.ALERTMANAGER else VERSION
    if version != VERSION:
        raise AlertError(f"the body is of version {version!r}, and what is read is Alertmanager's version {VERSION!r}")
    group_key = _text(body, "groupKey")
    status = body.value.get("status")
    listed = body.value.get("alerts")
    if not isinstance(listed, list):
        raise body.wrong("alerts", "a list")
    alerts: list[Alert] = []
    for each in body.readable_parts("alerts"):
        try:
            alerts.append(read_alert(each, source, group_key, status if isinstance(status, str) else "", links))
        except AlertError as error:
            each.set_aside(error)
    unread = len(listed) - len(alerts)
    if unread and not alerts:
        raise AlertError("; ".join(each.removesuffix("; it is set aside") for each in body.odd[:MOST_TOLD]))
    truncated = body.count("truncatedAlerts")
    notes = (_left_out(truncated),) if truncated else ()
    return Body(
        source=source, alerts=tuple(alerts), truncated=truncated, notes=notes, odd=tuple(body.odd), unread=unread
    )


def _left_out(truncated: int) -> str:
    several = f"{truncated} alerts" if truncated > 1 else "an alert"
    remedy = "raise max_alerts of its webhook, or group by more labels"
    return f"the sender left out {several} of this group, of which nothing is known here; {remedy}"


def read_alert(alert: Part, source: AlertSource, group_key: str, status: str, links: Sequence[str]) -> Alert:
    """``status`` is that of the body, which counts where the alert says none that there is. What it links to is the first of
    ``links`` that is there. Raises AlertError where nobody says whether it fires.
    """
    labels = alert.texts("labels")
    return derive(
        Alert(
            source=source,
            name=" ".join(labels.get(NAME_LABEL, "").split()),
            status=_status(alert, status),
            starts_at=alert.time("startsAt"),
            ends_at=_ends_at(alert),
            labels=labels,
            annotations=alert.texts("annotations"),
            fingerprint=_text(alert, "fingerprint") or fingerprint_of(labels),
            group_key=group_key,
            url=next((found for key in links if (found := _text(alert, key))), ""),
        )
    )


def _status(alert: Part, status: str) -> Status:
    said: object = alert.value.get("status")
    known = {str(each): each for each in Status}
    if isinstance(said, str) and said in known:
        return known[said]
    wrong = alert.wrong("status", "firing or resolved")
    if isinstance(said, str):
        wrong = AlertError(f"{alert.at('status')} is {said!r}, where firing or resolved is expected")
    if status not in known:
        raise wrong
    alert.set_aside(wrong)
    return known[status]


def _ends_at(alert: Part) -> float | None:
    try:
        return alert.optional_time("endsAt")
    except AlertError as error:
        alert.set_aside(error)
        return None


def _text(alert: Part, key: str) -> str:
    try:
        return alert.identifier(key) if key in ("fingerprint", "groupKey") else alert.name(key, "")
    except AlertError as error:
        alert.set_aside(error)
        return ""
