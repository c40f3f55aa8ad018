"""What happens on the way to an answer, noted while it happens."""

from dataclasses import dataclass

import anyio

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_engine.quantity import Dimension, show
from runbook_probes.http_params import Target

MOST_OPENING = 64


@dataclass(slots=True)
class Timeline:
    """What has happened on the way to one answer; written while it happens, read when it came or when time ran out.

    Durations are in seconds. ``dns``, ``connect`` and ``tls`` are sums over the connections that were made, None where none
    was. ``missed`` says what is being waited for, as the beginning of "it sent no answer within 5 s".
    """

    target: Target
    missed: str = "the authorities that this machine trusts could not be read"
    started: float = 0.0
    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    address: str = ""
    sent: float | None = None
    answered: float | None = None
    opening: bytes = b""
    hops: int = 0

    @property
    def where(self) -> str:
        return self.target.where

    @property
    def setup(self) -> float:
        """Seconds that went into connections: name, TCP and TLS."""
        return (self.dns or 0.0) + (self.connect or 0.0) + (self.tls or 0.0)

    @property
    def first_byte(self) -> float:
        """Seconds from the request being sent to the first byte of its answer."""
        return (self.answered or 0.0) - (self.sent or 0.0)

    def begin(self, target: Target) -> None:
        """A request is about to be made: the first one, or one that a redirect led to."""
        self.started = self.started or anyio.current_time()
        self.sent, self.answered, self.opening = None, None, b""
        self.target = target
        self.missed = f"{target.where} did not take a request"

    def received(self, piece: bytes) -> None:
        if self.answered is None and piece:
            self.answered = anyio.current_time()
            self.missed = f"{self.where} began to answer, but did not finish the headers of its answer"
        if len(self.opening) < MOST_OPENING:
            self.opening += piece[: MOST_OPENING - len(self.opening)]

    def requested(self) -> None:
        self.sent, self.answered, self.opening = anyio.current_time(), None, b""
        self.missed = f"{self.where} accepted the connection, but sent no answer"

    def timed_out(self, seconds: float) -> ProbeError:
        return ProbeError(ErrorKind.TIMEOUT, f"{self.missed} within {show(seconds, Dimension.DURATION)}")
