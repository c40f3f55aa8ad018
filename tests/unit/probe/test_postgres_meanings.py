"""What an error of PostgreSQL, of its client or of a pooler means.

The sentences are those that PostgreSQL, libpq and poolers write; where their source has several words for one thing, each.
"""

from collections.abc import Callable

import pytest

from runbook_engine.probe import ErrorKind
from runbook_probes.postgres_meanings import Meaning, of_connecting, of_running

AUTH, FORBIDDEN, MALFORMED, MISSING = ErrorKind.AUTH, ErrorKind.FORBIDDEN, ErrorKind.MALFORMED, ErrorKind.MISSING
OTHER, REFUSED, THROTTLED, TIMEOUT, TLS = (
    ErrorKind.OTHER,
    ErrorKind.REFUSED,
    ErrorKind.THROTTLED,
    ErrorKind.TIMEOUT,
    ErrorKind.TLS,
)

# https://www.postgresql.org/docs/current/errcodes-appendix.html
CONNECTING = [
    ("28P01", AUTH, "does not accept the password of"),
    ("28000", AUTH, "does not let {user} in"),
    ("3D000", MISSING, "database {database} does not exist"),
    ("42501", FORBIDDEN, "may not connect to the database"),
    ("57P01", REFUSED, "does not accept connections now"),
    ("57P03", REFUSED, "does not accept connections now"),
    ("55000", REFUSED, "does not accept connections now"),
    ("53300", THROTTLED, "too many connections"),
    ("53100", OTHER, "lacks what it needs"),
    ("53200", OTHER, "lacks what it needs"),
    ("58030", OTHER, "cannot open a session"),
    ("0A000", MALFORMED, "does not know what a client asks for"),
    ("22023", MALFORMED, "does not take a setting"),
    ("42704", MALFORMED, "does not take a setting"),
    ("54000", OTHER, "no session with"),
]
RUNNING = [
    ("57014", TIMEOUT, "did not finish the query in time"),
    ("55P03", TIMEOUT, "waited too long for a lock"),
    ("57P01", REFUSED, "ended the session"),
    ("53300", THROTTLED, "too many connections"),
    ("53100", OTHER, "lacks what it needs to answer"),
    ("58030", OTHER, "cannot read or write what it needs"),
    ("28000", AUTH, "does not let {user} in"),
    ("42501", FORBIDDEN, "may not do this"),
    ("25006", FORBIDDEN, "probes only read"),
    ("3D000", MISSING, "does not exist"),
    ("3F000", MISSING, "not on {where}"),
    ("42P01", MISSING, "not in the database"),
    ("42703", MISSING, "not in the database"),
    ("42883", MISSING, "not in the database"),
    ("42601", MALFORMED, "does not understand the statement"),
    ("22012", MALFORMED, "cannot compute the answer"),
    ("54001", OTHER, "{where} cannot answer"),
]


@pytest.mark.parametrize(("state", "kind", "message"), CONNECTING)
def test_the_sqlstate_says_why_there_is_no_session_in_whatever_language(
    state: str, kind: ErrorKind, message: str
) -> None:
    found = of_connecting(state, "FEHLER: in einer anderen Sprache")
    assert found.kind is kind
    assert message in found.message


@pytest.mark.parametrize(("state", "kind", "message"), RUNNING)
def test_the_sqlstate_says_why_there_is_no_answer_in_whatever_language(
    state: str, kind: ErrorKind, message: str
) -> None:
    found = of_running(state, "FEHLER: in einer anderen Sprache")
    assert found.kind is kind
    assert message in found.message


@pytest.mark.parametrize("of", [of_connecting, of_running])
@pytest.mark.parametrize(
    ("told", "whose"),
    [
        ("sorry, too many clients already", "max_connections"),
        ("remaining connection slots are reserved for roles with the SUPERUSER attribute", "max_connections"),
        ('too many connections for role "app"', "ALTER ROLE"),
        ('too many connections for database "shop"', "ALTER DATABASE"),
    ],
)
def test_a_limit_of_connections_says_whose_it_is(of: Callable[[str, str], Meaning], told: str, whose: str) -> None:
    found = of("53300", told)
    assert found.kind is THROTTLED
    assert whose in found.remedy


