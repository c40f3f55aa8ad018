import re
from collections.abc import Callable
from itertools import combinations
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from runbook_engine.document.models import Runbook
from runbook_engine.graph.drawing import Overlay, svg
from runbook_engine.graph.drawing.icons import ICONS
from runbook_engine.graph.drawing.palette import DARK, LIGHT
from runbook_engine.graph.drawing.picture import NOT_REACHED

Make = Callable[..., Runbook]
SVG = "{http://www.w3.org/2000/svg}"
DECISION: dict[str, dict[str, JsonValue]] = {
    "a": {
        "title": "How slow is it?",
        "branches": [{"when": "p95 > 1s", "finding": "bad", "goto": ["b", "c"]}, {"else": "c"}],
        "on_error": [{"kind": "timeout", "finding": "mild", "goto": "d"}, {"else": "end"}],
    },
    "b": {"title": "Look at the database", "branches": [{"when": "full > 80%", "finding": "mild"}, {"else": "end"}]},
    "c": {"title": "Look at the cache", "branches": [{"else": "d"}]},
    "d": {"title": "Ask somebody", "ask": "Is it well?"},
}


def drawing(runbook: Runbook, overlay: Overlay | None = None) -> ET.Element:
    return ET.fromstring(svg(runbook, overlay))


def texts(root: ET.Element) -> list[str]:
    return ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


def with_class(root: ET.Element, tag: str, *names: str) -> list[ET.Element]:
    return [each for each in root.iter(f"{SVG}{tag}") if set(names) <= set(each.get("class", "").split())]


def step(root: ET.Element, title: str) -> ET.Element:
    found = [each for each in with_class(root, "g", "step") if title in texts(each)]
    assert len(found) == 1
    return found[0]


