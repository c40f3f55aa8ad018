"""``runbook new``, as its users start it."""

import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from runbook_engine.authoring.customs import Customs
from runbook_engine.authoring.starting import Answers, from_answers
from runbook_engine.cli.check_files import Checker
from runbook_engine.document import load_file
from runbook_engine.document.yaml_text import compose_tree
from runbook_engine.editor.tree import places
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

GUIDE = Path(__file__).with_name("data") / "guide.md"
REGISTRY, LIBRARY = Registry(), Library.default()
CUSTOMS = Customs(LIBRARY)


@pytest.mark.parametrize("probe", REGISTRY.names())
def test_a_runbook_from_any_probe_has_no_mistake(probe: str) -> None:
    made = from_answers(Answers("own", "Look", probes=(probe,)), REGISTRY, CUSTOMS)
    found = Checker(REGISTRY, LIBRARY).text(made.text, "own.yaml", Path("own.yaml").resolve())
    assert found.without_notes().diagnostics == ()


def test_the_guide_becomes_runbooks_without_mistakes_in_which_nothing_is_lost(shell: Any) -> None:
    done = shell("new", "--from-markdown", str(GUIDE), "--all", "-o", "made")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("steps") == 5
    files = sorted((shell.folder / "made").glob("*.yaml"))
    assert [each.name for each in files] == [
        "database-connection-issues.yaml",
        "high-error-rates.yaml",
        "high-response-times.yaml",
        "memory-issues.yaml",
        "ssl-tls-certificate-issues.yaml",
    ]
    checked = shell("check", "made")
    assert checked.stdout + checked.stderr == "5 documents: no mistakes in 5 files\n"
    said = [place.text for each in files for place in places(compose_tree(each.read_text("utf-8")))]
    guide = GUIDE.read_text("utf-8")
    items = [*re.findall(r"(?m)^ *- (.+)$", guide), *re.findall(r"(?m)^\d+\. \*\*(.+?)\*\*$", guide)]
    assert len(items) > 60
    assert [each for each in items if not any(each in one for one in said)] == []
    for file in files:
        runbook = load_file(file).runbook
        assert runbook is not None
        assert all(each.resolution in runbook.resolutions for each in runbook.findings.values())


def test_one_procedure_is_chosen_by_its_title(shell: Any) -> None:
    done = shell("new", "--from-markdown", str(GUIDE), "--section", "memory", "-o", "-")
    assert done.returncode == 0
    assert "runbook: memory-issues\n" in done.stdout
    assert "step" in done.stderr
    for arguments, says in (
        (["--section", "issues"], "several procedures"),
        (["--section", "memroy issues"], "no procedure"),
        ([], "choose one with --section, or take --all"),
    ):
        refused = shell("new", "--from-markdown", str(GUIDE), *arguments)
        assert refused.returncode == 2
        assert says in refused.stderr
        assert "Memory Issues" in refused.stderr


