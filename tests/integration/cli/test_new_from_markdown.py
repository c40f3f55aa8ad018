"""``runbook new --from-markdown`` with procedures as teams write them.

The files are our own text, in the manner of the public runbooks for Kubernetes, PostgreSQL and GitLab.
"""

import re
from pathlib import Path
from typing import Any

import pytest

from runbook_engine.document import load_file
from runbook_engine.document.models import AskStep, ProbeStep, Runbook
from runbook_engine.document.yaml_text import compose_tree
from runbook_engine.editor.tree import places

PROCEDURES = Path(__file__).with_name("data") / "procedures"
PROMPT = re.compile(r"^\s*(?:\[.*?\]# |shop[=-]# |redis [\w.:-]+> |root@[^#]*# |[$%#] )")
MEASURED = {
    "pods-restart": ["http.get https://shop.example.com/healthz", "tls.certificate 192.0.2.10"],
    "replica-lags-behind": [
        "postgres.ready DATABASE_URL",
        "postgres.activity DATABASE_URL_2",
        "postgres.activity DATABASE_URL_3",
        "postgres.slow_queries DATABASE_URL_2",
    ],
    "connections-are-used-up": [
        "postgres.ping DATABASE_URL",
        "postgres.ping REPORTS_URL",
        "postgres.activity DATABASE_URL_3",
    ],
    "background-jobs": [
        "redis.ping REDIS_URL",
        "redis.info REDIS_URL",
        "redis.info REDIS_URL_2",
        "aws.cloudwatch jobs",
    ],
}


def made(shell: Any, name: str) -> dict[str, Runbook]:
    done = shell("new", "--from-markdown", str(PROCEDURES / f"{name}.md"), "--all", "-o", "made/")
    assert done.returncode == 0, done.stderr
    checked = shell("check", "made")
    assert "no mistakes" in checked.stdout, checked.stdout
    found = {each.stem: load_file(each).runbook for each in sorted((shell.folder / "made").glob("*.yaml"))}
    return {key: each for key, each in found.items() if each is not None}


def where(runbook: Runbook, step: ProbeStep) -> str:
    """What a step measures: the variable behind its connection string, or what it names."""
    for value in step.params.values():
        found = re.fullmatch(r"\{\{ inputs\.(\w+) \}\}", str(value))
        if found is not None:
            spec = runbook.inputs[found[1]]
            return str(spec.env or (spec.help or "").rpartition("the procedure names ")[2])
        if isinstance(value, dict):
            return str(value["ServiceName"])
        if str(value).startswith("http"):
            return str(value)
    return ""


@pytest.mark.parametrize("name", ["pods-restart", "replication-lag", "background-jobs"])
def test_only_what_is_the_same_measurement_is_measured_and_of_the_same_system(name: str, shell: Any) -> None:
    for key, runbook in made(shell, name).items():
        probes = [each for each in runbook.steps.values() if isinstance(each, ProbeStep)]
        wanted = MEASURED[key if key in MEASURED else name]
        assert [f"{each.probe} {where(runbook, each)}" for each in probes] == wanted


