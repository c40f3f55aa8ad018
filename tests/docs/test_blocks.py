"""What stands in the blocks of all pages: documents that are sound, commands that exist, programs with true types."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import click
import pytest
import yaml
from tests.docs.blocks import DOCS, Block, all_blocks
from tests.docs.reference import formats
from tests.docs.test_followed_pages import FOLLOWED

from runbook_engine.api import load
from runbook_engine.cli.app import app
from runbook_engine.cli.check_files import Checker
from runbook_engine.document import DiagnosticLevel
from runbook_engine.document.load import kind_of_text
from runbook_engine.graph.drawing import svg
from runbook_engine.library import Library, shipped_directory
from runbook_engine.probe.registry import Registry

ROOT = DOCS.parent
OTHERS = "another tool's"
"""The mark of a block whose YAML is none of ours."""


@cache
def own_probe() -> ModuleType:
    spec = spec_from_file_location("disk_probe", ROOT / "examples" / "own_probe" / "src" / "disk_probe" / "__init__.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules["disk_probe"] = module
    spec.loader.exec_module(module)
    return module


def _documents() -> Iterator[Block]:
    """All YAML but that on pages that are followed, of diagnostics (whose own tests check it), and of other tools."""
    for each in all_blocks("yaml"):
        is_checked_elsewhere = each.page in FOLLOWED or re.match(r"reference/diagnostics/RB", each.page)
        if not is_checked_elsewhere and each.mark != OTHERS:
            yield each


@pytest.mark.parametrize("block", list(_documents()), ids=str)
def test_every_document_on_a_page_is_sound(block: Block, tmp_path: Path) -> None:
    kind = kind_of_text(block.text)
    if kind is None:
        # A step, as it stands in a runbook that is checked as a whole.
        assert (formats.EXAMPLES / "probes.yaml").read_text("utf-8").count(_indented(block.text)) == 1
        return
    for each in formats.EXAMPLES.iterdir():
        (tmp_path / each.name).write_bytes(each.read_bytes())
    file = tmp_path / Path(block.title or "document.yaml").name
    file.write_text(block.text)
    registry = Registry().with_probes(own_probe().usage)

    found = Checker(registry, Library((tmp_path, shipped_directory()))).file(file).diagnostics

    told = [each for each in found if each.level is not DiagnosticLevel.NOTE and each.suppressed is None]
    assert [str(each) for each in told] == []


def _indented(text: str) -> str:
    return "".join(f"    {line}" for line in text.splitlines(keepends=True))


def test_the_examples_of_the_reference_are_sound_as_a_whole() -> None:
    found = Checker(Registry(), Library((formats.EXAMPLES,))).file(formats.EXAMPLES / "probes.yaml").diagnostics
    assert [str(each) for each in found if each.level is not DiagnosticLevel.NOTE] == []


@pytest.mark.parametrize("block", [each for each in all_blocks("yaml") if each.mark == OTHERS], ids=str)
def test_what_is_written_for_other_tools_is_yaml(block: Block) -> None:
    assert isinstance(yaml.safe_load(block.text), dict | list)


def test_the_hooks_that_are_told_of_exist() -> None:
    hooks = {each["id"] for each in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    config = next(each for each in all_blocks("yaml") if each.title == ".pre-commit-config.yaml")
    told = {hook["id"] for each in yaml.safe_load(config.text)["repos"] for hook in each["hooks"]}
    assert told == hooks


@pytest.mark.parametrize(
    "block", [each for each in all_blocks("python", "toml", "yaml") if each.title.startswith("examples/")], ids=str
)
def test_what_is_shown_of_a_file_of_this_repository_is_that_file(block: Block) -> None:
    assert block.text.strip() == (ROOT / block.title).read_text("utf-8").strip(), (
        f"{block.title} was changed; change {block.page}, too"
    )


def _lines() -> Iterator[tuple[str, str]]:
    """Each command line of ours on a page, with its place: in blocks, and between backticks in a text."""
    for block in all_blocks("sh"):
        for number, line in enumerate(block.text.splitlines()):
            if line.startswith("runbook "):
                yield f"{block.page}:{block.line + number + 1}", line
            elif line.strip():
                assert line.split()[0] in {"pip", "python", "mkdir", "cd", "mv", "echo", "pytest", "make"}, line
    for file in sorted(DOCS.rglob("*.md")):
        for found in re.finditer(r"`(runbook [a-z][^`\n]*)`", file.read_text("utf-8")):
            yield file.relative_to(DOCS).as_posix(), found[1]


COMMAND_LINES = dict.fromkeys(_lines())


@pytest.mark.parametrize(("place", "line"), list(COMMAND_LINES))
def test_every_command_line_on_a_page_is_one_that_the_program_understands(place: str, line: str) -> None:
    parsed(line)


def parsed(line: str) -> None:
    """Raises click's errors for commands, options and choices that do not exist."""
    words = shlex.split(re.split(r" (?:[|<>]|>>) ?", line)[0], comments=True)[1:]
    command: click.Command = app
    context = click.Context(app, info_name="runbook")
    while isinstance(command, click.Group):
        if not words:
            return
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command, context = found, click.Context(found, info_name=found.name, parent=context)
    if words in (["--help"], ["-h"]):
        return
    given, _, order = command.make_parser(context).parse_args(words)
    for parameter in order:
        value = given.get(parameter.name or "")
        if isinstance(parameter.type, click.Choice) and isinstance(value, str):
            parameter.type.convert(value, parameter, context)


@pytest.mark.parametrize(
    "line", ["runbook walk", "runbook run --fast", "runbook check --format xml", "runbook lab begin"]
)
def test_a_command_line_that_does_not_exist_would_be_told(line: str) -> None:
    with pytest.raises(click.UsageError):
        parsed(line)


def test_programs_on_pages_have_true_types(tmp_path: Path) -> None:
    programs = [each for each in all_blocks("python") if not each.title.startswith("examples/")]
    assert len(programs) > 1
    for number, each in enumerate(programs):
        (tmp_path / f"program_{number}.py").write_text(each.text)
        compile(each.text, str(each), "exec")
    (tmp_path / "mypy.ini").write_text("[mypy]\nstrict = true\n")

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", "mypy.ini", "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_the_picture_of_a_graph_is_what_the_program_draws(tmp_path: Path, golden: Callable[[Path, str], None]) -> None:
    block = next(each for each in all_blocks("yaml") if each.page == "concepts.md")
    (tmp_path / "slow-shop.yaml").write_text(block.text)
    golden(DOCS / "slow-shop.svg", svg(load(tmp_path / "slow-shop.yaml").runbook).rstrip() + "\n")


@pytest.mark.parametrize("block", all_blocks("json"), ids=str)
def test_every_json_on_a_page_can_be_read(block: Block) -> None:
    assert json.loads(block.text)


def test_the_schemas_that_an_editor_is_pointed_to_are_those_that_are_written() -> None:
    settings = json.loads(next(each.text for each in all_blocks("json") if each.title == ".vscode/settings.json"))
    written = {found for each in all_blocks("sh") for found in re.findall(r"> (schemas/\S+)", each.text)}
    assert set(settings["yaml.schemas"]) == written
