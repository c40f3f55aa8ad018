"""Secrets that nobody declared: found by the names that they stand under, and by the shapes of tokens."""

import pytest

from runbook_engine.engine.border import Border
from runbook_engine.masking import HIDDEN, Mask, holds_secret, variable_holds_secret
from runbook_engine.masking.names import Sense, names_secret

JWT = f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{'dBjftJeZ4CVP'}-mB92K27uhbUJU1p1r"


@pytest.mark.parametrize(
    "name",
    [
        "password", "DB_PASSWORD", "dbPassword", "PGPASSWORD", "sslpassword", "MasterUserPassword", "MYSQL_PWD", "api_key",
        "apiKey", "X-Api-Key", "X-Amz-Signature", "X-Amz-Security-Token", "access_token", "refresh-token", "client_secret",
        "aws_secret_access_key", "sig", "signature", "COOKIE", "Set-Cookie", "Authorization", "Proxy-Authorization", "JSESSIONID",
        "PHPSESSID", "credentials", "private_key", "SLACK_WEBHOOK_URL", "SENTRY_DSN", "AccountKey", "SecretString", "jwt",
        "encryption_key", "X-Vault-Token", "totp", "connectionString",
    ],
)  # fmt: skip
def test_a_name_under_which_secrets_stand_is_known(name: str) -> None:
    assert names_secret(name) is Sense.YES


@pytest.mark.parametrize(
    "name",
    [
        "key", "Key", "primary_key", "public_key", "compass", "bypass", "author", "token_expires", "PasswordLastUsed",
        "secret_name", "SecretArn", "NextToken", "nextToken", "continuation-token", "AccessKeyId", "password_file", "tokenizer",
        "token_type", "credentials_provider", "status", "keyspace", "passengers", "monkey", "sigma", "dsnr",
    ],
)  # fmt: skip
def test_a_name_that_only_resembles_one_is_not(name: str) -> None:
    assert names_secret(name) is not Sense.YES
    assert not holds_secret(name, "orders-of-today")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GITHUB_PAT", "abcdefgh"), ("MYSQL_PWD", "hunter2"), ("COOKIE", "sid=abcdefgh"), ("AUTHORIZATION", "Bearer abc123"),
        ("AWS_SECRET_ACCESS_KEY", "/abcdefghijklmnopqrstuvwxyz0123456789+/A"), ("APP_DSN", "https://abc@sentry.example.com/1"),
        ("STRIPE_KEY", "sk_test"), ("REDIS_AUTH", "hunter2"), ("DB_PASS", "hunter2"), ("SMTP_CREDENTIALS", "ann:hunter2"),
        ("KUBE_SECRET_FOR_TESTS", "hunter2"), ("npm_config__authToken", "hunter2"), ("OTP_SEED", "abcdefgh"),
    ],
)  # fmt: skip
def test_a_variable_is_known_by_names_that_people_give(name: str, value: str) -> None:
    assert variable_holds_secret(name, value)
    border = Border()
    border.learn_environment({name: value})
    assert value not in border.text(f"it said {value} twice: {value}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSH_AUTH_SOCK", "/tmp/agent.123"), ("PWD", "/home/ann/shop"), ("OLDPWD", "/home/ann"), ("TOKEN_TTL", "3600"),
        ("USE_TOKEN", "true"), ("PASSWORD_FILE", "/run/secrets/db"), ("TLS_KEY_PATH", "certs/key.pem"), ("GIT_AUTHOR_NAME", "ann"),
        ("CACHE_KEY", "orders"), ("API_KEY", "abc"), ("AUTH_MODE", "ldap-server"), ("TLS_KEY", "/etc/ssl/private.pem"),
        ("MAX_TOKENS", "4096"),
    ],
)  # fmt: skip
def test_a_variable_that_holds_none_hides_nothing(name: str, value: str) -> None:
    assert not variable_holds_secret(name, value)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("GET https://h/x?api_key=abc&page=2 took 3 s", "GET https://h/x?api_key=***&page=2 took 3 s"),
        ("https://h/x?a=1&sig=abc%2Fd&se=2026", "https://h/x?a=1&sig=***&se=2026"),
        ("to=https%3A%2F%2Fh%2F%3Fsig%3Dabc%26x%3D1", "to=https%3A%2F%2Fh%2F%3Fsig%3D***%26x%3D1"),
        (
            "https://b/k?X-Amz-Credential=A%2Fb&X-Amz-Signature=12ab",
            "https://b/k?X-Amz-Credential=***&X-Amz-Signature=***",
        ),
        ("https://u:p@ss@db.example.com/x", "https://u:***@db.example.com/x"),
        ("host=db password='two words' user=app", "host=db password=*** user=app"),
        ("level=info password=hunter2 user=ann", "level=info password=*** user=ann"),
        ('{"user": "ann", "password": "hun\\"ter2", "n": 1}', '{"user": "ann", "password": "***", "n": 1}'),
        (r'{"body": "{\"token\": \"abc\", \"n\": 1}"}', r'{"body": "{\"token\": \"***\", \"n\": 1}"}'),
        ("{'secret': 'abc', 'n': 1}", "{'secret': '***', 'n': 1}"),
        ("> Authorization: Basic YW5uOmh1bnRlcjI=", "> Authorization: ***"),
        ("Set-Cookie: sid=abc; Path=/", "Set-Cookie: ***"),
        ("x-api-key: 12ab34cd", "x-api-key: ***"),
        ("it sends Bearer abcdef0123456789", "it sends Bearer ***"),
        ("<Password>hunter2</Password>", "<Password>***</Password>"),
        ("mysqldump --password=hunter2 --user ann", "mysqldump --password=*** --user ann"),
        ("vault login --token hvx12345 --no-store", "vault login --token *** --no-store"),
    ],
)
def test_what_stands_under_the_name_of_a_secret_is_hidden(text: str, masked: str) -> None:
    assert Mask().text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "syntax error: unexpected token: SELECT", "token: expired", "password authentication failed for user ann",
        "the secret db-creds was not found", "give -s password=VALUE or set DB_PASSWORD", 'curl -H "Authorization: $TOKEN"',
        "psql \"$DATABASE_URL\" -c 'select 1'", "https://h/x?page=2&q={{ inputs.api_key }}", "retry_token={{ inputs.token }}",
        "auth=sha256 took 3ms", '{"checks": {"auth": "ok", "token": "valid"}, "tokens": 12}', "key=orders status=200",
        "http://localhost:4873/@scope/pkg", "Basic authentication is required", "cat $HOME/.ssh/key",
        "arn:aws:secretsmanager:us-east-1:123456789012:secret:db", "p95 = 1.2 s > 1 s; used: 80 %",
    ],
)  # fmt: skip
def test_a_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert Mask().text(text) == text


