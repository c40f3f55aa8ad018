"""postgres.ready gives pg_isready's answers, and sends no password for them."""

import asyncio
import re
import ssl
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import trustme

from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.lab.process import ServerProcess
from runbook_engine.probe import ErrorKind
from runbook_probes.postgres_ready import ready

pytestmark = pytest.mark.anyio

SOON = 5.0
"""Seconds in which a probe with a deadline of half a second has ended."""
STARTING = b"SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0"
FULL = b"SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0"


def refusal(fields: bytes) -> bytes:
    return b"E" + (4 + len(fields)).to_bytes(4, "big") + fields


async def test_a_server_that_would_let_clients_log_in_accepts(postgres: Any, measure: Any) -> None:
    reading = await measure(ready, dsn=postgres.dsn())
    assert (reading.state, reading.accepting) == ("accepting", True)
    assert 0 < reading.time < 1
    assert reading.evidence == {"server": f"127.0.0.1:{postgres.port}", "answer": "goes on to log the client in"}


async def test_a_wrong_password_an_unknown_role_and_an_unknown_database_are_none_of_its_business(
    postgres: Any, measure: Any
) -> None:
    for user, database in (("app", "postgres"), ("nobody", "postgres"), ("app", "nothing")):
        assert (await measure(ready, dsn=postgres.dsn(user, "wrong", database))).accepting


async def test_no_session_is_opened_and_nothing_is_left_behind(postgres: Any, admin: Any, measure: Any) -> None:
    query = "SELECT sessions FROM pg_stat_database WHERE datname = 'postgres'"
    admin.execute("SELECT pg_stat_force_next_flush()")
    before = admin.execute(query).fetchone()
    await measure(ready, dsn=postgres.dsn())
    assert admin.execute(query).fetchone() == before


async def test_a_server_without_a_free_connection_accepts_as_pg_isready_has_it(tmp_path: Path, measure: Any) -> None:
    settings = {"max_connections": "2", "superuser_reserved_connections": "0", "max_wal_senders": "0"}
    with PostgresServer(tmp_path, settings=settings) as server:
        taken = [psycopg.connect(server.dsn()) for _ in range(2)]
        reading = await measure(ready, dsn=server.dsn())
        for each in taken:
            each.close()
    assert reading.accepting
    assert reading.evidence["sqlstate"] == "53300"
    assert reading.evidence["answer"] == "sorry, too many clients already"


class Recovering(PostgresServer):
    """A standby that replays and lets nobody in."""

    def _create(self, *given: Any) -> Path:
        data = super()._create(*given)
        (data / "standby.signal").touch()
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write("hot_standby = off\nrestore_command = 'false'\n")
        return data

    def _wait(self, process: ServerProcess) -> None:
        def rejects() -> None:
            try:
                psycopg.connect(self.dsn(), connect_timeout=5)
            except psycopg.OperationalError as error:
                if "not accepting connections" not in str(error):
                    raise

        process.wait_until_ready(rejects, not_yet=psycopg.OperationalError)


async def test_a_standby_that_lets_nobody_in_rejects(tmp_path: Path, measure: Any) -> None:
    with Recovering(tmp_path) as server:
        reading = await measure(ready, dsn=server.dsn())
        assert (reading.state, reading.accepting) == ("rejecting", False)
        assert reading.evidence["sqlstate"] == "57P03"
        assert "not accepting connections" in reading.evidence["answer"]


async def test_a_closed_port_refuses(tmp_path: Path, fails: Any) -> None:
    server = PostgresServer(tmp_path)
    error = await fails(ready, dsn=server.dsn("app", "pl4nted-hunter2"))
    assert str(error) == f"refused: 127.0.0.1:{server.port} refuses connections: nothing listens there"


async def test_a_name_that_does_not_resolve_is_of_dns(fails: Any) -> None:
    error = await fails(ready, dsn="postgresql://app:pl4nted-hunter2@db.invalid/app")
    assert str(error) == "dns: the name db.invalid does not resolve"


