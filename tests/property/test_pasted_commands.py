"""Commands that people paste: bash sees the words that were meant, on one line, and does nothing else."""

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runbook_engine.hostile import harmless
from runbook_engine.pasteable import operands, pasteable
from runbook_engine.secret import Secret

HOSTILE = (
    "",
    "; rm -rf ~",
    "$(touch owned)",
    "`touch owned`",
    "a' ; touch owned ; '",
    'a" ; touch owned ; "',
    "one\ntouch owned\n",
    "tab\there",
    "\x1b]0;owned\x07",
    "\x9b2J",
    "safe\u202egnp.exe",
    "zero\u200bwidth",
    "~/x",
    "*",
    "!!",
    "\\",
    "é ü 日本",
    "-rf",
    "--token=x",
    "a=b",
    "#c",
    "&& x",
    "\x7f1",
    "\x011",
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def words_of(line: str, folder: Path, **environ: str) -> list[str]:
    """What bash makes of the line that follows ``set --``."""
    script = f"set -- {line}\nprintf '%s\\0' \"$@\""
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        check=True,
        cwd=folder,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin", **environ},
        timeout=60,
    )
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pasted")


def test_each_hostile_word_stays_one_word_on_one_line(folder: Path) -> None:
    line = pasteable("runbook", *HOSTILE)
    assert harmless(line) == line
    assert "\n" not in line
    assert words_of(line, folder) == ["runbook", *HOSTILE]
    assert list(folder.iterdir()) == []


@given(st.lists(TEXTS, max_size=8))
@settings(max_examples=60, deadline=None)
@example(["\udcff.yaml"])
@example(["\x1b" + "33"])
def test_any_words_come_back_from_bash_as_they_were(folder: Path, words: list[str]) -> None:
    line = pasteable("runbook", *words)
    assert harmless(line) == line
    assert "\n" not in line
    assert words_of(line, folder) == ["runbook", *words]


@given(TEXTS, TEXTS)
@settings(max_examples=60, deadline=None)
@example("$(touch owned)", "!!`x`")
@example("\n", '"\\')
def test_what_stands_around_a_secret_is_text_and_its_variable_is_filled_in(
    folder: Path, before: str, behind: str
) -> None:
    before, behind = before.replace("$", ""), behind.replace("$", "")
    if behind[:1].isascii() and (behind[:1].isalnum() or behind[:1] == "_"):
        behind = f"/{behind}"
    line = pasteable(Secret(f"{before}hidden-value{behind}", f"{before}$DB_PASSWORD{behind}"))
    assert "hidden-value" not in line
    assert words_of(line, folder, DB_PASSWORD="hidden-value") == [f"{before}hidden-value{behind}"]


@pytest.mark.parametrize("display", ["Bearer $TOKEN$(touch owned)", 'x"; touch owned; "$TOKEN', "`touch owned`$TOKEN"])
def test_a_command_in_what_is_shown_of_a_secret_is_not_run(folder: Path, display: str) -> None:
    words_of(pasteable(Secret("revealed", display)), folder, TOKEN="t")
    assert list(folder.iterdir()) == []


def test_a_word_with_a_hyphen_is_no_option_at_the_end_of_a_command() -> None:
    assert pasteable("runbook", "check", *operands("-rf.yaml")) == "runbook check -- -rf.yaml"
    assert pasteable("runbook", "check", *operands("a b.yaml")) == "runbook check 'a b.yaml'"


def test_a_plain_command_reads_as_before() -> None:
    words = ["aws", "ecs", "describe-services", "--cluster", "shop prod"]
    assert pasteable(*words) == shlex.join(words)
