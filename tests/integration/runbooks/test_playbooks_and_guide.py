"""The shipped playbooks, held against the operations guide word by word."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from runbook_engine.cli.check_command import command as check
from runbook_engine.document.playbook import Playbook
from runbook_engine.document.playbook_load import load_playbook_file
from runbook_engine.library import Library, shipped_directory
from runbook_engine.quantity import Dimension, show

GUIDE = (Path(__file__).with_name("data") / "playbooks.md").read_text("utf-8")
TITLES = {"p0-critical": "P0 Critical Incident Playbook", "security-incident": "Security Incident Playbook"}


def shipped(name: str) -> Playbook:
    loaded = load_playbook_file(Library((shipped_directory(),)).playbook_file(name))
    assert loaded.diagnostics == ()
    assert loaded.partial is not None
    return loaded.partial


def of_guide(title: str) -> Iterator[str]:
    """The headings and bullets of a playbook of the guide, in their order."""
    found = re.search(rf"(?ms)^### \*\*{re.escape(title)}\*\*\n(.*?)(?=^### |\Z)", GUIDE)
    assert found is not None
    for line in found[1].splitlines():
        phase = re.match(r"#### \*\*(.+)\*\*$", line)
        group = re.match(r"\d+\. \*\*(.+)\*\*$", line)
        bullet = re.match(r"   - (.+)$", line)
        what = phase or group or bullet
        assert (what is None) == (not line.strip()), line
        if what is not None:
            yield f"{'phase' if phase else 'group' if group else 'task'}: {what[1]}"


def of_document(playbook: Playbook, *, timed: bool) -> Iterator[str]:
    for phase in playbook.phases.values():
        begin = f"{phase.begin / 60:g}"
        time = f"{begin}+" if phase.end is None else f"{begin}-{phase.end / 60:g}"
        yield f"phase: {phase.title}" + (f" ({time} minutes)" if timed else "")
        for group in phase.groups.values():
            yield f"group: {group.title}"
            yield from (f"task: {task.title}" for task in group.tasks.values())


@pytest.mark.parametrize("name", TITLES)
def test_a_shipped_playbook_has_every_heading_and_every_item_of_the_guide_in_its_order(name: str) -> None:
    playbook = shipped(name)
    assert playbook.title == TITLES[name]
    assert list(of_document(playbook, timed=name == "p0-critical")) == list(of_guide(TITLES[name]))


def test_the_guide_has_no_playbook_that_is_not_shipped() -> None:
    assert re.findall(r"(?m)^### \*\*(.+)\*\*$", GUIDE) == list(TITLES.values())
    assert [sum(each.startswith("task: ") for each in of_guide(title)) for title in TITLES.values()] == [24, 9]


def titles(playbook: Playbook) -> Mapping[str, str]:
    """The runbook or the message of each task that is none for people alone, by its title."""
    return {
        each.task.title: each.task.runbook or str(each.task.message)
        for each in playbook.tasks()
        if each.task.runbook is not None or each.task.message is not None
    }


def test_the_technical_investigation_runs_a_runbook_and_people_are_told_by_messages() -> None:
    made = titles(shipped("p0-critical"))
    assert made["Begin technical investigation"] == "system-health"
    assert made["Notify key stakeholders"] == "opened"
    assert made["Update status page every 30 minutes"] == "status_update"
    assert made["Update status page (resolved)"] == "resolved"


def test_the_status_page_is_updated_every_30_minutes_as_the_title_says() -> None:
    repeated = [each.task for each in shipped("p0-critical").tasks() if each.task.every is not None]
    assert [each.title for each in repeated] == ["Update status page every 30 minutes"]
    assert [show(each.every, Dimension.DURATION) for each in repeated if each.every is not None] == ["30 min"]


def test_evidence_is_preserved_and_regulators_are_reached_where_the_guide_says() -> None:
    tasks = {each.task.title: each.task for each in shipped("security-incident").tasks()}
    assert tasks["Preserve evidence"].evidence
    assert tasks["Prepare regulatory notifications"].audience == "regulators"
    assert (
        tasks["Prepare regulatory notifications"].contact
        == "HIPAA breach: compliance, the channel compliance_mail of the policy"
    )
    assert tasks["Notify legal team"].contact == "Legal: the channel legal_mail of the policy"
    assert tasks["Notify security team"].contact == "Security: the channel security_mail of the policy"


@pytest.mark.parametrize("name", TITLES)
def test_every_task_of_a_shipped_playbook_is_due_by_some_time_after_its_phase_begins(name: str) -> None:
    playbook = shipped(name)
    for each in playbook.tasks():
        assert each.due > playbook.phases[each.phase].begin, each.id


def checked(*arguments: str) -> Result:
    return CliRunner().invoke(check, list(arguments), standalone_mode=False)


def test_the_shipped_playbooks_are_checked_with_all_that_lies_below_a_directory() -> None:
    done = checked(str(shipped_directory() / "playbooks"))
    assert done.return_value == 0, done.output
    assert done.output == "2 documents: no mistakes in 2 files\n"


def test_a_playbook_of_ones_own_comes_before_the_shipped_one(tmp_path: Path) -> None:
    own = tmp_path / "playbooks" / "p0-critical.yaml"
    own.parent.mkdir()
    own.write_text((shipped_directory() / "playbooks" / "p0-critical.yaml").read_text("utf-8"))
    library = Library((tmp_path, shipped_directory()))
    assert library.playbook_file("p0-critical") == own
    assert library.playbook_file("security-incident") == shipped_directory() / "playbooks" / "security-incident.yaml"
    assert sorted(library.playbooks()) == ["p0-critical", "security-incident"]
