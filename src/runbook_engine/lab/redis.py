"""A Redis server of one's own on loopback, which keeps nothing when stopped."""

import shutil
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self
from urllib.parse import quote

from runbook_engine.lab.binaries import redis_program
from runbook_engine.lab.process import HOST, Port, ServerProcess

_NAME = "Redis"
# No snapshots and no append-only file; the rest of the settings is in Redis's own words.
_SETTINGS = MappingProxyType({"bind": HOST, "protected-mode": "yes", "save": "", "appendonly": "no", "daemonize": "no"})


class RedisServer:
    """Data lives from start to stop.

    ``directory`` takes its files and log, ``settings`` are those of redis.conf (a value with several words is given as one
    text). With a ``password``, clients have to give it. The port is the same from one start to the next.
    """

    def __init__(
        self,
        directory: Path,
        *,
        settings: Mapping[str, str] = MappingProxyType({}),
        password: str | None = None,
    ) -> None:
        self._directory = directory
        self._password = password
        self._settings = {**_SETTINGS, **({"requirepass": password} if password else {}), **settings}
        self._port = Port()
        self._home: Path | None = None
        self._process: ServerProcess | None = None

    @property
    def host(self) -> str:
        return HOST

    @property
    def port(self) -> int:
        return self._port.number

    @property
    def pid(self) -> int | None:
        """None while it is stopped."""
        return self._process.pid if self._process else None

    @property
    def url(self) -> str:
        """With the password, where there is one."""
        return self.dsn()

    def dsn(self, user: str = "", password: str | None = None, database: int = 0) -> str:
        """A connection URL. For the default user the server's own password is filled in."""
        if password is None and not user:
            password = self._password
        account = quote(user, safe="") + (f":{quote(password, safe='')}" if password is not None else "")
        return f"redis://{account}{'@' if account else ''}{HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Raises BinaryNotFoundError or ServerStartError."""
        if self._process is not None:
            return
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        program = redis_program()
        self._directory.mkdir(parents=True, exist_ok=True)
        self._home = Path(tempfile.mkdtemp(prefix="redis-", dir=self._directory))
        # In a file: everybody on this machine can read a process's arguments.
        configuration = self._home / "redis.conf"
        configuration.touch(mode=0o600)
        lines = {"port": str(self._port.hand_over()), "dir": str(self._home), **self._settings}
        configuration.write_text("".join(f"{name} {_quoted(name, value)}\n" for name, value in lines.items()))
        self._process = ServerProcess(
            _NAME,
            [program, configuration],
            directory=self._home,
            log=self._directory / "redis.log",
            stop_signals=(signal.SIGTERM,),
        )

        def ping() -> None:
            with redis.Redis.from_url(self.url, socket_timeout=5, retry=Retry(NoBackoff(), 0)) as client:
                client.ping()

        self._process.wait_until_ready(ping, not_yet=redis.RedisError)

    def stop(self) -> None:
        """End the server and delete its files. Does nothing where it is stopped."""
        if self._process is not None:
            self._process.stop()
            self._process = None
        if self._home is not None:
            shutil.rmtree(self._home, ignore_errors=True)
            self._home = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self._port.release()


def _quoted(name: str, value: str) -> str:
    """A password or path is one word whatever is in it; other values may be several words, an empty one is two quotes."""
    if name not in ("requirepass", "dir") and value:
        return value
    escaped = "".join(
        f"\\x{byte:02x}" if not 32 <= byte < 127 or byte in b'"\\' else chr(byte) for byte in value.encode()
    )
    return f'"{escaped}"'