def rectangles(root: ET.Element) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of every card and label, where they are on the page."""
    found = []
    for block in with_class(root, "g", "step"):
        x, y = map(float, re.findall(r"[-\d.]+", block.get("transform", "")))
        for each in block.iter(f"{SVG}rect"):
            if each.get("class") in ("card", "label") and each.get("fill-opacity") is None:
                left, top = x + float(each.get("x", "0")), y + float(each.get("y", "0"))
                found.append((left, top, left + float(each.get("width", "0")), top + float(each.get("height", "0"))))
    return found


@st.composite
def decisions(draw: st.DrawFn) -> dict[str, dict[str, JsonValue]]:
    names = [f"s{index}" for index in range(draw(st.integers(1, 10)))]
    steps: dict[str, dict[str, JsonValue]] = {}
    for index, name in enumerate(names):
        later = st.lists(st.sampled_from(names[index + 1 :] or ["end"]), min_size=1, max_size=3, unique=True)
        branches: list[JsonValue] = [
            {"when": draw(st.text("p95 >_", min_size=1, max_size=120)), "goto": list(draw(later)), **finding}
            for finding in draw(st.lists(st.sampled_from([{}, {"finding": "bad"}]), max_size=3))
        ]
        routes: list[JsonValue] = [{"else": list(draw(later))}] if draw(st.booleans()) else []
        title = draw(st.text(max_size=80))
        steps[name] = {"title": title, "branches": [*branches, {"else": list(draw(later))}], "on_error": routes}
    return {name: {key: _ends(value) for key, value in each.items()} for name, each in steps.items()}


def _ends(value: JsonValue) -> JsonValue:
    """``[end]`` is written ``end``."""
    if isinstance(value, list):
        return "end" if value == ["end"] else [_ends(each) for each in value]
    return {key: _ends(each) for key, each in value.items()} if isinstance(value, dict) else value


@given(decisions())
def test_no_card_and_no_label_overlaps_another(runbook: Make, steps: dict[str, dict[str, JsonValue]]) -> None:
    for one, other in combinations(rectangles(drawing(runbook(steps, "s0"))), 2):
        assert (
            one[2] <= other[0] + 0.2 or other[2] <= one[0] + 0.2 or one[3] <= other[1] + 0.2 or other[3] <= one[1] + 0.2
        )


@given(decisions())
def test_every_step_is_drawn_and_described(runbook: Make, steps: dict[str, dict[str, JsonValue]]) -> None:
    root = drawing(runbook(steps, "s0"))
    blocks = with_class(root, "g", "step")
    assert len(blocks) == len(steps)
    assert all(block.find(f"{SVG}title") is not None for block in blocks)


def test_it_says_what_it_shows_to_those_who_hear_it(runbook: Make) -> None:
    root = drawing(runbook(DECISION, title="High response times"), Overlay(status={"a": "flagged", "b": "blind"}))
    labels = {each.get("id"): each.text for each in root if each.tag in (f"{SVG}title", f"{SVG}desc")}
    title, description = (labels[name] for name in root.get("aria-labelledby", "").split())
    assert title == "High response times"
    assert description is not None
    assert "Blind: Look at the database." in description
    assert "It starts with How slow is it?." in description


def test_ways_that_lead_to_the_same_steps_share_one_label(runbook: Make) -> None:
    ways: list[JsonValue] = [{"when": f"p95 > {index}s", "goto": ["b", "c", "d"]} for index in range(1, 5)]
    root = drawing(runbook({**DECISION, "a": {"title": "First", "branches": [*ways, {"else": ["d", "c", "b"]}]}}))
    first = step(root, "First")
    assert len(with_class(first, "rect", "label")) == 1
    assert [each for each in texts(first) if each.startswith(("p95", "else"))] == [
        "p95 > 1s",
        "p95 > 2s",
        "p95 > 3s",
        "p95 > 4s",
        "else",
    ]


def test_a_way_that_is_always_taken_needs_no_label(runbook: Make) -> None:
    assert "else" not in texts(step(drawing(runbook(DECISION)), "Look at the cache"))


def test_an_end_that_raises_nothing_is_left_out(runbook: Make) -> None:
    shown = texts(step(drawing(runbook(DECISION)), "Look at the database"))
    assert shown == ["Look at the database", "fake.one", "full > 80%", "mild"]


def test_findings_carry_the_sign_of_their_level(runbook: Make) -> None:
    first = step(drawing(runbook(DECISION)), "How slow is it?")
    assert len(with_class(first, "g", "critical-sign")) == 1
    assert len(with_class(first, "g", "warning-sign")) == 1


def test_error_routes_are_dashed(runbook: Make) -> None:
    root = drawing(runbook(DECISION))
    assert with_class(root, "path", "arrow", "error")
    assert re.search(r"\.error\{stroke-dasharray:", svg(runbook(DECISION)))


def test_the_path_taken_is_marked_and_told_with_what_was_measured(runbook: Make) -> None:
    overlay = Overlay(
        status={"a": "flagged", "b": "passed", "c": "passed", "d": "answered"},
        taken={"a": ("branches", 0), "c": ("branches", 0)},
        why={"a": "p95 1.24 s > 1 s"},
        note={"a": "1.3 s"},
    )
    root = drawing(runbook(DECISION), overlay)
    first = step(root, "How slow is it?")
    assert "critical" in first.get("class", "").split()
    assert {"p95 1.24 s > 1 s", "bad", "1.3 s"} <= set(texts(first))
    assert [each.text for each in with_class(first, "text", "row", "taken")] == ["p95 1.24 s > 1 s", "bad"]
    assert with_class(root, "path", "arrow", "taken")
    assert not with_class(root, "path", "arrow", "taken", "error")


def test_what_was_taken_lies_on_top_of_what_was_not(runbook: Make) -> None:
    overlay = Overlay(status={"a": "passed"}, taken={"a": ("branches", 1)})
    arrows = [each.get("class", "") for each in drawing(runbook(DECISION), overlay)[-1] if each.tag == f"{SVG}path"]
    last_other = max(index for index, names in enumerate(arrows) if "taken" not in names)
    first_taken = min(index for index, names in enumerate(arrows) if "taken" in names)
    assert last_other < first_taken


def test_a_blind_step_is_hatched_and_has_an_eye_struck_out(runbook: Make) -> None:
    root = drawing(runbook(DECISION), Overlay(status={"b": "blind"}))
    blind = step(root, "Look at the database")
    assert [each.get("fill") for each in blind.iter(f"{SVG}rect") if each.get("fill")] == ["url(#runbook-hatch)"]
    assert ET.tostring(with_class(blind, "g", "blind-sign")[0][0]) == ET.tostring(
        ET.fromstring(f'<g xmlns="{SVG[1:-1]}">{ICONS["blind"]}</g>')[0]
    )


@pytest.mark.parametrize("status", ["passed", "flagged", "blind", "skipped", "answered", NOT_REACHED])
def test_every_status_has_a_sign(runbook: Make, status: str) -> None:
    overlay = Overlay(status={} if status == NOT_REACHED else {"a": status})
    block = with_class(drawing(runbook({"a": {}}), overlay), "g", "step")[0]
    assert block.get("class", "").split()[1] == status.replace(" ", "-")


def test_a_called_runbook_a_question_and_a_probe_look_different(runbook: Make) -> None:
    signs = []
    for kind in ({"probe": "fake.one"}, {"ask": "Is it?"}, {"call": "other"}):
        block = with_class(drawing(runbook({"a": kind})), "g", "step")[0]
        signs.append(ET.tostring(with_class(block, "g", "muted-sign")[0]))
    assert len(set(signs)) == 3


HOSTILE = ['<script>alert("1")</script>', "]]><!--", "&lt;b&gt;", "a\x1b[31mb", "x\u202ey", '" onload="x', "\ufffe"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_of_others_stays_text(runbook: Make, text: str) -> None:
    steps: dict[str, dict[str, JsonValue]] = {"a": {"title": text, "branches": [{"when": text, "finding": "bad"}]}}
    drawn = svg(
        runbook(steps, title=text), Overlay(status={"a": "flagged"}, taken={"a": ("branches", 0)}, why={"a": text})
    )
    root = ET.fromstring(drawn)
    assert {each.tag.removeprefix(SVG) for each in root.iter()} <= {
        "svg", "title", "desc", "style", "rect", "defs", "pattern", "path", "g", "circle", "text",
    }  # fmt: skip
    assert not any(name.startswith("on") for each in root.iter() for name in each.attrib)
    assert "\x1b" not in drawn
    assert "\u202e" not in drawn


def test_alone_it_brings_its_colours_for_light_and_dark(runbook: Make) -> None:
    drawn = svg(runbook(DECISION))
    light, dark = drawn.split("@media(prefers-color-scheme:dark)")
    assert f"--rb-ink:{LIGHT['ink']}" in light
    assert f"--rb-ink:{DARK['ink']}" in dark


def test_every_colour_it_uses_is_one_of_the_palette(runbook: Make) -> None:
    used = set(re.findall(r"var\(--rb-([a-z-]+)\)", svg(runbook(DECISION))))
    assert used <= set(LIGHT)


def test_in_a_page_it_leaves_style_to_the_page(runbook: Make) -> None:
    assert "<style" not in svg(runbook(DECISION), standalone=False)


def test_steps_link_where_the_page_says(runbook: Make) -> None:
    root = ET.fromstring(svg(runbook(DECISION), standalone=False, link=lambda step: f"#{step}"))
    assert sorted(each.get("href", "") for each in root.iter(f"{SVG}a")) == ["#a", "#b", "#c", "#d"]


def test_two_pictures_on_one_page_share_no_id(runbook: Make) -> None:
    ids = [
        [each.get("id") for each in ET.fromstring(svg(runbook(DECISION), ident=ident)).iter() if each.get("id")]
        for ident in ("one", "two")
    ]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])


def test_one_step_makes_a_picture(runbook: Make) -> None:
    assert texts(drawing(runbook({"a": {"title": "Only this"}}))) == ["Only this", "fake.one"]


def test_arrows_to_steps_that_do_not_exist_are_left_out(runbook: Make) -> None:
    root = drawing(runbook({"a": {"branches": [{"else": ["b", "nowhere"]}]}, "b": {}}, start=["a", "gone"]))
    assert len(with_class(root, "path", "head")) == 2


def test_steps_that_lead_in_a_circle_are_drawn_with_the_circle_dashed(runbook: Make) -> None:
    steps: dict[str, dict[str, JsonValue]] = {"a": {"branches": [{"else": "b"}]}, "b": {"branches": [{"else": "a"}]}}
    root = drawing(runbook(steps))
    assert len(with_class(root, "path", "arrow", "error")) == 1
    assert len(with_class(root, "g", "step")) == 2


def test_a_step_that_nothing_leads_to_stands_beside_the_rest(runbook: Make) -> None:
    chain: dict[str, dict[str, JsonValue]] = {
        f"s{index}": {"branches": [{"else": f"s{index + 1}"}]} for index in range(5)
    }
    root = drawing(runbook({**chain, "s5": {}, "lost": {"title": "Lost", "branches": [{"else": "s5"}]}}, "s0"))
    tops = [float(re.findall(r"[-\d.]+", each.get("transform", ""))[1]) for each in with_class(root, "g", "step")]
    assert tops[-1] == tops[4]
