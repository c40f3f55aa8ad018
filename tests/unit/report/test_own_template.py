from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runbook_engine.engine.trace import Trace
from runbook_engine.errors import UsageError
from runbook_engine.report import ReportFormat, render

Write = Callable[[str, str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, text: str) -> Path:
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return write


def test_it_sees_all_that_the_json_format_has(write: Write, traces: Mapping[str, Trace]) -> None:
    template = write(
        "own.txt", "{{ report.schema }} {{ report.runbook.owner }} {{ report.steps[2].reading.used.value }}\n"
    )
    rendered = render(traces["critical"], ReportFormat.TEXT, template=template)
    assert rendered == "runbook.report/v1 operations 93\n"


def test_it_sees_what_is_derived(write: Write, traces: Mapping[str, Trace]) -> None:
    template = write(
        "own.txt",
        "{{ verdict }}|{{ ran }}|{{ causes|map(attribute='id')|join(' ') }}|{{ symptoms|length }}|"
        "{{ resolutions[0].title }}: {{ resolutions[0].findings|length }}|{{ report.duration_ms|duration }}",
    )
    assert render(traces["critical"], ReportFormat.TEXT, template=template).split("|") == [
        "2 causes found for 1 symptom; 2 things could not be seen.",
        "6 of 7 steps ran in 9.41 s",
        "slow_queries connections_high",
        "1",
        "Database optimization: 2",
        "9.41 s",
    ]


@pytest.mark.parametrize("name", ["page.html", "page.html.j2", "page.htm", "feed.xml", "PAGE.HTML"])
def test_values_are_escaped_where_the_file_is_markup(name: str, write: Write, traces: Mapping[str, Trace]) -> None:
    template = write(name, "{{ report.runbook.title }}")
    assert render(traces["critical"], ReportFormat.TEXT, template=template) == "High response times (&gt;500 ms)"


def test_values_are_escaped_where_the_format_is_html(write: Write, traces: Mapping[str, Trace]) -> None:
    template = write("page.tpl", "{{ report.runbook.title }}")
    assert render(traces["critical"], ReportFormat.HTML, template=template) == "High response times (&gt;500 ms)"


def test_other_files_are_plain_text(write: Write, traces: Mapping[str, Trace]) -> None:
    template = write("page.txt.j2", "{{ report.runbook.title }}")
    assert render(traces["critical"], ReportFormat.TEXT, template=template) == "High response times (>500 ms)"


def test_markdown_can_be_made_safe(write: Write, traces: Mapping[str, Trace]) -> None:
    template = write("page.md", "{{ '*x*'|inline }} {{ 'a`b'|code }}")
    assert render(traces["critical"], ReportFormat.MARKDOWN, template=template) == "\\*x\\* ``a`b``"


def test_files_beside_it_can_be_included(write: Write, traces: Mapping[str, Trace]) -> None:
    write("part.txt", "{{ report.outcome }}")
    template = write("whole.txt", "outcome: {% include 'part.txt' %}")
    assert render(traces["warning"], ReportFormat.TEXT, template=template) == "outcome: warning"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("one\n\n{% if %}\n", 3, "Expected an expression"),
        ("one\n{{ report.outcom }}", 2, "has no attribute 'outcom'"),
        ("{{ nothing }}", 1, "'nothing' is undefined"),
        ("\n{{ 1 / 0 }}", 2, "ZeroDivisionError: division by zero"),
        ("\n\n{{ ''.__class__.__mro__ }}", 3, "'__class__' of 'str' object is unsafe"),
        ("\n{{ report|nofilter }}", 2, "No filter named 'nofilter'"),
        ("\n{{ range(10 ** 9)|list }}", 2, "Range too big"),
    ],
)
def test_a_mistake_names_file_and_line(
    text: str, line: int, message: str, write: Write, traces: Mapping[str, Trace]
) -> None:
    template = write("own.txt", text)
    with pytest.raises(UsageError) as raised:
        render(traces["critical"], ReportFormat.TEXT, template=template)
    assert str(raised.value).startswith(f"{template}:{line}: ")
    assert message in str(raised.value)


def test_a_mistake_in_an_included_file_names_that_file(write: Write, traces: Mapping[str, Trace]) -> None:
    part = write("part.txt", "\n\n{{ report.nope }}")
    template = write("own.txt", "{% include 'part.txt' %}")
    with pytest.raises(UsageError, match=r"nope") as raised:
        render(traces["critical"], ReportFormat.TEXT, template=template)
    assert str(raised.value).startswith(f"{part}:3: ")


def test_a_missing_template_is_named(tmp_path: Path, traces: Mapping[str, Trace]) -> None:
    with pytest.raises(UsageError, match=r"there is no template .*absent\.txt"):
        render(traces["critical"], ReportFormat.TEXT, template=tmp_path / "absent.txt")


def test_a_missing_part_is_named_with_the_line_that_wants_it(write: Write, traces: Mapping[str, Trace]) -> None:
    template = write("own.txt", "\n{% include 'absent.txt' %}")
    with pytest.raises(UsageError, match=r"own\.txt:2: there is no template .*absent\.txt"):
        render(traces["critical"], ReportFormat.TEXT, template=template)


def test_a_template_that_is_not_text_is_refused(tmp_path: Path, traces: Mapping[str, Trace]) -> None:
    template = tmp_path / "own.txt"
    template.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="cannot be read"):
        render(traces["critical"], ReportFormat.TEXT, template=template)
