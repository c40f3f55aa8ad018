"""What time it is, and times as people read them."""

import time
from datetime import UTC, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

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


def clock(at: float) -> str:
    """``2026-11-23 14:30 UTC``."""
    return moment(at, ZoneInfo("UTC"))


def moment(at: float, zone: ZoneInfo) -> str:
    """``Mon 2026-11-23 15:30 CET``; in UTC without the day of the week."""
    found = datetime.fromtimestamp(at, zone)
    return found.strftime("%Y-%m-%d %H:%M UTC" if zone.key == "UTC" else "%a %Y-%m-%d %H:%M %Z")


def span(seconds: float) -> str:
    """``45 s``, ``47 min``, ``1 h``, ``3 h 05 min``, ``2 d 4 h``."""
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes:02} min" if minutes else f"{hours} h"
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


def recorded(seconds: float | None) -> str:
    """A duration; what is not known is ``not recorded``, never 0."""
    return "not recorded" if seconds is None else span(seconds)


def iso(at: float) -> str:
    """``2026-11-23T14:30:00.000Z``."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
