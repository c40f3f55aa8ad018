"""What a statement calls that may change something, by the server's own catalogue.

A read-only transaction keeps rows as they are. It does not keep a function from ending sessions, reading and writing files,
switching the log, taking locks, or asking another server: https://www.postgresql.org/docs/current/functions-admin.html.
PostgreSQL knows of each function whether it may have effects (``pg_proc.provolatile``, "volatile" where nobody has said
otherwise), so that those are refused which are not known to be harmless.
"""

import re

from pydantic import JsonValue

from runbook_engine.probe import ErrorKind, ProbeError
from runbook_probes.postgres_session import Row, Session
from runbook_probes.postgres_tokens import NotReadError, Words, words

GRANT = "sql-functions"
_ROUNDS = 8
"""Functions that call functions that call functions are followed so far."""

HARMLESS = frozenset(
    {
        # values that change by themselves
        "array_sample", "array_shuffle", "bernoulli", "clock_timestamp", "current_query", "gen_random_uuid", "random",
        "random_normal", "system", "timeofday", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuidv4",
        "uuidv7", "currval", "lastval",
        # sizes
        "pg_database_size", "pg_indexes_size", "pg_relation_size", "pg_table_size", "pg_tablespace_size",
        "pg_total_relation_size",
        # sessions, locks, statistics
        "pg_blocking_pids", "pg_get_aios", "pg_get_backend_memory_contexts", "pg_get_loaded_modules",
        "pg_get_shmem_allocations", "pg_get_shmem_allocations_numa", "pg_get_wait_events", "pg_lock_status",
        "pg_notification_queue_usage", "pg_prepared_xact", "pg_safe_snapshot_blocking_pids", "pg_stat_get_backend_io",
        "pg_stat_get_backend_wal", "pg_stat_get_io", "pg_stat_get_recovery_prefetch", "pg_stat_get_xact_blocks_fetched",
        "pg_stat_get_xact_blocks_hit", "pg_stat_get_xact_function_calls", "pg_stat_get_xact_function_self_time",
        "pg_stat_get_xact_function_total_time", "pg_stat_get_xact_numscans", "pg_stat_get_xact_tuples_deleted",
        "pg_stat_get_xact_tuples_fetched", "pg_stat_get_xact_tuples_hot_updated", "pg_stat_get_xact_tuples_inserted",
        "pg_stat_get_xact_tuples_newpage_updated", "pg_stat_get_xact_tuples_returned", "pg_stat_get_xact_tuples_updated",
        "pg_stat_have_stats", "pg_stat_statements", "pg_stat_statements_info",
        # what is in memory and in pages, of the extensions for it
        "pg_buffercache_numa_pages", "pg_buffercache_pages", "pg_buffercache_summary", "pg_buffercache_usage_counts",
        "pg_freespace", "pg_visibility", "pg_visibility_map", "pg_visibility_map_summary", "pgstatginindex",
        "pgstathashindex", "pgstatindex", "pgstattuple", "pgstattuple_approx",
        # the log that is written ahead, replication, transactions
        "pg_available_wal_summaries", "pg_control_checkpoint", "pg_control_init", "pg_control_recovery",
        "pg_control_system", "pg_current_logfile", "pg_current_wal_flush_lsn", "pg_current_wal_insert_lsn",
        "pg_current_wal_lsn", "pg_get_multixact_members", "pg_get_wal_replay_pause_state",
        "pg_get_wal_resource_managers", "pg_get_wal_summarizer_state", "pg_is_in_recovery", "pg_is_wal_replay_paused",
        "pg_last_committed_xact", "pg_last_wal_receive_lsn", "pg_last_wal_replay_lsn", "pg_last_xact_replay_timestamp",
        "pg_ls_archive_statusdir", "pg_ls_logdir", "pg_ls_logicalmapdir", "pg_ls_logicalsnapdir", "pg_ls_replslotdir",
        "pg_ls_summariesdir", "pg_ls_tmpdir", "pg_ls_waldir", "pg_show_replication_origin_status",
        "pg_wal_summary_contents", "pg_xact_commit_timestamp", "pg_xact_commit_timestamp_origin", "pg_xact_status",
        "txid_status",
        # the catalogue
        "pg_collation_actual_version", "pg_database_collation_actual_version", "pg_get_sequence_data",
        "pg_ident_file_mappings", "pg_jit_available", "pg_partition_ancestors", "pg_partition_tree",
        "pg_sequence_last_value",
    }
)  # fmt: skip
"""Functions of PostgreSQL and of its own extensions that are volatile, and only read."""

REFUSED = frozenset(
    {
        "connectby", "crosstab", "crosstab2", "crosstab3", "crosstab4", "crosstabn", "pg_current_xact_id", "txid_current",
        "xpath_table",
    }
)  # fmt: skip
"""Functions that are not volatile and yet run a statement that is given as text, or take a number of a transaction."""

