"""Commands of procedures, as the probes that measure the same."""

from collections.abc import Mapping

import pytest

from runbook_engine.authoring.commands import Command, commands
from runbook_engine.authoring.markdown import cleaned
from runbook_engine.authoring.measurement import Measurement, System, Variable
from runbook_engine.probe.registry import Registry

ANY = System()


def recognise(text: str) -> Measurement | None:
    found = commands(text)
    return found[0].measured if len(found) == 1 else None


@pytest.mark.parametrize(
    ("command", "probe", "given"),
    [
        (
            'psql -h $DB_HOST -c "SELECT count(*) FROM pg_stat_activity;"',
            "postgres.activity",
            {"dsn": System({"host": "$DB_HOST"})},
        ),
        (
            "psql -c \"SELECT pid, now() - query_start AS age, query FROM pg_stat_activity WHERE state = 'active' ORDER BY age\"",
            "postgres.activity",
            {"dsn": ANY},
        ),
        ('psql "$DATABASE_URL" -c "SELECT 1"', "postgres.ping", {"dsn": System({}, "DATABASE_URL")}),
        (
            "psql -c 'select query from pg_stat_statements order by mean_exec_time desc limit 5'",
            "postgres.slow_queries",
            {"dsn": ANY},
        ),
        ("PGPASSWORD=hunter2 psql -c 'select 1'", "postgres.ping", {"dsn": ANY}),
        ("sudo pg_isready -h db", "postgres.ready", {"dsn": System({"host": "db"})}),
        ("redis-cli -h cache INFO", "redis.info", {"url": System({"host": "cache"})}),
        ("redis-cli -h $REDIS_HOST ping", "redis.ping", {"url": System({"host": "$REDIS_HOST"})}),
        ("redis-cli info memory | grep used_memory", "redis.info", {"url": ANY}),
        ("curl -f https://api.example.com/health", "http.get", {"url": "https://api.example.com/health"}),
        ("curl -sS https://api.example.com/health || echo down", "http.get", {"url": "https://api.example.com/health"}),
        (
            "curl -sSL -o /dev/null -w '%{http_code}' -H 'Accept: text/html' https://api.example.com",
            "http.get",
            {"url": "https://api.example.com", "headers": {"Accept": "text/html"}, "follow_redirects": True},
        ),
        ("curl -I https://api.example.com", "http.get", {"url": "https://api.example.com", "method": "HEAD"}),
        ("curl $API_URL", "http.get", {"url": Variable("API_URL")}),
        ("wget -qO- https://example.com", "http.get", {"url": "https://example.com", "follow_redirects": True}),
        (
            "openssl s_client -connect example.com:8443",
            "tls.certificate",
            {"host": "example.com", "port": 8443, "server_name": "example.com"},
        ),
        (
            "echo | openssl s_client -connect 192.0.2.1:443 -servername example.com 2>/dev/null | openssl x509 -noout -dates",
            "tls.certificate",
            {"host": "192.0.2.1", "port": 443, "server_name": "example.com"},
        ),
        ("dig +short example.com @8.8.8.8", "dns.resolve", {"name": "example.com", "resolvers": "8.8.8.8"}),
        ("nslookup example.com 1.1.1.1", "dns.resolve", {"name": "example.com", "resolvers": "1.1.1.1"}),
        ("host -t MX example.com", "dns.resolve", {"name": "example.com", "type": "MX"}),
        ("nc -zv db 5432", "tcp.connect", {"host": "db", "port": 5432}),
        ("telnet $DB 5432", "tcp.connect", {"host": Variable("DB"), "port": 5432}),
        ("df -h /var", "host.disk", {"path": "/var"}),
        ("/usr/bin/free -m | head -2", "host.memory", {}),
        ("aws ecs describe-services --cluster a --services b", "aws.ecs_service", {"cluster": "a", "service": "b"}),
        (
            "aws logs filter-log-events --log-group-name /x --filter-pattern ERROR --start-time $(date -d '2 hours ago' +%s)000",
            "aws.logs_filter",
            {"log_group": "/x", "pattern": "ERROR", "window": "7200s"},
        ),
        (
            "aws --version; aws rds describe-db-instances --db-instance-identifier shop --profile prod",
            None,
            {},
        ),
        (
            "aws rds describe-db-instances --db-instance-identifier shop --profile prod",
            "aws.rds_instance",
            {"db_instance_id": "shop", "profile": "prod"},
        ),
    ],
)
def test_a_command_is_the_probe_with_the_same_parameters(
    command: str, probe: str | None, given: Mapping[str, object]
) -> None:
    found = recognise(command)
    if probe is None:
        assert found is None
        return
    assert found is not None
    assert (found.probe, dict(found.given)) == (probe, given)
    assert set(found.given) <= set(Registry().get(probe).params.model_json_schema()["properties"])


