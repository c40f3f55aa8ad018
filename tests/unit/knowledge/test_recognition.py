"""Which entries explain an error or log lines, and which are found by words."""

from pathlib import Path

import pytest
from pydantic import JsonValue

import runbook_engine as rb
from runbook_engine.engine.events import Failure
from runbook_engine.engine.knowledge import MOST_PER_STEP, KnowledgeBase
from runbook_engine.kinds import ErrorKind
from runbook_engine.library import shipped_directory

OURS = """
knowledge: ours
title: Ours
entries:
  connection-refused:
    messages: Connection refused
    cause: pgbouncer is down
    solution: Restart it
    source: {title: Our wiki}
  frobnicator:
    messages: [the frobnicator is stuck, timeout]
    cause: Dust
    solution: Blow
    source: {title: Our wiki}
"""


@pytest.fixture
def shipped() -> KnowledgeBase:
    return KnowledgeBase.of(rb.Library((shipped_directory(),)))


@pytest.fixture
def both(tmp_path: Path) -> KnowledgeBase:
    (tmp_path / "knowledge.yaml").write_text(OURS)
    return KnowledgeBase.of(rb.Library((tmp_path, shipped_directory())))


def failed(knowledge: KnowledgeBase, kind: ErrorKind, message: str, probe: str) -> list[str]:
    return [each.entry for each in knowledge.in_failure(Failure(kind, message), probe)]


@pytest.mark.parametrize(
    ("kind", "message", "probe", "entry"),
    [
        (ErrorKind.REFUSED, "nothing listens there", "http.latency", "connection-refused"),
        (ErrorKind.REFUSED, "nothing listens there", "postgres.activity", "postgresql-refused"),
        (ErrorKind.REFUSED, "Connection refused", "postgres.activity", "postgresql-refused"),
        (ErrorKind.REFUSED, "Connection refused", "postgresql_like.activity", "connection-refused"),
        (ErrorKind.AUTH, 'no pg_hba.conf entry for host "::1"', "postgres.activity", "postgresql-no-hba-entry"),
        (ErrorKind.TIMEOUT, "no answer within 5 s", "redis.info", "timeout"),
        (ErrorKind.REFUSED, "h:6379 refuses connections: nothing listens there", "redis.ping", "redis-refused"),
        (
            ErrorKind.REFUSED,
            "h:6379 is in protected mode and serves its own machine alone (DENIED Redis is running in protected mode "
            "because protected mode is enabled)",
            "redis.ping",
            "redis-protected-mode",
        ),
        (
            ErrorKind.REFUSED,
            "h:6379 is starting: it loads its data into memory (LOADING Redis is loading the dataset in memory)",
            "redis.ping",
            "redis-loading",
        ),
        (ErrorKind.THROTTLED, "too many connections: h:6379 has none left", "redis.ping", "redis-too-many-clients"),
        (ErrorKind.MISSING, "The specified log group does not exist.", "aws.logs_filter", "aws-no-log-group"),
        (ErrorKind.FORBIDDEN, "AWS denies s3:GetObject", "aws.call", "aws-access-denied"),
        (ErrorKind.AUTH, 'the role of the profile "night" wants a code of an MFA device', "aws.call", "aws-mfa"),
        (
            ErrorKind.AUTH,
            'the log-in of the profile "night" cannot be used: Error loading SSO Token: there is none',
            "aws.call",
            "aws-sso-expired",
        ),
        (
            ErrorKind.AUTH,
            'the credential_process of the profile "night" gives no credentials: it failed without a word',
            "aws.call",
            "aws-credential-process",
        ),
        (
            ErrorKind.AUTH,
            'AssumeRole gives the profile "night" no credentials (AccessDenied: User: a is not authorized to perform: '
            "sts:AssumeRole on resource: b)",
            "aws.call",
            "aws-assume-role",
        ),
        (ErrorKind.TLS, "certificate verify failed: certificate has expired", "http.get", "tls-expired"),
        (ErrorKind.DNS, "db.internal has no address", "tcp.connect", "dns-no-such-name"),
    ],
)
def test_an_error_is_known_by_its_message_or_by_its_kind_and_probe(
    shipped: KnowledgeBase, kind: ErrorKind, message: str, probe: str, entry: str
) -> None:
    assert failed(shipped, kind, message, probe) == [entry]


def test_an_error_that_nobody_knows_is_not_explained(shipped: KnowledgeBase) -> None:
    assert failed(shipped, ErrorKind.OTHER, "the moon is in the wrong phase", "fake.value") == []


