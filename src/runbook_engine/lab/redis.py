"""A Redis server of one's own on loopback, which keeps nothing when stopped."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from runbook_engine.lab.binaries import redis_program
from runbook_engine.lab.process import HOST, LoopbackServer, ServerProcess

# No snapshots and no append-only file; the rest of the settings is in Redis's own words.
_SETTINGS = MappingProxyType({"bind": HOST, "protected-mode": "yes", "save": "", "appendonly": "no", "daemonize": "no"})


class RedisServer(LoopbackServer):
    """``directory`` takes its files and log, ``settings`` are those of redis.conf (several words as one text).

    With a ``password``, clients have to give it.
    """

    def __init__(
        self,
        directory: Path,
        *,
        settings: Mapping[str, str] = MappingProxyType({}),
        password: str | None = None,
    ) -> None:
        super().__init__(directory)
        self.password = password
        self._settings = {**_SETTINGS, **({"requirepass": password} if password else {}), **settings}

    @property
    def url(self) -> str:
        """With the password, where there is one."""
        return self.dsn()

    def dsn(self, user: str = "", password: str | None = None, database: int = 0) -> str:
        """A connection URL. For the default user the server's own password is filled in."""
        if password is None and not user:
            password = self.password
        account = quote(user, safe="") + (f":{quote(password, safe='')}" if password is not None else "")
        return f"redis://{account}{'@' if account else ''}{HOST}:{self.port}/{database}"

    def _launch(self, home: Path) -> ServerProcess:
        program = redis_program()
        # In a file: everybody on this machine can read a process's arguments.
        configuration = home / "redis.conf"
        configuration.touch(mode=0o600)
        lines = {"port": str(self._port.hand_over()), "dir": str(home), **self._settings}
        configuration.write_text("".join(f"{name} {_quoted(name, value)}\n" for name, value in lines.items()))
        return ServerProcess(
            "Redis",
            [program, configuration],
            directory=home,
            log=self._directory / "redis.log",
            # It keeps nothing. Asked to end, it would try to save where a test lets it save.
            stop_signals=(),
        )

    def _wait(self, process: ServerProcess) -> None:
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        def ping() -> None:
            with redis.Redis.from_url(self.url, socket_timeout=5, retry=Retry(NoBackoff(), 0)) as client:
                client.ping()

        process.wait_until_ready(ping, not_yet=redis.RedisError)


def _quoted(name: str, value: str) -> str:
    """A password or path is one word whatever is in it; other values may be several words, an empty one is two quotes."""
    if name not in ("requirepass", "dir") and value:
        return value
    escaped = "".join(
        f"\\x{byte:02x}" if not 32 <= byte < 127 or byte in b'"\\' else chr(byte) for byte in value.encode()
    )
    return f'"{escaped}"'
