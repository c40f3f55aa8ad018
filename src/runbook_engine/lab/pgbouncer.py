"""A PgBouncer of one's own on loopback, in front of a PostgreSQL server: https://www.pgbouncer.org/config.html."""

import os
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from runbook_engine.lab.binaries import pgbouncer_program, unprivileged_account
from runbook_engine.lab.process import HOST, LoopbackServer, ServerProcess

_NAME = "PgBouncer"
_SETTINGS = MappingProxyType(
    {"listen_addr": HOST, "unix_socket_dir": "", "auth_type": "scram-sha-256", "pool_mode": "transaction"}
)


class PgBouncer(LoopbackServer):
    """Pools the connections to every database of the server on ``port`` of 127.0.0.1.

    ``passwords`` are those of the roles that may log in, here and there. ``settings`` are those of pgbouncer.ini.
    """

    def __init__(
        self,
        directory: Path,
        *,
        server_port: int,
        passwords: Mapping[str, str],
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        super().__init__(directory)
        self._server_port = server_port
        self._passwords = dict(passwords)
        self._settings = {**_SETTINGS, **settings}

    def dsn(self, user: str, database: str) -> str:
        """A connection URL by way of the pool."""
        password = quote(self._passwords[user], safe="")
        return f"postgresql://{quote(user, safe='')}:{password}@{HOST}:{self.port}/{quote(database, safe='')}"

    def _new_home(self) -> Path:
        account = unprivileged_account()
        if account is None:
            return super()._new_home()
        home = Path(tempfile.mkdtemp(prefix="runbook-pgbouncer-"))
        os.chown(home, account.uid, account.gid)
        return home

    def _launch(self, home: Path) -> ServerProcess:
        program = pgbouncer_program()
        account = unprivileged_account()
        users, configuration = home / "users.txt", home / "pgbouncer.ini"
        settings = {**self._settings, "listen_port": str(self._port.hand_over()), "auth_file": str(users)}
        lines = ["[databases]", f"* = host={HOST} port={self._server_port}", "[pgbouncer]"]
        lines += [f"{name} = {value}" for name, value in settings.items()]
        for path, text in (
            (users, "".join(f'"{user}" "{password}"\n' for user, password in self._passwords.items())),
            (configuration, "\n".join(lines) + "\n"),
        ):
            path.touch(mode=0o600)
            path.write_text(text)
            if account is not None:
                os.chown(path, account.uid, account.gid)
        return ServerProcess(
            _NAME,
            [program, configuration],
            directory=home,
            log=self._directory / "pgbouncer.log",
            stop_signals=(signal.SIGTERM,),
            account=account,
        )

    def _wait(self, process: ServerProcess) -> None:
        import socket

        process.wait_until_ready(lambda: socket.create_connection((HOST, self.port), 5).close(), not_yet=OSError)