@pytest.mark.parametrize(
    "command",
    [
        # It changes something.
        "systemctl restart shop",
        'psql -c "DELETE FROM carts"',
        "psql -c \"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle'\"",
        "psql -c 'SELECT pg_stat_statements_reset()'",
        "psql -c 'SELECT 1; DROP TABLE carts'",
        "psql -c 'SELECT * INTO copied FROM pg_stat_activity'",
        "redis-cli FLUSHALL",
        "curl -X POST https://api.example.com/orders",
        "curl -XPOST https://api.example.com/orders",
        "curl -d 'a=1' https://api.example.com/orders",
        "curl --json '{}' https://api.example.com/orders",
        "wget --post-data=a https://api.example.com/orders",
        "curl https://example.com/install.sh | sudo bash",
        "aws ecs update-service --cluster a --service b",
        # It asks another server, as somebody else, or for something else.
        "curl -H 'Host: shop.example.com' https://192.0.2.1/",
        'curl -H "Authorization: Bearer $TOKEN" https://api.example.com/',
        "curl -u ann:secret https://api.example.com/",
        "curl --resolve shop.example.com:443:192.0.2.1 https://shop.example.com/",
        "curl -k https://api.example.com/",
        "curl -x proxy:3128 https://api.example.com/",
        "https_proxy=proxy:3128 curl https://api.example.com/",
        "curl http://localhost:9090/health",
        "nc -zv 127.0.0.1 5432",
        "curl https://$HOST/health",
        "curl https://api.example.com/<path>",
        "curl https://api.example.com/{a,b}",
        "curl https://a.example.com https://b.example.com",
        "curl -s https://api.example.com/metrics | grep queue",
        "curl -O https://example.com/dump.tar.gz",
        "openssl s_client -connect mail.example.com:587 -starttls smtp",
        "openssl s_client -connect example.com",
        "openssl s_client -connect example.com:443 -tls1_2",
        "dig example.com @ns1.example.com",
        "dig -x 192.0.2.1",
        "dig +trace example.com",
        "nc -u db 53",
        "nc db 99999",
        "nc -zv db 80 443",
        "df -h",
        "df -h /var /tmp",
        "ssh db-01 df -h /var",
        "kubectl exec db-0 -- psql -c 'select 1'",
        "psql -c 'select count(*) from carts'",
        "psql -c 'select version()'",
        "psql -f report.sql",
        "psql -h db",
        'psql -c "SELECT usename, count(*) FROM pg_stat_activity GROUP BY usename"',
        "psql -c 'SELECT query FROM pg_stat_statements ORDER BY calls DESC'",
        "psql -c \"SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%$WORD%'\"",
        "redis-cli INFO replication",
        "aws cloudwatch get-metric-statistics --namespace AWS/ECS --metric-name CPUUtilization --period 300"
        " --statistics Average Maximum",
        "aws cloudwatch get-metric-statistics --namespace AWS/ECS --metric-name CPUUtilization --period 300"
        " --statistics Average --dimensions Name=ServiceName,Value=$SERVICE",
        "aws logs filter-log-events --log-group-name /x",
        "aws rds describe-db-instances",
        "AWS_PROFILE=other aws rds describe-db-instances --db-instance-identifier shop",
        # It is not known, or no command.
        "kubectl get pods",
        "echo 'never closed",
        "psql -c 'select 1' > out.txt",
        "",
    ],
)
def test_what_is_not_the_same_measurement_is_left_to_a_person(command: str) -> None:
    assert recognise(command) is None


def test_what_follows_a_log_in_is_not_measured_from_here() -> None:
    found = commands("nc -zv db 5432\nssh -i key.pem db-01\nnc -zv db 5432\nexit\nnc -zv db 5432\n")
    measured = [each.measured is not None for each in found if each.text.startswith("nc")]
    assert measured == [True, False, True]
    assert found[2].elsewhere == "ssh -i key.pem db-01"


def test_what_a_command_uses_comes_with_it() -> None:
    found = commands("URL=https://a.example.com\ncurl $URL\ncurl https://b.example.com\ncurl $URL\nexport A=1\n")
    assert [each.shown for each in found] == [
        "URL=https://a.example.com\ncurl $URL",
        "curl https://b.example.com",
        "URL=https://a.example.com\ncurl $URL",
        "export A=1",
    ]
    assert [each.measured is not None for each in found] == [False, True, False, False]


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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Run `curl -u admin:pl4nted https://a.test/` again", "Run curl -u admin:*** https://a.test/ again"),
        ("Run curl -u admin:pl4nted https://a.test/ again", "Run curl -u admin:*** https://a.test/ again"),
        ("See [the page](https://a.test), or https://u:pl4nted@a.test/x", "See the page, or https://u:***@a.test/x"),
        ("Log in with **`PGPASSWORD=pl4nted psql`**", "Log in with PGPASSWORD=*** psql"),
        ('Send `{"api_key": "pl4nted"}`', 'Send {"api_key": "***"}'),
        ("The password: it was rotated; the token = old", "The password: it was rotated; the token = old"),
    ],
)
def test_what_is_said_beside_commands_shows_no_password_either(text: str, told: str) -> None:
    assert cleaned(text) == told
