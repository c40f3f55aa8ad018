"""Roles, log-ins, tokens and programs as sources of credentials: none asks a person, and each says why it gives none."""

import json
import os
import shlex
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import pytest

from runbook_engine.lab.aws import AwsEndpoint, Disturbance
from runbook_engine.probe import ErrorKind
from runbook_probes.aws import call

pytestmark = pytest.mark.anyio

LIST = {"service": "ecs", "operation": "ListClusters", "profile": "night"}
ROLE = "arn:aws:iam::123456789012:role/reader"
DEVICE = "arn:aws:iam::123456789012:mfa/responder"
BASE = "[profile base]\naws_access_key_id = BASEKEY\naws_secret_access_key = s\n"
SESSION = 'eval "$(aws configure export-credentials --profile night --format env)"'
ENDED_S = 10.0


@pytest.fixture
def configured(tmp_path: Path, aws: AwsEndpoint, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``configured(text)`` is what the files of AWS say; STS is at the endpoint of the test."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", aws.url)
    monkeypatch.setenv("HOME", str(tmp_path))

    def write(text: str) -> None:
        (tmp_path / "config").write_text(f"[default]\nregion = us-east-1\n{text}")

    return write


@pytest.fixture
def program(tmp_path: Path) -> Any:
    """``program(script)`` is the command line of a shell script."""

    def write(script: str) -> str:
        file = tmp_path / "helper.sh"
        file.write_text(script)
        return shlex.join(["sh", str(file)])

    return write


@pytest.fixture
def environ(aws: AwsEndpoint) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": aws.url, "AWS_REGION": "us-east-1"}


def role(source: str = "base", more: str = "") -> str:
    return f"{BASE}[profile night]\nrole_arn = {ROLE}\nsource_profile = {source}\n{more}"


def helped(command: str) -> str:
    return f"[profile night]\ncredential_process = {command}\n"


async def test_a_role_is_assumed_with_the_keys_of_its_source(
    aws: AwsEndpoint, configured: Any, environ: dict[str, str], ask: Any
) -> None:
    configured(role())
    await ask(call, environ=environ, **LIST)
    *_, assumed, asked = aws.calls()
    assert (assumed.operation, assumed.access_key) == ("AssumeRole", "BASEKEY")
    assert (asked.operation, asked.access_key[:4]) == ("ListClusters", "ASIA")


async def test_a_role_that_wants_a_code_asks_nobody_and_says_how_to_get_a_session(
    aws: AwsEndpoint, configured: Any, environ: dict[str, str], fail: Any
) -> None:
    configured(role(more=f"mfa_serial = {DEVICE}\n"))
    asked = len(aws.calls())
    error = await fail(call, environ=environ, **LIST)
    assert error.kind is ErrorKind.AUTH
    assert error.message == (
        'the role of the profile "night" wants a code of an MFA device, and a probe asks nobody for one'
    )
    assert SESSION in error.remedy
    assert len(aws.calls()) == asked