async def test_a_black_hole_and_a_server_that_drips_are_timeouts(
    listen: Any, black_hole: Any, drip: Any, fails: Any
) -> None:
    for handler in (black_hole, drip(b"E\x00\x00\x70\x00SFATAL\x00", b"x")):
        server = await listen(handler)
        for mode in ("prefer", "require"):
            begun = time.monotonic()
            error = await fails(ready, deadline=0.5, dsn=f"postgresql://app@127.0.0.1:{server.port}/x?sslmode={mode}")
            assert time.monotonic() - begun < SOON
            if mode == "prefer" or handler is black_hole:
                assert error.kind is ErrorKind.TIMEOUT
                assert re.fullmatch(rf"127\.0\.0\.1:{server.port} did not answer within 4\d\d ms", error.message)
            await server.everybody_left()


async def test_no_password_is_sent(listen: Any, measure: Any) -> None:
    heard = bytearray()

    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.extend(await reader.read(4096))
        writer.write(b"R\x00\x00\x00\x08\x00\x00\x00\x03")  # in clear text, please
        heard.extend(await reader.read(4096))

    server = await listen(handler)
    reading = await measure(ready, dsn=f"postgresql://app:pl4nted-hunter2@127.0.0.1:{server.port}/shop")
    await server.everybody_left()
    assert reading.accepting
    assert heard[8:] == b"user\0app\0database\0shop\0application_name\0runbook\0\0"


@pytest.mark.parametrize(
    ("speech", "kind", "message"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", ErrorKind.MALFORMED, "is not PostgreSQL: its answer begins with 'HTTP/'"),
        (b"E\x7f\xff\xff\xff", ErrorKind.MALFORMED, "is not PostgreSQL"),
        (refusal(b"SFATAL\0Mno state\0\0"), ErrorKind.MALFORMED, "is not PostgreSQL"),
        (b"R\x00", ErrorKind.REFUSED, "closed the connection without an answer"),
        (b"", ErrorKind.REFUSED, "closed the connection without an answer"),
    ],
)
async def test_what_is_not_postgresql_is_told_apart(
    listen: Any, fails: Any, speech: bytes, kind: ErrorKind, message: str
) -> None:
    server = await listen(saying(speech))
    error = await fails(ready, dsn=f"postgresql://app:pl4nted-hunter2@127.0.0.1:{server.port}/x")
    assert error.kind is kind
    assert f"127.0.0.1:{server.port} {message}" in error.message


def saying(speech: bytes) -> Any:
    async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(4096)
        writer.write(speech)
        await writer.drain()

    return handler


async def test_a_message_with_controls_is_harmless(listen: Any, measure: Any) -> None:
    loud = b"SFATAL\0C57P03\0M\x1b[31m<b>" + b"x" * 20_000 + b"\0\0"
    server = await listen(saying(refusal(loud)))
    reading = await measure(ready, dsn=f"postgresql://app@127.0.0.1:{server.port}/x")
    assert reading.state == "rejecting"
    assert reading.evidence["answer"].startswith("␛[31m<b>xxx")


async def test_of_several_hosts_the_first_that_accepts_counts(
    listen: Any, black_hole: Any, measure: Any, fails: Any
) -> None:
    silent, starting, full = (
        await listen(black_hole),
        await listen(saying(refusal(STARTING))),
        await listen(saying(refusal(FULL))),
    )

    def dsn(*servers: Any) -> str:
        hosts, ports = ",".join("127.0.0.1" for _ in servers), ",".join(str(each.port) for each in servers)
        return f"host={hosts} port={ports} user=app"

    reading = await measure(ready, deadline=1.0, dsn=dsn(silent, starting, full))
    assert (reading.state, reading.evidence["server"]) == ("accepting", f"127.0.0.1:{full.port}")
    for both in (dsn(silent, starting), dsn(starting, silent)):
        reading = await measure(ready, deadline=0.6, dsn=both)
        assert (reading.state, reading.evidence["server"]) == ("rejecting", f"127.0.0.1:{starting.port}")
    error = await fails(ready, deadline=0.6, dsn=dsn(silent, silent))
    assert error.kind is ErrorKind.TIMEOUT


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """Short enough for the path of a socket, and open to the account that the server runs as."""
    with tempfile.TemporaryDirectory(prefix="pg-") as name:
        Path(name).chmod(0o777)
        yield Path(name)


