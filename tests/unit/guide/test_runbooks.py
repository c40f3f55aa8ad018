"""The operations guide, as runbooks: each symptom, step, resolution and preventive measure of it, word for word."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

import runbook_engine as rb
from runbook_engine.cli.show_command import page
from runbook_engine.document.environment import load_environment_file
from runbook_engine.document.models import FindingKind, Severity
from runbook_engine.library import Library, shipped_directory


@dataclass(frozen=True, slots=True)
class Section:
    """What the guide says. ``steps`` are titles; ``commands`` are words that stand in one command, in this order."""

    runbook: str
    title: str
    severity: Severity
    symptoms: tuple[str, ...]
    steps: tuple[str, ...]
    commands: tuple[tuple[str, ...], ...]
    resolutions: Mapping[str, tuple[str, ...]]
    prevention: tuple[str, ...]
    thresholds: Mapping[str, str]


CPU = ("aws cloudwatch get-metric-statistics", "--namespace AWS/ECS", "--metric-name CPUUtilization")
SERVICE = "Name=ServiceName,Value=pixelated-empathy-api"
API = "https://api.pixelatedempathy.com"
HANDSHAKE = "openssl s_client -connect api.pixelatedempathy.com:443 -servername api.pixelatedempathy.com"
ECS_SERVICE = "aws ecs describe-services --cluster production-cluster --services pixelated-empathy-api"

SECTIONS = (
    Section(
        runbook="high-latency",
        title="High response times (>500ms)",
        severity=Severity.P2,
        symptoms=(
            "API response times consistently above 500ms",
            "User complaints about slow performance",
            "CloudWatch alarms triggered",
        ),
        steps=("Check active connections", "Check slow queries", "Check CPU usage", "Check memory usage"),
        commands=(
            ("psql", "state = 'active'", "AS active", "FROM pg_stat_activity"),
            ("psql", "SELECT query, mean_exec_time, calls", "pg_stat_statements", "mean_exec_time DESC", "LIMIT 10"),
            ("redis-cli", "INFO"),
            (*CPU, SERVICE, "--period 300", "--statistics Average", "1 hour ago", "--end-time"),
        ),
        resolutions={
            "Database Optimization": (
                "Identify and optimize slow queries",
                "Check for missing indexes",
                "Consider read replica routing",
                "Scale database instance if needed",
            ),
            "Cache Optimization": (
                "Check cache hit rates",
                "Implement additional caching layers",
                "Optimize cache expiration policies",
            ),
            "Application Scaling": (
                "Scale ECS service horizontally",
                "Check for memory leaks",
                "Optimize application code",
            ),
        },
        prevention=(
            "Set up proactive monitoring for response times",
            "Regular database maintenance and optimization",
            "Implement circuit breakers for external services",
        ),
        thresholds={
            "slow": "500ms",
            "very_slow": "1s",
            "errors_high": "5%",
            "cpu_high": "80%",
            "memory_high": "90%",
            "connections_high": "80%",
            "disk_high": "85%",
        },
    ),
    Section(
        runbook="high-error-rate",
        title="High error rates (>1%)",
        severity=Severity.P1,
        symptoms=(
            "Increased 4xx/5xx HTTP status codes",
            "Error rate alerts triggered",
            "User reports of failed requests",
        ),
        steps=(
            "Get error breakdown by status code",
            "Test database connectivity",
            "Test Redis connectivity",
            "Test external APIs",
            "Check recent ECS deployments",
        ),
        commands=(
            (
                *("aws logs start-query", "--log-group-name /ecs/pixelated-empathy-api", "1 hour ago"),
                *("fields @timestamp, @message", "stats count() as requests by status_code", "sort requests desc"),
            ),
            ("pg_isready",),
            ("redis-cli", "PING"),
            ("curl", "$EXTERNAL_API_URL"),
            (ECS_SERVICE,),
        ),
        resolutions={
            "Application Errors (5xx)": (
                "Check application logs for stack traces",
                "Verify configuration and environment variables",
                "Check resource limits (CPU, memory)",
                "Consider rollback if related to recent deployment",
            ),
            "Client Errors (4xx)": (
                "Analyze request patterns for abuse",
                "Check authentication/authorization issues",
                "Verify API documentation and client implementations",
            ),
            "Dependency Failures": (
                "Implement circuit breakers",
                "Add retry logic with exponential backoff",
                "Use cached responses when possible",
            ),
        },
        prevention=(
            "Comprehensive error monitoring and alerting",
            "Regular dependency health checks",
            "Graceful degradation strategies",
        ),
        thresholds={"errors": "1%", "errors_high": "5%"},
    ),
    Section(
        runbook="database-connections",
        title="Database connection issues",
        severity=Severity.P1,
        symptoms=('"Connection refused" errors', '"Too many connections" errors', "Database timeouts"),
        steps=("Check active connections", "Check the RDS instance status", "Check for maintenance windows"),
        commands=(
            (
                *("psql", "count(*) AS total", "state = 'active'", "AS active", "state = 'idle'", "AS idle"),
                "FROM pg_stat_activity",
            ),
            ("aws rds describe-db-instances --db-instance-identifier production-db",),
            ("aws rds describe-pending-maintenance-actions",),
        ),
        resolutions={
            "Connection Pool Tuning": (
                "Adjust connection pool size in application",
                "Implement connection pooling (PgBouncer)",
                "Set appropriate connection timeouts",
            ),
            "Database Scaling": (
                "Scale RDS instance vertically",
                "Add read replicas for read-heavy workloads",
                "Consider connection pooling solutions",
            ),
        },
        prevention=(
            "Monitor connection pool metrics",
            "Set up alerts for connection thresholds",
            "Regular connection pool optimization",
        ),
        thresholds={"connections_high": "80%", "disk_high": "85%"},
    ),
    Section(
        runbook="memory",
        title="Memory issues",
        severity=Severity.P1,
        symptoms=("Out of Memory (OOM) kills", "High memory utilization alerts", "Application crashes"),
        steps=("Check memory usage", "Check for memory leaks in logs"),
        commands=(
            (
                *("aws cloudwatch get-metric-statistics", "--namespace AWS/ECS", "--metric-name MemoryUtilization"),
                *(SERVICE, "--period 300", "--statistics Maximum", "1 hour ago", "--end-time"),
            ),
            (
                "aws logs filter-log-events --log-group-name /ecs/pixelated-empathy-api",
                "--filter-pattern OutOfMemoryError",
            ),
        ),
        resolutions={
            "Immediate Actions": (
                "Restart affected services",
                "Scale up memory allocation",
                "Scale out to distribute load",
            ),
            "Long-term Solutions": (
                "Profile application for memory leaks",
                "Optimize data structures and algorithms",
                "Implement proper garbage collection tuning",
            ),
        },
        prevention=(
            "Regular memory profiling",
            "Set up memory usage alerts",
            "Implement memory limits and monitoring",
        ),
        thresholds={"memory_high": "90%"},
    ),
    Section(
        runbook="tls-certificate",
        title="SSL/TLS certificate issues",
        severity=Severity.P1,
        symptoms=("SSL certificate warnings", "HTTPS connection failures", "Certificate expiration alerts"),
        steps=("Check certificate expiration", "Check certificate chain", "Check ACM certificate"),
        commands=(
            (HANDSHAKE, "openssl x509 -noout", "-dates"),
            (HANDSHAKE, "-showcerts"),
            ("aws acm list-certificates", "--region us-east-1"),
        ),
        resolutions={
            "Certificate Renewal": (
                "Renew certificate through ACM or certificate provider",
                "Update load balancer configuration",
                "Verify certificate installation",
            ),
            "Certificate Deployment": (
                "Update Terraform configuration",
                "Deploy infrastructure changes",
                "Verify HTTPS functionality",
            ),
        },
        prevention=(
            "Set up certificate expiration monitoring",
            "Automate certificate renewal process",
            "Regular certificate audits",
        ),
        thresholds={"certificate_days": "30d"},
    ),
    Section(
        runbook="system-health",
        title="System health check",
        severity=Severity.P0,
        symptoms=(),
        steps=(
            "Is the system responding?",
            "Check Load Balancer Status",
            "Check ECS Services",
            "Check AWS Status",
            "Check DNS",
            "Check Response Times",
            "Check Database Performance",
            "Check Error Rates",
            "Check Application Logs",
            "Check Business Metrics",
        ),
        commands=(
            ("curl", f"{API}/health"),
            ("curl", f"{API}/health/detailed"),
            ("aws elbv2 describe-target-health --target-group-arn", "$TARGET_GROUP_ARN"),
            (ECS_SERVICE,),
            ("psql", "SELECT 1"),
            ("redis-cli", "PING"),
            (
                "aws logs filter-log-events --log-group-name /ecs/pixelated-empathy-api",
                *("--start-time", "1 hour ago", "--filter-pattern ERROR"),
            ),
            ("aws application-autoscaling describe-scalable-targets --service-namespace ecs",),
        ),
        resolutions={},
        prevention=(),
        thresholds={"slow": "500ms", "very_slow": "1s", "errors": "1%", "errors_high": "5%"},
    ),
)
BY_NAME = {each.runbook: each for each in SECTIONS}
BLOCKS = ("ecs-service", "redis-cache")


def plan_of(runbook: str) -> rb.Plan:
    return rb.load(shipped_directory() / f"{runbook}.yaml")


@pytest.fixture(params=SECTIONS, ids=list(BY_NAME))
def section(request: pytest.FixtureRequest) -> Section:
    found: Section = request.param
    return found


@pytest.fixture
def plan(section: Section) -> rb.Plan:
    return plan_of(section.runbook)


@pytest.mark.parametrize("runbook", [*BY_NAME, *BLOCKS])
def test_a_runbook_has_no_mistakes_and_no_warnings(runbook: str) -> None:
    found = rb.check(shipped_directory() / f"{runbook}.yaml").diagnostics
    assert [str(each) for each in found if each.level != "note"] == []


def test_title_symptoms_severity_and_prevention_are_the_guides(section: Section, plan: rb.Plan) -> None:
    found = plan.runbook
    assert (found.title, found.severity) == (section.title, section.severity)
    assert [each for each in section.symptoms if each not in found.symptoms] == []
    assert [each for each in section.prevention if each not in found.prevention] == []


def test_every_diagnostic_step_is_there_by_its_title(section: Section, plan: rb.Plan) -> None:
    titles = {step.title for each in plan.plans.values() for step in each.runbook.steps.values()}
    assert [each for each in section.steps if each not in titles] == []


def commands(plan: rb.Plan) -> Iterator[str]:
    """Each command of the runbook and of those that it calls, as it is shown to be pasted."""
    for each in plan.plans.values():
        command = ""
        for line in page(each):
            if line.startswith("     $ "):
                command = line.removeprefix("     $ ")
            elif command and line.startswith("       "):
                command += "\n" + line.strip()
            elif command:
                yield command
                command = ""


def in_the_guides_system(command: str, plan: rb.Plan) -> str:
    """The command as a shell fills it in where each input has the value of the environment guide."""
    values = load_environment_file(Library.default().environment_file("guide")).environment
    assert values is not None
    for name, spec in {
        key: each for known in plan.plans.values() for key, each in known.runbook.inputs.items()
    }.items():
        value = values.values.get(name)
        if isinstance(value, str | int):
            variable = f"${spec.env or name.upper()}"
            for written in (f"""'"{variable}"'""", f'"{variable}"', variable):
                command = command.replace(written, str(value))
    return command


def stands(words: tuple[str, ...], command: str) -> bool:
    """Whether all words stand in the command, one behind the other."""
    at = 0
    for word in words:
        found = command.find(word, at)
        if found < 0:
            return False
        at = found + len(word)
    return True


def test_every_command_of_the_guide_can_be_pasted(section: Section, plan: rb.Plan) -> None:
    found = [in_the_guides_system(each, plan) for each in commands(plan)]
    assert [words for words in section.commands if not any(stands(words, each) for each in found)] == []


def test_a_certificate_given_by_its_arn_is_described_and_not_looked_for() -> None:
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/0123"
    probe = rb.Registry().get("aws.acm_certificate")
    command = probe.command(probe.params.model_validate({"certificate_arn": arn, "domain": "api.pixelatedempathy.com"}))
    assert command.startswith(f"aws acm describe-certificate --certificate-arn {arn}")


def test_every_resolution_and_every_item_of_it_is_there_and_a_finding_leads_to_it(
    section: Section, plan: rb.Plan
) -> None:
    by_title = {each.title: (name, each.steps) for name, each in plan.runbook.resolutions.items()}
    led_to = {each.resolution for each in plan.runbook.findings.values()}
    for title, steps in section.resolutions.items():
        name, found = by_title[title]
        assert found == steps
        assert name in led_to


def test_every_threshold_is_a_typed_input_with_the_guides_number(section: Section, plan: rb.Plan) -> None:
    types = {"ms": "duration", "s": "duration", "d": "duration", "%": "percent"}
    conditions = [way.text for each in plan.plans.values() for step in each.steps.values() for way in step.ways]
    for name, number in section.thresholds.items():
        spec = plan.runbook.inputs[name]
        assert (spec.default, spec.type) == (number, types[number.lstrip("0123456789.")])
        assert any(f"inputs.{name}" in each for each in conditions)


@pytest.mark.parametrize("runbook", [*BY_NAME, *BLOCKS])
def test_every_finding_is_raised_and_says_what_to_do(runbook: str) -> None:
    plan = plan_of(runbook)
    raised = {way.finding for step in plan.steps.values() for way in (*step.ways, *step.routes)}
    assert set(plan.runbook.findings) == raised - {None}
    assert all(each.resolution and each.cause for each in plan.runbook.findings.values())


@pytest.mark.parametrize("runbook", [*BY_NAME, *BLOCKS])
def test_every_step_says_what_it_looks_at_and_why(runbook: str) -> None:
    plan = plan_of(runbook)
    assert [name for name, each in plan.runbook.steps.items() if not (each.title and each.description)] == []


@pytest.mark.parametrize("runbook", [*BY_NAME, *BLOCKS])
def test_there_is_something_to_read(runbook: str) -> None:
    references = plan_of(runbook).runbook.references
    assert references
    assert all(each.url.startswith("https://") for each in references)


def test_the_undecided_points_of_the_flowchart_are_decided_and_documented() -> None:
    runbook = plan_of("system-health").runbook
    assert "exactly 1000 ms counts as not above it" in runbook.description
    assert "exactly 5 %" in runbook.description
    steps = {str(name): each.description for name, each in runbook.steps.items()}
    assert "exactly 1000 ms does not" in steps["response_times"]
    assert "exactly 5 % does not" in steps["error_rates"]


def test_causes_of_slowness_are_looked_for_whatever_the_symptom_shows() -> None:
    plan = plan_of("high-latency")
    first = plan.steps[plan.order[0]]
    assert first.id == "response_time"
    assert {"database", "cache", "cpu", "memory"} <= set.intersection(*(set(way.targets) for way in first.ways))
    assert any(each.kind is FindingKind.SYMPTOM for each in plan.runbook.findings.values())


def test_the_flowchart_calls_a_fitting_procedure_from_its_leaves() -> None:
    plan = plan_of("system-health")
    called = {str(name): each.child.runbook.runbook for name, each in plan.steps.items() if each.child is not None}
    assert called == {
        "ecs_services": "ecs-service",
        "certificate": "tls-certificate",
        "database_performance": "high-latency",
        "errors": "high-error-rate",
    }
