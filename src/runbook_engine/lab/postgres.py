"""A PostgreSQL server of one's own on loopback, gone without a trace when stopped."""

import os
import secrets
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote, unquote, urlsplit

from runbook_engine.lab.binaries import Account, postgres_programs, unprivileged_account
from runbook_engine.lab.process import HOST, START_TIMEOUT_S, LoopbackServer, ServerProcess, ServerStartError

SUPERUSER = "postgres"
_NAME = "PostgreSQL"

# Nothing here outlives the server, so nothing has to survive a crash.
_SETTINGS = MappingProxyType(
    {
        "listen_addresses": HOST,
        "unix_socket_directories": "",
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "32MB",
        "log_line_prefix": "%m [%p] %u@%d ",
        "lc_messages": "C",
    }
)


class PostgresServer(LoopbackServer):
    """Passwords are checked (SCRAM), for the superuser ``postgres`` too, whose own is random.

    ``directory`` takes data and log; as root, data go to a temporary folder of the unprivileged account that the server runs
    as. ``settings`` are those of postgresql.conf. ``preload_statements`` preloads pg_stat_statements, without creating the
    extension. With a ``primary`` it is a standby, which begins as a copy of that server and follows it.
    """

    def __init__(
        self,
        directory: Path,
        *,
        settings: Mapping[str, str] = MappingProxyType({}),
        preload_statements: bool = True,
        primary: "PostgresServer | None" = None,
    ) -> None:
        super().__init__(directory)
        self._primary = primary
        preload = {"shared_preload_libraries": "pg_stat_statements"} if preload_statements else {}
        self._settings = {**_SETTINGS, **preload, **settings}
        self._password = unquote(urlsplit(primary.url).password or "") if primary else secrets.token_urlsafe()
        self._programs = Path()

    @property
    def url(self) -> str:
        """For the superuser, with its password."""
        return self.dsn()

    def dsn(self, user: str = SUPERUSER, password: str | None = None, database: str = "postgres") -> str:
        """A connection URL. The superuser's own password is filled in; no other is known here."""
        if password is None and user == SUPERUSER:
            password = self._password
        account = quote(user, safe="") + (f":{quote(password, safe='')}" if password is not None else "")
        return f"postgresql://{account}@{HOST}:{self.port}/{quote(database, safe='')}"

    def _new_home(self) -> Path:
        account = unprivileged_account()
        if account is None:
            return super()._new_home()
        # It cannot be expected to reach our own folders.
        home = Path(tempfile.mkdtemp(prefix="runbook-postgres-"))
        os.chown(home, account.uid, account.gid)
        return home

    def hold_in_recovery(self, *, readable: bool = False) -> None:
        """End the server, and start it again as a standby that waits for a log which never comes.

        It answers with 57P03, or, where it is ``readable``, as a standby does whose primary is gone: it serves reads.
        """
        import psycopg

        assert self._process is not None
        assert self._home is not None
        self._process.stop()
        data = self._home / "data"
        (data / "standby.signal").touch()
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(f"hot_standby = {'on' if readable else 'off'}\nrestore_command = 'false'\n")
        self._process = self._serving(self._home, self._programs)

        if readable:
            return self._wait(self._process)

        def rejects() -> None:
            try:
                psycopg.connect(self.dsn(), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if "not accepting connections" not in str(error):
                    raise

        return self._process.wait_until_ready(rejects, not_yet=psycopg.OperationalError)

    def _launch(self, home: Path) -> ServerProcess:
        account = unprivileged_account()
        self._programs = postgres_programs(account, home / "programs")
        self._create(self._programs, home, self._log, account)
        return self._serving(home, self._programs)

    @property
    def _log(self) -> Path:
        return self._directory / "postgres.log"

    def _serving(self, home: Path, programs: Path) -> ServerProcess:
        return ServerProcess(
            _NAME,
            [programs / "postgres", "-D", home / "data", "-p", str(self._port.hand_over())],
            directory=home,
            log=self._log,
            # Fast shutdown, then immediate.
            stop_signals=(signal.SIGINT, signal.SIGQUIT),
            account=unprivileged_account(),
        )

    def _wait(self, process: ServerProcess) -> None:
        import psycopg

        def connect() -> None:
            psycopg.connect(self.dsn(), connect_timeout=5).close()

        process.wait_until_ready(connect, not_yet=psycopg.OperationalError)

    def _create(self, programs: Path, home: Path, log: Path, account: Account | None) -> Path:
        data, password_file = home / "data", home / "password"
        password_file.touch(mode=0o600)
        # fmt: off
        if self._primary is None:
            password_file.write_text(self._password)
            command: list[str | Path] = [
                programs / "initdb", "-D", data, "-U", SUPERUSER, f"--pwfile={password_file}", "--auth=scram-sha-256",
                "--encoding=UTF8", "--no-locale", "--no-sync", "--no-instructions",
            ]
        else:
            password_file.write_text(f"*:*:*:*:{self._password}\n")
            command = [
                programs / "pg_basebackup", "-D", data, "-d",
                f"host={HOST} port={self._primary.port} user={SUPERUSER} passfile={password_file}",
                "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
            ]
        # fmt: on
        if account is not None:
            os.chown(password_file, account.uid, account.gid)
        with log.open("ab") as output, _started_in_time(log):
            created = subprocess.run(
                command,
                check=False,
                timeout=START_TIMEOUT_S,
                cwd=home,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        if self._primary is None:
            password_file.unlink()  # a standby goes on to need it
        if created.returncode != 0:
            raise ServerStartError(
                _NAME, f"could not create its files ({Path(command[0]).name} ended with {created.returncode})", log
            )
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.writelines(f"{name} = {_quoted(value)}\n" for name, value in self._settings.items())
        return data


@contextmanager
def _started_in_time(log: Path) -> Iterator[None]:
    try:
        yield
    except subprocess.TimeoutExpired as error:
        raise ServerStartError(_NAME, f"did not create its files within {error.timeout:.0f} s", log) from error


def _quoted(value: str) -> str:
    """https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-CONFIGURATION-FILE"""
    return "'" + value.replace("\\", "\\\\").replace("'", "''") + "'"
