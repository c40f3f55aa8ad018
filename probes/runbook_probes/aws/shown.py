"""What AWS answers, for evidence: times as text, texts of others on one line."""

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from runbook_engine.hostile import one_line, opening
from runbook_probes.aws.client import Client
from runbook_probes.aws.failure import Aim, senseless

MOST_PAGES = 20
OK = 200

Answer = Mapping[str, Any]


def told(text: object) -> str:
    """A text that somebody else wrote; nothing where there is none."""
    return one_line(opening(str(text))) if text else ""


def moment(at: object) -> str | None:
    """``2026-03-01T12:00:00Z``."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if isinstance(at, dt.datetime) else None


def since(at: dt.datetime, now: dt.datetime) -> float:
    """Seconds; clocks differ, so what lies ahead counts as now."""
    return max(0.0, (now - at).total_seconds())


def expected(answer: Answer, aim: Aim, name: str) -> Any:
    """What every such answer of AWS holds, be it an empty list.

    Without it something else has answered, and nothing was measured. Raises ProbeError.
    """
    if answer.get(name) is None:
        raise senseless(aim, OK)
    return answer[name]


class Pages:
    """The items of all pages of a long answer, page by page, up to MOST_PAGES.

    ``cut`` says once they are read that there were more; else it is empty.
    """

    def __init__(self, client: Client, aim: Aim, operation: str, key: str, **arguments: object) -> None:
        self._pages: Iterable[Answer] = client.get_paginator(operation).paginate(**arguments)
        self._aim, self._key = aim, key
        self.cut = ""

    def __iter__(self) -> Iterator[Any]:
        pages = iter(self._pages)
        for page in itertools.islice(pages, MOST_PAGES):
            yield from expected(page, self._aim, self._key)
        if next(pages, None) is not None:
            self.cut = f"there are more than the {MOST_PAGES} pages that were read"
