"""Commands of procedures, as the probes that measure the same."""

import pytest

from runbook_engine.authoring.building import Variable
from runbook_engine.authoring.commands import Command, commands, recognise
from runbook_engine.probe.registry import Registry


@pytest.mark.parametrize(
    ("command", "probe", "given"),
    [
        ('psql -h $DB_HOST -c "SELECT count(*) FROM pg_stat_activity;"', "postgres.activity", {}),
        ('psql "$DATABASE_URL" -c "SELECT 1"', "postgres.ping", {}),
        ("psql -c 'select query from pg_stat_statements'", "postgres.slow_queries", {}),
        ("psql -c 'select count(*) from carts'", "postgres.query", {"sql": "select count(*) from carts"}),
        ("PGPASSWORD=hunter2 psql -c 'select 1'", "postgres.ping", {}),
        ("sudo pg_isready -h db", "postgres.ready", {}),
        ("redis-cli -h cache INFO", "redis.info", {}),
        ("redis-cli -h $REDIS_HOST ping", "redis.ping", {}),
        ("curl -f https://api.example.com/health", "http.get", {"url": "https://api.example.com/health"}),
        ("curl $API_URL", "http.get", {"url": Variable("API_URL")}),
        ("wget -qO- https://example.com", "http.get", {"url": "https://example.com"}),
        ("openssl s_client -connect example.com:8443", "tls.certificate", {"host": "example.com", "port": 8443}),
        ("dig +short example.com @8.8.8.8", "dns.resolve", {"name": "example.com", "resolvers": "8.8.8.8"}),
        ("nslookup example.com 1.1.1.1", "dns.resolve", {"name": "example.com", "resolvers": "1.1.1.1"}),
        ("host -t MX example.com", "dns.resolve", {"name": "example.com", "type": "MX"}),
        ("nc -zv db 5432", "tcp.connect", {"host": "db", "port": 5432}),
        ("telnet $DB 5432", "tcp.connect", {"host": Variable("DB"), "port": 5432}),
        ("df -h /var", "host.disk", {"path": "/var"}),
        ("/bin/df -h", "host.disk", {}),
        ("free -m | head -2", "host.memory", {}),
        ("aws ecs describe-services --cluster a --services b", "aws.ecs_service", {"cluster": "a", "service": "b"}),
        (
            "aws logs filter-log-events --log-group-name /x --filter-pattern ERROR",
            "aws.logs_filter",
            {"log_group": "/x", "pattern": "ERROR"},
        ),
    ],
)
def test_a_command_is_recognised(command: str, probe: str, given: dict[str, object]) -> None:
    found = recognise(command)
    assert found is not None
    assert (found.probe, dict(found.given)) == (probe, given)
    assert set(found.given) <= set(Registry().get(probe).params.model_json_schema()["properties"])


@pytest.mark.parametrize(
    "command",
    [
        "kubectl get pods",
        "systemctl restart shop",
        'psql -c "DELETE FROM carts"',
        "redis-cli FLUSHALL",
        "curl -X POST https://api.example.com/orders",
        "aws ecs update-service --cluster a --service b",
        "echo 'never closed",
        "nc -u db 53",
        "nc db 99999",
        "",
    ],
)
def test_what_changes_something_or_is_not_known_is_left_to_a_person(command: str) -> None:
    assert recognise(command) is None


def test_a_block_is_taken_apart_into_its_commands_with_their_comments() -> None:
    block = (
        "# Is it up?\n$ curl \\\n    https://shop.example.com\n\n# Stale\n\ndf -h && free -m; kubectl get pods\n"
        "psql -c 'select 1;\nselect 2' | grep 2\nfor each in a b; do echo $each; done\necho 'open\n"
    )
    assert commands(block) == [
        Command("curl \\\n    https://shop.example.com", "Is it up?"),
        Command("df -h"),
        Command("free -m"),
        Command("kubectl get pods"),
        Command("psql -c 'select 1;\nselect 2' | grep 2"),
        Command("for each in a b; do echo $each; done"),
        Command("echo 'open"),
    ]


@pytest.mark.parametrize(
    "command",
    [
        "PGPASSWORD=hunter2 psql -h db",
        "export DB_PASSWORD='hunter2'",
        "redis-cli -a hunter2 ping",
        "redis-cli -h cache -a hunter2 ping",
        "mysql -u root -phunter2 -e 'select 1'",
        "sshpass -p hunter2 ssh db",
        "curl https://ann:hunter2@api.example.com/",
        "curl -u ann:hunter2 https://api.example.com/",
        "curl --user=ann:hunter2 https://api.example.com/",
        "curl -H 'Authorization: Bearer hunter2' https://api.example.com/",
        "curl -H 'X-Api-Key: hunter2' https://api.example.com/",
        'curl -d \'{"password": "hunter2"}\' https://api.example.com/',
        "vault login --token hunter2",
        "docker login --password hunter2 registry",
        "psql postgres://ann:hunter2@db/shop",
    ],
)
def test_a_password_is_never_shown(command: str) -> None:
    shown = Command(command).shown
    assert "hunter2" not in shown
    assert "***" in shown


@pytest.mark.parametrize(
    "command",
    [
        "curl -u ann:$PASSWORD https://api.example.com/",
        "PGPASSWORD=$SECRET psql",
        "mkdir -p /var/tmp",
        "systemctl status auth service",
        "redis-cli -h cache INFO",
        "docker run -u 1000:1000 shop",
    ],
)
def test_what_is_no_password_is_shown(command: str) -> None:
    assert Command(command).shown.replace("1000:***", "1000:1000") == command
