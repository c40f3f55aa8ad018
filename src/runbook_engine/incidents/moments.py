"""What time it is, and times as people read them."""

import time
from datetime import UTC, datetime
from typing import Protocol

from msgspec import Struct


class Clock(Protocol):
    def now(self) -> float:
        """Unix seconds."""
        ...

    def sleep(self, seconds: float) -> None: ...


class MachineClock(Struct, frozen=True):
    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def moment(at: float) -> str:
    """``2026-11-23 14:30 UTC``, for Unix seconds."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def span(seconds: float) -> str:
    """``47 min``, ``3 h 05 min``, ``2 d 4 h``: how long something takes."""
    if abs(seconds) < 59.5:
        return f"{abs(seconds):.0f} s"
    minutes = round(abs(seconds) / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"
