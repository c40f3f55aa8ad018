"""Faults that last: whoever holds the lock, leaks the connections or fills the memory, as long as the lab is up.

Each is a context manager of the URLs of the API's database role and of Redis, and is in full effect once entered. Clients are
imported only then: the words of the faults are wanted without them.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

PATIENCE_S = 15.0
AGAIN_S = 0.1
BIG = b"x" * 65_536
SMALL = b"x" * 1_024
NOBODYS_SESSION = 4_000
REPORT_S = 2.0
MOST_CACHE_CLIENTS = 40
FRAGMENTS = 60_000


@contextmanager
def locking_a_row(database: str, _cache: str) -> Iterator[None]:
    """A session that has updated the row which every request updates, and is idle in its transaction. A job waits for it."""
    import psycopg

    from runbook_engine.lab.api.service import OWN_SESSION, TOUCH

    with (
        psycopg.connect(database, application_name="deploy-script") as holder,
        ThreadPoolExecutor(1, "lab-job") as thread,
    ):
        holder.execute(TOUCH, (OWN_SESSION,))
        with psycopg.connect(
            database, autocommit=True, application_name="nightly-job", options="-c lock_timeout=0"
        ) as waiter:
            job = thread.submit(waiter.execute, TOUCH, (OWN_SESSION,))
            try:
                yield
            finally:
                # With the row free again the job comes to its end.
                holder.rollback()
                job.result(PATIENCE_S)


@contextmanager
def leaving_a_transaction_open(database: str, _cache: str) -> Iterator[None]:
    """A session that has updated a row which nobody else needs, and is idle in its transaction."""
    import psycopg

    from runbook_engine.lab.api.service import TOUCH

    with psycopg.connect(database, application_name="import-script") as holder:
        holder.execute(TOUCH, (NOBODYS_SESSION,))
        try:
            yield
        finally:
            holder.rollback()


@contextmanager
def working_in_a_transaction(database: str, _cache: str) -> Iterator[None]:
    """A session whose transaction executes one statement all the time."""
    import psycopg

    with (
        psycopg.connect(database, application_name="member-export") as worker,
        ThreadPoolExecutor(1, "lab-export") as thread,
    ):
        # Its sleep stands for a computation, so that a small machine's CPU stays free.
        work = thread.submit(worker.execute, "SELECT count(*), pg_sleep(3600) FROM messages")
        try:
            yield
        finally:
            worker.cancel_safe()
            with suppress(psycopg.errors.QueryCanceled):
                work.result(PATIENCE_S)


@contextmanager
def having_reported(database: str, _cache: str) -> Iterator[None]:
    """A report that ran once, and took REPORT_S."""
    import psycopg

    with psycopg.connect(database, autocommit=True, application_name="nightly-report") as reporter:
        reporter.execute("SELECT count(*), pg_sleep(%s) FROM sessions", (REPORT_S,))
    yield


@contextmanager
def holding_the_pool(database: str, _cache: str, *, count: int) -> Iterator[None]:
    """So many transactions that were begun through the pooler and go on: each keeps one of the pool's connections."""
    import psycopg

    with ExitStack() as opened:
        for _ in range(count):
            worker = psycopg.connect(database, application_name="import-worker", prepare_threshold=None)
            opened.callback(worker.close)
            worker.execute("SELECT 1")
        yield


@contextmanager
def holding_connections(database: str, _cache: str, *, count: int) -> Iterator[None]:
    """So many idle sessions."""
    import psycopg

    with ExitStack() as opened:
        for _ in range(count):
            opened.enter_context(psycopg.connect(database, autocommit=True, application_name="report-worker"))
        yield


@contextmanager
def leaking_connections(database: str, _cache: str) -> Iterator[None]:
    """Idle sessions in every slot that the role may have; a slot that becomes free is taken again."""
    import psycopg

    from runbook_engine.lab.api.pool import is_full

    with ExitStack() as opened:

        def take_all() -> bool:
            try:
                while True:
                    opened.enter_context(psycopg.connect(database, autocommit=True, application_name="report-worker"))
            except psycopg.OperationalError as error:
                return is_full(error)

        deadline = time.monotonic() + PATIENCE_S
        while not take_all():
            if time.monotonic() > deadline:
                raise TimeoutError(f"the database's connections were not exhausted within {PATIENCE_S:.0f} s")
        with _repeated(take_all, "lab-connection-leak"):
            yield


