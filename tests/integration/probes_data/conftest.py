"""Real PostgreSQL and Redis servers, and servers on loopback that do what real ones do on their worst days."""

import asyncio
import ssl
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any, Protocol

import anyio
import psycopg
import pytest
from tests.integration.documents import assert_document_as_declared

from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.lab.redis import RedisServer
from runbook_engine.probe import Probe, ProbeContext, ProbeError

PASSWORD = "pl4nted-hunter2"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Session = psycopg.Connection[tuple[Any, ...]]


LATE_S = 5.0
"""So much later than it should a probe may end on a machine that is busy: what it is held by here would hold it for ever."""


class Measure(Protocol):
    """Measures as the engine does: under a deadline, which the probe is told."""

    async def __call__(
        self, probe: Probe[Any, Any], *, deadline: float = 10.0, grants: frozenset[str] = frozenset(), **params: object
    ) -> Any: ...


class Fails(Protocol):
    """Measures, and gives the ProbeError that must come of it, once it is known to hold no password."""

    async def __call__(
        self, probe: Probe[Any, Any], *, deadline: float = 10.0, grants: frozenset[str] = frozenset(), **params: object
    ) -> ProbeError: ...


@pytest.fixture(scope="session")
def password() -> str:
    """Of every role but the superuser; no error may show it."""
    return PASSWORD


@pytest.fixture
def measure() -> Measure:
    async def measure(
        probe: Probe[Any, Any], *, deadline: float = 10.0, grants: frozenset[str] = frozenset(), **params: object
    ) -> Any:
        with anyio.fail_after(deadline + LATE_S):
            ctx = ProbeContext(deadline=anyio.current_time() + deadline, environ={}, grants=grants)
            reading = await probe(probe.params.model_validate(params), ctx)
            assert_document_as_declared(probe, reading)
            return reading

    return measure


@pytest.fixture
def fails(measure: Measure) -> Fails:
    async def fails(
        probe: Probe[Any, Any], *, deadline: float = 10.0, grants: frozenset[str] = frozenset(), **params: object
    ) -> ProbeError:
        with pytest.raises(ProbeError) as caught:
            await measure(probe, deadline=deadline, grants=grants, **params)
        assert_no_password(caught.value)
        return caught.value

    return fails


def assert_no_password(error: BaseException) -> None:
    """In no text that a report, a log or a crash reporter would show of the error and of what it came from."""
    shown = "".join(traceback.format_exception(error))
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is None or id(each) in seen:
            continue
        seen.add(id(each))
        shown += f"{each!s} {each!r} {each.args!r} {vars(each)!r}"
        waiting += [each.__cause__, each.__context__]
    for part in (PASSWORD, "hunter2"):
        assert part not in shown


class Until(Protocol):
    def __call__(self, reached: Callable[[], object]) -> None: ...


@pytest.fixture
def until() -> Until:
    """Waits for a state that comes soon, and fails when it does not."""

    def until(reached: Callable[[], object]) -> None:
        deadline = time.monotonic() + 10
        while not reached():
            assert time.monotonic() < deadline, "the state was not reached within 10 s"
            time.sleep(0.005)

    return until


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgresServer]:
    """With the roles ``app`` (no rights), ``monitor`` and ``stats``, all with PASSWORD, and the extension in ``public``."""
    with PostgresServer(tmp_path_factory.mktemp("postgres")) as server:
        with psycopg.connect(server.dsn(), autocommit=True) as connection:
            connection.execute("CREATE EXTENSION pg_stat_statements")
            for role in ("app", "monitor", "stats"):
                connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'".encode())
            connection.execute("GRANT pg_monitor TO monitor")
            connection.execute("GRANT pg_read_all_stats TO stats")
        yield server