def test_an_own_entry_replaces_the_shipped_one_of_its_name_and_comes_first(both: KnowledgeBase) -> None:
    (known,) = both.in_failure(Failure(ErrorKind.REFUSED, "connect: Connection refused"), "http.get")
    assert known.cause == "pgbouncer is down"
    assert len([each for each in both.entries if each.name == "connection-refused"]) == 1
    lines = ["ERROR: canceling statement due to statement timeout"]
    assert [each.entry for each in both.in_logs(lines)] == ["frobnicator"]


def test_log_lines_are_searched_wherever_evidence_has_them(shipped: KnowledgeBase) -> None:
    evidence: list[JsonValue] = [
        [{"time": "10:00", "message": "FATAL: sorry, too many clients already"}, {"deep": ["deadlock detected"]}]
    ]
    assert {each.entry for each in shipped.in_logs(evidence)} == {
        "postgresql-too-many-connections",
        "postgresql-deadlock",
    }


def test_a_line_has_one_explanation_the_one_that_says_more(shipped: KnowledgeBase) -> None:
    (known,) = shipped.in_logs(["OperationalError: canceling statement due to statement timeout"])
    assert known.entry == "postgresql-statement-timeout"
    assert known.text == "OperationalError: canceling statement due to statement timeout"


def test_what_stands_in_most_lines_comes_first_and_only_so_many_are_told(shipped: KnowledgeBase) -> None:
    lines = ["deadlock detected", *["Broken pipe"] * 3, *["No route to host"] * 2, "MemoryError"]
    found = [each.entry for each in shipped.in_logs(lines)]
    assert found[:2] == ["connection-reset", "no-route"]
    assert len(found) == MOST_PER_STEP


def test_a_long_line_is_shown_around_its_message(shipped: KnowledgeBase) -> None:
    (known,) = shipped.in_logs([f"{'x ' * 400}deadlock detected{' y' * 400}"])
    assert "deadlock detected" in known.text
    assert len(known.text) < 260
    assert known.text.startswith("… ")
    assert known.text.endswith(" …")


@pytest.mark.parametrize(
    "line", ["a" * 100_000, "role " * 50_000, 'role "' * 20_000, "\n" * 100_000, "\x00\x1b[2J" * 9_999]
)
def test_hostile_lines_are_bounded(shipped: KnowledgeBase, line: str) -> None:
    assert shipped.in_logs([line]) == ()


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("too many connections", "postgresql-too-many-connections"),
        ("redis too many connections", "redis-too-many-clients"),
        ('FATAL:  role "deploy" does not exist', "postgresql-no-role"),
        ("certifcate expird", "tls-expired"),
        ("ECONNREFUSED 10.0.0.7:5432", "connection-refused"),
        ("nxdomain", "dns-no-such-name"),
        ("out of memory java", "java-out-of-memory"),
        (
            "Traceback\n  File x\nredis.exceptions.ResponseError: OOM command not allowed when used memory > 'maxmemory'.",
            "redis-out-of-memory",
        ),
    ],
)
def test_words_and_pasted_errors_find_their_entry_first(shipped: KnowledgeBase, query: str, first: str) -> None:
    assert shipped.search(query)[0].entry.name == first


@pytest.mark.parametrize("query", ["", "the of and", "qwertz asdfgh", "!!!"])
def test_words_that_nobody_knows_find_nothing(shipped: KnowledgeBase, query: str) -> None:
    assert shipped.search(query) == []


def test_a_broken_document_is_named_and_its_sound_entries_are_known(tmp_path: Path) -> None:
    file = tmp_path / "knowledge.yaml"
    file.write_text(OURS.replace("    cause: Dust\n", ""))
    knowledge = KnowledgeBase([file])
    assert not knowledge.broken, "nothing was read yet"
    assert [each.name for each in knowledge.entries] == ["connection-refused"]
    assert [Path(each).name for each in knowledge.broken] == ["knowledge.yaml"]


def test_nothing_is_read_before_something_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []
    monkeypatch.setattr(Path, "open", lambda self, *_: read.append(self))
    KnowledgeBase([tmp_path / "knowledge.yaml"])
    assert read == []


def test_evidence_that_is_no_text_is_passed_over(shipped: KnowledgeBase) -> None:
    assert shipped.in_logs([None, 7, True, {"a": 1.5}]) == ()
