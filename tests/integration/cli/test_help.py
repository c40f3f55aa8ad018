"""What the command tells of itself."""

from typing import Any

import click
import pytest

from runbook_engine.cli.app import COMMANDS, app


def commands() -> dict[str, click.Command]:
    """All that can be called, by what one types."""
    found: dict[str, click.Command] = {}
    with click.Context(app) as ctx:
        for name in app.list_commands(ctx):
            each = app.get_command(ctx, name)
            assert each is not None
            found[name] = each
            if isinstance(each, click.Group):
                found.update({f"{name} {inner}": command for inner, command in each.commands.items()})
    return found


@pytest.mark.parametrize("name", commands())
def test_every_command_has_a_summary_examples_and_a_help_for_each_option(shell: Any, name: str) -> None:
    done = shell(*name.split(), "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout
    assert f"runbook {name}" in done.stdout.partition("Example")[2]
    for param in commands()[name].params:
        if isinstance(param, click.Option):
            assert param.help, f"{name} {param.opts[0]} says nothing"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_overview_gives_each_command_a_line_of_its_own(shell: Any, name: str) -> None:
    (line,) = [each for each in shell("--help").stdout.splitlines() if each.startswith(f"  {name} ")]
    assert line.endswith(COMMANDS[name])
    assert len(line) <= 80


@pytest.mark.parametrize("name", [name for name in commands() if " " not in name and name != "lab"])
def test_the_overview_and_the_help_of_a_command_say_the_same(name: str) -> None:
    told = (commands()[name].help or "").partition(".")[0].partition(":")[0]
    assert COMMANDS[name].split()[0] == told.split()[0]
