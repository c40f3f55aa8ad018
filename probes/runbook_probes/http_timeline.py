"""What happens on the way to an answer, noted while it happens."""

import re
from dataclasses import dataclass, field

import anyio

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_engine.quantity import Dimension, show
from runbook_probes.http_params import Target

MOST_OPENING = 64
_INTERIM = re.compile(rb"HTTP/1\.[01] (1(?!01)\d\d)\b")
"""How an answer begins after which the real one comes (RFC 9110, section 15.2); after 101 comes no HTTP at all."""


@dataclass(slots=True)
class Timeline:
    """What has happened on the way to one answer; written while it happens, read when it came or when time ran out.

    Durations are in seconds. ``dns``, ``connect`` and ``tls`` are sums over the connections that were made, None where none
    was. ``interim`` are the statuses of answers such as 103 that came before the real one. ``missed`` says what is being
    waited for, as the beginning of "it sent no answer within 5 s".
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
    interim: list[int] = field(default_factory=list)
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
        """Seconds from the request being sent to the first byte of its answer, interim ones apart."""
        return (self.answered or 0.0) - (self.sent or 0.0)

    def begin(self, target: Target) -> None:
        """A request is about to be made: the first one, or one that a redirect led to."""
        self.started = self.started or anyio.current_time()
        self.sent, self.answered, self.opening, self.interim = None, None, b"", []
        self.target = target
        self.missed = f"{target.where} did not take a request"

    def received(self, piece: bytes) -> None:
        now = anyio.current_time()
        if self.answered is None and piece:
            self._answered(now)
        if len(self.opening) >= MOST_OPENING and not _INTERIM.match(self.opening):
            return
        self.opening += piece
        while (begun := _INTERIM.match(self.opening)) and b"\r\n\r\n" in self.opening:
            self.interim.append(int(begun[1]))
            _, _, self.opening = self.opening.partition(b"\r\n\r\n")
            if self.opening:
                self._answered(now)
            else:
                self.answered = None
                self.missed = f"{self.where} sent status {self.interim[-1]}, but no answer after it"
        if not begun:
            self.opening = self.opening[:MOST_OPENING]

    def _answered(self, now: float) -> None:
        self.answered = now
        self.missed = f"{self.where} began to answer, but did not finish the headers of its answer"

    def requested(self) -> None:
        self.sent, self.answered, self.opening = anyio.current_time(), None, b""
        self.missed = f"{self.where} accepted the connection, but sent no answer"

    def timed_out(self, seconds: float) -> ProbeError:
        return ProbeError(ErrorKind.TIMEOUT, f"{self.missed} within {show(seconds, Dimension.DURATION)}")
