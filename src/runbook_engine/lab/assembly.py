"""Putting a lab together: what can start side by side does, and it is ready once the fault shows."""

import json
import os
import secrets
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import MappingProxyType

import redis

from runbook_engine.errors import RunbookError
from runbook_engine.lab import database
from runbook_engine.lab.account import METRIC, NAMESPACE, furnish
from runbook_engine.lab.api.cache import summary_key
from runbook_engine.lab.api.service import SUMMARIES
from runbook_engine.lab.api.settings import ApiSettings
from runbook_engine.lab.api_process import ApiProcess
from runbook_engine.lab.aws import AwsEndpoint
from runbook_engine.lab.caches import found_instead
from runbook_engine.lab.certificates import make_certificates
from runbook_engine.lab.databases import reached_through
from runbook_engine.lab.edge import Edge, kept_free
from runbook_engine.lab.fault import Fault
from runbook_engine.lab.faults import PLANS
from runbook_engine.lab.guard import Guard
from runbook_engine.lab.interrupts import Interrupts
from runbook_engine.lab.plans import Plan
from runbook_engine.lab.postgres import PostgresServer
from runbook_engine.lab.redis import RedisServer
from runbook_engine.lab.running import Lab
from runbook_engine.lab.scripts import write_scripts
from runbook_engine.lab.side_by_side import SideBySide
from runbook_engine.lab.traffic import Traffic
from runbook_engine.lab.view import View

READY_TIMEOUT_S = 30.0
LOOK_AGAIN_S = 0.05
CACHE_MEMORY = "16mb"
ANSWERING = ("up", "silent", "orphaned")
"""Where the cache answers look-ups, at least until the lab is ready."""
BOARD_SESSIONS = 20
BOARD_PAGE_S = 0.45

Say = Callable[[str], None]


def assemble(fault: Fault, home: Path, stack: ExitStack, say: Say) -> Lab:
    """Start everything below ``home``; what has to end later is put on the stack, even when this fails half-way."""
    with Interrupts() as interrupts:
        return _assemble(fault, home, stack, say, interrupts)


def _assemble(fault: Fault, home: Path, stack: ExitStack, say: Say, interrupts: Interrupts) -> Lab:
    plan = PLANS[fault.name]
    passwords = database.Passwords()
    guard = stack.enter_context(Guard())
    guard.remove(home)
    postgres = PostgresServer(home / "postgres", settings=_postgres_settings(plan), preload_statements=True)
    cache = RedisServer(
        home / "redis", settings={"maxmemory": CACHE_MEMORY, **plan.cache_settings}, password=secrets.token_urlsafe()
    )
    aws = AwsEndpoint(cpu_percent=plan.cpu_percent, memory_percent=plan.memory_percent)
    for server in (postgres, cache, aws):
        stack.push(server)
    traffic = stack.enter_context(Traffic())
    api = stack.enter_context(ApiProcess(home))
    arns: dict[str, str] = {}

    def start_database() -> None:
        say("starting PostgreSQL ...")
        postgres.start()
        guard.end(postgres.pid)
        version, folder = database.version_and_folder(postgres.dsn())
        guard.remove(folder)
        say(f"PostgreSQL {version} on 127.0.0.1:{postgres.port}; creating its tables ...")
        database.create(
            postgres.dsn(),
            passwords,
            slow_report=plan.slow_report,
            message_index=plan.message_index,
            role_limit=plan.role_limit,
        )

    def start_cache() -> None:
        say("starting Redis ...")
        cache.start()
        guard.end(cache.pid)
        say(f"Redis on 127.0.0.1:{cache.port}")

    def start_aws() -> None:
        say("starting the AWS endpoint ...")
        aws.start()
        say(f"AWS endpoint on {aws.url}")
        arns.update(furnish(aws, plan))

    with SideBySide() as threads:
        # The AWS endpoint takes longest, and nothing else waits for it.
        aws_started, *started = [threads.run(start) for start in (start_aws, start_database, start_cache)]
        certificates = make_certificates(home)
        edge = stack.enter_context(Edge(plan, certificates.ca_file))
        for each in started:
            interrupts.result(each)

        board_sessions = _board_sessions(plan, postgres)
        _break_before(plan, postgres, cache, guard)
        api_dsn, reader_dsn = stack.enter_context(reached_through(plan, postgres, passwords, home, guard))
        redis_url = stack.enter_context(found_instead(plan.cache, cache, home, guard))
        settings = ApiSettings(
            database_url=api_dsn,
            redis_url=redis_url,
            certificate_file=str(certificates.server_file),
            cache_ttl_ms=plan.cache_ttl_ms,
            board_sessions=board_sessions,
            hash_rounds=plan.hash_rounds,
            upstream_wait_s=plan.upstream_wait_s,
            failing_permille=plan.failing_permille,
            failing_early=plan.failing_early,
            account=plan.account,
        )
        stack.enter_context(plan.disturb(settings.database_url, redis_url))
        interrupts.look()
        port = api.serve(settings)
        traffic.start(port, certificates.client_context())
        say(f"API on https://127.0.0.1:{port}; waiting until the fault {fault.name} shows ...")
        with View(postgres.dsn(), redis_url) as view:
            _wait_until_seen(fault, plan, traffic, view, interrupts)
        stack.enter_context(plan.later(settings.database_url, redis_url))
        stack.enter_context(_broken_since(plan, postgres, cache, api, port))
        interrupts.result(aws_started)

    inputs = {
        "api_url": edge.api_url(port),
        **({"detailed_health": "/health/detailed"} if plan.account == "components" else {}),
        "database_url": reader_dsn,
        "redis_url": redis_url,
        "aws_endpoint_url": aws.url,
        "aws_region": aws.region,
        "ecs_cluster": aws.cluster,
        "ecs_service": aws.service,
        "target_group_arn": arns["target_group"],
        "certificate_arn": arns["certificate"],
        "log_group": aws.log_group,
        "db_instance_id": aws.database,
        "business_namespace": NAMESPACE,
        "business_metric": METRIC,
        "scripts_directory": str(write_scripts(home)),
        **edge.inputs,
        **plan.inputs,
    }
    return Lab(fault, MappingProxyType(inputs), MappingProxyType(dict(aws.environ)), home, lambda: _requests(aws))


