"""The lab's database: two tables, the procedures that the API calls, and one role for each who connects."""

import math
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

SESSIONS = 5_000
MESSAGES = 80_000
DATABASE = "pixelated"
API_ROLE = "pixelated_api"
READER_ROLE = "runbook_reader"
LOCK_TIMEOUT_MS = 1_200

# A summary costs the database 20 ms, as an expensive analysis would: that is what the cache is there to save.
_SCHEMA = """
CREATE EXTENSION pg_stat_statements;

CREATE TABLE sessions (
  id bigint NOT NULL,
  member text NOT NULL,
  started_at timestamptz NOT NULL,
  last_seen_at timestamptz NOT NULL
) WITH (fillfactor = 80);
INSERT INTO sessions
SELECT n, 'member-' || n, now() - n * interval '1 minute', now() FROM generate_series(1, {sessions}) AS n;
ALTER TABLE sessions ADD PRIMARY KEY (id);

CREATE TABLE messages (id bigint NOT NULL, session_id bigint NOT NULL, sent_at timestamptz NOT NULL, body text NOT NULL);
INSERT INTO messages
SELECT n, 1 + n % {sessions}, now() - n * interval '1 second', 'How are you today? This is message ' || n
FROM generate_series(1, {messages}) AS n;
ALTER TABLE messages ADD PRIMARY KEY (id);
CREATE INDEX messages_session_id_sent_at ON messages (session_id, sent_at);

CREATE FUNCTION summarise(session bigint) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_sleep(0.02);
  RETURN (SELECT count(*) || ' messages, the latest at ' || max(sent_at) FROM messages WHERE session_id = session);
END $$;

CREATE FUNCTION weekly_report(first_session bigint) RETURNS TABLE (messages bigint, latest timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT count(*), max(m.sent_at) FROM messages AS m
               WHERE m.session_id BETWEEN first_session AND first_session + 9;
END $$;
"""

_SLOW_REPORT = """
CREATE OR REPLACE FUNCTION weekly_report(first_session bigint) RETURNS TABLE (messages bigint, latest timestamptz)
LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_sleep(0.7 + 0.4 * random());
  RETURN QUERY SELECT count(*), max(m.sent_at) FROM messages AS m
               WHERE m.session_id BETWEEN first_session AND first_session + 9;
END $$
"""

_ROLES = """
CREATE ROLE {api} LOGIN PASSWORD {api_password} CONNECTION LIMIT {limit};
ALTER ROLE {api} SET lock_timeout = {lock_timeout};
GRANT SELECT ON sessions, messages TO {api};
GRANT UPDATE (last_seen_at) ON sessions TO {api};
CREATE ROLE {reader} LOGIN PASSWORD {reader_password};
GRANT pg_monitor TO {reader};
"""


_WITHOUT_INDEX = "DROP INDEX messages_session_id_sent_at"
_SCAN = "SELECT count(*) FROM messages WHERE session_id = %s"

# In this order: the first also forgets how many rows the tables have, the last also forgets how long ANALYZE took.
_FORGET = ("SELECT pg_stat_reset()", "ANALYZE sessions, messages", "SELECT pg_stat_statements_reset()")


@dataclass(frozen=True, slots=True)
class Passwords:
    """Those of the two roles, new for each lab."""

    api: str = field(default_factory=secrets.token_urlsafe, repr=False)
    reader: str = field(default_factory=secrets.token_urlsafe, repr=False)


def create(
    admin_dsn: str,
    passwords: Passwords,
    *,
    slow_report: bool = False,
    message_index: bool = True,
    role_limit: int | None = None,
) -> None:
    """Create the database with its roles, procedures and rows. ``admin_dsn`` is a superuser's.

    API_ROLE is what the API connects as: it owns nothing. READER_ROLE is a member of pg_monitor, and nothing else.
    """
    with psycopg.connect(admin_dsn, dbname="postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    with psycopg.connect(admin_dsn, dbname=DATABASE) as connection:
        connection.execute(sql.SQL(_SCHEMA).format(sessions=sql.Literal(SESSIONS), messages=sql.Literal(MESSAGES)))
        if slow_report:
            connection.execute(_SLOW_REPORT)
        if not message_index:
            connection.execute(_WITHOUT_INDEX)
        connection.execute(
            sql.SQL(_ROLES).format(
                api=sql.Identifier(API_ROLE),
                api_password=sql.Literal(passwords.api),
                reader=sql.Identifier(READER_ROLE),
                reader_password=sql.Literal(passwords.reader),
                lock_timeout=sql.Literal(LOCK_TIMEOUT_MS),
                limit=sql.Literal(-1 if role_limit is None else role_limit),
            )
        )


def summaries(admin_dsn: str, sessions: Sequence[int]) -> dict[int, dict[str, str]]:
    """What ``summarise`` says of these sessions, in one statement and without its cost."""
    query = """
        SELECT s.id, s.member, count(*) || ' messages, the latest at ' || max(m.sent_at)
        FROM sessions AS s JOIN messages AS m ON m.session_id = s.id WHERE s.id = ANY (%s) GROUP BY s.id
    """
    with psycopg.connect(admin_dsn, dbname=DATABASE) as connection:
        rows = connection.execute(query, (list(sessions),)).fetchall()
    return {number: {"member": member, "summary": summary} for number, member, summary in rows}


def scan_seconds(admin_dsn: str) -> float:
    """How long this machine takes to read the table messages once, without its index: the best of five."""
    best = math.inf
    with psycopg.connect(admin_dsn, dbname=DATABASE) as connection:
        for number in range(5):
            begun = time.perf_counter()
            connection.execute(_SCAN, (number,)).fetchone()
            best = min(best, time.perf_counter() - begun)
    return best


def version_and_folder(admin_dsn: str) -> tuple[str, Path]:
    """Which PostgreSQL it is, such as ``18.6``, and where it keeps its files: the folder around its data directory."""
    query = "SELECT current_setting('server_version'), current_setting('data_directory')"
    with psycopg.connect(admin_dsn, dbname="postgres") as connection:
        row = connection.execute(query).fetchone()
    assert row is not None
    # Distributions add their name: 15.14 (Debian 15.14-0+deb12u1).
    return str(row[0]).partition(" ")[0], Path(row[1]).parent


def forget_setup(admin_dsn: str) -> None:
    """Reset all statistics, so that only what happens from now on counts."""
    with psycopg.connect(admin_dsn, dbname=DATABASE, autocommit=True) as connection:
        for statement in _FORGET:
            connection.execute(statement)
