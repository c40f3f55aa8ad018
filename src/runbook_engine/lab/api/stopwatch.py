"""How long each component took: in one request, and in the requests of late."""

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

COMPONENTS = ("database", "cache", "application")
WINDOW_S = 30.0
LONGEST_WINDOW = 500


@dataclass(slots=True)
class Stopwatch:
    """The times of one request. What is not measured as database or cache is the application's own."""

    started: float = field(default_factory=time.perf_counter)
    spent: dict[str, float] = field(default_factory=lambda: {"database": 0.0, "cache": 0.0})
    calls: dict[str, int] = field(default_factory=lambda: {"database": 0, "cache": 0})

    @contextmanager
    def measure(self, component: str) -> Iterator[None]:
        begun = time.perf_counter()
        try:
            yield
        finally:
            self.spent[component] += time.perf_counter() - begun
            self.calls[component] += 1

    def read(self) -> dict[str, float]:
        """Seconds by component, until now."""
        total = time.perf_counter() - self.started
        return {**self.spent, "application": max(0.0, total - sum(self.spent.values()))}


class Window:
    """The requests of the last 30 seconds, at most 500 of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: deque[tuple[float, dict[str, float]]] = deque(maxlen=LONGEST_WINDOW)

    def add(self, seconds: dict[str, float]) -> None:
        with self._lock:
            self._seen.append((time.monotonic(), seconds))

    def mean(self, component: str) -> float:
        """Seconds that a request spent in the component, on average. 0.0 while there was no request."""
        since = time.monotonic() - WINDOW_S
        with self._lock:
            recent = [seconds[component] for at, seconds in self._seen if at >= since]
        return sum(recent) / len(recent) if recent else 0.0
