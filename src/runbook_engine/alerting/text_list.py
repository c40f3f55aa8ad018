"""The list of alerts that Alertmanager's default template for SNS writes, as Amazon Managed Service for Prometheus sends it.

https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-alertmanager-receiver-JSON.html
https://github.com/prometheus/alertmanager/blob/main/template/default.tmpl (sns.default.message)
"""

from collections.abc import Iterator

from msgspec import Struct, field

from runbook_engine.alerting.alertmanager import NAME_LABEL
from runbook_engine.alerting.alerts import Alert, Body, Status, fingerprint_of
from runbook_engine.alerting.derived import derive
from runbook_engine.alerting.part import MOST_LABELS
from runbook_engine.document.triggers import AlertSource
from runbook_engine.hostile import harmless, lines_of, one_line

_HEADINGS = {"Alerts Firing:": Status.FIRING, "Alerts Resolved:": Status.RESOLVED}


class _Listed(Struct):
    """An alert of the list, while it is read."""

    status: Status
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    url: str = ""


def is_list(text: str) -> bool:
    lines = [line.strip() for line in lines_of(text)]
    return "Labels:" in lines and any(heading in lines for heading in _HEADINGS)


def read_list(text: str, sent_at: float) -> Body:
    """Its alerts. When they began to fire stands nowhere, so that each list counts as of ``sent_at``."""
    alerts = tuple(
        derive(
            Alert(
                source=AlertSource.ALERTMANAGER,
                name=" ".join(each.labels.get(NAME_LABEL, "").split()),
                status=each.status,
                starts_at=sent_at,
                labels=each.labels,
                annotations=each.annotations,
                fingerprint=fingerprint_of(each.labels),
                url=each.url,
            )
        )
        for each in _listed(text)
        if each.labels
    )
    note = (
        "the message is a text, which says neither when an alert began nor what belongs together; "
        "let Alertmanager write JSON: template_files of its configuration"
    )
    return Body(source=AlertSource.ALERTMANAGER, alerts=alerts, notes=(note,))


def _listed(text: str) -> Iterator[_Listed]:
    status = Status.FIRING
    found: _Listed | None = None
    into: dict[str, str] = {}
    for raw in lines_of(text):
        line = raw.strip()
        if line in _HEADINGS:
            status = _HEADINGS[line]
        elif line == "Labels:":
            if found is not None:
                yield found
            found = _Listed(status)
            into = found.labels
        elif found is None:
            continue
        elif line == "Annotations:":
            into = found.annotations
        elif line.startswith("Source: "):
            found.url = one_line(line.removeprefix("Source: "))
        elif line.startswith("- ") and " = " in line and len(into) < MOST_LABELS:
            name, _, value = line.removeprefix("- ").partition(" = ")
            into[one_line(name)] = harmless(value)
    if found is not None:
        yield found
