import re
from collections.abc import Mapping
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from runbook_engine.engine.trace import Trace
from runbook_engine.report import ReportFormat, render
from runbook_engine.report.markdown import cell, code, fenced, inline, link, summary

MARKDOWN = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])


class Read(HTMLParser):
    """What a reader of the rendered Markdown sees: texts, and the elements around them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


def read(markdown: str) -> Read:
    return Read(MARKDOWN.render(markdown))


@pytest.mark.parametrize(
    "text",
    [
        "p95 1.24 s > 1 s",
        "error_rate 0 % < 5 %",
        "# no heading",
        "> no quote",
        "- no list",
        "1. no list",
        "1) no list",
        "12 h",
        "*not* _emphasis_ **strong** ~~gone~~",
        "snake_case_name and __dunder__",
        "<script>alert(1)</script>",
        "a < b & c",
        "&lt; &amp; &#64;",
        "![x](y) [x](y) [x]: y",
        "`code` ``more``",
        "back\\slash \\* \\",
        "| a | b |",
        "===",
        "---",
        "$x$",
        "~",
        "trailing two spaces  ",
    ],
)
def test_text_reads_as_it_is(text: str) -> None:
    found = read(f"**x** {inline(text)}\n\n{inline(text)}\n")
    shown = " ".join(text.split())
    assert found.text.replace("\u2060", "") == f"x {shown}\n{shown}\n"
    assert set(found.tags) <= {"p", "strong"}


@pytest.mark.parametrize("text", ["@everyone", "ask @team/ops", "(@bob)", "see #123", "#1"])
def test_nobody_is_called_and_nothing_is_linked(text: str) -> None:
    assert not re.search(r"(?<!\w)[@#]\w", inline(text))
    assert not re.search(r"(?<!\w)[@#]\w", summary(text))
    assert inline(text).replace("\u2060", "").replace("\\", "") == text


def test_an_address_can_be_copied_and_not_followed() -> None:
    found = read(inline("see https://evil.example/a_b_c?x=*1* now"))
    assert found.tags == ["p", "code"]
    assert found.text == "see https://evil.example/a_b_c?x=*1* now\n"


def test_a_mail_address_stays_whole() -> None:
    assert inline("ops@example.com") == "ops@example.com"


@pytest.mark.parametrize("text", ["x", "`", "``", "a`b", "`a`", "", "a``b`", " x "])
def test_a_code_span_holds_whatever_is_in_it(text: str) -> None:
    found = read(f"a {code(text)} b")
    assert found.tags == (["p", "code"])
    assert found.text.split() == ["a", *text.split(), "b"]


def test_a_bar_does_not_end_a_cell() -> None:
    found = read(f"| a | b |\n|---|---|\n| {cell('x | y')} | {inline('p | q')} |\n")
    assert found.tags.count("td") == 2
    assert "x | y" in found.text
    assert "p | q" in found.text


@pytest.mark.parametrize("text", ["x", "```\n# out\n```", "````", "a\n~~~\nb"])
def test_a_code_block_holds_whatever_is_in_it(text: str) -> None:
    found = read(f"{fenced(text, 'sh')}\n\nafter\n")
    assert found.tags == ["pre", "code", "p"]
    assert found.text.startswith(text)


def test_only_web_addresses_of_the_author_become_links() -> None:
    assert link("Redis", "https://redis.io/a(b) c") == "[Redis](<https://redis.io/a%28b%29%20c>)"
    assert read(link("x](y", "javascript:alert(1)")).tags == ["p", "code"]


def test_findings_have_headings_evidence_tables_and_checklists(traces: Mapping[str, Trace]) -> None:
    report = render(traces["critical"], ReportFormat.MARKDOWN)
    assert report.startswith("## 🔴 Critical: High response times (>500 ms)\n")
    assert "#### 🔴 The slowest statement takes 412 ms on average\n\n`slowest_mean 412 ms > 100 ms`" in report
    assert "| query | calls | mean | total |" in report
    assert "- [ ] Identify and optimize slow queries" in report


def test_each_step_that_ran_folds_away_with_its_command(traces: Mapping[str, Trace]) -> None:
    report = render(traces["critical"], ReportFormat.MARKDOWN)
    assert report.count("<details>") == report.count("</details>") == 6
    assert '```sh\npsql "$DATABASE_URL" -c "SELECT state, count(*)' in report


@pytest.mark.parametrize("name", ["healthy", "warning", "critical", "called", "inconclusive", "interrupted"])
def test_every_table_has_as_many_cells_in_each_row(name: str, traces: Mapping[str, Trace]) -> None:
    block: list[str] = []
    for line in [*render(traces[name], ReportFormat.MARKDOWN).splitlines(), ""]:
        if line.startswith("|"):
            block.append(line)
        else:
            assert len({len(re.findall(r"(?<!\\)\|", row)) for row in block}) <= 1
            block = []


def test_blocks_are_separated_by_one_empty_line(traces: Mapping[str, Trace]) -> None:
    for trace in traces.values():
        report = render(trace, ReportFormat.MARKDOWN)
        assert "\n\n\n" not in report
        assert re.findall(r"[^\n]\n#{2,4} ", report) == []
