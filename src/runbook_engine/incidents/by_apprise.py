"""Slack, e-mail, SMS, webhooks and a hundred others, by apprise. https://github.com/caronc/apprise

apprise says whether a message went out, and no more. Why it did not stands in its log, of which the address is masked here,
and the status of each answer in that of its requests. That matters: only what surely did not arrive may be sent again.
"""

import logging
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from msgspec import Struct

from runbook_engine.document.incident_policy import AlertKind
from runbook_engine.engine.border import Border
from runbook_engine.hostile import one_line
from runbook_engine.incidents.messages import Destination, Message
from runbook_engine.incidents.neutral import neutral
from runbook_engine.incidents.services import Answer, NoServiceError, Service, Verdict, in_time, verdict_of
from runbook_engine.incidents.wording import Wording

if TYPE_CHECKING:
    from apprise import NotifyBase

MISSING = "apprise is not installed: pip install 'runbook-engine[notify]'"
_CONNECT_S = 10.0
_READ_S = 20.0
_STATUS = re.compile(r"\berror=(\d{3})\b")
_SMTP = re.compile(r"\((\d{3}), b?['\"]")
_NOT_REACHED = re.compile(
    r"refused|NewConnectionError|NameResolution|Name or service|getaddrinfo|connect timeout|unreachable|CERTIFICATE_VERIFY"
    r"|WRONG_VERSION_NUMBER|No route to host",
    re.IGNORECASE,
)
_WENT_WRONG = "Socket Exception"
"""What apprise begins the line with that says why there was no answer. Other lines repeat the message itself."""
_PLAIN = frozenset({"JSON", "XML", "Form", "E-Mail"})
"""Services of apprise that hand a text to programs or as it is, where an invisible letter would only do harm."""
_SECRET = 4
"""Parts of an address that are shorter are too common to be masked."""


def by_apprise(destination: Destination, address: str) -> Service:
    """The service of a URL as apprise has them. Raises NoServiceError, whose text says nothing of the address."""
    try:
        import apprise
    except ModuleNotFoundError:
        raise NoServiceError(MISSING) from None
    asset = apprise.AppriseAsset(app_id="runbook-engine", app_desc="runbook", async_mode=False, secure_logging=True)
    url = _to(address, destination.recipient) if destination.kind is AlertKind.EMAIL else address
    with _heard():
        made = apprise.Apprise.instantiate(url, asset=asset, suppress_exceptions=True)
    if made is None:
        hint = "https://appriseit.com/services/ shows what they look like"
        raise NoServiceError(f"${destination.variable} is no address of a service; {hint}")
    made.socket_connect_timeout = max(made.socket_connect_timeout, _CONNECT_S)
    made.socket_read_timeout = max(made.socket_read_timeout, _READ_S)
    plain = destination.kind is AlertKind.SMS or str(made.service_name) in _PLAIN
    return _ByApprise(made, Border(_secrets(address)), plain)


