"""Labels that follow from others, so that triggers can fill inputs with them: an instance is a host and a port."""

import re
from collections.abc import Mapping

from msgspec.structs import replace

from runbook_engine.alerting.alerts import Alert

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_BRACKETED = re.compile(r"\[([^\[\]]+)\](?::(\d{1,5}))?\Z")
_PLACED = re.compile(r"([^:]+):(\d{1,5})\Z")


def derive(alert: Alert, arn: str = "") -> Alert:
    """The alert with the labels that follow from its own and from the ARN of the alarm.

    ``instance_host`` and ``instance_port`` are of ``instance``, ``region`` and ``account`` of the ARN; ``rulename`` names the
    rule.
    """
    rule = alert.labels.get("rulename") or alert.name
    found = {"rulename": " ".join(rule.split()), **_place(alert.labels.get("instance", "")), **_of_arn(arn)}
    return replace(alert, derived={name: value for name, value in found.items() if value and name not in alert.labels})


def _place(instance: str) -> Mapping[str, str]:
    """``db:5432``, ``[::1]:5432``, ``https://shop.example.com/health``, ``2001:db8::1``."""
    text = instance.strip()
    scheme = _SCHEME.match(text)
    text = text[scheme.end() if scheme else 0 :]
    text = re.split(r"[/?#]", text, maxsplit=1)[0].rpartition("@")[2]
    found = _BRACKETED.fullmatch(text) or _PLACED.fullmatch(text)
    if found is None:
        return {"instance_host": text}
    return {"instance_host": found[1], "instance_port": found[2] or ""}


def _of_arn(arn: str) -> Mapping[str, str]:
    """``arn:aws:cloudwatch:us-east-1:123456789012:alarm:NAME``."""
    parts = arn.split(":", 5)
    if len(parts) != 6 or parts[0] != "arn":
        return {}
    return {"region": parts[3], "account": parts[4]}
