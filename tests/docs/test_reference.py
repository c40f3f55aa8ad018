"""The reference says what the code says."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import pytest
from tests.docs.reference import codes, conditions, formats, probes, writing

from runbook_engine.document import CODES
from runbook_engine.document.load import INCIDENTS, KINDS
from runbook_engine.document.pages import page as code_page
from runbook_engine.probe.registry import Registry
from runbook_engine.quantity import UNITS

REMEDY = "the code says something else now; write the reference anew with: make reference"


@cache
def made() -> Mapping[str, str]:
    return writing.pages()


def test_every_page_of_the_reference_is_what_the_code_says_now(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--update-golden"):
        writing.write()
    written = {place: file.read_text("utf-8") if (file := writing.FOLDER / place).is_file() else "" for place in made()}
    different = [place for place, text in made().items() if written[place] != text]
    assert different == [], REMEDY


def test_no_page_of_the_reference_is_about_what_is_gone() -> None:
    assert writing.stray(made()) == [], REMEDY


def test_every_kind_of_document_has_a_page() -> None:
    assert set(formats.FORMATS) == {*KINDS, INCIDENTS}


@pytest.mark.parametrize("kind", formats.FORMATS)
def test_the_example_of_a_format_uses_every_key_that_there_is(kind: str) -> None:
    found = formats.FORMATS[kind]
    schema = found.model.model_json_schema(by_alias=True)
    definitions = schema.get("$defs", {})
    keys = {
        (name, key)
        for name in formats.reached(schema, definitions)
        for key in (schema if name == found.model.__name__ else definitions[name])["properties"]
    }

    used = formats.examples_of(found.model, (formats.EXAMPLES / found.example).read_text("utf-8"))

    assert keys - set(used) == set()


def test_every_key_is_told_with_what_it_is_for() -> None:
    for kind, found in formats.FORMATS.items():
        rows = [line for line in made()[f"formats/{kind}.md"].splitlines() if line.startswith("| `")]
        assert rows, kind
        assert [row for row in rows if not row.split(" | ")[2].strip(" |")] == [], found.title


def test_every_probe_that_comes_with_the_engine_has_an_example() -> None:
    registry = Registry()
    named = {each.name for each in probes.own(registry)}
    assert len(named) > 20
    for name in named:
        step, command = probes.example(name)
        assert f"probe: {name}\n" in f"{step}\n"
        assert command[0]
        assert "depends on the run" not in command[0], name


def test_quantities_among_the_parameters_of_a_probe_are_told_with_their_units() -> None:
    page = made()["probes/http.md"]
    assert "| `sample_timeout` | duration<br>default `5s` |" in page
    assert "| `max_body` | size<br>default `1MiB` |" in page


def test_a_probe_that_may_change_something_is_told_from_one_that_only_reads() -> None:
    index = made()["probes/index.md"]
    assert "| yes |" in next(line for line in index.splitlines() if "`postgres.activity`" in line)
    assert "| not proven |" in next(line for line in index.splitlines() if "`shell.run`" in line)
    assert "`--allow shell`" in made()["probes/shell.md"]


@pytest.mark.parametrize("code", CODES)
def test_the_page_of_a_code_shows_what_check_says_of_its_wrong_document(code: str) -> None:
    page = made()[f"diagnostics/{code}.md"]
    heading = f"## What `runbook {codes.teller(code_page(code))}` says"
    said = page.partition(f"{heading}\n\n```text\n")[2].partition("\n```")[0]
    assert f"[{code}]: " in said.splitlines()[0]
    assert page.index("## Wrong") < page.index(heading) < page.index("\n## Right\n")


def test_every_code_stands_in_the_table_of_codes() -> None:
    index = made()["diagnostics/index.md"]
    assert [code for code in CODES if f"[{code}]({code}.md)" not in index] == []
    assert {code[:3] for code in CODES} == set(codes.RANGES)


@pytest.mark.parametrize("way", conditions.WAYS, ids=lambda way: way.written)
def test_every_example_of_a_condition_is_sound_and_comes_to_true_or_false(way: conditions.Way) -> None:
    assert {conditions.comes_to(example) for example in way.examples} <= {"true", "false"}


@pytest.mark.parametrize("condition", conditions.WRONG)
def test_every_condition_that_is_said_to_be_refused_is_refused(condition: str) -> None:
    assert len(conditions.refused(condition)) > 20


def test_a_condition_on_a_missing_value_is_undecided_as_the_page_says() -> None:
    assert conditions.comes_to("hit_rate < 80%") == "undecided"
    assert conditions.comes_to("not hit_rate < 80%") == "undecided"
    assert conditions.comes_to("active == 0 and hit_rate < 80%") == "false"
    assert conditions.comes_to("active == 45 or hit_rate < 80%") == "true"


def test_every_unit_stands_on_the_page_of_conditions() -> None:
    page = made()["conditions.md"]
    assert [unit for unit in UNITS if f"`{unit}`" not in page] == []


def test_a_page_of_a_code_that_is_gone_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "FOLDER", tmp_path)
    (tmp_path / "diagnostics").mkdir()
    (tmp_path / "diagnostics" / "RB999.md").write_text("# RB999: gone\n")

    writing.write()

    assert writing.stray(made()) == []
    assert (tmp_path / "diagnostics" / "RB301.md").is_file()
