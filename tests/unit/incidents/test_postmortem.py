"""The blameless document of an incident, in every format."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import jsonschema
import pytest
from markdown_it import MarkdownIt
from tests.unit.incidents.stories import FORBIDDEN, LOCKED, NOW, at, attached, sent, shop_down
from tests.unit.report.traces import called

from runbook_engine.document.models import Severity
from runbook_engine.engine.events import Outcome
from runbook_engine.incidents import acting, afterwards, telling
from runbook_engine.incidents import events as e
from runbook_engine.incidents.html import incident_html
from runbook_engine.incidents.incident import Incident
from runbook_engine.incidents.policy import load_playbook_named
from runbook_engine.incidents.postmortem import postmortem
from runbook_engine.incidents.postmortem_model import postmortem_schema
from runbook_engine.incidents.rendering import PostmortemFormat, render

Lived = Callable[..., Incident]
PEOPLE = [PostmortemFormat.TEXT, PostmortemFormat.MARKDOWN, PostmortemFormat.HTML, PostmortemFormat.JSON]


def kinds(incident: Incident) -> list[str]:
    return [each.kind for each in postmortem(incident, at(999)).timeline]


def test_the_timeline_shows_what_matters_and_pins_change_that(lived: Lived) -> None:
    steps = (
        acting.start_playbook(at(0), "ann", load_playbook_named("p0-critical")),
        acting.acknowledge(at(1), "bob"),
        acting.finish_task(at(2), "bob", "confirm_severity"),
        afterwards.remark(at(3), "bob", e.Section.LESSON, "x"),
    )
    assert kinds(lived("P0", *steps)) == ["opened", "acknowledged"]
    pinned = lived("P0", *steps, afterwards.pin(at(4), "ann", 3), afterwards.pin(at(5), "ann", 2, pinned=False))
    assert kinds(pinned) == ["opened", "task_done"]
    assert [each.pinned for each in postmortem(pinned, at(9)).timeline] == [False, True]
    back = lived("P0", *steps, afterwards.pin(at(4), "ann", 3), afterwards.pin(at(5), "ann", 3, pinned=False))
    assert kinds(back) == ["opened", "acknowledged"]


def test_a_note_stands_where_it_happened(lived: Lived) -> None:
    incident = lived(
        "P0",
        acting.acknowledge(at(5), "bob"),
        acting.note(at(9), "bob", "Deployed", at(-3)),
        acting.note(at(10), "bob", "Seen"),
    )
    first, *_, last = postmortem(incident, at(20)).timeline
    assert (first.text, first.at, first.written_at) == (
        "Deployed",
        "2026-11-18T11:03:40.000Z",
        "2026-11-18T11:15:40.000Z",
    )
    assert (last.text, last.written_at) == ("Seen", None)


def test_it_opens_with_what_it_is_and_people_appear_by_their_role() -> None:
    incident = shop_down()
    found = postmortem(incident, NOW)
    assert found.introduction.startswith("This postmortem is blameless")
    told = " ".join(each.text for each in found.timeline)
    assert not re.search(r"\b(ann|bob|dora|eve)\b", told)
    assert "Technical Lead resolved it" in told
    named = " ".join(each.text for each in postmortem(incident, NOW, names=True).timeline)
    assert "bob resolved it" in named
    assert "Technical Lead resolved it" not in named


def test_a_person_has_the_role_of_that_moment_and_who_has_none_is_a_responder(lived: Lived) -> None:
    incident = lived(
        "P0",
        acting.acknowledge(at(1), "bob"),
        acting.assign(at(2), "x", "technical_lead", "bob"),
        telling.update(at(3), "bob", "one"),
        sent(3),
        acting.assign(at(4), "x", "incident_commander", "bob"),
        acting.assign(at(4), "x", "technical_lead", "kim"),
        telling.update(at(5), "bob", "two"),
        telling.update(at(6), "zoe", "three"),
    )
    told = [each.text for each in postmortem(incident, at(9)).timeline]
    assert told == [
        "A responder opened it as P0",
        "Technical Lead acknowledged it",
        "Somebody became Technical Lead",
        "Technical Lead told those who wait: one",
        "Somebody became Incident Commander",
        "Somebody became Technical Lead",
        "Incident Commander wrote an update, never sent: two",
        "A responder wrote an update, not sent yet: three",
    ]


def test_the_impact_is_what_was_said_and_how_long_it_hurt() -> None:
    impact = postmortem(shop_down(), NOW).impact
    assert impact.remarks == ("Nobody could pay for 44 minutes; about 1,200 orders were lost",)
    assert impact.symptoms == ("P95 response time is 4.2 s",)
    assert (impact.hurt_s, impact.lasted_s) == (38 * 60, 95 * 60)


def test_the_impact_is_counted_from_when_it_began_and_unknown_while_it_lasts(lived: Lived) -> None:
    from msgspec.structs import replace

    from runbook_engine.incidents.incident import fold

    incident = lived("P0", acting.mitigate(at(30), "bob"))
    opened = replace(incident.opened, since=at(-10))
    found = postmortem(fold(1, (opened, *incident.events[1:])), at(40)).impact
    assert (found.hurt_s, found.lasted_s, found.began_at) == (40 * 60, None, "2026-11-18T10:56:40.000Z")
    again = lived("P0", acting.resolve(at(30), "bob"), acting.reopen(at(40), "ann", "back"))
    assert (postmortem(again, at(50)).impact.hurt_s, postmortem(again, at(50)).impact.lasted_s) == (None, None)


def test_the_root_cause_is_from_findings_and_remarks_and_blind_spots_say_what_was_not_seen(lived: Lived) -> None:
    cause = {"outcome": Outcome.CRITICAL, "findings": (LOCKED,), "blind_spots": (FORBIDDEN, FORBIDDEN)}
    incident = lived(
        "P0",
        attached(5, "bob", "database-connections", **cause),  # type: ignore[arg-type] # what a run found
        attached(7, "bob", "database-connections", **cause),  # type: ignore[arg-type]
        afterwards.remark(at(9), "bob", e.Section.ROOT_CAUSE, "A migration at peak time"),
    )
    found = postmortem(incident, at(10))
    assert found.root_cause.remarks == ("A migration at peak time",)
    ((only),) = found.root_cause.found
    assert (only.title, only.cause, only.resolution, only.run_id) == (
        "38 sessions wait for one lock", "A migration holds it: ALTER TABLE orders", "end_blocker", "0199f3c2005",
    )  # fmt: skip
    (blind,) = found.blind_spots
    assert (blind.steps, blind.kind) == (("container",), "forbidden")
    assert blind.remedy.startswith("grant ecs:DescribeServices")


def test_why_it_has_its_priority_is_the_reason_of_the_last_change(lived: Lived) -> None:
    worse = acting.reprioritise(at(3), "bob", Severity.P0, "nobody can pay")
    assert postmortem(lived("P2", worse), at(9)).because == ("nobody can pay",)
    better = acting.reprioritise(at(6), "bob", Severity.P1, "only some cannot")
    assert postmortem(lived("P2", worse, better), at(9)).because == ("only some cannot",)


@pytest.mark.parametrize("names", [False, True])
def test_the_json_fits_its_published_schema(names: bool, lived: Lived) -> None:
    validator = jsonschema.Draft202012Validator(postmortem_schema())
    for incident in (shop_down(), lived("P3")):
        document = json.loads(render(incident, NOW, PostmortemFormat.JSON, names=names))
        validator.validate(document)
        assert document["schema"] == "runbook.postmortem/v1"
    assert document["response"]["times"]["acknowledge_s"] is None


@pytest.mark.parametrize("format_", PEOPLE[:3])
def test_a_young_incident_says_what_is_not_known_yet(format_: PostmortemFormat, lived: Lived) -> None:
    text = render(lived("P1"), at(1), format_)
    assert "not recorded" in text
    assert "ot written down yet" in text
    assert " 0 s" not in text
    assert "None" not in text.replace("None yet", "").replace("default-src", "")


HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(1)> ](javascript:alert(1)) [x](javascript:alert(2)) `code` **bold** | cell |\n"
    "# heading\n=1+1 \x1b[31mred \u202eevil\u202c {{ 7*7 }} @everyone http://evil.example/ ![p](http://evil.example/p.png)"
)


def hostile(lived: Lived) -> Incident:
    run = {
        "findings": (
            e.AttachedFinding(HOSTILE, "cause", "critical", HOSTILE, HOSTILE, HOSTILE),
            e.AttachedFinding("s", "symptom", "warning", HOSTILE),
        ),
        "blind_spots": (e.AttachedBlindness(HOSTILE, HOSTILE, HOSTILE, HOSTILE),),
    }
    remarks = [afterwards.remark(at(20), HOSTILE, each, HOSTILE) for each in e.Section]
    return lived(
        "P0",
        acting.start_playbook(at(0), HOSTILE, load_playbook_named("p0-critical")),
        acting.assign(at(1), HOSTILE, "technical_lead", HOSTILE),
        acting.acknowledge(at(1), HOSTILE),
        lambda _: (e.AlertTaken(at=at(2), by="a", key="k", name=HOSTILE, status=HOSTILE, summary=HOSTILE),),
        attached(5, HOSTILE, HOSTILE, Outcome.CRITICAL, **run),
        acting.reprioritise(at(6), HOSTILE, Severity.P1, HOSTILE),
        acting.note(at(7), HOSTILE, HOSTILE, at(-5)),
        telling.update(at(8), HOSTILE, HOSTILE),
        acting.finish_task(at(9), HOSTILE, "confirm_severity", HOSTILE),
        acting.escalate(at(10), HOSTILE, ["cto"], HOSTILE),
        acting.mitigate(at(11), HOSTILE, HOSTILE),
        acting.resolve(at(12), HOSTILE, HOSTILE),
        *remarks,
        afterwards.schedule(at(21), HOSTILE, place=HOSTILE, invited=[HOSTILE]),
        afterwards.add_action(at(22), HOSTILE, HOSTILE, HOSTILE, link=HOSTILE),
        afterwards.add_action(at(22), HOSTILE, "Link", HOSTILE, link="http://evil.example/ <b onclick=x>"),
        afterwards.finish_action(at(23), HOSTILE, 1, HOSTILE),
    )


class Elements(HTMLParser):
    """Every element with its attributes, and what stands between them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def pages(incident: Incident) -> dict[str, str]:
    made = {str(each): render(incident, at(60), each, names=names) for each in PEOPLE for names in (False, True)}
    return {**made, "page": incident_html(incident, at(60)), "early": incident_html(incident, at(9))}