@pytest.mark.parametrize(
    "token",
    [
        f"ghp_{'aB3' * 12}", f"github_pat_{'aB3_' * 10}", f"glpat-{'aB3-' * 5}", f"xoxb-{'123-' * 4}abc", f"sk_live_{'aB3' * 8}",
        f"AIza{'aB3_x' * 7}", f"npm_{'aB3' * 12}", f"hf_{'aB3' * 11}", f"SG.{'aB3' * 7}.{'aB3' * 14}", JWT,
        f"https://hooks.slack.com/services/T{'0' * 8}/B{'0' * 8}/{'aB3' * 8}", f"hvs.{'aB3' * 10}",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA… and it was cut",
    ],
)  # fmt: skip
def test_a_token_gives_itself_away_by_its_shape(token: str) -> None:
    masked = Mask().text(f"it said {token}")
    assert masked in (f"it said {HIDDEN}", f"it said https://{HIDDEN}")


def test_members_of_evidence_that_are_named_like_secrets_are_hidden() -> None:
    kept = Border().evidence(
        {
            "Parameters": [{"Name": "DB_PASSWORD", "Value": "hunter2"}, {"Name": "REGION", "Value": "eu-west-1"}],
            "MasterUserPassword": "hunter2",
            "tokens": 12,
            "NextToken": "abc",
            "user": {"apiKeys": ["k1-abc", "k2-abc"], "id": 7},
            "headers": {"set-cookie": "sid=abc", "content-type": "text/html"},
        }
    )
    assert kept == {
        "Parameters": [{"Name": "DB_PASSWORD", "Value": HIDDEN}, {"Name": "REGION", "Value": "eu-west-1"}],
        "MasterUserPassword": HIDDEN,
        "tokens": 12,
        "NextToken": "abc",
        "user": {"apiKeys": [HIDDEN, HIDDEN], "id": 7},
        "headers": {"set-cookie": HIDDEN, "content-type": "text/html"},
    }


@pytest.mark.parametrize(
    "piece", ["?a=", "\\", "://a:", "'", '"a":"', "&amp;", "%25", "-----BEGIN PRIVATE KEY-----", "a: "]
)
def test_a_text_that_repeats_what_a_secret_begins_with_is_read_to_its_end(piece: str) -> None:
    mask = Mask(["a-secret-of-the-environment"])
    text = piece * (65_536 // len(piece))
    assert mask.text(text) == (HIDDEN if piece.startswith("-----") else text)
