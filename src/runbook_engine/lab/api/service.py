"""What the API's endpoints do. Every request uses the database, the cache and the application itself, for real."""

import hashlib
import time
from dataclasses import dataclass, field

import psycopg

from runbook_engine.lab.api.cache import Cache, CacheError, Summary
from runbook_engine.lab.api.pool import DatabaseDownError, Pool
from runbook_engine.lab.api.settings import ApiSettings
from runbook_engine.lab.api.stopwatch import COMPONENTS, Stopwatch, Window

OWN_SESSION = 1
SUMMARIES = tuple(range(1, 31))
BOARD_PAGES = 3
SLOW_S = 0.5
_NAMES_ELSEWHERE = {"database": "pg", "cache": "redis", "application": "app"}
_WORDS_ELSEWHERE = {"ok": "UP", "degraded": "SLOW", "down": "DOWN"}

# The latest message of each session on a page of the board: one index look-up for each, or one scan of all messages.
BOARD = """
SELECT count(*), max(latest.sent_at)
FROM (SELECT id FROM sessions WHERE id >= %s ORDER BY id LIMIT %s) AS page
CROSS JOIN LATERAL (
  SELECT sent_at FROM messages WHERE messages.session_id = page.id ORDER BY sent_at DESC LIMIT 1
) AS latest
"""
REPORT = "SELECT messages, latest FROM weekly_report(%s)"
SUMMARISE = "SELECT summarise(%s)"
TOUCH = "UPDATE sessions SET last_seen_at = clock_timestamp() WHERE id = %s"
SESSION = "SELECT member FROM sessions WHERE id = %s"


@dataclass(slots=True)
class Answer:
    status: int
    body: dict[str, object]


@dataclass(slots=True)
class _Troubles:
    """What went wrong in one request, by component: in a component that is down, or only worse than it should be."""

    down: dict[str, str] = field(default_factory=dict)
    worse: dict[str, str] = field(default_factory=dict)

    def status(self, component: str, seconds: float) -> str:
        if component in self.down:
            return "down"
        return "degraded" if component in self.worse or seconds > SLOW_S else "ok"


class Service:
    def __init__(self, settings: ApiSettings) -> None:
        self._settings = settings
        self._pool = Pool(settings.database_url)
        self._cache = Cache(settings.redis_url, ttl_ms=settings.cache_ttl_ms)
        self._window = Window()
        self.account = settings.account

    def close(self) -> None:
        self._pool.close()
        self._cache.close()

    def health(self) -> Answer:
        """200 while the database answers, however slowly; 503 with the reason when it does not."""
        watch, troubles = self._measured()
        if "database" in troubles.down:
            return Answer(503, {"status": "unavailable", "error": troubles.down["database"]})
        spent = watch.read()
        worst = any(troubles.status(component, spent[component]) != "ok" for component in COMPONENTS)
        said = "degraded" if worst else "ok"
        return Answer(200, {"status": said} if self.account == "components" else {"healthy": not worst})

    def health_detailed(self) -> Answer:
        """The same, with every component: ``latency_ms`` is the mean of the health requests of the last 30 s, this one
        included, ``last_ms`` this request alone, ``calls`` how often this request used the component.
        """
        watch, troubles = self._measured()
        last = watch.read()
        components: dict[str, object] = {}
        for component in COMPONENTS:
            mean = self._window.mean(component)
            entry: dict[str, object] = {
                "status": troubles.status(component, mean),
                "latency_ms": round(mean * 1000, 2),
                "last_ms": round(last[component] * 1000, 2),
            }
            if component in watch.calls:
                entry["calls"] = watch.calls[component]
            error = troubles.down.get(component) or troubles.worse.get(component)
            if error is not None:
                entry["error"] = error
            components[component] = entry
        states = [troubles.status(component, self._window.mean(component)) for component in COMPONENTS]
        down = "database" in troubles.down
        overall = "unavailable" if down else "ok" if all(state == "ok" for state in states) else "degraded"
        return Answer(503 if down else 200, {"status": overall, "components": components})

    def status(self) -> Answer:
        """The same account as an API of another team would give it: other names, other words, and seconds."""
        _, troubles = self._measured()
        deps: dict[str, object] = {}
        for component, name in _NAMES_ELSEWHERE.items():
            mean = self._window.mean(component)
            state = _WORDS_ELSEWHERE[troubles.status(component, mean)]
            deps[name] = {"state": state, "latency_s": round(mean, 5)}
        return Answer(503 if "database" in troubles.down else 200, {"deps": deps})

    def session(self, number: int) -> Answer:
        """One session with its summary, from the cache where it has it."""
        watch, troubles = Stopwatch(), _Troubles()
        self._application()
        try:
            summary = self._summaries((number,), watch, troubles).get(number)
        except DatabaseDownError as error:
            return Answer(503, {"status": "unavailable", "error": str(error)})
        if summary is None:
            return Answer(404, {"error": f"there is no session {number}"})
        return Answer(200, {"session": number, **summary})

    def _measured(self) -> tuple[Stopwatch, _Troubles]:
        watch, troubles = Stopwatch(), _Troubles()
        self._application()
        try:
            self._summaries(SUMMARIES, watch, troubles)
            self._database(watch, troubles)
        except DatabaseDownError as error:
            troubles.down["database"] = str(error)
        try:
            if "cache" not in troubles.down:
                self._cache.mark(watch)
        except CacheError as error:
            troubles.worse["cache"] = str(error)
        self._window.add(watch.read())
        return watch, troubles

    def _application(self) -> None:
        if self._settings.upstream_wait_s:
            time.sleep(self._settings.upstream_wait_s)
        if self._settings.hash_rounds:
            hashlib.pbkdf2_hmac("sha256", b"lab", b"salt", self._settings.hash_rounds)

    def _summaries(self, sessions: tuple[int, ...], watch: Stopwatch, troubles: _Troubles) -> dict[int, Summary]:
        """Read through the cache: what it lacks is computed by the database, one by one, and kept."""
        try:
            found = self._cache.summaries(sessions, watch)
        except CacheError as error:
            troubles.down["cache"] = str(error)
            found = {}
        absent = [each for each in sessions if each not in found]
        if not absent:
            return found
        computed: dict[int, Summary] = {}
        with watch.measure("database"), self._pool.connection() as connection:
            for session in absent:
                member = connection.execute(SESSION, (session,)).fetchone()
                text = connection.execute(SUMMARISE, (session,)).fetchone()
                if member is not None and text is not None:
                    computed[session] = {"member": str(member[0]), "summary": str(text[0])}
        if computed and "cache" not in troubles.down:
            try:
                self._cache.keep(computed, watch)
            except CacheError as error:
                troubles.worse["cache"] = str(error)
        return {**found, **computed}

    def _database(self, watch: Stopwatch, troubles: _Troubles) -> None:
        with watch.measure("database"), self._pool.connection() as connection:
            for page in range(BOARD_PAGES):
                connection.execute(BOARD, (1 + page * 100, self._settings.board_sessions)).fetchone()
            connection.execute(REPORT, (OWN_SESSION,)).fetchone()
            try:
                connection.execute(TOUCH, (OWN_SESSION,))
            except psycopg.errors.LockNotAvailable as error:
                troubles.worse["database"] = str(error).split("\n", 1)[0]
