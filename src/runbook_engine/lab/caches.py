"""What the API and responders find in the place of a cache that works."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from runbook_engine.errors import RunbookError
from runbook_engine.lab.guard import Guard
from runbook_engine.lab.process import HOST
from runbook_engine.lab.redis import RedisServer

State = Literal["up", "stopped", "silent", "protected", "slotless", "orphaned"]

PATIENCE_S = 15.0
LOOK_AGAIN_S = 0.02
POLL_S = 0.1

DENIED = (
    b"-DENIED Redis is running in protected mode because protected mode is enabled and no password is set for the default "
    b"user. In this mode connections are only accepted from the loopback interface.\r\n"
)
"""The beginning of what Redis says: https://github.com/redis/redis/blob/7.0/src/networking.c, clientAcceptHandler()."""


@contextmanager
def found_instead(state: State, cache: RedisServer, home: Path, guard: Guard) -> Iterator[str]:
    """The URL of what is there. ``cache`` is up; it is stopped where another server, or none, is in its place."""
    match state:
        case "up" | "silent":
            yield cache.url
        case "stopped":
            _stop(cache, guard)
            yield cache.url
        case "protected":
            _stop(cache, guard)
            with protected_mode() as url:
                yield url
        case "slotless":
            _stop(cache, guard)
            with RedisServer(home / "redis-node", settings={"cluster-enabled": "yes"}, password=cache.password) as node:
                guard.end(node.pid)
                yield node.url
        case "orphaned":
            settings = {"replicaof": f"{HOST} {cache.port}", "masterauth": cache.password or ""}
            with RedisServer(home / "redis-replica", settings=settings, password=cache.password) as replica:
                guard.end(replica.pid)
                _wait(lambda: _link(replica) == "up", "the replica to reach its master")
                _stop(cache, guard)
                _wait(lambda: _link(replica) == "down", "the replica to lose its master")
                yield replica.url


def _stop(cache: RedisServer, guard: Guard) -> None:
    guard.spare(cache.pid)
    cache.stop()


def _link(replica: RedisServer) -> str:
    import redis

    with redis.Redis.from_url(replica.url) as client:
        return str(client.info("replication")["master_link_status"])


def _wait(reached: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        if time.monotonic() > deadline:
            raise RunbookError(f"waited {PATIENCE_S:.0f} s for {what}")
        time.sleep(LOOK_AGAIN_S)


@contextmanager
def protected_mode() -> Iterator[str]:
    """The URL of a stand-in for a Redis in protected mode, which does what Redis does to a client from elsewhere.

    A real one serves whoever comes from its own machine, and in the lab nobody comes from elsewhere.
    """
    with socket.create_server((HOST, 0)) as listener:
        listener.settimeout(POLL_S)
        ended = threading.Event()

        def turn_away() -> None:
            while not ended.is_set():
                with suppress(OSError):
                    client, _ = listener.accept()
                    with client:
                        client.sendall(DENIED)

        thread = threading.Thread(target=turn_away, name="lab-protected-mode", daemon=True)
        thread.start()
        try:
            yield f"redis://{HOST}:{listener.getsockname()[1]}/0"
        finally:
            ended.set()
            thread.join()
