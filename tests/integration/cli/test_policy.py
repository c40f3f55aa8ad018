"""The policy of incidents as tables, held against the operations guide cell by cell."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from runbook_engine.cli.policy_command import TABLES, command, words
from runbook_engine.quantity import parse

GUIDE = (Path(__file__).with_name("data") / "incidents.md").read_text("utf-8")


def shown(table: str, *arguments: str) -> Any:
    done = CliRunner().invoke(command, [table, "--format", "json", *arguments])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def section(title: str) -> str:
    """What stands in the guide below a heading."""
    found = re.search(rf"(?ms)^### \*\*{re.escape(title)}\*\*\n(.*?)(?=^#|\Z)", GUIDE)
    assert found is not None
    return found[1]


def cells(title: str) -> Sequence[Sequence[str]]:
    """The rows of a table of the guide, without the marks for emphasis; its headings first."""
    rows = [
        [each.strip().strip("*") for each in line.strip("|").split("|")]
        for line in section(title).splitlines()
        if line[:1] == "|"
    ]
    return [each for each in rows if not set("".join(each)) <= set("-")]


def rows(tables: Any) -> Sequence[Sequence[str]]:
    (table,) = tables
    return [list(table["rows"][0]), *([*row.values()] for row in table["rows"])]


@pytest.mark.parametrize(
    ("table", "title"),
    [("classification", "Incident Classification Matrix"), ("escalation", "Escalation Matrix")],
)
def test_a_table_is_that_of_the_guide_cell_by_cell(table: str, title: str) -> None:
    made = rows(shown(table))
    assert made == cells(title)
    assert shown(table)[0]["title"] == title


def test_the_roles_are_those_of_the_guide_and_those_that_the_matrix_calls() -> None:
    made = rows(shown("roles"))
    guide = cells("Response Team Roles")
    assert made[: len(guide)] == guide
    called = {role for row in cells("Escalation Matrix")[1:] for cell in row[1:] for role in cell.split(" + ")}
    assert {each[0] for each in made[1:]} == called | {each[0] for each in guide[1:]}


def test_the_channels_are_those_of_the_guide_without_the_addresses_of_its_company() -> None:
    found = [(table["title"], row) for table in shown("channels") for row in table["rows"]]
    wanted: list[str] = []
    group = ""
    for line in section("Communication Channels").splitlines():
        heading = re.match(r"\d+\. \*\*(.+)\*\*", line)
        group = heading[1] if heading else group
        if line.startswith("   - "):
            wanted.append(f"{group}: {line[5:]}")
    assert len(found) == len(wanted) == 9
    for (title, row), line in zip(found, wanted, strict=True):
        if "pixelatedempathy" in line.lower():
            assert line.startswith(f"{title}: {row['Channel']}: ")
            assert row["Address"] == "" or row["Address"].startswith("$RUNBOOK_")
        else:
            note = f" ({row['Note']})" if row["Note"] else ""
            assert line == f"{title}: {row['Channel']}: {row['Address']}{note}"


def test_the_metrics_are_those_of_the_guide() -> None:
    guide = cells("Key Metrics to Monitor")
    metrics, faults = shown("metrics")
    made = rows([metrics])
    assert made[0] == guide[0]
    told = {"Metric": "SSL certificate", "Fault": "is for another name", "Alert Level": "Critical"}
    assert {**told, "Action": "Deploy the right certificate"} in faults["rows"]

    def plain(row: Sequence[str]) -> tuple[str, ...]:
        metric, threshold, level, action = row
        bare = threshold.replace(" of max", "").replace(" days", "d")
        return metric.lower(), bare[0], str(parse(bare[1:])), level, action

    assert sorted(map(plain, made[1:])) == sorted(map(plain, guide[1:]))


def test_the_services_for_alerts_are_those_of_the_guide() -> None:
    wanted = re.findall(r"(?m)^\d+\. \*\*(.+)\*\*: (.+)$", section("Alert Channels"))
    assert [(row["Channel"], row["Purpose"]) for row in shown("alerts")[0]["rows"]] == wanted


def test_what_is_done_afterwards_is_what_the_guide_says() -> None:
    process, horizons, updates = shown("post-incident")
    wanted: list[tuple[str, str, str]] = []
    title, note = "", ""
    for line in section("Post-Mortem Process").splitlines():
        heading = re.match(r"\d+\. \*\*(.+)\*\*(?: \((.+)\))?", line)
        if heading:
            title, note = heading[1], heading[2] or ""
        elif line.startswith("   - "):
            wanted.append((title, note, line[5:]))
    assert [tuple(each.values()) for each in process["rows"]] == wanted
    assert [tuple(each.values()) for each in horizons["rows"]] == re.findall(
        r"(?m)^- \*\*(.+)\*\* \((.+)\): (.+)$", section("Action Item Tracking")
    )
    assert [each["Update"] for each in updates["rows"]] == re.findall(r"(?m)^- (.+)$", section("Documentation Updates"))


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_shown_to_people_and_to_wikis(table: str) -> None:
    text = CliRunner().invoke(command, [table])
    assert text.exit_code == 0
    assert "─" in text.output
    markdown = CliRunner().invoke(command, [table, "--format", "markdown"]).output
    assert markdown.startswith("## ")
    widths = {line.count(" | ") for line in markdown.split("\n\n## ")[0].splitlines() if line.startswith("|")}
    assert len(widths) == 1


def test_without_a_table_they_are_listed() -> None:
    assert [line.split()[0] for line in CliRunner().invoke(command, []).output.splitlines()] == list(TABLES)


def test_an_own_policy_is_shown_and_a_broken_one_is_told_with_its_places(shell: Any) -> None:
    shipped = Path("runbooks/policy/incidents.yaml").read_text("utf-8")
    (shell.folder / "runbooks" / "policy").mkdir(parents=True)
    file = shell.folder / "runbooks" / "policy" / "incidents.yaml"
    file.write_text(shipped.replace("response: 15min", "response: 10min"), "utf-8")
    assert "10 minutes" in shell("policy", "classification").stdout
    file.write_text(shipped.replace("playbook: p0-critical", "playbook: p0-critcal"), "utf-8")
    checked = shell("check", "runbooks")
    assert checked.returncode == 78
    assert 'there is no playbook "p0-critcal"; did you mean "p0-critical"?' in checked.stdout + checked.stderr
    file.write_text(shipped.replace("P1: [technical_lead]", "P1: [technical_laed]"), "utf-8")
    broken = shell("policy", "classification")
    assert broken.returncode == 78
    assert "error[RB711]" in broken.stderr
    assert 'did you mean "technical_lead"?' in broken.stderr
    line = next(number for number, each in enumerate(file.read_text("utf-8").splitlines(), 1) if "laed" in each)
    assert f"runbooks/policy/incidents.yaml:{line}:10" in broken.stderr


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 minutes"),
        (60, "1 minute"),
        (900, "15 minutes"),
        (3600, "1 hour"),
        (86400, "24 hours"),
        (172800, "2 days"),
        (5, "5 seconds"),
    ],
)
def test_times_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert words(seconds) == said
