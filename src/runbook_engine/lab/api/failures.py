"""Requests that fail, so evenly that whoever counts knows how many."""

import threading
from collections import Counter

PER = 1_000
UNCOUNTED = "lab-user"
"""Whoever calls itself so always gets an answer, and does not count: the lab's own user must not disturb the share."""


class Failures:
    """Of any 1,000 requests in a row to one path, exactly ``permille`` fail, at even distances.

    Of each distance it is the last request that fails; with ``early`` the first.
    """

    def __init__(self, permille: int, *, early: bool) -> None:
        self._permille = permille
        self._ahead = PER - 1 if early else 0
        self._counted: Counter[str] = Counter()
        self._lock = threading.Lock()

    def is_due(self, path: str, agent: str) -> bool:
        """Whether this request fails; it counts from now on."""
        if not self._permille or agent == UNCOUNTED:
            return False
        with self._lock:
            before = self._counted[path]
            self._counted[path] = before + 1
        return self._failed_of(before + 1) > self._failed_of(before)

    def _failed_of(self, requests: int) -> int:
        return (requests * self._permille + self._ahead) // PER
