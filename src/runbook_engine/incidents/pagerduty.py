"""PagerDuty's Events API v2. https://developer.pagerduty.com/docs/send-alert-event"""

import json
import re
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from msgspec import Struct

from runbook_engine.incidents.messages import Destination, Message, PagerAction
from runbook_engine.incidents.services import Answer, NoServiceError, Service, Verdict, in_time, verdict_of
from runbook_engine.incidents.wording import Wording

if TYPE_CHECKING:
    import httpcore

USUAL = "https://events.pagerduty.com/v2/enqueue"
MOST_SUMMARY = 1024
"""Characters of a summary."""
MOST_TEXT = 100_000
"""Of the 512 KB that an event may have, the text is left so many characters."""
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}\Z")
_MOST_ANSWER = 10_000
_SEVERITIES = ("critical", "error", "warning", "info")
"""For the priorities of a policy, from the worst to the least bad."""


def pagerduty(destination: Destination, address: str) -> Service:
    """The service of an integration key, or of a URL with the key for a user. Raises NoServiceError."""
    if _KEY.match(address):
        return _PagerDuty(USUAL, address)
    parts = urlsplit(address)
    key = unquote(parts.username or "")
    if parts.scheme not in ("http", "https") or not parts.hostname or not _KEY.match(key):
        hint = "an integration key of the Events API v2, or https://KEY@HOST/v2/enqueue"
        raise NoServiceError(f"${destination.variable} is neither: {hint}")
    place = parts.netloc.rpartition("@")[2]
    return _PagerDuty(f"{parts.scheme}://{place}{parts.path or '/v2/enqueue'}", key)


class _PagerDuty(Struct, frozen=True):
    url: str
    key: str

    def said(self, wording: Wording) -> Wording:
        return wording  # its texts are plain

    def most(self, wording: Wording) -> int:  # noqa: ARG002 - the title has a place of its own
        return MOST_TEXT

    def send(self, message: Message, wording: Wording) -> Answer:
        return in_time(lambda: self._send(message, wording))

    def _send(self, message: Message, wording: Wording) -> Answer:
        import httpcore

        headers = [("Content-Type", "application/json"), ("User-Agent", "runbook-engine")]
        timeouts = {"connect": 10.0, "read": 20.0, "write": 10.0, "pool": 10.0}
        try:
            with httpcore.ConnectionPool(ssl_context=_trusted(), proxy=_proxy(self.url)) as pool:
                response = pool.request(
                    "POST",
                    self.url,
                    headers=headers,
                    content=json.dumps(self._event(message, wording)).encode(),
                    extensions={"timeout": timeouts},
                )
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.ProxyError) as error:
            return Answer(Verdict.FAILED, error=f"PagerDuty cannot be reached: {type(error).__name__}")
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            return Answer(Verdict.UNKNOWN, error=f"PagerDuty did not answer: {type(error).__name__}")
        return _answer(response.status, dict(response.headers), response.content[:_MOST_ANSWER])

    def _event(self, message: Message, wording: Wording) -> Mapping[str, Any]:
        event: dict[str, Any] = {
            "routing_key": self.key,
            "event_action": str(message.action),
            "dedup_key": message.dedup,
        }
        if message.action is PagerAction.TRIGGER:
            event["client"] = "runbook-engine"
            event["payload"] = {
                "summary": wording.title[:MOST_SUMMARY],
                "source": message.dedup,
                "severity": _SEVERITIES[round(message.weight * (len(_SEVERITIES) - 1))],
                "custom_details": {"text": wording.body},
            }
        return event


def _answer(status: int, headers: Mapping[bytes, bytes], body: bytes) -> Answer:
    if status == 202 or 200 <= status < 300:
        try:
            reference = str(json.loads(body).get("dedup_key", ""))
        except (ValueError, AttributeError):
            reference = ""
        return Answer(Verdict.SENT, reference)
    lowered = {name.lower(): value for name, value in headers.items()}
    wait = lowered.get(b"retry-after", b"").decode("latin-1")
    error = f"PagerDuty answered {status}"
    verdict = verdict_of(status, retry_after=bool(wait))
    if verdict is not Verdict.REFUSED:
        return Answer(verdict, error=error, retry_after=float(wait) if wait.isdigit() else None)
    return Answer(Verdict.REFUSED, error=f"{error}: the integration key or the event is wrong")


def _proxy(url: str) -> "httpcore.Proxy | None":
    """The proxy of ``http_proxy``, ``https_proxy`` and ``no_proxy``; none stands between this machine and itself."""
    import httpcore

    parts = urlsplit(url)
    host = parts.hostname or ""
    found = getproxies().get(parts.scheme, "")
    if not found or host == "localhost" or host.startswith("127.") or proxy_bypass(host):
        return None
    place = urlsplit(found if "://" in found else f"http://{found}")
    auth = (unquote(place.username), unquote(place.password or "")) if place.username else None
    return httpcore.Proxy(url=f"{place.scheme}://{place.netloc.rpartition('@')[2]}", auth=auth)


def _trusted() -> ssl.SSLContext:
    import certifi

    context = ssl.create_default_context()
    if not context.cert_store_stats()["x509_ca"]:
        context.load_verify_locations(certifi.where())
    return context
