"""What others write never does anything in a report: not in a terminal, a browser, a chat or a CI system."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from runbook_engine.engine.trace import Trace
from runbook_engine.graph.drawing import svg
from runbook_engine.hostile import harmless, one_line
from runbook_engine.report import ReportFormat, overlay_of, render

Plant = Callable[[str], Trace]
ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
TEXTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></style></textarea><iframe src=//evil.example>",
    "]]><!-- --><![CDATA[",
    "</details></summary><h1>all is well</h1>",
    "javascript:alert(1)",
    "[click](https://evil.example) <https://evil.example> https://evil.example www.evil.example",
    "![x](https://evil.example/pixel.png)",
    "@channel @everyone <!channel> #1",
    "`` ` ``` ` ``\n```\n# out of the block",
    "| a | b |\n|---|---|\n| c | d |",
    "# heading\n\n- [x] done\n\n> quote\n\n---",
    "\x1b[2J\x1b[31mred\x1b]0;title\x07\x1b]8;;https://evil.example\x1b\\link\x9b31m",
    "\r overwritten\b\b\b",
    "\u202egnp.exe \u2066hidden\u2069 \u200b\ufeff",
    "\x00\x01\ufffe\uffff",
    "\n",
    "{{ 7 * 7 }} {% for x in y %} {# comment #} ${HOME} %s {0}",
    "\U000e0041\U000e0042",
]
texts = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=60),
    st.text("<>&\"'`|*_[]()#@!\\~\n\r\t\x1b\x9b\u202e{}%- ab1.:/", max_size=60),
    st.tuples(st.sampled_from(TEXTS), st.text(max_size=20)).map("".join),
)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


class Shape(HTMLParser):
    """The elements and attributes that a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: set[tuple[str, str]] = set()
        self.addresses: set[str] = set()
        self.scripts = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.found |= {(tag, ""), *((tag, name) for name, _ in attrs)}
        self.addresses |= {value or "" for name, value in attrs if name in ("href", "src", "action")}


def commonmark(markdown: str) -> str:
    html: str = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).render(markdown)
    return html


@FEW
@given(texts)
def test_a_page_has_the_same_elements_whatever_is_in_it(hostile: Plant, text: str) -> None:
    usual = Shape(render(hostile("usual text"), ReportFormat.HTML))
    found = Shape(render(hostile(text), ReportFormat.HTML))
    assert found.found <= usual.found | {("tspan", ""), ("title", "")}
    assert found.scripts == 1
    own = ("#", "data:image/svg+xml,", "https://example.com/")
    assert all(each.startswith(own) or re.match(r"https?://", text.strip()) for each in found.addresses)


@FEW
@given(texts)
def test_markdown_has_the_same_elements_whatever_is_in_it(hostile: Plant, text: str) -> None:
    usual = Shape(commonmark(render(hostile("usual text"), ReportFormat.MARKDOWN)))
    found = Shape(commonmark(render(hostile(text), ReportFormat.MARKDOWN)))
    assert {tag for tag, _ in found.found} <= {tag for tag, _ in usual.found} | {"code", "pre"}
    assert all(each.startswith("https://example.com/") or re.match(r"https?://", text) for each in found.addresses)


@FEW
@given(texts)
def test_markdown_calls_nobody(hostile: Plant, text: str) -> None:
    report = render(hostile(f"@ops {text.replace('`', '')}"), ReportFormat.MARKDOWN)
    prose = re.sub(r"(?s)```.*?```|`[^`]*`|\]\(<[^>]*>\)", "", report)
    assert not re.search(r"(?<![\w`/])@\w", prose)


@FEW
@given(texts)
def test_junit_is_well_formed_whatever_is_in_it(hostile: Plant, text: str) -> None:
    root = ET.fromstring(render(hostile(text), ReportFormat.JUNIT))
    assert {each.tag for each in root.iter()} <= {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped", "system-out",
    }  # fmt: skip


@FEW
@given(texts)
def test_a_picture_is_well_formed_whatever_is_in_it(hostile: Plant, text: str) -> None:
    trace = hostile(text)
    root = ET.fromstring(svg(trace.document, overlay_of(trace)))
    assert not any(name.startswith("on") or name.endswith("href") for each in root.iter() for name in each.attrib)


@FEW
@given(texts)
def test_json_is_json_whatever_is_in_it(hostile: Plant, text: str) -> None:
    assert json.loads(render(hostile(text), ReportFormat.JSON))["findings"][0]["level"] == "critical"


@FEW
@given(texts, st.sampled_from(ReportFormat))
def test_no_format_holds_a_character_that_acts_or_hides(hostile: Plant, text: str, format_: ReportFormat) -> None:
    assert ACTS.findall(render(hostile(text), format_)) == []


@FEW
@given(texts)
def test_the_only_escapes_in_a_terminal_are_our_colours(hostile: Plant, text: str) -> None:
    coloured = render(hostile(text), ReportFormat.TEXT, color=True)
    assert ACTS.findall(re.sub(r"\x1b\[(?:1;)?\d{1,2}m|\x1b\[0m", "", coloured)) == []


@FEW
@given(texts)
def test_nothing_that_others_write_is_run_as_a_template(hostile: Plant, text: str) -> None:
    for each in ReportFormat:
        assert "31337" not in render(hostile(f"{{{{ 173 * 181 + 24 }}}} {text}"), each)


@pytest.mark.parametrize("text", TEXTS)
def test_nothing_hostile_is_lost_without_a_trace(text: str) -> None:
    assert len(harmless(text.replace("\r\n", "\n"))) >= len(text.replace("\r\n", "\n"))


@given(st.text())
def test_harmless_text_stays_as_it_is(text: str) -> None:
    clean = harmless(text)
    assert harmless(clean) == clean
    assert not ACTS.search(clean)


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a␛[31mb"),
        ("a\u202eb", "a⟨U+202E⟩b"),
        ("a\x7fb", "a␡b"),
        ("a\x9bb", "a⟨U+009B⟩b"),
        ("a\rb", "a␍b"),
        ("a\r\nb\tc", "a\nb\tc"),
        ("👩\u200d💻 naïve 日本", "👩\u200d💻 naïve 日本"),
    ],
)
def test_what_acts_is_shown_and_what_reads_is_kept(text: str, shown: str) -> None:
    assert harmless(text) == shown