_VIEWS = """
WITH RECURSIVE met (oid) AS (
  SELECT c.oid FROM pg_catalog.pg_class AS c
  WHERE c.relname = ANY (%s::pg_catalog.text[]) AND c.relkind IN ('r', 'p', 'v', 'f')
UNION
  SELECT below.oid FROM met CROSS JOIN LATERAL (
    SELECT i.inhrelid FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = met.oid
    UNION ALL
    SELECT named.part[1]::pg_catalog.oid FROM pg_catalog.pg_rewrite AS r
    CROSS JOIN LATERAL pg_catalog.regexp_matches(r.ev_action::pg_catalog.text, ':relid ([0-9]+)', 'g') AS named (part)
    WHERE r.ev_class = met.oid AND r.ev_type = '1'
  ) AS below (oid)
)
SELECT c.relname AS name, c.relkind = 'f' AS is_foreign,
       ARRAY (SELECT DISTINCT named.part[1]::pg_catalog.int8 FROM pg_catalog.pg_rewrite AS r
              CROSS JOIN LATERAL pg_catalog.regexp_matches(
                r.ev_action::pg_catalog.text, ':(?:funcid|opfuncid|aggfnoid|winfnoid) ([0-9]+)', 'g') AS named (part)
              WHERE r.ev_class = c.oid AND r.ev_type = '1') AS functions
FROM met JOIN pg_catalog.pg_class AS c ON c.oid = met.oid
WHERE c.relkind IN ('v', 'f')
"""
"""Views and foreign tables among the names, and what is below them, with the functions that each view calls.

A view is kept as the tree that its statement was read as, in which functions and tables stand by their numbers.
"""

_FUNCTIONS = """
SELECT p.proname AS name, p.provolatile = 'v' AS is_volatile,
       n.nspname = 'pg_catalog' OR EXISTS (
         SELECT FROM pg_catalog.pg_depend AS d
         WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e'
       ) AS is_shipped,
       CASE WHEN l.lanname IN ('sql', 'plpgsql') AND n.nspname <> 'pg_catalog' AND p.prokind <> 'a' AND p.provolatile <> 'v'
            THEN pg_catalog.pg_get_functiondef(p.oid) ELSE '' END AS definition
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
JOIN pg_catalog.pg_language AS l ON l.oid = p.prolang
WHERE p.proname = ANY (%s::pg_catalog.text[])
   OR p.proname = ANY (%s::pg_catalog.text[]) AND p.pronargs = 1 AND EXISTS (
        SELECT FROM pg_catalog.pg_type AS t WHERE t.oid = p.proargtypes[0] AND t.typtype IN ('c', 'p'))
   OR p.oid = ANY (%s::pg_catalog.oid[])
   OR n.nspname <> 'pg_catalog' AND (
        p.oid IN (SELECT o.oprcode FROM pg_catalog.pg_operator AS o WHERE o.oprname = ANY (%s::pg_catalog.text[]))
        OR p.oid IN (SELECT c.castfunc FROM pg_catalog.pg_cast AS c
                     JOIN pg_catalog.pg_type AS t ON t.oid = c.casttarget WHERE t.typname = ANY (%s::pg_catalog.text[]))
        OR p.oid IN (SELECT pg_catalog.unnest(ARRAY[a.aggtransfn::pg_catalog.oid, a.aggfinalfn::pg_catalog.oid])
                     FROM pg_catalog.pg_aggregate AS a JOIN pg_catalog.pg_proc AS f ON f.oid = a.aggfnoid
                     WHERE f.proname = ANY (%s::pg_catalog.text[])))
"""
"""What may be called: functions by name, by name behind a point, by number; those of operators, of casts, of aggregates."""

_CALL = re.compile(r"([A-Za-z_][\w$]*)\"?\s*\(")


async def refuse_effects(opened: Session, statement: str) -> None:
    """Raises ProbeError, of kind forbidden where the statement calls what may change something, before it is run."""
    try:
        said = words(statement)
    except NotReadError as error:
        raise ProbeError(
            ErrorKind.MALFORMED, f"it cannot be told what the statement calls: {error}", remedy=_REMEDY
        ) from None
    await opened.rows("SELECT pg_catalog.set_config('standard_conforming_strings', 'on', true)")
    numbers: list[JsonValue] = []
    for view in await opened.rows(_VIEWS, [[*said.names]]):
        if view["is_foreign"]:
            raise _refused(f"reads the foreign table {view['name']}, which asks another server or runs a program")
        found = view["functions"]
        numbers += found if isinstance(found, list) else []
    called, met = said.called, set[str]()
    for _ in range(_ROUNDS):
        met |= called
        asked = (called, said.dotted, numbers, said.operators, said.names, called)
        functions = await opened.rows(_FUNCTIONS, [[*each] for each in asked])
        for each in functions:
            _refuse_function(each)
        definitions = " ".join(str(each["definition"]) for each in functions)
        called = frozenset(name.lower() for name in _CALL.findall(definitions)) - met
        said, numbers = Words(frozenset(), called, frozenset(), frozenset()), []
        if not called:
            return
    raise _refused("calls functions that call others, too deeply to see what they do")


def _refuse_function(function: Row) -> None:
    name = str(function["name"])
    if name in REFUSED:
        raise _refused(f"calls {name}(), which can do whatever its arguments say")
    if function["is_volatile"] and not (name in HARMLESS and function["is_shipped"]):
        raise _refused(f"calls {name}(), which may change something: it is volatile, as PostgreSQL calls it")


_REMEDY = f"leave that out; or, where it is known to change nothing, run with --allow {GRANT}"


def _refused(why: str) -> ProbeError:
    return ProbeError(ErrorKind.FORBIDDEN, f"probes only read, and this statement {why}", remedy=_REMEDY)