@pytest.mark.parametrize("name", ["pods-restart", "replication-lag", "background-jobs"])
def test_no_line_of_code_is_lost_and_each_is_counted(name: str, shell: Any) -> None:
    made(shell, name)
    said = " ".join(
        place.text
        for each in (shell.folder / "made").glob("*.yaml")
        for place in places(compose_tree(each.read_text("utf-8")))
    )
    text = (PROCEDURES / f"{name}.md").read_text("utf-8")
    text = text.replace("Notes that belong to no procedure.\n\n```bash\npsql -l\n```", "")
    blocks = re.findall(r"(?ms)^( *)```\w*\n(.*?)\n\1```", text)
    lines = [line for _, block in blocks for line in block.split("\n") if line.strip()]
    indented = re.findall(r"(?m)^    (\S.*)$", text) if name == "pods-restart" else []
    lines += [line for line in indented if line not in "\n".join(lines)]
    bare = [PROMPT.sub("", line) for line in lines]
    unsaid = [line for line in bare if not all(word.strip("#\\|") in said for word in line.split())]
    # Those are the commands that probes carry out.
    measuring = ("curl -sS -o", "echo | openssl", "pg_isready", "psql", "redis-cli", "aws", "--", "PGPASSWORD")
    assert [line for line in unsaid if not line.strip().startswith(measuring)] == []
    told = shell("new", "--from-markdown", str(PROCEDURES / f"{name}.md"), "--all", "-o", "again/").stderr
    counts = re.findall(r"Lines of code in the procedure: (\d+) measured by probes, (\d+) asked .*, (\d+) told", told)
    assert sum(int(each) for count in counts for each in count) == len(lines)
    if name == "replication-lag":
        assert 'replication-lag.md:1: 1 line of code below "PostgreSQL runbooks": left out' in told


def test_what_runs_on_another_machine_or_changes_something_is_asked(shell: Any) -> None:
    runbook = made(shell, "replication-lag")["replica-lags-behind"]
    asked = " ".join(each.ask for each in runbook.steps.values() if isinstance(each, AskStep))
    for command in ("pg_terminate_backend", "pg_stat_statements_reset", "df -h /var/lib/postgresql", "FROM orders"):
        assert command in asked
    assert "psql -h \"$REPLICA_HOST\" <<'SQL'\nSELECT slot_name, active\nFROM pg_replication_slots;" in asked
    assert "SELECT client_addr, state,\n" in asked
    assert "streaming" not in asked, "output is no question"
    (resolution,) = runbook.resolutions.values()
    assert resolution.steps == (
        "Ask the owner of the report first",
        'Run: export PGHOST=replica-01.example.com\npsql -c "SELECT pg_cancel_backend(4711)"',
    )


def test_sub_headings_are_steps_and_other_headings_are_told(shell: Any) -> None:
    runbook = made(shell, "pods-restart")["pods-restart-again-and-again"]
    assert "A container ends, is started anew, and ends again." in runbook.description
    assert {each.title for each in runbook.resolutions.values()} == {
        "Go back to the revision before",
        "Give it more memory",
    }
    texts = " ".join(f"{each.title} {each.description}" for each in runbook.steps.values())
    for title in ("Does the service answer", "Is the certificate the right one", "Was something deployed"):
        assert title in texts
    assert "OOMKilled" in texts, "what a command says is shown beside it"
    titles = [each.title for name, each in runbook.findings.items() if "certificate" in name]
    assert any("expires in" in each for each in titles)
    assert not any("inputs.tls_name" in each for each in titles), "a name that the command has is no input"
    assert any("inputs.server_name" in each or "inputs.tls_host" in each for each in titles)


@pytest.mark.parametrize("name", ["pods-restart", "replication-lag", "background-jobs"])
def test_a_system_that_the_procedure_names_is_asked_for_and_is_never_a_default(name: str, shell: Any) -> None:
    naming = {"url", "host", "server_name", "cluster", "log_group", "db_instance_id", "target_group_arn"}
    for runbook in made(shell, name).values():
        defaults = [str(each.default) for each in runbook.inputs.values() if each.default is not None]
        assert [each for each in defaults if re.search(r"[a-z]\.[a-z]|://|^arn:", each)] == []
        for step in runbook.steps.values():
            given = step.params if isinstance(step, ProbeStep) else {}
            written = {key: value for key, value in given.items() if key in naming and "inputs." not in str(value)}
            assert written == {}
    if name == "pods-restart":
        done = shell("run", str(shell.folder / "made" / "pods-restart-again-and-again.yaml"), "--no-input")
        assert done.returncode == 2
        assert "the procedure names https://shop.example.com/healthz" in done.stderr