def test_a_runbook_from_a_probe_is_written_tested_and_run(shell: Any) -> None:
    class Broken(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(500)

        def log_message(self, *_: object) -> None:
            pass

    (shell.folder / "runbooks").mkdir()
    done = shell("new", "shop-page", "--from-probe", "http.get", "--owner", "shop", "--severity", "P1")
    assert done.returncode == 0, done.stderr
    assert "runbook show shop-page" in done.stderr
    file = "runbooks/shop-page.yaml"
    text = (shell.folder / file).read_text("utf-8")
    assert "owner: shop\nseverity: P1\n" in text
    generated = shell("test", "--generate", file)
    assert generated.returncode == 0, generated.stderr
    assert "100 % covered" in shell("test", "runbooks").stdout
    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        runbook = load_file(shell.folder / file).runbook
        assert runbook is not None
        (name,) = [name for name, each in runbook.inputs.items() if each.type == "url"]
        ran = shell("run", "shop-page", "-s", f"{name}=http://127.0.0.1:{server.server_port}/", "--no-input")
        server.shutdown()
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert "500" in ran.stdout


def test_a_file_that_is_there_is_only_replaced_with_force(shell: Any) -> None:
    assert shell("new", "own", "-o", "own.yaml").returncode == 0
    before = (shell.folder / "own.yaml").read_text("utf-8")
    again = shell("new", "own", "-o", "own.yaml", "--title", "Another")
    assert again.returncode == 2
    assert "--force replaces it" in again.stderr
    assert (shell.folder / "own.yaml").read_text("utf-8") == before
    assert shell("new", "own", "-o", "own.yaml", "--title", "Another", "--force").returncode == 0
    assert "title: Another\n" in (shell.folder / "own.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "give a NAME, --from-probe PROBE or --from-markdown FILE"),
        (["Slow Search"], "write slow-search"),
        (["own", "--from-probe", "http.gte"], 'did you mean "http.get"'),
        (["own", "--section", "x"], "give --from-markdown FILE too"),
        (["--from-markdown", "plain.md"], "there is no procedure"),
        (["--from-markdown", "latin.md"], "not in UTF-8: byte 2"),
        (["own", "-o", "plain.md/own.yaml"], "cannot be written"),
    ],
    ids=["nothing", "name", "probe", "section", "no procedure", "encoding", "unwritable"],
)
def test_what_cannot_be_is_refused_with_the_next_step(arguments: list[str], says: str, shell: Any) -> None:
    shell.write("plain.md", "# Only a heading\n\nText.\n")
    (shell.folder / "latin.md").write_bytes(b"# \xfc\n")
    done = shell("new", *arguments)
    assert done.returncode == 2
    assert says in done.stderr.replace("'http.get'", '"http.get"')
    assert done.stdout == ""
    assert not list(shell.folder.glob("*.yaml"))


def test_a_password_in_a_procedure_goes_nowhere(shell: Any) -> None:
    shell.write(
        "secret.md",
        "# Slow\n## Symptoms\n- Slow\n## Diagnostic Steps\n1. Look\n\n```bash\nPGPASSWORD=hunter2 psql -c 'select 1'\n"
        "mysql -phunter2\ncurl https://ann:hunter2@api.example.com/x\nredis-cli -a hunter2 ping\n```\n",
    )
    done = shell("new", "--from-markdown", "secret.md", "-o", "-")
    assert done.returncode == 0, done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert "***" in done.stdout


def test_questions_are_asked_on_a_terminal_until_the_answers_fit(shell: Any, terminal: Any) -> None:
    screen = terminal("new", "-o", "own.yaml")
    screen.until("What is the runbook for")
    screen.type("Slow search\n")
    screen.until(r"\[slow-search\]")
    screen.type("Slow Search\n")
    screen.until("write slow-search")
    screen.type("\n")
    screen.until("What do people see")
    screen.type("Searches take seconds\n\n")
    screen.until("How bad is it")
    screen.type("P9\n")
    screen.until("is none of P0")
    screen.type("p2\n")
    screen.until("Which team")
    screen.type("search\n")
    screen.until("What shall it measure")
    screen.type("http.gte\n")
    screen.until("did you mean")
    screen.type("http?\n")
    screen.until("http.get, http.latency")
    screen.type("http.latency\n\n")
    assert screen.end(20.0) == 0
    text = (shell.folder / "own.yaml").read_text("utf-8")
    assert "runbook: slow-search\ntitle: Slow search\n" in text
    assert "severity: P2\n" in text
    assert "- Searches take seconds\n" in text
    assert "probe: http.latency\n" in text


def test_ctrl_c_at_a_question_writes_nothing(shell: Any, terminal: Any) -> None:
    screen = terminal("new", "-o", "own.yaml")
    screen.until("What is the runbook for")
    assert screen.interrupt_until_it_ends() == 130
    assert not (shell.folder / "own.yaml").exists()


def test_a_name_that_a_shipped_runbook_has_is_told(shell: Any) -> None:
    done = shell("new", "memory", "-o", "memory.yaml", "--from-probe", "host.memory")
    assert done.returncode == 0
    assert "There is a runbook of that name already" in done.stderr
