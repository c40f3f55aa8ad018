"""By which way the API and responders reach the database: straight, through a pooler, or as one of several servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runbook_engine.lab import database
from runbook_engine.lab.guard import Guard
from runbook_engine.lab.pgbouncer import PgBouncer
from runbook_engine.lab.plans import Plan
from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.lab.process import HOST, Port

POOL_PATIENCE_S = 2
"""How long the pooler lets a client wait for a connection; by default it would be two minutes."""


@contextmanager
def reached_through(
    plan: Plan, postgres: PostgresServer, passwords: database.Passwords, home: Path, guard: Guard
) -> Iterator[tuple[str, str]]:
    """The connection strings of the API's role and of the reader's. Raises BinaryNotFoundError where a pooler is missing."""
    accounts = {database.API_ROLE: passwords.api, database.READER_ROLE: passwords.reader}
    if plan.pool_size is not None:
        settings = {
            "default_pool_size": str(plan.pool_size),
            "max_db_connections": str(plan.pool_size),
            "query_wait_timeout": str(POOL_PATIENCE_S),
        }
        with PgBouncer(home / "pgbouncer", server_port=postgres.port, passwords=accounts, settings=settings) as pooler:
            guard.end(pooler.pid)
            if pooler.home is not None:
                guard.remove(pooler.home)
            yield pooler.dsn(database.API_ROLE, database.DATABASE), pooler.dsn(database.READER_ROLE, database.DATABASE)
        return
    api, reader = (postgres.dsn(role, password, database.DATABASE) for role, password in accounts.items())
    if plan.database != "standby":
        yield api, reader
        return
    gone = Port()
    try:
        here = f"{HOST}:{postgres.port}"
        reader = reader.replace(here, f"{HOST}:{gone.number},{here}") + "?target_session_attrs=read-write"
        yield api, reader
    finally:
        gone.release()
