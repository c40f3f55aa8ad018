"""The API's cache: summaries of sessions, and a mark that every request writes."""

import json
import time
from collections.abc import Mapping, Sequence

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from runbook_engine.lab.api.stopwatch import Stopwatch

MARK = "api:last_request"
WRITE_ATTEMPTS = 4
BETWEEN_ATTEMPTS_S = 0.2

Summary = Mapping[str, str | int]


class CacheError(Exception):
    """The cache cannot be used; the message says why."""


def summary_key(session: int) -> str:
    return f"summary:{session}"


class Cache:
    """Redis, for threads. Every method raises CacheError where Redis cannot be reached or refuses."""

    def __init__(self, url: str, *, ttl_ms: int | None) -> None:
        self._ttl_ms = ttl_ms
        # One layer decides about retries, and for reads it is "none": the database can answer instead.
        self._redis = redis.Redis.from_url(
            url, socket_connect_timeout=1.0, socket_timeout=2.0, retry=Retry(NoBackoff(), 0), decode_responses=True
        )

    def summaries(self, sessions: Sequence[int], watch: Stopwatch) -> dict[int, Summary]:
        """What the cache has of these sessions."""
        with watch.measure("cache"):
            try:
                texts = self._redis.mget([summary_key(each) for each in sessions])
            except redis.RedisError as error:
                raise CacheError(str(error)) from error
        return {session: json.loads(text) for session, text in zip(sessions, texts, strict=True) if text is not None}

    def keep(self, summaries: Mapping[int, Summary], watch: Stopwatch) -> None:
        with watch.measure("cache"):
            try:
                with self._redis.pipeline(transaction=False) as pipeline:
                    for session, summary in summaries.items():
                        pipeline.set(summary_key(session), json.dumps(summary), px=self._ttl_ms)
                    pipeline.execute()
            except redis.RedisError as error:
                raise CacheError(str(error)) from error

    def mark(self, watch: Stopwatch) -> None:
        """Write when the last request came. A Redis that is out of memory is asked again, as it may be evicting."""
        with watch.measure("cache"):
            for attempt in range(1, WRITE_ATTEMPTS + 1):
                try:
                    self._redis.set(MARK, time.time())
                except redis.exceptions.OutOfMemoryError as error:
                    if attempt == WRITE_ATTEMPTS:
                        raise CacheError(str(error)) from error
                    time.sleep(BETWEEN_ATTEMPTS_S)
                except redis.RedisError as error:
                    raise CacheError(str(error)) from error
                else:
                    return

    def close(self) -> None:
        self._redis.close()