@contextmanager
def filling_the_cache(_database: str, cache: str) -> Iterator[None]:
    """A Redis at its memory limit: first it evicts whatever may be evicted, then it refuses writes, and it stays so."""
    import redis

    with redis.Redis.from_url(cache) as client:
        client.config_set("maxmemory-policy", "volatile-lru")
        limit = int(client.config_get("maxmemory")["maxmemory"])
        # Twice the limit of keys that may be evicted, so that evictions are counted ...
        for start in range(0, 2 * limit // len(BIG), 64):
            with client.pipeline(transaction=False) as pipeline:
                for number in range(start, start + 64):
                    pipeline.set(f"export:part:{number}", BIG, ex=3600)
                pipeline.execute()
        # ... then keys that may not, until nothing fits.
        counter = iter(range(1_000_000_000))

        def fill(value: bytes) -> bool:
            try:
                while True:
                    client.set(f"export:kept:{next(counter)}", value)
            except redis.exceptions.OutOfMemoryError:
                return True
            except redis.RedisError:
                return False

        fill(BIG)
        fill(SMALL)
        with _repeated(lambda: fill(SMALL), "lab-memory-filler"):
            yield


@contextmanager
def taking_all_cache_connections(_database: str, cache: str) -> Iterator[None]:
    """Idle connections, as many as maxclients allows; one that becomes free is taken again."""
    import redis

    with redis.Redis.from_url(cache) as client, ExitStack() as opened:
        client.config_set("maxclients", MOST_CACHE_CLIENTS)

        def take_all() -> bool:
            try:
                while True:
                    taken = opened.enter_context(redis.Redis.from_url(cache, single_connection_client=True))
                    taken.ping()
            except redis.RedisError:
                return True

        client.close()
        take_all()
        with _repeated(take_all, "lab-cache-connection-leak"):
            yield


@contextmanager
def wanting_replicas(_database: str, cache: str) -> Iterator[None]:
    """A Redis that has no replica, and writes only what one has received."""
    import redis

    with redis.Redis.from_url(cache) as client:
        client.config_set("min-replicas-to-write", 1)
    yield


@contextmanager
def failing_to_save(_database: str, cache: str) -> Iterator[None]:
    """A Redis whose last snapshot could not be written: a folder is where the file should go."""
    import redis

    with redis.Redis.from_url(cache) as client:
        (Path(client.config_get("dir")["dir"]) / client.config_get("dbfilename")["dbfilename"]).mkdir()
        client.bgsave()
        deadline = time.monotonic() + PATIENCE_S
        while client.info("persistence")["rdb_last_bgsave_status"] != "err":
            if time.monotonic() > deadline:
                raise TimeoutError(f"the snapshot did not fail within {PATIENCE_S:.0f} s")
            time.sleep(AGAIN_S)
    yield


@contextmanager
def fragmenting_the_cache(_database: str, cache: str) -> Iterator[None]:
    """A Redis from which two of three keys were deleted, so that nearly every page of its memory still holds one."""
    import redis

    with redis.Redis.from_url(cache) as client:
        for start in range(0, FRAGMENTS, 1_000):
            with client.pipeline(transaction=False) as pipeline:
                for number in range(start, start + 1_000):
                    pipeline.set(f"import:{number}", SMALL)
                pipeline.execute()
        for start in range(0, FRAGMENTS, 1_000):
            client.delete(*(f"import:{number}" for number in range(start, start + 1_000) if number % 3))
    yield


@contextmanager
def _repeated(action: Callable[[], object], name: str) -> Iterator[None]:
    """Run the action every AGAIN_S in a thread of its own."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(AGAIN_S):
            action()

    thread = threading.Thread(target=repeat, name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
