"""``runbook new environment``, ``policy``, ``playbook`` and ``knowledge``."""

import re
from typing import Any

import pytest

from runbook_engine.document import load_file
from runbook_engine.document.models import InputType
from runbook_engine.document.yaml_text import compose
from runbook_engine.engine.environments import inputs_of
from runbook_engine.library import Library

KINDS = [
    (["environment", "quay"], "environments/quay.yaml"),
    (["policy"], "policy/incidents.yaml"),
    (["policy", "metrics"], "policy/metrics.yaml"),
    (["playbook"], "playbooks/first-response.yaml"),
    (["playbook", "flood"], "playbooks/flood.yaml"),
    (["knowledge"], "knowledge.yaml"),
]


@pytest.mark.parametrize(("arguments", "place"), KINDS)
def test_a_skeleton_is_valid_as_it_is_written_lies_where_it_is_found_and_names_nobody(
    arguments: list[str], place: str, shell: Any
) -> None:
    done = shell("new", *arguments, "--owner", "shop")
    assert done.returncode == 0, done.stderr
    file = shell.folder / "runbooks" / place
    checked = shell("check", f"runbooks/{place}")
    assert checked.stdout == "1 document: no mistakes in 1 file\n"
    text = "\n".join(line for line in file.read_text("utf-8").split("\n") if not line.lstrip().startswith("#"))
    assert re.search(r"https?://(?!\.\.\.)|\w@\w|\.(com|net|org|io)\b|\+\d|arn:|pixelated", text) is None


def test_all_skeletons_are_valid_together(shell: Any) -> None:
    for arguments, _ in KINDS:
        assert shell("new", *arguments).returncode == 0
    checked = shell("check", "runbooks")
    assert checked.stdout == "6 documents: no mistakes in 6 files\n"
    assert "Incident Commander" in shell("policy", "roles").stdout
    assert "The queue is full" in shell("explain", "queue orders is full").stdout


def test_an_environment_lists_every_input_without_a_default_with_its_help_and_secrets_by_variable(shell: Any) -> None:
    assert shell("new", "environment", "quay-north", "--title", "At the quay").returncode == 0
    text = (shell.folder / "runbooks/environments/quay-north.yaml").read_text("utf-8")
    loaded = {name: load_file(file).runbook for name, file in Library.default().files().items()}
    known = inputs_of({name: each.inputs for name, each in loaded.items() if each is not None})
    wanted = {name for name, specs in known.items() if any(spec.default is None for spec in specs.values())}
    assert set(re.findall(r"(?m)^  (?:# )?(\w+): \S", text)) >= wanted
    document = compose(text, "x.yaml").value
    assert isinstance(document, dict)
    values = document["values"]
    assert isinstance(values, dict)
    secrets = {name for name, specs in known.items() if any(each.type is InputType.SECRET for each in specs.values())}
    assert {name: each["env"] for name, each in values.items() if isinstance(each, dict)} == {
        name: f"QUAY_NORTH_{name.upper()}" for name in sorted(wanted & secrets)
    }
    for name in wanted:
        assert any(spec.help in text for spec in known[name].values()), name
    filled = re.sub(r"(?m)^  # (tls_host): .*$", r"  \1: quay.test", text)
    (shell.folder / "runbooks/environments/quay-north.yaml").write_text(filled)
    told = shell("run", "tls-certificate", "-e", "quay-north", "--explain-inputs")
    assert re.search(r"tls_host +quay\.test +environment quay-north", told.stdout), told.stdout + told.stderr


def test_a_playbook_gives_its_tasks_to_a_role_of_the_teams_own_policy(shell: Any) -> None:
    assert shell("new", "policy").returncode == 0
    policy = shell.folder / "runbooks/policy/incidents.yaml"
    policy.write_text(policy.read_text("utf-8").replace("incident_commander", "skipper"))
    assert shell("new", "playbook").returncode == 0
    assert "owner: skipper" in (shell.folder / "runbooks/playbooks/first-response.yaml").read_text("utf-8")
    assert shell("check", "runbooks").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["environment"], "runbook new environment production"),
        (["policy", "holidays"], "write incidents (how people respond) or metrics"),
        (["environment", "Quay"], "write quay"),
        (["playbook", "--from-probe", "http.get"], "only --title, --owner, --output and --force"),
        (["slow-search", "more"], "one name too many"),
    ],
)
def test_what_cannot_be_written_is_refused_with_what_can(arguments: list[str], says: str, shell: Any) -> None:
    done = shell("new", *arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert not (shell.folder / "runbooks").exists()


def test_a_skeleton_is_printed_and_replaces_nothing_unasked(shell: Any) -> None:
    printed = shell("new", "knowledge", "-o", "-")
    assert printed.stdout.startswith("# Error messages that you know.")
    assert shell("new", "knowledge").returncode == 0
    again = shell("new", "knowledge", "--title", "Another")
    assert again.returncode == 2
    assert "--force replaces it" in again.stderr
    assert shell("new", "knowledge", "--title", "Another", "--force").returncode == 0
    assert "title: Another\n" in (shell.folder / "runbooks/knowledge.yaml").read_text("utf-8")


def test_a_runbook_may_be_called_like_a_kind(shell: Any) -> None:
    assert shell("new", "runbook", "policy").returncode == 0
    assert "runbook: policy\n" in (shell.folder / "runbooks/policy.yaml").read_text("utf-8")
