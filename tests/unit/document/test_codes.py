"""Every code has a page, and the documents on it are what the page says of them."""

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

from runbook_engine.alerting.audit import audit
from runbook_engine.cli.check_files import CheckedFile, Checker
from runbook_engine.document import CODES, DiagnosticLevel, render_all
from runbook_engine.document.pages import Example, Page, Settings, page, read
from runbook_engine.errors import UsageError
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

GOLDEN = Path(__file__).parents[2] / "golden" / "check" / "codes"
PAGES = files("runbook_engine.document").joinpath("codes")
REPEATED = re.compile(r"^(?P<line>.*)\n *# …[^\n]*\n", re.MULTILINE)


@cache
def registry() -> Registry:
    return Registry()


def existing(code: str) -> Page:
    assert PAGES.joinpath(f"{code}.md").is_file(), (
        f"{code} has no page: write src/runbook_engine/document/codes/{code}.md, "
        "with a document that has the mistake below ## Wrong and one without it below ## Right"
    )
    return page(code)


def written(example: Example, settings: Settings) -> bytes:
    def many(found: re.Match[str]) -> str:
        return "".join(found["line"].replace("1", str(number)) + "\n" for number in range(1, settings.repeat + 1))

    return REPEATED.sub(many, example.text).encode(settings.encoding)


def checked(folder: Path, examples: Sequence[Example], settings: Settings) -> CheckedFile:
    """The first of the examples, with the others beside it; rules of alerts are held against the runbooks beside them."""
    for each in examples:
        file = folder / each.file
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(written(each, settings))
    first, rules = (
        folder / examples[0].file,
        [folder / each.file for each in examples if each.file.startswith("rules/")],
    )
    if rules:
        found = {Path(each.file): each for each in audit(rules, Library((folder,)))}
        return CheckedFile(found[first].file, found[first].text, found[first].diagnostics)
    return Checker(registry(), Library((folder,))).file(first)


def test_no_page_is_about_a_code_that_does_not_exist() -> None:
    assert {each.name.removesuffix(".md") for each in PAGES.iterdir() if each.name.endswith(".md")} <= set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page_with_its_title_and_how_to_suppress_it(code: str) -> None:
    found = existing(code)

    assert (found.code, found.title) == (code, CODES[code])
    assert found.body.rstrip().split("\n## ")[-1].startswith("Suppressing\n")
    assert len(found.summary) > 30
    assert "# …" not in found.right[0].text


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_document_of_a_page_has_its_mistake_and_no_other_and_the_right_one_has_none(
    code: str, tmp_path: Path
) -> None:
    found = existing(code)

    wrong = checked(tmp_path / "wrong", found.wrong, found.settings).diagnostics
    right = checked(tmp_path / "right", found.right, Settings()).diagnostics

    assert {each.code for each in wrong} == {code, *found.settings.also}, [str(each) for each in wrong]
    assert {each.level for each in wrong if each.code == code} == {found.level}
    assert [str(each) for each in right if each.level is not DiagnosticLevel.NOTE and each.suppressed is None] == []
    assert code not in {each.code for each in right}


@pytest.mark.parametrize("code", CODES)
def test_the_wrong_document_of_a_page_is_reported_as_in_its_golden_file(
    code: str, tmp_path: Path, golden: Callable[[Path, str], None]
) -> None:
    found = existing(code)

    wrong = checked(tmp_path, found.wrong, found.settings)

    shown = render_all([each for each in wrong.diagnostics if each.code == code], {wrong.file: wrong.text})
    for place, name in ((f"{tmp_path}/", ""), (str(tmp_path), "FOLDER")):
        shown = shown.replace(place, name)
    golden(GOLDEN / f"{code}.out", shown + "\n")


def test_there_is_no_golden_file_of_a_code_that_does_not_exist() -> None:
    assert {each.stem for each in GOLDEN.iterdir()} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_the_comment_that_a_page_proposes_suppresses_its_warning(code: str, tmp_path: Path) -> None:
    found = existing(code)
    comment = re.search(
        rf"^# runbook: ignore\[{code}\] because .+$", found.body.partition("## Suppressing")[2], re.MULTILINE
    )
    if found.level is DiagnosticLevel.ERROR or code.startswith("RB1"):
        assert comment is None
        return
    assert comment is not None
    before = checked(tmp_path / "before", found.wrong, found.settings)
    lines = before.text.splitlines(keepends=True)
    for number in sorted({each.span.line for each in before.diagnostics if each.code == code}, reverse=True):
        lines.insert(number - 1, comment[0] + "\n")

    first = Example(found.wrong[0].file, "".join(lines))
    after = checked(tmp_path / "after", [first, *found.wrong[1:]], found.settings)

    assert {each.suppressed is not None for each in after.diagnostics if each.code == code} == {True}
    assert "RB126" not in {each.code for each in after.diagnostics}


def test_a_page_is_found_by_its_code_in_any_case() -> None:
    assert page(" rb203 ").code == "RB203"


def test_an_unknown_code_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(UsageError, match=r"there is no code 'RB2O3'; did you mean .RB2.."):
        page("RB2O3")


@pytest.mark.parametrize(
    ("text", "lack"),
    [
        ("Some text.\n", 'a page begins with "# RB101: its title"'),
        ("# RB101: a title\n\nText.\n", 'a page has a section "## Wrong"'),
        ("# RB101: a title\n\n## Wrong\n\n```yaml\na: 1\n```\n", 'a page has a section "## Right"'),
    ],
)
def test_a_page_without_its_parts_is_refused(text: str, lack: str) -> None:
    with pytest.raises(ValueError, match=re.escape(lack)):
        read(text)


def test_the_first_paragraph_of_a_page_is_its_summary_and_names_of_files_stand_behind_yaml() -> None:
    found = read(
        "---\nlevel: warning\nalso: [RB208]\n---\n# RB206: a title\n\nOne\nline.\n\nMore.\n\n"
        '## Wrong\n\n```yaml title="x/a.yaml"\na: 1\n```\n\n```yaml title="b.yaml"\nb: 1\n```\n\n## Right\n\n```yaml\nc: 1\n```\n'
    )

    assert (found.summary, found.level, found.settings.also) == ("One line.", DiagnosticLevel.WARNING, ("RB208",))
    assert found.wrong == (Example("x/a.yaml", "a: 1\n"), Example("b.yaml", "b: 1\n"))
    assert found.right == (Example("example.yaml", "c: 1\n"),)
    assert found.body.startswith("# RB206: a title\n")
