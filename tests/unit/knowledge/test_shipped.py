"""The knowledge that comes with the package."""

from collections import Counter

import pytest

import runbook_engine as rb
from runbook_engine.engine.knowledge import KnowledgeBase, recognise
from runbook_engine.engine.knowledge_checks import check_knowledge_file
from runbook_engine.library import shipped_directory

LIBRARY = rb.Library((shipped_directory(),))
BASE = KnowledgeBase.of(LIBRARY)
ENTRIES = {each.name: each.error for each in BASE.entries}

GUIDE = {
    "Connection refused": ("Service down or network issue", "Check service status, network connectivity"),
    "Timeout": ("Slow response or overloaded system", "Check performance metrics, scale if needed"),
    "Authentication failed": ("Invalid credentials or token expired", "Verify credentials, check token expiration"),
    "Rate limit exceeded": ("Too many requests", "Implement backoff, check rate limiting rules"),
    "Internal server error": ("Application bug or configuration issue", "Check logs, verify configuration"),
}


@pytest.mark.parametrize("message", GUIDE)
def test_the_guides_messages_have_its_cause_and_solution(message: str) -> None:
    (entry,) = [each for each in ENTRIES.values() if each.title == message]
    assert message in entry.messages
    assert (entry.cause, entry.solution) == GUIDE[message]
    assert entry.source.title == "Troubleshooting guide, common error messages"


def test_it_has_no_mistakes_and_names_only_runbooks_that_there_are() -> None:
    assert check_knowledge_file(shipped_directory() / "knowledge.yaml", LIBRARY).diagnostics == ()


def test_it_knows_forty_messages_and_more_of_what_systems_stand_on() -> None:
    subjects = Counter(each.subject.split()[0] for each in ENTRIES.values())
    assert len(ENTRIES) >= 40
    for subject, least in {"PostgreSQL": 15, "Redis": 10, "AWS": 6, "Amazon": 7, "TLS": 10, "DNS": 5}.items():
        assert subjects[subject] >= least


@pytest.mark.parametrize("name", [name for name, each in ENTRIES.items() if each.title not in GUIDE])
def test_each_says_where_it_stands(name: str) -> None:
    source = ENTRIES[name].source
    assert source.title
    assert source.url.startswith("https://")


@pytest.mark.parametrize(
    ("name", "message"), [(name, message) for name, each in ENTRIES.items() for message in each.messages]
)
def test_each_message_leads_to_its_own_entry(name: str, message: str) -> None:
    line = f"2026-11-23T10:00:00Z ERROR [worker-7] {message.replace('*', 'xyz')} (attempt 2)"
    (found,) = recognise(line, BASE.entries)
    assert found.entry.name == name


@pytest.mark.parametrize(
    "line",
    [
        "GET /api/v1/health 200 12ms",
        "INFO session started user=7 timeout_ms=500 oom_score=0",
        "connect_timeout=5 statement_timeout=30s",
        "Deployment completed, the service has reached a steady state",
        "certificate renewed, expires in 89 days",
    ],
)
def test_a_healthy_line_leads_nowhere(line: str) -> None:
    assert recognise(line, BASE.entries) == []
