"""The database: whether it takes connections, who holds them, and what RDS says of the instance."""

from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING

from runbook_engine.lab.disturbances import (
    holding_connections,
    holding_the_pool,
    leaking_connections,
    leaving_a_transaction_open,
    working_in_a_transaction,
)
from runbook_engine.lab.fault import Fault
from runbook_engine.lab.plans import Plan

if TYPE_CHECKING:
    from runbook_engine.lab.aws import AwsEndpoint

SLOTS = 103
"""For 100 connections of applications: three are kept for superusers."""
OLD_S = 1.0

_fault = partial(Fault, family="database", runbook="database-connections")


def _pending_maintenance(aws: "AwsEndpoint") -> None:
    aws.set_maintenance(
        [{"action": "system-update", "description": "New Operating System update is available", "apply_in_days": 3.0}]
    )


def _unavailable(aws: "AwsEndpoint") -> None:
    aws.set_database(status="rebooting")


DATABASE: tuple[tuple[Fault, Plan], ...] = (
    (
        _fault(
            "database_refused",
            "Connections to the database are refused",
            "PostgreSQL is stopped, and nothing listens on its port, while RDS still calls the instance available. "
            'The API answers 503 with "connection refused". The diagnosis should say that the database is down.',
            ("database_down",),
        ),
        Plan(database="stopped", answer=503),
    ),
    (
        _fault(
            "database_starting",
            "The database answers and lets nobody in",
            "PostgreSQL was started again and is held in recovery: it waits for a log that never comes. It answers "
            "every connection at once, with SQLSTATE 57P03 (the database system is not accepting connections). The "
            "API answers 503. The diagnosis should tell that from a server that is down: the database rejects "
            "connections.",
            ("database_rejecting",),
        ),
        Plan(database="recovering", answer=503),
    ),
    (
        _fault(
            "database_timeouts",
            "The database accepts connections and never answers",
            "The first process of PostgreSQL is stopped by a signal, as one that waits for a disk would be: the "
            "system accepts connections for it, and nobody ever says a word. The API goes on with the connections "
            "that it has, until it needs another. The diagnosis should end in time, and say that the database does "
            "not answer.",
            ("database_timeouts",),
        ),
        Plan(database="silent"),
    ),
    (
        _fault(
            "too_many_connections",
            "The database has too many connections to take another",
            "Every connection that an ordinary role may have is taken by an idle session of a worker that never "
            "closes any. PostgreSQL works, pg_isready says that it accepts connections, and every log-in is refused "
            "(SQLSTATE 53300). The API answers 503. The diagnosis should say that connections are exhausted, and not "
            "that the database is down.",
            ("connections_exhausted",),
        ),
        Plan(max_connections=20, disturb=leaking_connections, answer=503),
    ),
    (
        _fault(
            "connections_81",
            "81 of 100 connections are in use",
            "A worker holds 80 idle connections of the 100 that applications may have, and the API has one. That is "
            "just above the 80 % from which on it is a warning. Everything works. The diagnosis should say that "
            "connections are high.",
            ("connections_high",),
            neighbour="connections_79",
        ),
        Plan(max_connections=SLOTS, disturb=partial(holding_connections, count=80)),
    ),
    (
        _fault(
            "connections_79",
            "79 of 100 connections are in use",
            "A worker holds 78 idle connections of the 100 that applications may have, and the API has one. That is "
            "just below the 80 % from which on it is a warning. Everything works. The diagnosis should find nothing.",
            neighbour="connections_81",
        ),
        Plan(max_connections=SLOTS, disturb=partial(holding_connections, count=78)),
    ),
    (
        _fault(
            "idle_in_transaction",
            "A transaction was begun and left open",
            "A script has updated a row that nobody else needs and never ended its transaction: its session is idle "
            "in transaction, and keeps a connection, a lock and everything that vacuum would remove. Nobody waits "
            "for it. So that nobody waits for five minutes either, the lab counts a transaction as old after one "
            "second (transaction_old). The diagnosis should name the open transaction.",
            ("idle_transactions",),
        ),
        Plan(
            disturb=leaving_a_transaction_open,
            inputs=MappingProxyType({"transaction_old": f"{OLD_S:.0f}s"}),
            seen=lambda view: view.oldest_idle_transaction_s() > OLD_S,
        ),
    ),
    (
        _fault(
            "long_transaction",
            "A transaction has been at work for too long",
            "An export of all messages has been at work in one transaction: its session is active, not idle, and "
            "keeps vacuum from cleaning up. Nobody waits for it, and the API answers as ever. So that nobody waits "
            "for five minutes, the lab counts a transaction as old after one second (transaction_old). The diagnosis "
            "should name the transaction with its age and its statement.",
            ("long_transaction",),
        ),
        Plan(
            disturb=working_in_a_transaction,
            inputs=MappingProxyType({"transaction_old": f"{OLD_S:.0f}s"}),
            seen=lambda view: view.oldest_active_transaction_s() > OLD_S,
        ),
    ),
    (
        _fault(
            "role_connection_limit",
            "The API's role has reached its CONNECTION LIMIT",
            "The role of the API may have ten connections, of fifty that the server allows, and a worker that never "
            "closes any has taken all ten. The server has room for everybody else, the monitoring role among them; "
            "the API is refused (SQLSTATE 53300) and answers 503. The diagnosis should name the role whose limit is "
            "reached, and not max_connections.",
            ("connections_high",),
        ),
        Plan(role_limit=10, disturb=leaking_connections, answer=503),
    ),
    (
        _fault(
            "no_primary",
            "Of the database's servers, only a standby is left",
            "The connection string names two servers and asks for the one that writes. The primary is gone, and "
            "nobody has promoted the standby, which serves reads and says so. Each of the two alone is easily "
            "understood; the API cannot write and answers 503. The diagnosis should say that no server is a primary, "
            "and who answered as what.",
            ("database_no_primary",),
        ),
        Plan(database="standby", answer=503),
    ),
    (
        _fault(
            "pool_exhausted",
            "The pool in front of the database has no connection free",
            "Everybody reaches the database through PgBouncer, whose four connections are kept by transactions of an "
            "import that go on and on. PostgreSQL is healthy and nearly idle, PgBouncer accepts every client, checks "
            "its password, and lets it wait (query_wait_timeout). The API answers 503. The diagnosis should say that "
            "no connection is left, and neither that the database is down nor that the password is wrong.",
            ("connections_exhausted",),
            program="pgbouncer",
        ),
        Plan(pool_size=4, disturb=partial(holding_the_pool, count=4), answer=503),
    ),
    (
        _fault(
            "maintenance_pending",
            "RDS will update the instance in three days",
            "RDS has an operating system update pending for the instance and applies it in three days, with a "
            "restart. The database works until then. The diagnosis should say that maintenance is pending, so that "
            "the restart surprises nobody.",
            ("maintenance_pending",),
        ),
        Plan(aws=_pending_maintenance),
    ),
    (
        _fault(
            "rds_unavailable",
            "RDS says that the instance is rebooting",
            "RDS reports the status rebooting, and not available. PostgreSQL still takes connections, as it does "
            "until it is taken down, so that only RDS knows what is about to happen. The diagnosis should name the "
            "status of the instance.",
            ("database_unavailable",),
        ),
        Plan(aws=_unavailable),
    ),
    (
        _fault(
            "disk_86",
            "86 % of the database's storage is in use",
            "By CloudWatch, 14 GiB of the instance's 100 GiB are free. That is just above the 85 % from which on it "
            "is a warning. Everything works until the disk is full. The diagnosis should say that storage is high.",
            ("storage_high",),
            neighbour="disk_84",
        ),
        Plan(aws=lambda aws: aws.set_database(storage_percent=86.0)),
    ),
    (
        _fault(
            "disk_84",
            "84 % of the database's storage is in use",
            "By CloudWatch, 16 GiB of the instance's 100 GiB are free. That is just below the 85 % from which on it "
            "is a warning. Everything works. The diagnosis should find nothing.",
            neighbour="disk_86",
        ),
        Plan(aws=lambda aws: aws.set_database(storage_percent=84.0)),
    ),
)
"""Every fault of the family, with its plan."""
