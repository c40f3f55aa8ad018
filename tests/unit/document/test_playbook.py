"""What is read of a playbook, and what is said of one that has mistakes."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest

from runbook_engine.document import Diagnostic, render_all
from runbook_engine.document.playbook import Playbook, TaskKind
from runbook_engine.document.playbook_load import LoadedPlaybook, load_playbook, load_playbook_file
from runbook_engine.document.schema import playbook_schema
from runbook_engine.document.yaml_text import compose
from runbook_engine.graph.playbook import check_playbook
from runbook_engine.library import Library, shipped_directory

HEAD = "playbook: shop-down\ntitle: The shop is down\n"
TASK = "{title: Look, owner: technical_lead, due: 5min}"
NOTHING = Library(())


def text(task: str = TASK, *, head: str = "", first: str = "begin: 0min, end: 15min", rest: str = "") -> str:
    """A playbook of two phases; ``task`` stands in the first one, and ``rest`` beside it."""
    return (
        f"{HEAD}{head}phases:\n"
        f"  first: {{title: First, {first}, groups: {{one: {{title: One, tasks: {{look: {task}{rest}}}}}}}}}\n"
        "  then: {title: Then, begin: 15min, groups: {two: {title: Two, tasks: "
        "{mend: {title: Mend, owner: technical_lead, due: 2h}}}}}\n"
    )


def load(written: str) -> LoadedPlaybook:
    return load_playbook(written, "playbooks/shop-down.yaml")


def found(written: str, library: Library = NOTHING) -> Sequence[Diagnostic]:
    return check_playbook(load(written), library)


def told(written: str, library: Library = NOTHING) -> list[tuple[str, str]]:
    return [(each.code, each.message) for each in found(written, library)]


def sound(written: str) -> Playbook:
    loaded = load(written)
    assert check_playbook(loaded, NOTHING) == ()
    assert loaded.document is not None
    return loaded.document


def test_a_task_is_placed_in_its_phase_and_group_and_due_by_the_end_of_the_phase() -> None:
    placed = list(sound(text("{title: Look, owner: technical_lead}")).tasks())
    assert [(each.phase, each.group, each.id, each.due) for each in placed] == [
        ("first", "one", "look", 900.0),
        ("then", "two", "mend", 7200.0),
    ]


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ("", TaskKind.MANUAL),
        (", runbook: system-health", TaskKind.RUNBOOK),
        (", message: opened, audience: customers", TaskKind.MESSAGE),
    ],
)
def test_a_task_is_manual_a_runbook_or_a_message(keys: str, kind: TaskKind) -> None:
    loaded = load(text(f"{{title: Look, owner: technical_lead{keys}}}"))
    assert loaded.document is not None
    assert next(loaded.document.tasks()).task.kind is kind


def test_a_playbook_survives_json() -> None:
    playbook = sound(text("{title: Tell, owner: technical_lead, message: custom, audience: executives, every: 30min}"))
    plain = json.loads(playbook.model_dump_json(by_alias=True, exclude_defaults=True))
    assert Playbook.model_validate(plain) == playbook


def test_the_channel_is_called_by_when_the_incident_was_opened() -> None:
    opened = datetime(2026, 3, 9, 4, 5, 59, tzinfo=UTC)
    assert sound(text()).channel_name(opened) == "#incident-2026-03-09-04-05"
    own = sound(text(head='channel: "#shop-%m%d-%H%M-%Y"\n'))
    assert own.channel_name(opened) == "#shop-0309-0405-2026"


@pytest.mark.parametrize(
    ("channel", "message", "marked"),
    [
        ("#shop-%S", '"%S" in the name of the channel stands for nothing', "%S"),
        ("#shop-%-d", '"%-" in the name of the channel stands for nothing', "%-"),
        ("#shop-%Y%", '"%" in the name of the channel stands for nothing', "%"),
        ("#shop-%%Y", '"%%" in the name of the channel stands for nothing', "%%"),
        (
            "shop-%Y",
            'the channel would be called "shop-2026", which is no legal name of one',
            '"shop-%Y"',
        ),
        (
            "#Shop",
            'the channel would be called "#Shop", which is no legal name of one',
            '"#Shop"',
        ),
        (
            f"#{'a' * 77}%Y",
            f'the channel would be called "#{"a" * 59}…", which is no legal name of one',
            f'"#{"a" * 77}%Y"',
        ),
    ],
)
def test_a_channel_that_no_chat_takes_is_refused_at_its_place(channel: str, message: str, marked: str) -> None:
    written = text(head=f'channel: "{channel}"\n')
    (diagnostic,) = found(written)
    assert (diagnostic.code, diagnostic.message) == ("RB736", message)
    line = written.splitlines()[diagnostic.span.line - 1]
    assert line[diagnostic.span.column - 1 : diagnostic.span.end_column - 1] == marked


def test_a_channel_may_have_as_many_characters_as_a_chat_takes() -> None:
    name = sound(text(head=f'channel: "#{"a" * 76}%Y"\n')).channel_name(datetime(2026, 3, 9, tzinfo=UTC))
    assert len(name) == 81


@pytest.mark.parametrize(
    ("first", "messages"),
    [
        (
            "begin: 5min, end: 15min",
            ['the first phase "first" begins only after 5 min'],
        ),
        (
            "begin: 0min, end: 10min",
            ['phase "then" begins after 15 min, and "first" ends after 10 min: they leave a gap'],
        ),
        (
            "begin: 0min, end: 20min",
            ['phase "then" begins after 15 min, and "first" ends after 20 min: they overlap'],
        ),
        ("begin: 0min", ['phase "first" has no end, and phase "then" follows']),
        (
            "begin: 15min, end: 15min",
            [
                'the first phase "first" begins only after 15 min',
                'phase "first" ends after 15 min, and begins after 15 min',
            ],
        ),
    ],
)
def test_phases_begin_at_once_and_follow_each_other_without_a_gap(first: str, messages: list[str]) -> None:
    late = "{title: Look, owner: technical_lead, due: 15min}" if first.startswith("begin: 15") else TASK
    assert told(text(late, first=first)) == [("RB731", each) for each in messages]


@pytest.mark.parametrize(
    ("due", "message"),
    [
        ("0min", ""),
        ("15min", ""),
        ("16min", 'task "look" is due after 16 min, outside of its phase'),
    ],
)
def test_a_task_is_due_within_its_phase_its_ends_among_it(due: str, message: str) -> None:
    written = text(f"{{title: Look, owner: technical_lead, due: {due}}}")
    assert told(written) == ([("RB733", message)] if message else [])


def test_a_task_is_not_due_before_its_phase_begins_and_is_due_some_time_where_that_has_no_end() -> None:
    assert told(text().replace("due: 2h", "due: 14min")) == [
        ("RB733", 'task "mend" is due after 14 min, outside of its phase')
    ]
    assert told(text().replace(", due: 2h", "")) == [("RB733", 'task "mend" has no due time, and its phase has no end')]


def test_the_name_of_a_task_stands_once_in_the_whole_playbook() -> None:
    assert told(text().replace("mend:", "look:")) == [("RB732", 'there is a task "look" in group "one" already')]


@pytest.mark.parametrize(
    ("keys", "messages"),
    [
        (
            "runbook: system-health, message: opened, audience: customers",
            ['task "look" is both a runbook and a message'],
        ),
        ("message: opened", ['task "look" has "message" and no "audience"']),
        ("audience: customers", ['task "look" has "audience" and no "message"']),
        ("with: {slow: 2s}", ['task "look" has "with" and no "runbook"']),
    ],
)
def test_keys_of_a_task_go_together(keys: str, messages: list[str]) -> None:
    library = Library((shipped_directory(),))
    written = text(f"{{title: Look, owner: technical_lead, {keys}}}")
    assert told(written, library) == [("RB734", each) for each in messages]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(compose(written, "").value, playbook_schema())


@pytest.mark.parametrize(("every", "refused"), [("59s", True), ("30s", True), ("60s", False), ("30min", False)])
def test_nobody_is_asked_to_do_something_more_often_than_every_minute(every: str, refused: bool) -> None:
    written = text(f"{{title: Look, owner: technical_lead, every: {every}}}")
    assert [code for code, _ in told(written)] == (["RB737"] if refused else [])


@pytest.mark.parametrize(
    ("task", "code", "message"),
    [
        ("{title: Look}", "RB112", 'task "look" has no "owner"'),
        ("{title: Look, owner: technical_lead, dew: 5min}", "RB111", 'task "look" has no key "dew"'),
        (
            "{title: Look, owner: technical_lead, params: {slow: 2s}}",
            "RB111",
            'task "look" has no key "params"',
        ),
        (
            "{title: Look, owner: technical_lead, due: 5}",
            "RB117",
            '"due" of task "look" is 5, a duration without a unit',
        ),
        (
            "{title: Look, owner: technical_lead, message: shout, audience: customers}",
            "RB114",
            '"message" of task "look" is "shout", which is not legal',
        ),
        (
            "{title: Look, owner: technical_lead, runbook: system-health, with: {slow: [2s]}}",
            "RB113",
            '"slow" of "with" of task "look" is not legal: only a text, a number, true or false can be given',
        ),
        (
            "{title: Look, owner: Technical Lead}",
            "RB115",
            '"owner" of task "look" is "Technical Lead", which is no legal name',
        ),
    ],
)
def test_a_task_of_the_wrong_shape_is_told_by_its_name(task: str, code: str, message: str) -> None:
    assert (code, message) in told(text(task))


@pytest.mark.parametrize(
    ("phases", "message"),
    [
        ("{}", '"phases" needs at least one entry'),
        ("{now: {title: Now, begin: 0min, groups: {}}}", '"groups" of phase "now" needs at least one entry'),
        (
            "{now: {title: Now, begin: 0min, groups: {one: {title: One, tasks: {}}}}}",
            '"tasks" of group "one" needs at least one entry',
        ),
    ],
)
def test_a_playbook_a_phase_and_a_group_are_not_empty(phases: str, message: str) -> None:
    assert told(f"{HEAD}phases: {phases}\n") == [("RB116", message)]


@pytest.mark.parametrize("written", ["", "runbook: shop-down\n", "- playbook\n"])
def test_what_is_no_playbook_is_not_read_as_one(written: str) -> None:
    loaded = load(written)
    assert loaded.document is None
    assert [each.code for each in loaded.diagnostics] == ["RB110"]


def test_a_file_that_is_not_there_is_a_diagnostic(tmp_path: Path) -> None:
    assert [each.code for each in load_playbook_file(tmp_path / "none.yaml").diagnostics] == ["RB101"]


@pytest.fixture
def books(tmp_path: Path) -> Path:
    """A directory with a runbook, whose library is another one."""
    (tmp_path / "playbooks").mkdir()
    (tmp_path / "slow-shop.yaml").write_text(
        "runbook: slow-shop\ntitle: The shop is slow\n"
        "inputs: {slow: {type: duration, default: 1s}, mode: {type: enum, values: [fast, full], default: fast}, "
        "dsn: {type: secret, env: SHOP_DSN}}\nstart: look\nsteps: {look: {ask: Is it slow?, branches: [{else: end}]}}\n"
    )
    return tmp_path


def named(books: Path, task: str) -> list[tuple[str, str]]:
    file = books / "playbooks" / "shop-down.yaml"
    written = text(f"{{title: Look, owner: technical_lead, {task}}}")
    diagnostics = check_playbook(load(written), Library((shipped_directory(),)), file)
    return [(each.code, each.message) for each in diagnostics]


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        ("runbook: slow-shop", []),
        ("runbook: system-health", []),
        ("runbook: slow-shop, with: {slow: 2s, mode: full}", []),
        (
            "runbook: slow-shp",
            [("RB735", 'there is no runbook "slow-shp"; did you mean "slow-shop"?')],
        ),
        (
            "runbook: slow-shop, with: {slwo: 2s}",
            [("RB735", '"slow-shop" has no input "slwo"; did you mean "slow"?')],
        ),
        (
            "runbook: slow-shop, with: {slow: fast}",
            [("RB402", 'the value of "slow" is "fast": \'fast\' is not a number with a unit')],
        ),
        (
            "runbook: slow-shop, with: {mode: ful}",
            [("RB402", 'the value of "mode" is "ful", which is not one of its values')],
        ),
        (
            "runbook: slow-shop, with: {dsn: postgres}",
            [("RB123", '"dsn" is a secret of "slow-shop", and a literal writes it into the document')],
        ),
    ],
)
def test_a_runbook_is_looked_for_beside_the_playbooks_too_and_takes_only_what_fits(
    books: Path, task: str, expected: list[tuple[str, str]]
) -> None:
    assert named(books, task) == expected


def test_a_role_is_one_of_the_policy_that_lies_beside_the_playbooks_or_of_that_of_the_library(books: Path) -> None:
    file = books / "playbooks" / "shop-down.yaml"
    written = text("{title: Look, owner: technical_laed, due: 5min}")
    library = Library((shipped_directory(),))
    (diagnostic,) = check_playbook(load(written), library, file)
    assert diagnostic.message == 'there is no role "technical_laed"; did you mean "technical_lead"?'
    assert diagnostic.fix is not None
    assert [each.text for each in diagnostic.fix.edits] == ["technical_lead"]

    (books / "policy").mkdir()
    policy = (shipped_directory() / "policy" / "incidents.yaml").read_text("utf-8")
    (books / "policy" / "incidents.yaml").write_text(policy.replace("technical_lead", "technical_laed"))
    messages = [each.message for each in check_playbook(load(written), library, file)]
    assert messages == ['there is no role "technical_lead"; did you mean "technical_laed"?']


def test_without_a_policy_any_role_is_one() -> None:
    assert told(text("{title: Look, owner: captain, due: 5min}")) == []


def test_a_wrong_name_is_told_together_with_what_is_wrong_in_shape() -> None:
    written = text("{title: Look, owner: captain, due: 5}")
    messages = told(written, Library((shipped_directory(),)))
    assert [code for code, _ in messages] == ["RB735", "RB117"]


def test_the_schema_takes_the_shipped_playbooks() -> None:
    for file in Library((shipped_directory(),)).playbooks().values():
        jsonschema.validate(compose(file.read_text("utf-8"), "").value, playbook_schema())


def test_a_mistake_is_shown_with_its_line(books: Path) -> None:
    written = text("{title: Look, owner: technical_lead, due: 20min}")
    file = books / "playbooks" / "shop-down.yaml"
    shown = render_all(check_playbook(load(written), NOTHING, file), {"playbooks/shop-down.yaml": written})
    assert shown.startswith(
        'error[RB733]: task "look" is due after 20 min, outside of its phase\n --> playbooks/shop-down.yaml:4:'
    )