async def test_a_role_that_may_not_be_assumed_names_the_action_and_both_policies(
    aws: AwsEndpoint, configured: Any, environ: dict[str, str], fail: Any
) -> None:
    configured(role())
    message = (
        f"User: arn:aws:iam::123456789012:user/base is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    )
    aws.disturb(Disturbance("error", service="sts", code="AccessDenied", message=message, status=403))
    error = await fail(call, environ=environ, **LIST)
    assert error.kind is ErrorKind.AUTH
    assert error.message == f'AssumeRole gives the profile "night" no credentials (AccessDenied: {message})'
    assert "allow sts:AssumeRole" in error.remedy
    assert "trust policy" in error.remedy


@pytest.mark.parametrize(
    ("code", "kind"), [("ExpiredToken", ErrorKind.AUTH), ("InvalidClientTokenId", ErrorKind.AUTH), ("Throttling", ErrorKind.THROTTLED)]
)  # fmt: skip
async def test_what_sts_answers_in_place_of_credentials_has_its_kind(
    aws: AwsEndpoint, configured: Any, environ: dict[str, str], fail: Any, code: str, kind: ErrorKind
) -> None:
    configured(role())
    aws.disturb(Disturbance("error", service="sts", code=code, message="the signed request, token and all"))
    error = await fail(call, environ=environ, **LIST)
    assert error.kind is kind
    assert code in error.message
    assert "token and all" not in error.message


async def test_a_network_without_a_way_to_sts_is_told_as_that(
    configured: Any, environ: dict[str, str], fail: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(role())
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
    error = await fail(call, environ=environ, **LIST)
    assert (error.kind, error.message) == (ErrorKind.REFUSED, "127.0.0.1:1 refuses connections: nothing listens there")


@pytest.mark.parametrize(
    "log_in",
    [
        "sso_session = us\nsso_account_id = 123456789012\nsso_role_name = reader\n"
        "[sso-session us]\nsso_start_url = https://us.awsapps.com/start\nsso_region = us-east-1\n",
        "sso_start_url = https://us.awsapps.com/start\nsso_region = us-east-1\n"
        "sso_account_id = 123456789012\nsso_role_name = reader\n",
    ],
)
async def test_a_log_in_that_is_over_says_how_to_log_in(
    configured: Any, environ: dict[str, str], fail: Any, log_in: str
) -> None:
    configured(f"[profile night]\n{log_in}")
    error = await fail(call, environ=environ, **LIST)
    assert error.kind is ErrorKind.AUTH
    assert error.message.startswith('the log-in of the profile "night" cannot be used: ')
    assert error.remedy == "log in: aws sso login --profile night"


async def test_a_web_identity_token_that_is_not_there_is_named(
    configured: Any, environ: dict[str, str], fail: Any, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    configured(f"[profile night]\nrole_arn = {ROLE}\nweb_identity_token_file = {token}\n")
    error = await fail(call, environ=environ, **LIST)
    assert error.kind is ErrorKind.AUTH
    assert error.message == f"a file with credentials cannot be read: {token}: no such file or directory"
    assert "web_identity_token_file" in error.remedy


async def test_a_web_identity_token_that_sts_refuses_is_auth(
    aws: AwsEndpoint, configured: Any, environ: dict[str, str], fail: Any, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text("eyPlantedWebIdentityToken")
    configured(f"[profile night]\nrole_arn = {ROLE}\nweb_identity_token_file = {tmp_path / 'token'}\n")
    aws.disturb(Disturbance("error", code="InvalidIdentityToken", message="for eyPlantedWebIdentityToken"))
    error = await fail(call, environ=environ, **LIST)
    assert error.kind is ErrorKind.AUTH
    assert error.message == (
        'AssumeRoleWithWebIdentity gives the profile "night" no credentials (InvalidIdentityToken)'
    )


async def test_a_program_gives_credentials(
    aws: AwsEndpoint, configured: Any, environ: dict[str, str], ask: Any, program: Any
) -> None:
    given = json.dumps({"Version": 1, "AccessKeyId": "HELPERKEY", "SecretAccessKey": "s"})
    configured(helped(program(f"echo '{given}'")))
    await ask(call, environ=environ, **LIST)
    assert aws.calls()[-1].access_key == "HELPERKEY"


SECRET = "PlantedHelperSecret0123456789"
NO_CREDENTIALS = "it printed something else than credentials"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'vault: sealed' >&2; exit 3", "vault: sealed"),
        ("exit 3", "it failed without a word"),
        ("printf 'Traceback:\\n  line 1\\nKeyError: 7\\n' >&2; exit 1", "KeyError: 7"),
        (f"echo '{SECRET}'", NO_CREDENTIALS),
        (f'echo \'{{"Version": 1, "SecretAccessKey": "{SECRET}\'', NO_CREDENTIALS),
        (f"echo '[\"{SECRET}\"]'", NO_CREDENTIALS),
        ("printf '\\377\\376'", NO_CREDENTIALS),
        ("true", NO_CREDENTIALS),
        ("echo '{\"Version\": 1}'", "Missing required key in response: 'AccessKeyId'"),
        ("echo '{\"Version\": 2}'", "Unsupported version '2' for credential process provider, supported versions: 1"),
        ("read code && echo \"$code\"; echo 'no code' >&2; exit 1", "no code"),
    ],
)
async def test_a_program_that_gives_none_says_why(
    configured: Any, environ: dict[str, str], fail: Any, program: Any, script: str, why: str
) -> None:
    configured(helped(program(script)))
    error = await fail(call, environ=environ, **LIST)
    assert error.kind is ErrorKind.AUTH
    assert error.message == f'the credential_process of the profile "night" gives no credentials: {why}'
    assert SESSION in error.remedy
    assert SECRET not in "".join(traceback.format_exception(error))
    assert (error.__cause__, error.__context__) == (None, None)


async def test_a_program_that_is_not_there_says_so(configured: Any, environ: dict[str, str], fail: Any) -> None:
    configured(helped("/nowhere/helper --json"))
    error = await fail(call, environ=environ, **LIST)
    assert error.kind is ErrorKind.AUTH
    assert error.message == (
        'the credential_process of the profile "night" gives no credentials: it cannot be started (no such file or directory)'
    )


def runs(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return state.strip()[:1] not in ("", "Z")


@pytest.mark.parametrize("source", ["night", "source"])
async def test_a_program_that_hangs_is_ended_with_its_children(
    configured: Any, environ: dict[str, str], fail: Any, program: Any, tmp_path: Path, source: str
) -> None:
    pids = tmp_path / "pids"
    command = program(f"sleep 3600 & echo $! $$ > {pids}; wait")
    if source == "night":
        configured(helped(command))
    else:
        configured(f"{role('source')}[profile source]\ncredential_process = {command}\n")
    error = await fail(call, environ=environ, within=2.0, **LIST)
    assert error.kind is ErrorKind.AUTH
    assert error.message.startswith(
        f'the credential_process of the profile "{source}" gives no credentials: it did not end'
    )
    deadline = time.monotonic() + ENDED_S
    while any(runs(int(pid)) for pid in pids.read_text().split()):
        assert time.monotonic() < deadline, "the program or its child goes on"


TERMINAL = """
import json, os, pty, sys, termios
pid, master = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], sys.argv[1:])
shown = b""
while True:
    try:
        received = os.read(master, 4096)
    except OSError:
        break
    if not received:
        break
    shown += received
    if b"probe-ends" in shown:
        echo = bool(termios.tcgetattr(master)[3] & termios.ECHO)
        os.write(master, b"\\n")
_, status = os.waitpid(pid, 0)
print(json.dumps({"shown": shown.decode(), "echo": echo, "code": os.waitstatus_to_exitcode(status)}))
"""
"""Runs a command in a terminal of its own. What it shows has ``probe-ends`` while the terminal can still be looked at."""

PROBE = """
import anyio, os, sys
from runbook_engine.probe import ProbeContext, ProbeError
from runbook_probes.aws import call

async def main():
    params = call.params(service="ecs", operation="ListClusters", profile="night")
    try:
        await call(params, ProbeContext(deadline=anyio.current_time() + 20))
    except ProbeError as error:
        print(error.kind, error.message)

anyio.run(main)
print("probe-ends", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("mfa", 'auth the role of the profile "night" wants a code'),
        ("terminal", 'auth the credential_process of the profile "night" gives no credentials: '),
        ("source", 'auth the credential_process of the profile "source" gives no credentials: '),
        ("input", 'auth the credential_process of the profile "night" gives no credentials: nobody answers'),
    ],
)
def test_in_a_terminal_nothing_is_asked_and_the_echo_stays(
    configured: Any, environ: dict[str, str], program: Any, source: str, told: str
) -> None:
    asks = program("stty -echo < /dev/tty && printf 'Enter code: ' > /dev/tty && read code < /dev/tty")
    configured(
        {
            "mfa": role(more=f"mfa_serial = {DEVICE}\n"),
            "terminal": helped(asks),
            "input": helped(program("read code || echo 'nobody answers' >&2; exit 1")) if source == "input" else "",
            "source": f"{role('source')}[profile source]\ncredential_process = {asks}\n",
        }[source]
    )
    ended = subprocess.run(
        [sys.executable, "-c", TERMINAL, sys.executable, "-c", PROBE],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seen = json.loads(ended.stdout)
    assert told in seen["shown"].replace("\r\n", "\n")
    assert "Enter" not in seen["shown"]
    assert seen["echo"]
    assert seen["code"] == 0
