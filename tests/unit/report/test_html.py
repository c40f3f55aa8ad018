import base64
import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from runbook_engine.engine.trace import Trace
from runbook_engine.graph.drawing.palette import DARK, LIGHT
from runbook_engine.report import ReportFormat, render

NAMES = ["healthy", "warning", "critical", "called", "inconclusive", "interrupted"]
VOID = {"meta", "link", "input", "br"}


class Page(HTMLParser):
    """Elements with their attributes and texts; refuses what does not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self._open[-1] if self._open else "", " ".join(data.split())))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def told(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]

    @property
    def ids(self) -> list[str]:
        return [each["id"] or "" for _, each in self.elements if "id" in each]


def page(trace: Trace) -> Page:
    return Page(render(trace, ReportFormat.HTML))


@pytest.mark.parametrize("name", NAMES)
def test_it_nests_and_every_id_stands_once(name: str, traces: Mapping[str, Trace]) -> None:
    assert [each for each, number in Counter(page(traces[name]).ids).items() if number > 1] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_link_within_the_page_leads_somewhere(name: str, traces: Mapping[str, Trace]) -> None:
    found = page(traces[name])
    targets = {(each["href"] or "")[1:] for each in found.all("a") if (each["href"] or "").startswith("#")}
    assert targets
    assert targets <= set(found.ids)


@pytest.mark.parametrize("name", NAMES)
def test_it_needs_nothing_from_elsewhere(name: str, traces: Mapping[str, Trace]) -> None:
    text = render(traces[name], ReportFormat.HTML)
    found = Page(text)
    assert not [each for _, each in found.elements if "src" in each or "srcset" in each]
    assert [each["href"] for each in found.all("link") if not (each["href"] or "").startswith("data:")] == []
    assert "@import" not in text
    assert re.findall(r"url\((?!#)", text) == []


def test_its_policy_admits_its_own_style_and_script_and_nothing_else(traces: Mapping[str, Trace]) -> None:
    text = render(traces["critical"], ReportFormat.HTML)
    policy = next(
        each["content"] or "" for each in Page(text).all("meta") if each.get("http-equiv") == "Content-Security-Policy"
    )
    for kind in ("style", "script"):
        contents = re.findall(f"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(contents[0].encode()).digest()).decode()
        assert len(contents) == 1
        assert f"{kind}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", NAMES)
def test_it_has_no_inline_style_that_its_policy_would_refuse(name: str, traces: Mapping[str, Trace]) -> None:
    assert [
        each for _, each in page(traces[name]).elements if "style" in each or any(key.startswith("on") for key in each)
    ] == []


def test_findings_come_before_remedies_blind_spots_path_and_steps(traces: Mapping[str, Trace]) -> None:
    sections = [each["id"] for each in page(traces["critical"]).all("section")]
    assert sections == ["findings", "symptoms", "todo", "blind", "path", "steps", "prevention", "run", "references"]


def test_a_healthy_page_has_no_empty_sections(traces: Mapping[str, Trace]) -> None:
    assert [each["id"] for each in page(traces["healthy"]).all("section")] == ["path", "steps", "run", "references"]


def test_the_title_tells_the_outcome(traces: Mapping[str, Trace]) -> None:
    found = page(traces["critical"])
    assert found.told("title")[0] == "Critical: High response times (>500 ms)"
    assert found.told("h1") == ["High response times (>500 ms)"]


def test_headings_go_down_one_level_at_a_time(traces: Mapping[str, Trace]) -> None:
    levels = [int(tag[1]) for tag, _ in page(traces["critical"]).elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 or (before, after) == (2, 4) for before, after in pairwise(levels))


def test_each_step_that_ran_opens_to_its_reading_and_its_command(traces: Mapping[str, Trace]) -> None:
    found = page(traces["critical"])
    steps = [each["id"] for each in found.all("details")]
    assert steps == [
        "step-response_time",
        "step-database",
        "step-cache",
        "step-compute",
        "step-slow_queries",
        "step-deployed",
    ]
    assert 'psql "$DATABASE_URL" -c "SELECT state, count(*) FROM pg_stat_activity GROUP BY state"' in found.told("code")
    assert {"longest_query_age", "4.2 s"} <= {text for _, text in found.texts}


def test_the_steps_of_a_called_runbook_have_places_of_their_own(traces: Mapping[str, Trace]) -> None:
    found = page(traces["called"])
    assert "step-health_check.targets" in found.ids
    assert len([each for each in found.all("svg") if "rb-graph" in (each.get("class") or "")]) == 2


def test_resolutions_are_lists_to_tick_off(traces: Mapping[str, Trace]) -> None:
    boxes = [each for each in page(traces["critical"]).all("input") if each["type"] == "checkbox"]
    assert len(boxes) == 5


def test_light_and_dark_can_be_chosen_without_a_script(traces: Mapping[str, Trace]) -> None:
    text = render(traces["critical"], ReportFormat.HTML)
    assert [each["id"] for each in Page(text).all("input") if each["type"] == "radio"] == [
        "theme-auto",
        "theme-light",
        "theme-dark",
    ]
    assert f":root:has(#theme-dark:checked){{color-scheme:dark;--rb-page:{DARK['page']}" in text
    assert "@media(prefers-color-scheme:dark){:root:not(:has(#theme-light:checked))" in text


def test_every_colour_of_the_page_is_one_of_the_palette(traces: Mapping[str, Trace]) -> None:
    used = set(re.findall(r"var\(--rb-([a-z-]+)\)", render(traces["critical"], ReportFormat.HTML)))
    assert used <= set(LIGHT)


def test_secrets_show_as_the_variable_that_holds_them(traces: Mapping[str, Trace]) -> None:
    assert "$DATABASE_URL" in page(traces["critical"]).told("td")


def test_an_inconclusive_page_says_that_it_is_no_bill_of_health(traces: Mapping[str, Trace]) -> None:
    assert any("This does not mean that it is healthy." in text for text in page(traces["inconclusive"]).told("p"))


def test_a_wide_picture_scrolls_rather_than_shrinks_to_nothing(traces: Mapping[str, Trace]) -> None:
    text = render(traces["critical"], ReportFormat.HTML)
    width = next(float(each["width"] or 0) for each in Page(text).all("svg") if "rb-graph" in (each.get("class") or ""))
    least = re.search(r"#graph-0 svg\{min-width:(\d+)px\}", text)
    assert least is not None
    assert 0.6 * width < int(least.group(1)) < width
    assert re.search(r"\.graph\{overflow-x:auto", text)
