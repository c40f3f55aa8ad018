"""Time and chance, injected so that a run is deterministic given its readings."""

import random
import time
from typing import Protocol

import anyio
from msgspec import Struct, field


class Clock(Protocol):
    def now(self) -> float:
        """Unix seconds, never going backwards."""

    async def sleep(self, seconds: float) -> None: ...

    def chance(self) -> float:
        """A number from 0 up to 1."""


class SystemClock(Struct, frozen=True):
    """The machine's. Time is the wall clock's at the start plus what the monotonic clock has counted since."""

    _offset: float = field(default_factory=lambda: time.time() - time.monotonic())

    def now(self) -> float:
        return self._offset + time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)

    def chance(self) -> float:
        return random.random()  # noqa: S311 - spreads retries, hides nothing