class _ByApprise(Struct, frozen=True):
    plugin: "NotifyBase"
    border: Border
    plain: bool

    def said(self, wording: Wording) -> Wording:
        if self.plain:
            return wording
        # For Discord apprise takes a mention out of the address of a mail, too.
        any_at = self.plugin.service_name == "Discord"
        title, body = neutral(wording.title, any_at=any_at), neutral(wording.body, any_at=any_at)
        return Wording(title[: self.plugin.title_maxlen] if self.plugin.title_maxlen > 0 else title, body)

    def most(self, wording: Wording) -> int:
        # Without a place of its own, or where both count together, the title stands in front of the text.
        apart = self.plugin.title_maxlen > 0 and not self.plugin.overflow_amalgamate_title
        title = 0 if apart or not wording.title else len(wording.title) + 2
        return int(self.plugin.body_maxlen) - title

    def send(self, message: Message, wording: Wording) -> Answer:  # noqa: ARG002 - the text says it all
        return in_time(lambda: self._send(wording))

    def _send(self, wording: Wording) -> Answer:
        from apprise import NotifyFormat

        with _heard() as (records, answers):
            sent = self.plugin.notify(
                body=wording.body or wording.title,
                title=wording.title if wording.body else "",
                body_format=NotifyFormat.TEXT,
            )
        return Answer(Verdict.SENT) if sent else self._why(records, answers)

    def _why(self, records: list[logging.LogRecord], requests: list[logging.LogRecord]) -> Answer:
        causes = [text for each in records if (text := each.getMessage()).startswith(_WENT_WRONG)]
        warnings = [each.getMessage() for each in records if each.levelno >= logging.WARNING]
        said = self.border.text(one_line(warnings[0])) if warnings else f"{self.plugin.service_name} took it not"
        if any(each.levelno == logging.INFO and each.getMessage().startswith("Sent") for each in records):
            return Answer(Verdict.UNKNOWN, error=f"it reached only some of its recipients: {said}")
        statuses = [int(found[1]) for each in warnings for found in _STATUS.finditer(each)]
        statuses += _answered(requests)
        if statuses:
            # What is said between the status and whoever reads it, such as Retry-After, does not get here.
            verdicts = {verdict_of(each) for each in statuses}
            found = next(each for each in (Verdict.UNKNOWN, Verdict.FAILED, Verdict.REFUSED) if each in verdicts)
            return Answer(found, error=said)
        replies = [int(found[1]) for each in causes for found in _SMTP.finditer(each)]
        if replies:
            refused = all(500 <= each < 600 for each in replies)
            return Answer(Verdict.REFUSED if refused else Verdict.FAILED, error=f"{said} (SMTP {replies[0]})")
        if causes and all(_NOT_REACHED.search(each) for each in causes):
            return Answer(Verdict.FAILED, error=f"{said}: it was not reached")
        return Answer(Verdict.UNKNOWN, error=said)


def _answered(requests: list[logging.LogRecord]) -> list[int]:
    """The statuses of the answers that were no success, as urllib3 logs each: ``… "POST /path HTTP/1.1" 503 12``."""
    found = [each.args[6] for each in requests if isinstance(each.args, tuple) and len(each.args) > 6]
    return [each for each in found if isinstance(each, int) and each >= 300]


def _to(address: str, recipient: str) -> str:
    """A mail server's URL whose only recipient is that one."""
    parts = urlsplit(address)
    if not recipient or not parts.scheme.startswith("mailto"):
        return address
    query = [(name, value) for name, value in parse_qsl(parts.query) if name.lower() not in ("to", "cc", "bcc")]
    return parts._replace(path="/", query=urlencode([*query, ("to", recipient)])).geturl()


def _secrets(address: str) -> Iterator[str]:
    """All parts of an address that may be one."""
    yield address
    parts = urlsplit(address)
    values = [*parts.path.split("/"), parts.username or "", parts.password or "", parts.hostname or ""]
    values += [value for _, value in parse_qsl(parts.query)]
    for each in values:
        if len(each) >= _SECRET and each != "localhost" and not each.replace(".", "").isdigit():
            yield each
            yield unquote(each)


class _Ear(logging.Filter):
    """Keeps what is logged in a thread that listens, and lets nothing of it pass; in others it changes nothing."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self._level = level
        self._heard = threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        records: list[logging.LogRecord] | None = getattr(self._heard, "records", None)
        if records is None:
            return record.levelno >= self._level
        records.append(record)
        return False

    @contextmanager
    def listening(self) -> Iterator[list[logging.LogRecord]]:
        self._heard.records = []
        try:
            yield self._heard.records
        finally:
            self._heard.records = None


@lru_cache(maxsize=1)
def _ears() -> tuple[_Ear, _Ear]:
    """At the logger of apprise, and at that of its requests, in whose paths the secret of a webhook stands."""
    made = []
    for name in ("apprise", "urllib3.connectionpool"):
        logger = logging.getLogger(name)
        made.append(_Ear(logger.getEffectiveLevel()))
        logger.setLevel(logging.DEBUG)
        logger.addFilter(made[-1])
    return made[0], made[1]


@contextmanager
def _heard() -> Iterator[tuple[list[logging.LogRecord], list[logging.LogRecord]]]:
    """What apprise logs meanwhile in this thread, here and nowhere else, and what its requests do."""
    ear, requests = _ears()
    with ear.listening() as records, requests.listening() as answers:
        yield records, answers
