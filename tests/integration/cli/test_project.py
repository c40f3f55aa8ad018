"""Every command finds the documents of the project, from any directory in it."""

from typing import Any

import pytest

RUNBOOK = """\
runbook: shop-page
title: The page of the shop does not come
inputs:
  page_url: {type: url, env: PAGE_URL, help: Address of the page}
start: page
steps:
  page:
    probe: http.get
    with: {url: "{{ inputs.page_url }}"}
    branches:
      - {when: ok, goto: end}
      - {else: end, finding: page_missing}
findings:
  page_missing: {level: critical, title: "The page does not come", resolution: look}
resolutions:
  look: {title: Look at the server, steps: [Read its log]}
"""
TESTS = """\
tests: shop-page
inputs: {page_url: "https://example.com"}
cases:
  comes: {steps: {page: {ok: true}}, expect: {outcome: healthy}}
  missing: {steps: {page: {ok: false}}, expect: {outcome: critical, findings: [page_missing]}}
"""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["list"], "shop-page"),
        (["show", "shop-page"], "The page of the shop does not come"),
        (["check"], "runbooks/environments/quay.yaml"),
        (["check", "shop-page"], "no mistakes"),
        (["test", "shop-page"], "2 passed"),
        (["graph", "shop-page"], "page"),
        (["run", "shop-page", "-e", "quay", "--explain-inputs"], "https://quay.example.com"),
        (["explain", "the quay is flooded"], "Pump it dry"),
        (["incident", "open", "Flood", "--priority", "P3"], "Flood"),
    ],
    ids=["list", "show", "check", "check name", "test", "graph", "environment", "knowledge", "incident"],
)
def test_a_command_finds_the_documents_of_the_project_from_a_directory_below(
    arguments: list[str], says: str, shell: Any
) -> None:
    runbooks = shell.folder / "runbooks"
    (runbooks / "environments").mkdir(parents=True)
    (shell.folder / "src" / "api").mkdir(parents=True)
    (runbooks / "shop-page.yaml").write_text(RUNBOOK)
    (runbooks / "shop-page.test.yaml").write_text(TESTS)
    (runbooks / "environments" / "quay.yaml").write_text(
        "environment: quay\ntitle: At the quay\nvalues: {page_url: https://quay.example.com, pagee_url: x}\n"
    )
    (runbooks / "knowledge.yaml").write_text(
        "knowledge: shop\ntitle: Of the shop\nentries:\n  flood:\n    messages: [quay is flooded]\n    cause: Tide\n"
        "    solution: Pump it dry\n    source: {title: Seen by us}\n"
    )
    below = type(shell)(shell.folder / "src" / "api", shell.command)
    (below.folder / "home").mkdir()
    done = below(*arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert says in (done.stdout + done.stderr)


def test_what_is_new_is_written_where_it_is_found(shell: Any) -> None:
    (shell.folder / ".git").mkdir()
    (shell.folder / "src").mkdir()
    below = type(shell)(shell.folder / "src", shell.command)
    done = below("new", "slow-search")
    assert done.returncode == 0, done.stderr
    assert (shell.folder / "runbooks" / "slow-search.yaml").is_file()
    assert "runbook run slow-search" in done.stderr
    assert below("show", "slow-search").returncode == 0
