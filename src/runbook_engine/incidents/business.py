"""Days on which people work, in the time zone of the policy."""

from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct


class Calendar(Struct, frozen=True):
    """``days`` are weekdays, Monday is 0; ``begin`` is when a business day begins, by the clock on the wall of ``zone``."""

    zone: ZoneInfo
    days: AbstractSet[int]
    begin: time
    holidays: AbstractSet[date] = frozenset()

    def next_day(self, at: float) -> float:
        """When the next business day begins: on a later date than ``at``, in Unix seconds both.

        Where clocks are put forward over ``begin``, it is the time that they would have shown.
        """
        day = datetime.fromtimestamp(at, self.zone).date()
        for _ in range(len(self.holidays) + 8):
            day += timedelta(days=1)
            if day.weekday() in self.days and day not in self.holidays:
                return datetime.combine(day, self.begin, self.zone).timestamp()
        raise ValueError("no day of the week is a business day")
