"""Runs made by hand: what a trace of each kind looks like, without an engine."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue

from runbook_engine.engine.events import (
    AttemptFailed,
    BlindSpot,
    CallStarted,
    Ending,
    Event,
    Failure,
    FindingRaised,
    InputValue,
    KnownMessage,
    Measured,
    MessagesRecognised,
    Outcome,
    RunFinished,
    RunStarted,
    StepAnswered,
    StepDecided,
    StepFailed,
    StepMeasured,
    StepSkipped,
    StepStarted,
    StepStatus,
)
from runbook_engine.engine.trace import Trace, fold
from runbook_engine.kinds import ErrorKind
from runbook_engine.quantity import Dimension, Value, show

START = 1756040400.25  # 2025-08-24 13:00:00.250 UTC

HIGH_LATENCY: dict[str, JsonValue] = {
    "runbook": "high-latency",
    "title": "High response times (>500 ms)",
    "version": "1.2.0",
    "owner": "operations",
    "severity": "P2",
    "description": "Confirms that the API is slow, then looks at what it stands on, side by side.",
    "symptoms": ["API response times consistently above 500 ms", "User complaints about slow performance"],
    "references": [
        {"title": "pg_stat_statements", "url": "https://www.postgresql.org/docs/current/pgstatstatements.html"},
        {"title": "Redis INFO", "url": "https://redis.io/docs/latest/commands/info/"},
    ],
    "inputs": {
        "api_url": {"type": "url", "default": "https://api.example.com", "help": "Base URL of the API"},
        "database_url": {"type": "secret", "env": "DATABASE_URL"},
        "slow": {"type": "duration", "default": "500ms"},
        "very_slow": {"type": "duration", "default": "1s"},
    },
    "start": "response_time",
    "steps": {
        "response_time": {
            "title": "How slow is the API?",
            "description": "The symptom first: P95 of 20 requests.",
            "probe": "http.latency",
            "with": {"url": "{{ inputs.api_url }}/health", "samples": 20},
            "branches": [
                {
                    "when": "p95 > inputs.very_slow",
                    "finding": "api_very_slow",
                    "goto": ["database", "cache", "compute"],
                },
                {"when": "p95 > inputs.slow", "finding": "api_slow", "goto": ["database", "cache", "compute"]},
                {"else": ["database", "cache", "compute"]},
            ],
            "on_error": [
                {"kind": ["refused", "timeout", "dns", "tls"], "finding": "api_down", "goto": "health_check"},
                {"else": "end"},
            ],
        },
        "health_check": {"title": "Is the service there at all?", "call": "api-down"},
        "database": {
            "title": "Check active connections",
            "probe": "postgres.activity",
            "with": {"dsn": "{{ inputs.database_url }}"},
            "branches": [
                {"when": "utilization > 80%", "finding": "connections_high", "goto": "slow_queries"},
                {"else": "slow_queries"},
            ],
            "on_error": [{"kind": "refused", "finding": "database_down"}, {"else": "end"}],
        },
        "slow_queries": {
            "title": "Check slow queries",
            "description": "Mean execution times from pg_stat_statements.",
            "probe": "postgres.slow_queries",
            "with": {"dsn": "{{ inputs.database_url }}"},
            "branches": [
                {"when": "slowest_mean > 100ms", "finding": "slow_queries", "goto": "deployed"},
                {"else": "end"},
            ],
        },
        "cache": {
            "title": "Check cache memory and hit rate",
            "probe": "redis.info",
            "retry": {"attempts": 3, "wait": "500ms"},
            "branches": [
                {"when": "memory_utilization > 90%", "finding": "cache_full"},
                {"when": "hit_rate < 80%", "finding": "cache_misses"},
                {"else": "end"},
            ],
        },
        "compute": {
            "title": "Check CPU of the service",
            "probe": "aws.cloudwatch",
            "branches": [{"when": "latest_percent > 80%", "finding": "cpu_high"}, {"else": "end"}],
        },
        "deployed": {
            "title": "Was there a deployment?",
            "ask": "Was a new version deployed in the last hour?",
            "default": False,
            "branches": [{"when": "answer", "finding": "recent_deployment"}, {"else": "end"}],
        },
    },
    "findings": {
        "api_down": {"kind": "symptom", "level": "critical", "title": "The API does not answer ({{ error.kind }})"},
        "api_very_slow": {
            "kind": "symptom",
            "level": "critical",
            "title": "The API is very slow: P95 response time is {{ response_time.p95 }}",
            "resolution": "application_scaling",
        },
        "api_slow": {
            "kind": "symptom",
            "level": "warning",
            "title": "The API is slow: P95 response time is {{ response_time.p95 }}",
            "resolution": "application_scaling",
        },
        "connections_high": {
            "level": "warning",
            "title": "{{ database.used }} of {{ database.limit }} database connections are in use",
            "cause": "The pool is larger than the database, or connections leak",
            "resolution": "database_optimization",
        },
        "database_down": {"level": "critical", "title": "The database does not accept connections"},
        "slow_queries": {
            "level": "critical",
            "title": "The slowest statement takes {{ slow_queries.slowest_mean }} on average",
            "resolution": "database_optimization",
        },
        "cache_full": {"level": "warning", "title": "The cache is full", "resolution": "cache_optimization"},
        "cache_misses": {
            "level": "warning",
            "title": "The cache answers too little",
            "resolution": "cache_optimization",
        },
        "cpu_high": {"level": "warning", "title": "CPU is high", "resolution": "application_scaling"},
        "recent_deployment": {"level": "warning", "title": "A new version was deployed in the last hour"},
    },
    "resolutions": {
        "database_optimization": {
            "title": "Database optimization",
            "steps": [
                "Identify and optimize slow queries",
                "Check for missing indexes",
                "Consider read replica routing",
            ],
        },
        "cache_optimization": {
            "title": "Cache optimization",
            "steps": ["Check cache hit rates", "Review expiration policies"],
        },
        "application_scaling": {
            "title": "Application scaling",
            "steps": ["Scale ECS service horizontally", "Check for memory leaks"],
        },
    },
    "prevention": [
        "Set up proactive monitoring for response times",
        "Implement circuit breakers for external services",
    ],
}

API_DOWN: dict[str, JsonValue] = {
    "runbook": "api-down",
    "title": "The API does not answer",
    "version": "1.0.0",
    "start": ["targets", "name"],
    "steps": {
        "targets": {
            "title": "Are targets healthy?",
            "probe": "aws.call",
            "branches": [{"when": "healthy < 1", "finding": "no_targets"}, {"else": "end"}],
        },
        "name": {"title": "Does the name resolve?", "probe": "dns.resolve"},
    },
    "findings": {
        "no_targets": {
            "level": "critical",
            "title": "No healthy target behind the load balancer",
            "cause": "Every task fails its health check",
            "resolution": "redeploy",
        }
    },
    "resolutions": {"redeploy": {"title": "Bring tasks back", "steps": ["Look at stopped tasks", "Roll back"]}},
    "prevention": ["Alarm on healthy target count"],
}

INPUTS = {
    "api_url": InputValue("https://api.example.com", "https://api.example.com", "default"),
    "database_url": InputValue(None, "$DATABASE_URL", "variable DATABASE_URL"),
    "slow": InputValue(0.5, "500 ms", "default"),
    "very_slow": InputValue(1.0, "1 s", "flag"),
}

STATEMENTS: list[JsonValue] = [
    {
        "query": "SELECT o.*, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.status = $1",
        "calls": 1893,
        "mean": "412 ms",
        "total": "780 s",
    },
    {
        "query": "UPDATE sessions SET seen_at = now() WHERE token = $1",
        "calls": 52210,
        "mean": "3.1 ms",
        "total": "162 s",
    },
]


@dataclass
class Script:
    """Writes the events of a run in order; ``at`` is in seconds from its start."""

    document: Mapping[str, JsonValue] = field(default_factory=lambda: HIGH_LATENCY)
    inputs: Mapping[str, InputValue] = field(default_factory=lambda: INPUTS)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        documents: dict[str, JsonValue] = {str(each["runbook"]): dict(each) for each in (self.document, API_DOWN)}
        name = str(self.document["runbook"])
        version = str(self.document.get("version", "1.0.0"))
        self.events.append(
            RunStarted(START, "68ab0dd0-5f3a91c2", name, version, "sha256:4be1", documents, self.inputs, "0.1.0")
        )

    def start(self, at: float, step: str, command: str = "", scope: str = "") -> None:
        self.events.append(StepStarted(START + at, scope, step, command))

    def measured(
        self,
        at: float,
        step: str,
        metrics: Mapping[str, tuple[Value | None, Dimension]],
        *,
        scope: str = "",
        attempt: int = 1,
        evidence: Mapping[str, JsonValue] | None = None,
        missing: Mapping[str, str] | None = None,
    ) -> None:
        values = {name: value for name, (value, _) in metrics.items()}
        dimensions = {name: dimension.value for name, (_, dimension) in metrics.items()}
        self.events.append(
            StepMeasured(START + at, scope, step, attempt, values, dimensions, missing or {}, evidence or {})
        )

    def failed(self, at: float, step: str, error: Failure, *, scope: str = "", attempt: int = 1) -> None:
        self.events.append(StepFailed(START + at, scope, step, attempt, error))

    def blind(self, at: float, step: str, error: Failure, scope: str = "") -> None:
        self.events.append(BlindSpot(START + at, scope, step, error.kind, error.message, error.remedy))

    def decided(
        self,
        at: float,
        step: str,
        status: StepStatus = StepStatus.PASSED,
        branch: tuple[str, int] | None = None,
        when: str = "",
        why: str = "",
        finding: str | None = None,
        goto: tuple[str, ...] = (),
        scope: str = "",
    ) -> None:
        self.events.append(StepDecided(START + at, scope, step, status, branch, when, why, finding, goto))

    def found(
        self,
        at: float,
        step: str,
        finding: str,
        *,
        title: str,
        cause: str = "",
        kind: str = "cause",
        level: str = "warning",
        resolution: str | None = None,
        condition: str = "",
        evidence: tuple[tuple[str, Value | None, Dimension, str], ...] = (),
        scope: str = "",
    ) -> None:
        seen = tuple(Measured(name, value, unit, show(value, dimension)) for name, value, dimension, unit in evidence)
        self.events.append(
            FindingRaised(START + at, scope, step, finding, kind, level, title, cause, resolution, seen, condition)
        )

    def skipped(self, at: float, *steps: str, scope: str = "") -> None:
        self.events.extend(StepSkipped(START + at, scope, step) for step in steps)

    def trace(self, at: float, outcome: Outcome, ending: Ending = Ending.COMPLETED) -> Trace:
        return fold([*self.events, RunFinished(START + at, outcome, ending)])


def _latency(script: Script, p95: float, why: str, place: int, finding: str | None) -> None:
    targets = ("database", "cache", "compute")
    script.start(
        0.01,
        "response_time",
        "for i in $(seq 20); do curl -so /dev/null -w '%{time_total}\\n' https://api.example.com/health; done",
    )
    script.measured(
        p95,
        "response_time",
        {
            "p50": (p95 / 3, Dimension.DURATION),
            "p95": (p95, Dimension.DURATION),
            "error_rate": (0.0, Dimension.PERCENT),
            "samples": (20, Dimension.NUMBER),
        },
    )
    when = ("p95 > inputs.very_slow", "p95 > inputs.slow", "else")[place]
    status = StepStatus.FLAGGED if finding else StepStatus.PASSED
    if finding:
        script.found(
            p95,
            "response_time",
            finding,
            title=f"The API is {'very slow' if place == 0 else 'slow'}: P95 response time is {show(p95, Dimension.DURATION)}",
            cause="More than one request in twenty takes longer than 1 s",
            kind="symptom",
            level="critical" if place == 0 else "warning",
            resolution="application_scaling",
            condition=why,
            evidence=(("p95", p95, Dimension.DURATION, "s"),),
        )
    script.decided(p95, "response_time", status, ("branches", place), when, why, finding, targets)
    script.skipped(p95, "health_check")


def healthy() -> Trace:
    """Everything looked at, nothing found."""
    script = Script()
    _latency(script, 0.12, "p95 120 ms ≤ very_slow 1 s; p95 120 ms ≤ slow 500 ms", 2, None)
    for step in ("database", "cache", "compute"):
        script.start(0.13, step, f"look at {step}")
    script.measured(0.17, "database", {"utilization": (12.0, Dimension.PERCENT), "used": (12, Dimension.NUMBER)})
    script.decided(
        0.17, "database", StepStatus.PASSED, ("branches", 1), "else", "utilization 12 % ≤ 80 %", None, ("slow_queries",)
    )
    script.start(0.17, "slow_queries", "psql \"$DATABASE_URL\" -c 'SELECT * FROM pg_stat_statements'")
    script.measured(
        0.19, "cache", {"memory_utilization": (41.0, Dimension.PERCENT), "hit_rate": (97.2, Dimension.PERCENT)}
    )
    script.decided(
        0.19,
        "cache",
        StepStatus.PASSED,
        ("branches", 2),
        "else",
        "memory_utilization 41 % ≤ 90 %; hit_rate 97.2 % ≥ 80 %",
    )
    script.measured(0.21, "slow_queries", {"slowest_mean": (0.004, Dimension.DURATION)})
    script.decided(0.21, "slow_queries", StepStatus.PASSED, ("branches", 1), "else", "slowest_mean 4 ms ≤ 100 ms")
    script.skipped(0.21, "deployed")
    script.measured(0.33, "compute", {"latest_percent": (23.5, Dimension.PERCENT)})
    script.decided(0.33, "compute", StepStatus.PASSED, ("branches", 1), "else", "latest_percent 23.5 % ≤ 80 %")
    return script.trace(0.331, Outcome.HEALTHY)


def _database(script: Script) -> None:
    script.start(
        1.25, "database", 'psql "$DATABASE_URL" -c "SELECT state, count(*) FROM pg_stat_activity GROUP BY state"'
    )
    script.measured(
        1.31,
        "database",
        {
            "used": (93, Dimension.NUMBER),
            "limit": (100, Dimension.NUMBER),
            "utilization": (93.0, Dimension.PERCENT),
            "longest_query_age": (4.2, Dimension.DURATION),
        },
        evidence={"states": [{"state": "active", "count": 71}, {"state": "idle in transaction", "count": 22}]},
    )
    script.found(
        1.31,
        "database",
        "connections_high",
        title="93 of 100 database connections are in use",
        cause="The pool is larger than the database, or connections leak",
        resolution="database_optimization",
        condition="utilization 93 % > 80 %",
        evidence=(("utilization", 93.0, Dimension.PERCENT, "%"),),
    )
    script.decided(
        1.31, "database", StepStatus.FLAGGED, ("branches", 0), "utilization > 80%", "utilization 93 % > 80 %",
        "connections_high", ("slow_queries",),
    )  # fmt: skip


def _slow_queries(script: Script) -> None:
    script.start(
        1.31,
        "slow_queries",
        'psql "$DATABASE_URL" -c "\nSELECT query, calls, mean_exec_time\nFROM pg_stat_statements\nORDER BY mean_exec_time DESC LIMIT 10"',
    )
    script.measured(
        1.37,
        "slow_queries",
        {"slowest_mean": (0.412, Dimension.DURATION), "statements": (2, Dimension.NUMBER)},
        evidence={"statements": STATEMENTS, "server": {"version": "16.3", "pg_stat_statements": True}},
    )
    script.found(
        1.37,
        "slow_queries",
        "slow_queries",
        title="The slowest statement takes 412 ms on average",
        cause="Statements take long to execute; the evidence lists them with their calls",
        level="critical",
        resolution="database_optimization",
        condition="slowest_mean 412 ms > 100 ms",
        evidence=(("slowest_mean", 0.412, Dimension.DURATION, "s"),),
    )
    script.decided(
        1.37, "slow_queries", StepStatus.FLAGGED, ("branches", 0), "slowest_mean > 100ms", "slowest_mean 412 ms > 100 ms",
        "slow_queries", ("deployed",),
    )  # fmt: skip
    script.start(1.37, "deployed")


DENIED = Failure(
    ErrorKind.FORBIDDEN,
    "AccessDenied: role oncall may not perform cloudwatch:GetMetricStatistics",
    "allow cloudwatch:GetMetricStatistics for the role oncall",
)


DENIAL = KnownMessage(
    "aws-access-denied",
    "is not authorized to perform",
    DENIED.message,
    "No policy allows the action",
    "Allow exactly that action in the role's policy",
    "Troubleshoot access denied",
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html",
)
CANCELLED = KnownMessage(
    "statement-timeout",
    "canceling statement due to statement timeout",
    "ERROR: canceling statement due to statement timeout at 13:00:01",
    "The statement ran for longer than statement_timeout",
    "Look at its plan",
    "Troubleshooting guide",
    "",
    "high-latency",
)


def critical() -> Trace:
    """Symptom, causes, a retried probe, an answer, and a permission that is missing."""
    script = Script()
    _latency(script, 1.24, "p95 1.24 s > very_slow 1 s", 0, "api_very_slow")
    script.start(1.25, "cache", 'redis-cli -u "$REDIS_URL" info')
    script.start(
        1.25, "compute", "aws cloudwatch get-metric-statistics --namespace AWS/ECS --metric-name CPUUtilization"
    )
    _database(script)
    script.events.append(
        AttemptFailed(
            START + 1.32, "", "cache", 1, Failure(ErrorKind.TIMEOUT, "redis.info gave no answer in time"), 0.43
        )
    )
    script.failed(1.36, "compute", DENIED)
    script.blind(1.36, "compute", DENIED)
    script.decided(1.36, "compute", StepStatus.BLIND, None, "", f"forbidden: {DENIED.message}")
    script.events.append(MessagesRecognised(START + 1.36, "", "compute", (DENIAL,)))
    _slow_queries(script)
    script.events.append(MessagesRecognised(START + 1.5, "", "slow_queries", (CANCELLED, DENIAL)))
    script.measured(
        1.79,
        "cache",
        {
            "memory_utilization": (None, Dimension.PERCENT),
            "hit_rate": (97.2, Dimension.PERCENT),
            "used_memory": (183_500_800, Dimension.BYTES),
        },
        attempt=2,
        missing={"memory_utilization": "maxmemory is 0: there is no limit"},
    )
    unknown = Failure(
        ErrorKind.MISSING,
        '"memory_utilization > 90%" cannot be decided: memory_utilization is missing (maxmemory is 0: there is no limit)',
        "set maxmemory, or compare used_memory",
    )
    script.blind(1.79, "cache", unknown)
    script.decided(1.79, "cache", StepStatus.BLIND, None, "", f"missing: {unknown.message}")
    script.events.append(StepAnswered(START + 9.4, "", "deployed", False, Dimension.BOOL.value, "person"))
    script.decided(9.4, "deployed", StepStatus.ANSWERED, ("branches", 1), "else", "answer is no")
    return script.trace(9.41, Outcome.CRITICAL)


def warning() -> Trace:
    """The symptom does not show now, and a cause is found all the same."""
    script = Script()
    _latency(script, 0.31, "p95 310 ms ≤ very_slow 1 s; p95 310 ms ≤ slow 500 ms", 2, None)
    for step in ("database", "cache", "compute"):
        script.start(0.33, step, f"look at {step}")
    script.measured(
        0.36, "cache", {"memory_utilization": (52.0, Dimension.PERCENT), "hit_rate": (31.4, Dimension.PERCENT)}
    )
    script.found(
        0.36,
        "cache",
        "cache_misses",
        title="The cache answers only 31.4 % of look-ups",
        cause="Keys expire too early, so that the database does the work",
        resolution="cache_optimization",
        condition="hit_rate 31.4 % < 80 %",
        evidence=(("hit_rate", 31.4, Dimension.PERCENT, "%"),),
    )
    script.decided(
        0.36, "cache", StepStatus.FLAGGED, ("branches", 1), "hit_rate < 80%", "hit_rate 31.4 % < 80 %", "cache_misses"
    )
    script.measured(0.38, "database", {"utilization": (41.0, Dimension.PERCENT)})
    script.decided(
        0.38, "database", StepStatus.PASSED, ("branches", 1), "else", "utilization 41 % ≤ 80 %", None, ("slow_queries",)
    )
    script.start(0.38, "slow_queries", "look at slow_queries")
    script.measured(0.41, "slow_queries", {"slowest_mean": (0.011, Dimension.DURATION)})
    script.decided(0.41, "slow_queries", StepStatus.PASSED, ("branches", 1), "else", "slowest_mean 11 ms ≤ 100 ms")
    script.skipped(0.41, "deployed")
    script.measured(0.52, "compute", {"latest_percent": (44.0, Dimension.PERCENT)})
    script.decided(0.52, "compute", StepStatus.PASSED, ("branches", 1), "else", "latest_percent 44 % ≤ 80 %")
    return script.trace(0.52, Outcome.WARNING)


def called() -> Trace:
    """The API does not answer, and a called runbook finds why."""
    script = Script()
    refused = Failure(ErrorKind.REFUSED, "api.example.com:443 refuses connections", "check that the service runs")
    script.start(0.01, "response_time", "curl -sS https://api.example.com/health")
    script.failed(0.05, "response_time", refused)
    script.found(
        0.05, "response_time", "api_down", title="The API does not answer (refused)",
        cause=refused.message, kind="symptom", level="critical", condition=f"refused: {refused.message}",
    )  # fmt: skip
    script.decided(
        0.05, "response_time", StepStatus.FLAGGED, ("on_error", 0), "refused or timeout or dns or tls",
        f"refused: {refused.message}", "api_down", ("health_check",),
    )  # fmt: skip
    script.skipped(0.05, "database", "slow_queries", "cache", "compute", "deployed")
    script.start(0.05, "health_check")
    script.events.append(CallStarted(START + 0.05, "", "health_check", "api-down", {}))
    for step, command in (("targets", "aws elbv2 describe-target-health"), ("name", "dig +short api.example.com")):
        script.start(0.06, step, command, "health_check")
    script.measured(0.08, "name", {"addresses": (2, Dimension.NUMBER)}, scope="health_check")
    script.decided(0.08, "name", scope="health_check")
    script.measured(0.22, "targets", {"healthy": (0, Dimension.NUMBER)}, scope="health_check")
    script.found(
        0.22, "targets", "no_targets", title="No healthy target behind the load balancer",
        cause="Every task fails its health check", level="critical", resolution="redeploy", condition="healthy 0 < 1",
        evidence=(("healthy", 0, Dimension.NUMBER, ""),), scope="health_check",
    )  # fmt: skip
    script.decided(
        0.22, "targets", StepStatus.FLAGGED, ("branches", 0), "healthy < 1", "healthy 0 < 1", "no_targets",
        scope="health_check",
    )  # fmt: skip
    script.measured(
        0.22,
        "health_check",
        {
            "outcome": ("critical", Dimension.TEXT),
            "findings": (1, Dimension.NUMBER),
            "blind_spots": (0, Dimension.NUMBER),
        },
    )
    script.decided(0.22, "health_check", StepStatus.FLAGGED, why="api-down is critical: 1 finding")
    return script.trace(0.23, Outcome.CRITICAL)


def inconclusive() -> Trace:
    """Nothing found, because nothing could be looked at."""
    script = Script()
    failure = Failure(ErrorKind.AUTH, "401 Unauthorized", "give a token in API_TOKEN")
    script.start(0.01, "response_time", "curl -sS https://api.example.com/health")
    script.failed(0.05, "response_time", failure)
    script.blind(0.05, "response_time", failure)
    script.decided(
        0.05, "response_time", StepStatus.BLIND, ("on_error", 1), "any other error", "auth: 401 Unauthorized"
    )
    script.skipped(0.05, "health_check", "database", "slow_queries", "cache", "compute", "deployed")
    return script.trace(0.06, Outcome.INCONCLUSIVE)


def interrupted() -> Trace:
    """Ctrl-C while three probes measured."""
    script = Script()
    _latency(script, 0.61, "p95 610 ms > slow 500 ms", 1, "api_slow")
    for step in ("database", "cache", "compute"):
        script.start(0.62, step, f"look at {step}")
    script.measured(0.66, "database", {"utilization": (41.0, Dimension.PERCENT)})
    script.decided(
        0.66, "database", StepStatus.PASSED, ("branches", 1), "else", "utilization 41 % ≤ 80 %", None, ("slow_queries",)
    )
    script.start(0.66, "slow_queries")
    cut = Failure(
        ErrorKind.TIMEOUT, "not measured: the run was interrupted", "run it again, with a longer --deadline if need be"
    )
    for step in ("cache", "compute", "slow_queries"):
        script.failed(0.9, step, cut)
        script.blind(0.9, step, cut)
    return script.trace(0.9, Outcome.WARNING, Ending.INTERRUPTED)


TRACES: dict[str, Callable[[], Trace]] = {
    each.__name__: each for each in (healthy, warning, critical, called, inconclusive, interrupted)
}


def hostile(text: str) -> Trace:
    """A run in which every text that anybody else writes is ``text``."""
    failure = Failure(ErrorKind.OTHER, text, text)
    finding: dict[str, JsonValue] = {"level": "critical", "title": text or "x", "cause": text, "resolution": "fix"}
    said = text or "x"
    document: dict[str, JsonValue] = {
        "runbook": "hostile",
        "title": said,
        "version": text,
        "owner": text,
        "severity": "P0",
        "description": text,
        "symptoms": [said],
        "references": [{"title": text, "url": text}, {"title": text, "url": f"https://example.com/{text}"}],
        "start": ["look", "dark", "person", "call"],
        "steps": {
            "look": {
                "title": text,
                "description": text,
                "probe": "fake.look",
                "branches": [{"when": said, "finding": "found", "goto": "never"}, {"when": said, "finding": "found"}],
                "on_error": [{"kind": "other", "finding": "found"}],
            },
            "dark": {"title": text, "probe": "fake.look"},
            "person": {"title": text, "ask": said, "type": "string"},
            "call": {"title": text, "call": "hostile"},
            "never": {"title": text, "probe": "fake.look"},
        },
        "findings": {"found": finding, "hurts": {**finding, "kind": "symptom"}},
        "resolutions": {"fix": {"title": said, "steps": [said, said]}},
        "prevention": [said],
    }
    start = RunStarted(
        START, text, "hostile", text, text, {"hostile": document}, {text: InputValue(text, text, text)}, text
    )
    script = Script(document, events=[start], inputs={})
    script.events = [start]
    for step in ("look", "dark", "person", "call"):
        script.start(0.1, step, text)
    script.events.append(AttemptFailed(START + 0.2, "", "look", 1, failure, 0.1))
    script.measured(
        0.4,
        "look",
        {text: (text, Dimension.TEXT), "gone": (None, Dimension.NUMBER)},
        attempt=2,
        missing={"gone": text},
        evidence={"rows": [{"a": text, text: 1}], "pairs": {text: text}, "words": [text], text: text},
    )
    for name, kind in (("found", "cause"), ("hurts", "symptom")):
        script.events.append(
            FindingRaised(
                START + 0.4,
                "",
                "look",
                name,
                kind,
                "critical",
                text,
                text,
                "fix",
                (Measured(text, text, text, text),),
                text,
            )
        )
    script.decided(0.4, "look", StepStatus.FLAGGED, ("branches", 1), text, text, "found")
    for step in ("look", "dark", "person"):
        known = KnownMessage(f"{step} {text}", text, f"{text} seen", text, text, text, text, text)
        web = KnownMessage(f"{step} web", text, text, text, text, text, f"https://example.com/{text}", text)
        script.events.append(MessagesRecognised(START + 0.4, "", step, (known, web)))
    script.failed(0.5, "dark", failure)
    script.blind(0.5, "dark", failure)
    script.decided(0.5, "dark", StepStatus.BLIND, None, "", text)
    script.events.append(StepAnswered(START + 0.6, "", "person", text, "text", text))
    script.decided(0.6, "person", StepStatus.ANSWERED, None, text, text)
    script.events.append(CallStarted(START + 0.6, "", "call", "hostile", {text: InputValue(text, text, text)}))
    script.skipped(0.7, "never")
    return script.trace(0.8, Outcome.CRITICAL, Ending.DEADLINE)