# A pooler says 08P01 or XX000 whatever the matter is.
POOLERS = [
    ("server login failed: FATAL sorry, too many clients already", THROTTLED, "the database behind"),
    ("server login failed: FATAL too many connections for role", THROTTLED, "the database behind"),
    ("pgbouncer cached error: remaining connection slots are reserved", THROTTLED, "the database behind"),
    ("server login failed: FATAL password authentication failed", AUTH, "does not let its pooler in"),
    ("pgbouncer cached error: wrong password type", AUTH, "does not let its pooler in"),
    ('server login failed: FATAL role "app" does not exist', AUTH, "does not let its pooler in"),
    ("server login failed: FATAL no pg_hba.conf entry", AUTH, "does not let its pooler in"),
    ("server login has been failing, cached error: connect failed", REFUSED, "gets no connection"),
    ("server login failed: connect failed", REFUSED, "gets no connection"),
    ("cannot connect to server", REFUSED, "gets no connection"),
    ("server conn crashed?", REFUSED, "gets no connection"),
    ("server down", REFUSED, "gets no connection"),
    ("could not get connection from the pool - AllServersDown", REFUSED, "gets no connection"),
    ("query_wait_timeout", THROTTLED, "became free in time"),
    ("no more connections allowed (max_client_conn)", THROTTLED, "takes no more clients"),
    ("Max client connections reached", THROTTLED, "takes no more clients"),
    ("max client connections reached", THROTTLED, "takes no more clients"),
    ("MaxClientsInSessionMode: max clients reached", THROTTLED, "takes no more clients"),
    ("too many active clients for user", THROTTLED, "takes no more clients"),
    ("transaction blocks not allowed in statement pooling mode", FORBIDDEN, "pools by statement"),
    ("unsupported startup parameter: options", MALFORMED, "does not take a setting"),
    ("SSL required", TLS, "encrypted connections only"),
    ("TLS required", TLS, "encrypted connections only"),
]
CLIENTS = [
    ("FATAL: sorry, too many clients already", THROTTLED, "too many connections"),
    ("FATAL: remaining connection slots are reserved", THROTTLED, "too many connections"),
    ("too many connections", THROTTLED, "too many connections"),
    ('too many connections for role "app"', THROTTLED, "the role {user}"),
    ('too many connections for database "shop"', THROTTLED, "the database {database}"),
    ('password authentication failed for user "app"', AUTH, "the password of"),
    ("SASL authentication failed", AUTH, "the password of"),
    ("fe_sendauth: no password supplied", AUTH, "the password of"),
    ("empty password returned by client", AUTH, "the password of"),
    ('role "app" does not exist', AUTH, "does not let {user} in"),
    ("no such user: app", AUTH, "does not let {user} in"),
    ('role "app" is not permitted to log in', AUTH, "does not let {user} in"),
    ('no pg_hba.conf entry for host "10.0.0.1"', AUTH, "does not let {user} in"),
    ("pg_hba.conf rejects connection for host", AUTH, "does not let {user} in"),
    ("the server requested an unknown authentication", AUTH, "does not let {user} in"),
    ('database "shop" does not exist', MISSING, "the database {database}"),
    ("no such database: shop", MISSING, "the database {database}"),
    ('permission denied for database "shop"', FORBIDDEN, "may not connect"),
    ("the database system is starting up", REFUSED, "accept connections now"),
    ('database "shop" is not currently accepting connections', REFUSED, "accept connections now"),
    ("the server is not yet accepting connections", REFUSED, "accept connections now"),
    ("not accepting connections", REFUSED, "accept connections now"),
    ('database "shop" is disabled', REFUSED, "accept connections now"),
    ('invalid port number: "x"', MALFORMED, "the connection string"),
    ('invalid integer value "x" for connection option', MALFORMED, "the connection string"),
    ('invalid connection option "x"', MALFORMED, "the connection string"),
    ("invalid URI query parameter", MALFORMED, "the connection string"),
    ('invalid sslmode value: "x"', MALFORMED, "the connection string"),
    ("bad value for the option", MALFORMED, "the connection string"),
    ("server does not support SSL, but SSL was required", TLS, "no secure connection"),
    ("SSL error: tlsv1 alert unknown ca", TLS, "no secure connection"),
    ("SSL SYSCALL error: EOF detected", TLS, "no secure connection"),
    ("root certificate file does not exist", TLS, "no secure connection"),
    ("change sslmode to disable it", TLS, "no secure connection"),
    ("SSL connection is required", TLS, "no secure connection"),
    ("host name verification failed", TLS, "no secure connection"),
    ("received invalid response to SSL negotiation: H", MALFORMED, "is not PostgreSQL"),
    ("expected authentication request from server, but received H", MALFORMED, "is not PostgreSQL"),
    ("invalid message length", MALFORMED, "is not PostgreSQL"),
    ("invalid response", MALFORMED, "is not PostgreSQL"),
    ("unsupported frontend protocol 3.0", MALFORMED, "is not PostgreSQL"),
    ("connect failed: Connection refused", REFUSED, "nothing listens there"),
    ("connect failed: No such file or directory", REFUSED, "nothing listens on"),
    ("server closed the connection unexpectedly", REFUSED, "without an answer"),
    ("could not receive data: Connection reset by peer", REFUSED, "without an answer"),
    ("could not send data: Broken pipe", REFUSED, "without an answer"),
    ("socket closed", REFUSED, "without an answer"),
    ("connection timeout expired", TIMEOUT, "did not answer"),
    ("connection to server timed out", TIMEOUT, "did not answer"),
    ("No route to host", OTHER, "cannot be reached from here"),
    ("Network is unreachable", OTHER, "cannot be reached from here"),
    ("Cannot assign requested address", OTHER, "cannot be reached from here"),
    ("something that nobody has seen", OTHER, "no session with"),
]


@pytest.mark.parametrize("state", ["", "08P01", "XX000"])
@pytest.mark.parametrize(("told", "kind", "message"), [*POOLERS, *CLIENTS])
def test_where_the_sqlstate_says_nothing_the_sentence_says_why_there_is_no_session(
    told: str, kind: ErrorKind, message: str, state: str
) -> None:
    found = of_connecting(state, told)
    assert found.kind is kind
    assert message in found.message


@pytest.mark.parametrize("state", ["", "08P01", "XX000"])
@pytest.mark.parametrize(("told", "kind", "message"), POOLERS)
def test_a_pooler_says_why_in_place_of_an_answer_too(told: str, kind: ErrorKind, message: str, state: str) -> None:
    found = of_running(state, told)
    assert found.kind is kind
    assert message in found.message


@pytest.mark.parametrize(("state", "message"), [("", "broke"), ("08006", "broke"), ("XX000", "cannot answer")])
def test_a_connection_that_broke_is_told_from_a_server_that_cannot_answer(state: str, message: str) -> None:
    found = of_running(state, "Connection refused")
    assert found.kind is OTHER
    assert message in found.message


@pytest.mark.parametrize("state", ["28P01", "57P03", "54000"])
def test_a_sqlstate_that_says_something_is_believed_before_the_sentence(state: str) -> None:
    assert of_connecting(state, "SSL required").kind is of_connecting(state, "").kind