def test_whatever_people_wrote_does_nothing_in_any_format(lived: Lived) -> None:
    for name, text in pages(hostile(lived)).items():
        assert "\x1b" not in text, name
        assert "\u202e" not in text, name
        assert "7*7" in text.replace("\\*", "*"), name


@pytest.mark.parametrize("name", ["html", "page", "early"])
def test_html_holds_only_our_elements(name: str, lived: Lived) -> None:
    parser = Elements()
    parser.feed(pages(hostile(lived))[name])
    assert "alert(1)" in parser.text
    for tag, attributes in parser.found:
        assert tag not in ("script", "img", "b onclick"), tag
        assert not [each for each in attributes if each.startswith("on")]
        target = attributes.get("href") or "#"
        assert target.startswith(("#", "data:image/svg+xml,", "http://", "https://"))
        assert tag != "a" or "<" not in target
        assert " " not in target or tag == "link"


def test_markdown_renders_what_people_wrote_as_text(lived: Lived) -> None:
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(pages(hostile(lived))["markdown"])
    parser = Elements()
    parser.feed(rendered)
    assert {tag for tag, _ in parser.found} <= {
        "h1", "h2", "h3", "p", "em", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "code", "hr", "a", "br",
    }  # fmt: skip
    headings = re.findall(r"<h(\d)>(.*?)</h", rendered)
    assert [text for level, text in headings if level == "1"] == ["Postmortem of incident 1: Shop down"]
    for tag, attributes in parser.found:
        if tag == "a":
            assert (attributes["href"] or "").startswith("http://evil.example/%20%3Cb")
    assert "@everyone" not in re.sub(r"(?s)<code>.*?</code>", "", rendered)


