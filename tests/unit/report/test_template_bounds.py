"""Templates of others run in bounds of time and memory, apart from this process and its environment."""

import sys
from pathlib import Path

import pytest

from runbook_engine.errors import UsageError
from runbook_engine.own_templates import BOUNDS, Bounds, fill_bounded

SHORT = Bounds(seconds=0.3)
SMALL = Bounds(characters=1_000)


def told(text: str, folder: Path, bounds: Bounds) -> str:
    template = folder / "own.txt"
    template.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as raised:
        fill_bounded(template, [folder], {"texts": ["a"]}, bounds=bounds)
    return str(raised.value).removeprefix(str(template))


@pytest.mark.parametrize(
    "text",
    [
        "one\n{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "\n{% macro again() %}{% for i in range(99999) %}{% set x = texts|sort %}{% endfor %}{{ again() }}{% endmacro %}"
        "{{ again() }}",
    ],
    ids=["loops in loops", "macros that call themselves"],
)
def test_what_takes_too_long_is_ended_and_its_line_is_told(text: str, tmp_path: Path) -> None:
    assert told(text, tmp_path, SHORT) == ":2: it takes more than 0.3 s to render, and is ended"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not bound the memory of one process")
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n{{ texts[0] * 10**10 }}", ":2"),
        ("\n\n{{ '%10000000000d' % texts|length }}", ":3"),
        ("{{ texts[0]|center(10**10) }}", ":1"),
        ("{% set x = namespace(t='a' * 1000) %}{% for i in range(99) %}{% set x.t = x.t ~ x.t %}{% endfor %}", ":1"),
    ],
    ids=["repeated", "padded", "centred", "doubled"],
)
def test_what_takes_too_much_memory_is_ended_and_its_line_is_told(text: str, line: str, tmp_path: Path) -> None:
    assert told(text, tmp_path, BOUNDS) == f"{line}: it takes more than 512 MiB of memory to render, and is ended"


@pytest.mark.skipif(sys.platform != "linux", reason="the system ends it, by its processor time")
def test_what_no_signal_stops_is_ended_by_the_system(tmp_path: Path) -> None:
    text = "{% set x = 9 ** (9 ** 8) %}{{ (x ** x) is number }}"
    assert told(text, tmp_path, SHORT) == ": it takes more time or memory to render than a template may take"


def test_what_is_too_long_is_not_taken(tmp_path: Path) -> None:
    text = "{% for i in range(2000) %}a{% endfor %}"
    assert told(text, tmp_path, SMALL) == ": what it makes is longer than 1000 characters"


def test_a_macro_without_an_end_is_a_mistake_with_a_line(tmp_path: Path) -> None:
    found = told("\n{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}", tmp_path, BOUNDS)
    assert found.startswith(":2: RecursionError: ")


def test_nothing_of_the_environment_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:planted-hunter2@db/shop")
    template = tmp_path / "own.txt"
    filters = {"variable": "os:getenv"}
    template.write_text("{{ 'DATABASE_URL'|variable }} {{ texts[0] }}", encoding="utf-8")
    assert fill_bounded(template, [tmp_path], {"texts": ["é\n"]}, filters=filters) == "None é\n"


def test_a_process_that_starts_nowhere_near_the_package_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "jinja2.py").write_text("raise SystemExit('somebody else')", encoding="utf-8")
    (tmp_path / "own.txt").write_text("here", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert fill_bounded(Path("own.txt"), [Path()], {}) == "here"
