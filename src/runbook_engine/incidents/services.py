"""The services that carry messages: PagerDuty by its own interface, every other one by apprise.

An address of a service is a secret, in an environment variable. For PagerDuty it is the integration key, or
``https://KEY@events.eu.pagerduty.com/v2/enqueue`` where events go to another place than the usual one. For the others it is
a URL as apprise has them: ``slack://…``, ``mailtos://…``, ``twilio://…``, ``json://…``. https://appriseit.com/services/
"""

import threading
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from runbook_engine.document.incident_policy import AlertKind
from runbook_engine.incidents.messages import Destination, Message
from runbook_engine.incidents.wording import Wording

DEADLINE_S = 30.0
"""How long a service may take to say that it has a message."""


class Verdict(StrEnum):
    """What came of a try. Unknown: it may have arrived. Refused: it never will, as it is."""

    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REFUSED = "refused"


def verdict_of(status: int, *, retry_after: bool = False) -> Verdict:
    """What an HTTP status that is no success says of a message. https://www.rfc-editor.org/rfc/rfc9110#section-15

    A timeout, an error of the server and one of a gateway come before or after it has acted: nobody knows. 425 and 429 say
    that it has not, and so does 503 where it says when to come back; what stands in front of servers says 503, too, after it
    has handed a request over and lost the answer.
    """
    if status in (425, 429) or (status == 503 and retry_after):
        return Verdict.FAILED
    return Verdict.UNKNOWN if status == 408 or status >= 500 else Verdict.REFUSED


class Answer(Struct, frozen=True):
    """What a service said. ``retry_after`` is how many seconds it asks to be left alone."""

    verdict: Verdict
    reference: str = ""
    error: str = ""
    retry_after: float | None = None


class Service(Protocol):
    """Something that carries messages."""

    def said(self, wording: Wording) -> Wording:
        """The words as they are sent there: nothing in them calls anybody or acts in another way."""
        ...

    def most(self, wording: Wording) -> int:
        """How many characters of text it takes at once, beside that title."""
        ...

    def send(self, message: Message, wording: Wording) -> Answer:
        """Send it once. Never raises; ends within ``DEADLINE_S``."""
        ...


class NoServiceError(Exception):
    """A destination that cannot be reached from here: the sentence says why, and what to do."""


Services = Callable[[Destination], Service]
"""The service of a destination. Raises NoServiceError."""


def from_environment(environ: Mapping[str, str]) -> Services:
    """The services whose addresses stand in these variables."""

    def service(destination: Destination) -> Service:
        address = environ.get(destination.variable, "").strip()
        if not address:
            raise NoServiceError(f"${destination.variable} is not set")
        if destination.kind is AlertKind.PAGERDUTY:
            from runbook_engine.incidents.pagerduty import pagerduty

            return pagerduty(destination, address)
        from runbook_engine.incidents.by_apprise import by_apprise

        return by_apprise(destination, address)

    return service


def in_time(send: Callable[[], Answer], deadline: float = DEADLINE_S) -> Answer:
    """What ``send`` says, if it says it in time; else nobody knows. What it raises is taken for an unknown end, too."""
    answers: list[Answer] = []

    def work() -> None:
        try:
            answers.append(send())
        except Exception as error:  # noqa: BLE001 - whatever a client raises, the message may be on its way
            answers.append(Answer(Verdict.UNKNOWN, error=f"sending it ended with {type(error).__name__}"))

    thread = threading.Thread(target=work, name="sending", daemon=True)
    thread.start()
    thread.join(deadline)
    return answers[0] if answers else Answer(Verdict.UNKNOWN, error=f"no answer within {deadline:g} s")