def test_every_row_of_a_markdown_table_has_as_many_cells_as_its_heading(lived: Lived) -> None:
    for incident in (shop_down(), hostile(lived)):
        text = render(incident, NOW, PostmortemFormat.MARKDOWN)
        for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            cells = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
            assert len(cells) == 1, table


def test_html_needs_nothing_from_elsewhere() -> None:
    for text in (render(shop_down(), NOW, PostmortemFormat.HTML), incident_html(shop_down(), NOW)):
        parser = Elements()
        parser.feed(text)
        tags: Any = [tag for tag, _ in parser.found]
        assert "script" not in tags
        assert "img" not in tags
        (policy,) = [each["content"] for _, each in parser.found if each.get("http-equiv")]
        assert (policy or "").startswith("default-src 'none'; style-src 'sha256-")
        assert "prefers-color-scheme:dark" in text
        assert "@media print" in text
        assert "max-width:720px" in text


def test_what_to_do_is_told_in_words_and_never_as_the_name_of_a_resolution(lived: Lived) -> None:
    incident = lived("P1", acting.attach_run(at(5), "bob", called()))
    words = "Bring tasks back: Look at stopped tasks; Roll back"
    assert [each.to_do for each in postmortem(incident, at(9)).root_cause.found] == [words]
    for page in (*(render(incident, at(9), each) for each in PEOPLE), incident_html(incident, at(9))):
        assert words in " ".join(page.split())
        assert "`redeploy`" not in page
        assert "<code>redeploy</code>" not in page


def test_a_run_that_was_attached_before_its_words_were_kept_is_told_in_words_too() -> None:
    old = e.AttachedFinding("locked", "cause", "critical", "Sessions wait", resolution="end_the_blocker")
    assert old.what_to_do == "End the blocker"