@pytest.fixture
def admin(postgres: PostgresServer, until: Until) -> Iterator[Session]:
    """A superuser's session; no other client has one when the test begins."""
    with psycopg.connect(postgres.dsn(), autocommit=True, application_name="admin") as connection:
        others = b"backend_type = 'client backend' AND pid <> pg_backend_pid()"
        # One that sleeps does not notice that its client has left.
        connection.execute(b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE " + others)
        left = b"SELECT count(*) FROM pg_stat_activity WHERE " + others
        until(lambda: connection.execute(left).fetchone() == (0,))
        yield connection


class Connect(Protocol):
    """A session of another client, which lasts as long as the test."""

    def __call__(self, user: str = "app", database: str = "postgres", *, autocommit: bool = True) -> Session: ...


@pytest.fixture
def connect(postgres: PostgresServer) -> Iterator[Connect]:
    with ExitStack() as opened:

        def connect(user: str = "app", database: str = "postgres", *, autocommit: bool = True) -> Session:
            password = None if user == "postgres" else PASSWORD
            made = psycopg.connect(
                postgres.dsn(user, password, database), autocommit=autocommit, application_name="checkout"
            )
            opened.callback(made.close)
            return made

        yield connect


@pytest.fixture
def database(postgres: PostgresServer, admin: Session) -> Iterator[str]:
    """The name of an empty database, without the extension."""
    admin.execute("CREATE DATABASE empty")
    yield "empty"
    admin.execute("DROP DATABASE empty WITH (FORCE)")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis"), password=PASSWORD) as server:
        yield server


@pytest.fixture
def start_redis(tmp_path: Path) -> Iterator[Callable[..., RedisServer]]:
    """A server of the test's own, with settings."""
    with ExitStack() as opened:

        def start(**settings: str) -> RedisServer:
            named = {name.replace("_", "-"): value for name, value in settings.items()}
            return opened.enter_context(RedisServer(tmp_path, settings=named, password=PASSWORD))

        yield start


class Listener:
    """A server on loopback. ``here`` is how many clients are connected at this moment."""

    def __init__(self) -> None:
        self.port = 0
        self.here = 0
        self.connections = 0
        self._left = asyncio.Event()

    def came(self) -> None:
        self.here += 1
        self.connections += 1
        self._left.clear()

    def left(self) -> None:
        self.here -= 1
        if self.here == 0:
            self._left.set()

    async def everybody_left(self) -> None:
        with anyio.fail_after(5):
            await self._left.wait()


class Listen(Protocol):
    async def __call__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> Listener: ...


@pytest.fixture
async def listen() -> AsyncIterator[Listen]:
    async with AsyncExitStack() as stack:

        async def listen(handler: Handler, tls: ssl.SSLContext | None = None) -> Listener:
            listener = Listener()
            tasks: set[asyncio.Task[None]] = set()

            async def attend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                listener.came()
                try:
                    await handler(reader, writer)
                except (ConnectionError, ssl.SSLError):
                    pass
                finally:
                    writer.close()
                    listener.left()

            def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                task = asyncio.get_running_loop().create_task(attend(reader, writer))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

            server = await asyncio.start_server(begin, "127.0.0.1", 0, ssl=tls)
            listener.port = server.sockets[0].getsockname()[1]

            async def stop() -> None:
                server.close()
                for task in list(tasks):
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

            stack.push_async_callback(stop)
            return listener

        yield listen


async def until_end_of_file(reader: asyncio.StreamReader) -> None:
    while await reader.read(65536):
        pass


@pytest.fixture
def black_hole() -> Handler:
    """Takes everything, says nothing."""

    async def handler(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await until_end_of_file(reader)

    return handler


@pytest.fixture
def drip() -> Callable[[bytes, bytes], Handler]:
    """Waits for the client's first bytes, says ``beginning``, and then ``drop`` again and again, every 20 ms."""

    def drip(beginning: bytes, drop: bytes) -> Handler:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(4096)
            writer.write(beginning)
            while not reader.at_eof():
                writer.write(drop)
                await writer.drain()
                await asyncio.sleep(0.02)

        return handler

    return drip