def _requests(aws: AwsEndpoint) -> Mapping[str, int]:
    return Counter(f"{each.service}:{each.operation}" for each in aws.calls())


def _break_before(plan: Plan, postgres: PostgresServer, cache: RedisServer, guard: Guard) -> None:
    """Let counting begin, and break of the database what is broken already when the API begins."""
    _begin_anew(plan, postgres, cache)
    if plan.database in ("stopped", "recovering", "standby"):
        guard.spare(postgres.pid)
        if plan.database == "stopped":
            postgres.stop()
        else:
            postgres.hold_in_recovery(readable=plan.database == "standby")
            guard.end(postgres.pid)


@contextmanager
def _broken_since(
    plan: Plan, postgres: PostgresServer, cache: RedisServer, api: ApiProcess, port: int
) -> Iterator[None]:
    """What breaks only once the API has worked."""
    with ExitStack() as stack:
        for state, pid in ((plan.database, postgres.pid), (plan.cache, cache.pid)):
            if state == "silent" and pid is not None:
                # The process that takes connections. It goes on in the end, or it could not end.
                os.kill(pid, signal.SIGSTOP)
                stack.callback(os.kill, pid, signal.SIGCONT)
        if plan.api == "stopped":
            api.stop()
            stack.enter_context(kept_free(port))
        yield


def _postgres_settings(plan: Plan) -> dict[str, str]:
    return {
        "max_connections": str(plan.max_connections),
        # One statement, one process: a small machine's CPU is not all taken by one slow statement.
        "max_parallel_workers_per_gather": "0",
        "jit": "off",
        # Its work would show among the lab's figures; the tables are too small and short-lived to need it.
        "autovacuum": "off",
    }


def _board_sessions(plan: Plan, postgres: PostgresServer) -> int:
    """Where every session on the board costs a scan of all messages, as many as take BOARD_PAGE_S on this machine."""
    if plan.message_index:
        return BOARD_SESSIONS
    return max(1, round(BOARD_PAGE_S / database.scan_seconds(postgres.dsn())))


def _begin_anew(plan: Plan, postgres: PostgresServer, cache: RedisServer) -> None:
    """Put into the cache what the API had put there in its life so far, and let counting begin now."""
    with redis.Redis.from_url(cache.url) as client:
        if plan.cache_ttl_ms is None:
            found = database.summaries(postgres.dsn(), SUMMARIES)
            client.mset({summary_key(session): json.dumps(summary) for session, summary in found.items()})
        database.forget_setup(postgres.dsn())
        client.config_resetstat()


def _wait_until_seen(fault: Fault, plan: Plan, traffic: Traffic, view: View, interrupts: Interrupts) -> None:
    """Wait until the API has answered as it must, the servers have counted it, and the fault shows."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not _is_seen(plan, traffic, view):
        if time.monotonic() > deadline:
            raise RunbookError(
                f"the fault {fault.name} did not show within {READY_TIMEOUT_S:.0f} s; "
                f"the API's last answer was {traffic.answered}"
            )
        interrupts.look()
        time.sleep(LOOK_AGAIN_S)


def _is_seen(plan: Plan, traffic: Traffic, view: View) -> bool:
    answered = traffic.answered
    if answered is None or answered.status != plan.answer or answered.seconds < plan.upstream_wait_s:
        return False
    if plan.answer == 200 and view.scans() == 0:
        return False
    if plan.cache in ANSWERING and view.lookups() == 0:
        return False
    return plan.seen(view)
