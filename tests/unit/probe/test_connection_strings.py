"""Connection strings as people have them: what is meant is read, else the part that cannot be read is named."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.pq import Conninfo

from runbook_engine.probe import ErrorKind, ProbeError, Secret
from runbook_probes import postgres_url, redis_url
from runbook_probes.connection_string import Dialect
from runbook_probes.postgres_command import psql
from runbook_probes.postgres_target import read_dsn
from runbook_probes.redis_client import ClientParams, redis_cli
from runbook_probes.redis_url import read_target

PASSWORD = "pl4nted-hunter2"
PLAIN = f"postgresql://app:{PASSWORD}@db.example.com:5433/shop"


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        f"{PLAIN}\n",
        f"  {PLAIN}\r\n",
        f'"{PLAIN}"',
        f"'{PLAIN}'\n",
        f"DATABASE_URL={PLAIN}",
        f"export DATABASE_URL='{PLAIN}'",
        PLAIN.replace("postgresql:", "postgres:"),
        PLAIN.replace("postgresql:", "PostgreSQL:"),
        PLAIN.replace("postgresql:", "postgis:"),
        PLAIN.replace("postgresql:", "postgresql+psycopg:"),
        PLAIN.replace("postgresql:", "postgresql+asyncpg:"),
        PLAIN.replace("postgresql:", "postgres+psycopg2:"),
        f"{PLAIN}?connection_limit=5&pool_timeout=10&pgbouncer=true",
        f"{PLAIN}?pool_size=4&max_overflow=2",
        f"jdbc:postgresql://db.example.com:5433/shop?user=app&password={PASSWORD}&prepareThreshold=0",
        f"host=db.example.com port=5433 user=app dbname=shop password={PASSWORD}\n",
    ],
)
def test_the_same_database_is_meant_however_it_is_written(text: str) -> None:
    target = read_dsn(Secret(text), {})
    assert (target.where, target.user, target.database) == ("db.example.com:5433", "app", "shop")
    assert target.password == PASSWORD


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("ssl=true", "sslmode", "require"),
        ("ssl=require", "sslmode", "require"),
        ("ssl=verify-full", "sslmode", "verify-full"),
        ("ssl=false", "sslmode", "disable"),
        ("sslmode=no-verify", "sslmode", "require"),
        ("targetServerType=primary", "target_session_attrs", "primary"),
        ("targetServerType=preferSecondary", "target_session_attrs", "prefer-standby"),
        ("sslmode=verify-ca&sslrootcert=%2Fetc%2Fca.pem", "sslrootcert", "/etc/ca.pem"),
    ],
)
def test_what_other_clients_say_of_tls_and_servers_is_kept(query: str, name: str, value: str) -> None:
    assert read_dsn(Secret(f"{PLAIN}?{query}"), {}).settings[name] == value


@pytest.mark.parametrize("query", ["schema=shop%20eu", "currentSchema=shop%20eu", "schema=shop eu".replace(" ", "%20")])
def test_a_schema_is_where_statements_look_for_tables(query: str) -> None:
    target = read_dsn(Secret(f"{PLAIN}?{query}"), {})
    assert target.schema == "shop eu"
    assert "schema" not in target.settings


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (PLAIN.replace("postgresql:", "mysql:"), "begins with mysql://, which is not PostgreSQL"),
        ("unix:///var/run/postgresql", "begins with unix://, which is not PostgreSQL"),
        (
            f"{PLAIN}?sslmod=require",
            'has the parameter sslmod, which says nothing to PostgreSQL; did you mean "sslmode"?',
        ),
        (f"{PLAIN}?{PASSWORD}", "what stands behind its ? is not a list of name=value"),
        (f"postgresql://app:{PASSWORD}%zz@db/x", "a % that two hexadecimal digits do not follow"),
        (f"postgresql://app:{PASSWORD} @db/x", "it has a blank or a line break in it"),
        (f"postgresql://app:{PASSWORD}@db\n/x", "it has a blank or a line break in it"),
        (f"postgresql://app:{PASSWORD}/x", "its host, or a port behind it, is none"),
        (f"postgresql://app:a@{PASSWORD}@db/x", "it has an @, / or # where none can stand"),
        (f"postgresql://app:a/{PASSWORD}@db/x", "it has an @, / or # where none can stand"),
        ("", "is empty"),
        ("''", "is empty"),
        (PASSWORD, "cannot be read"),
    ],
)
def test_a_part_that_cannot_be_read_is_named_and_the_password_is_not(text: str, part: str) -> None:
    with pytest.raises(ProbeError) as caught:
        read_dsn(Secret(text), {})
    assert caught.value.kind is ErrorKind.MALFORMED
    assert caught.value.message.startswith("the connection string ")
    assert part in caught.value.message
    assert caught.value.remedy
    assert PASSWORD not in f"{caught.value!r} {caught.value.remedy} {caught.value.__cause__!r}"


def test_every_keyword_of_the_client_is_known() -> None:
    keywords = {each.keyword.decode() for each in Conninfo.get_defaults()}
    assert keywords <= set(postgres_url.DIALECT.reads)


@pytest.mark.parametrize("dialect", [postgres_url.DIALECT, redis_url.DIALECT])
def test_no_parameter_is_both_read_and_left_aside(dialect: Dialect) -> None:
    assert not set(dialect.reads) & set(dialect.idle)


@pytest.mark.parametrize(
    ("text", "host", "port", "database", "secure"),
    [
        (f"redis://:{PASSWORD}@cache:6380/2\n", "cache", 6380, 2, False),
        (f"'rediss://:{PASSWORD}@cache/1'", "cache", 6379, 1, True),
        (f"REDIS_URL=redis://:{PASSWORD}@cache", "cache", 6379, 0, False),
        (f"valkey://:{PASSWORD}@cache/3", "cache", 6379, 3, False),
        (f"valkeys://:{PASSWORD}@cache", "cache", 6379, 0, True),
        (f"redis://:{PASSWORD}@cache?db=4&timeout=5&socket_timeout=2s&max_connections=10", "cache", 6379, 4, False),
        (f"redis://cache:6379/0?password={PASSWORD}", "cache", 6379, 0, False),
        (f"redis://:{PASSWORD}@[::1]:6380/0", "::1", 6380, 0, False),
    ],
)
def test_a_cache_is_meant_however_it_is_written(text: str, host: str, port: int, database: int, secure: bool) -> None:
    target = read_target(Secret(text))
    assert (target.host, target.port, target.database, target.secure) == (host, port, database, secure)
    assert target.password == PASSWORD


def test_a_socket_of_redis_is_a_path() -> None:
    target = read_target(Secret(f"unix://app:{PASSWORD}@/run/redis.sock?db=2"))
    assert (target.socket, target.database, target.user) == ("/run/redis.sock", 2, "app")
    assert target.where == "the socket /run/redis.sock"


@pytest.mark.parametrize("written", ["CERT_NONE", "none"])
def test_whether_redis_certificate_counts_is_what_the_url_says(written: str) -> None:
    assert read_target(Secret(f"rediss://cache?ssl_cert_reqs={written}")).tls == {
        "ssl_cert_reqs": "none",
        "ssl_check_hostname": False,
    }


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (f"memcached://:{PASSWORD}@cache", "begins with memcached://, which is not Redis"),
        (f"redis+sentinel+x://:{PASSWORD}@", "it has no host, or a port that is none"),
        (f"redis://:{PASSWORD}@cache/0?dbb=1", "has the parameter dbb, which says nothing to Redis"),
        (f"redis://:{PASSWORD}@/0", "it has no host, or a port that is none"),
        (f"redis://:{PASSWORD}@cache:99999/0", "it has no host, or a port that is none"),
        (f"unix://:{PASSWORD}@", "it has no path of a socket"),
        ("", "is empty"),
        (PASSWORD, "does not begin with a scheme such as redis://"),
    ],
)
def test_a_part_of_a_redis_url_that_cannot_be_read_is_named(text: str, part: str) -> None:
    with pytest.raises(ProbeError) as caught:
        read_target(Secret(text))
    assert caught.value.kind is ErrorKind.MALFORMED
    assert caught.value.message.startswith("the Redis URL ")
    assert part in caught.value.message
    assert PASSWORD not in f"{caught.value!r} {caught.value.remedy}"


def test_a_command_shows_the_variable_where_its_client_reads_it() -> None:
    assert psql(Secret(PLAIN, "$DATABASE_URL"), "SELECT 1") == "psql \"$DATABASE_URL\" -c 'SELECT 1'"
    shown = psql(Secret(f"{PLAIN}?schema=x".replace("postgresql:", "postgresql+psycopg:"), "$DATABASE_URL"), "SELECT 1")
    assert shown == "psql 'postgresql://app:***@db.example.com:5433/shop' -c 'SELECT 1'"
    assert "hunter2" not in psql(Secret(f"jdbc:postgresql://db/shop?user=app&password={PASSWORD}", "$X"), "SELECT 1")


def test_a_command_of_redis_has_the_scheme_that_redis_cli_knows() -> None:
    def shown(url: str) -> str:
        return redis_cli(ClientParams(url=Secret(url, "$REDIS_URL")), "PING")

    assert shown(f"redis://:{PASSWORD}@cache/0") == 'redis-cli -u "$REDIS_URL" PING'
    assert shown(f"valkey://:{PASSWORD}@cache/0?timeout=5") == "redis-cli -u 'redis://:***@cache/0' PING"
    assert shown("unix:///run/redis.sock") == "redis-cli -s /run/redis.sock PING"


@given(st.text(max_size=60), st.sampled_from(["", "postgresql://", "redis://", "unix://", "postgresql://a:b@"]))
def test_no_text_is_more_than_read_or_refused(text: str, beginning: str) -> None:
    for read in (lambda secret: read_dsn(secret, {}), read_target):
        try:
            read(Secret(beginning + text))
        except ProbeError as error:
            refused = (error.kind, bool(error.remedy))
        else:
            continue
        assert refused == (ErrorKind.MALFORMED, True)


def test_a_secret_shows_no_password_that_stands_among_its_parameters() -> None:
    shown = str(Secret(f"postgresql://db/shop?user=app&password={PASSWORD}&sslmode=require"))
    assert shown == "postgresql://db/shop?user=app&password=***&sslmode=require"
    assert re.search(PASSWORD, repr(Secret(f"redis://cache?db=0&password={PASSWORD}"))) is None