async def test_a_socket_file_is_asked_as_a_port_is(
    tmp_path: Path, socket_folder: Path, measure: Any, fails: Any
) -> None:
    with PostgresServer(tmp_path, settings={"unix_socket_directories": str(socket_folder)}) as server:
        for mode in ("prefer", "require"):  # no TLS goes over sockets, whatever is demanded
            reading = await measure(ready, dsn=f"host={socket_folder} port={server.port} user=app sslmode={mode}")
            assert reading.accepting
            assert reading.evidence["server"] == f"the socket {socket_folder}/.s.PGSQL.{server.port}"
    error = await fails(ready, dsn=f"host={socket_folder} port={server.port} user=app")
    assert str(error) == f"refused: nothing listens on the socket {socket_folder}/.s.PGSQL.{server.port}"


class Secured:
    """TLS before a server: the packaged one is built without."""

    def __init__(self, port: int, *, direct: bool) -> None:
        self.authority = trustme.CA()
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("localhost").configure_cert(self.context)
        self.context.set_alpn_protocols(["postgresql"])
        self._port = port
        self._direct = direct

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._direct:
            assert (await reader.readexactly(8))[4:] == (80877103).to_bytes(4, "big")
            writer.write(b"S")
            await writer.start_tls(self.context)
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        back.write(await reader.read(4096))
        writer.write(await there.read(4096))
        await writer.drain()
        back.close()


@pytest.mark.parametrize("negotiation", ["postgres", "direct"])
async def test_a_server_that_speaks_tls_is_asked_as_the_connection_string_demands(
    postgres: Any, listen: Any, tmp_path: Path, measure: Any, fails: Any, negotiation: str
) -> None:
    direct = negotiation == "direct"
    secured = Secured(postgres.port, direct=direct)
    trusted, other = tmp_path / "ca.pem", tmp_path / "other.pem"
    secured.authority.cert_pem.write_to_path(str(trusted))
    trustme.CA().cert_pem.write_to_path(str(other))
    server = await listen(secured, secured.context if direct else None)

    def dsn(host: str, mode: str, roots: Path | None = None) -> str:
        demand = f"sslmode={mode} sslnegotiation={negotiation}" + (f" sslrootcert={roots}" if roots else "")
        return f"host={host} port={server.port} user=app {demand}"

    for good in (
        dsn("localhost", "require"),
        dsn("localhost", "verify-full", trusted),
        dsn("127.0.0.1", "verify-ca", trusted),
    ):
        assert (await measure(ready, dsn=good)).accepting
    for bad, told in (
        (dsn("127.0.0.1", "verify-full", trusted), "mismatch"),
        (dsn("localhost", "verify-ca", other), "unable to get local issuer certificate"),
    ):
        error = await fails(ready, dsn=bad)
        assert error.kind is ErrorKind.TLS
        assert told in error.message


async def test_authorities_that_cannot_be_read_are_named(fails: Any) -> None:
    error = await fails(ready, dsn="host=localhost user=app sslmode=verify-ca sslrootcert=/nowhere.pem")
    assert str(error) == "tls: sslmode=verify-ca needs the certificates of authorities, and /nowhere.pem cannot be used"
    assert "sslrootcert" in error.remedy


async def test_a_tls_handshake_that_breaks_off_is_of_tls(listen: Any, fails: Any) -> None:
    server = await listen(saying(b"S"))
    error = await fails(ready, dsn=f"postgresql://app@127.0.0.1:{server.port}/x?sslmode=require")
    assert str(error) == f"tls: 127.0.0.1:{server.port} closed the connection during the TLS handshake"


async def test_a_server_without_tls_where_tls_is_demanded_is_of_tls(postgres: Any, fails: Any) -> None:
    error = await fails(ready, dsn=postgres.dsn() + "?sslmode=require")
    assert str(error) == (f"tls: 127.0.0.1:{postgres.port} does not speak TLS, which the connection string demands")
    assert "sslmode" in error.remedy


@pytest.mark.parametrize(
    "dsn", ["", "postgresql://u:pl4nted-hunter2@@h/x", "host=127.0.0.1,::1 port=1,2,3", "host=127.0.0.1 port=99999"]
)
async def test_a_connection_string_that_makes_no_sense_is_malformed(fails: Any, dsn: str) -> None:
    error = await fails(ready, dsn=dsn)
    assert error.kind is ErrorKind.MALFORMED
    assert error.remedy


def test_the_command_is_one_to_paste() -> None:
    from runbook_engine.probe import Secret

    params = ready.params(dsn=Secret("postgresql://app:hunter2@db/app", "$DATABASE_URL"))
    assert ready.command(params) == 'pg_isready -d "$DATABASE_URL"'
