"""A small, bounded pool of database connections, for threads."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

SIZE = 5
WAIT_FOR_TURN_S = 10.0
WAIT_FOR_SLOT_S = 1.2
BETWEEN_ATTEMPTS_S = 0.1
CONNECT_TIMEOUT_S = 3


class DatabaseDownError(Exception):
    """The database cannot be used; the message says why."""


class Pool:
    """At most SIZE connections, opened when needed and kept.

    A server that is full (53300) is asked again for WAIT_FOR_SLOT_S, as pools in production do; any other refusal is
    reported at once.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._turns = threading.BoundedSemaphore(SIZE)
        self._lock = threading.Lock()
        self._idle: list[psycopg.Connection] = []

    @contextmanager
    def connection(self) -> Iterator[psycopg.Connection]:
        """A connection in autocommit mode. Raises DatabaseDownError where none can be had, or when it breaks in use."""
        if not self._turns.acquire(timeout=WAIT_FOR_TURN_S):
            raise DatabaseDownError(f"no connection of the pool became free within {WAIT_FOR_TURN_S:.0f} s")
        try:
            connection = self._take()
            try:
                yield connection
                # A session reports its table scans only once a second, and whoever diagnoses the lab looks at any time.
                connection.execute("SELECT pg_stat_force_next_flush()")
            except (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction) as error:
                if connection.closed or isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
                    raise DatabaseDownError(_first_line(error)) from error
                raise
            finally:
                self._give_back(connection)
        finally:
            self._turns.release()

    def _take(self) -> psycopg.Connection:
        with self._lock:
            while self._idle:
                connection = self._idle.pop()
                if not connection.closed:
                    return connection
        return self._connect()

    def _give_back(self, connection: psycopg.Connection) -> None:
        if connection.closed:
            # When one connection breaks, the server went away, and the others are broken too.
            self.close()
            return
        with self._lock:
            self._idle.append(connection)

    def _connect(self) -> psycopg.Connection:
        until = time.monotonic() + WAIT_FOR_SLOT_S
        while True:
            try:
                return psycopg.connect(
                    self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT_S, application_name="pixelated-api"
                )
            except psycopg.OperationalError as error:
                if not is_full(error) or time.monotonic() + BETWEEN_ATTEMPTS_S > until:
                    raise DatabaseDownError(_first_line(error)) from error
            time.sleep(BETWEEN_ATTEMPTS_S)

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


def is_full(error: psycopg.OperationalError) -> bool:
    """Whether the server had no slot left. libpq gives no SQLSTATE for a refused connection, only the server's words."""
    text = str(error)
    return any(words in text for words in ("too many clients", "connection slots are reserved", "too many connections"))


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0]
