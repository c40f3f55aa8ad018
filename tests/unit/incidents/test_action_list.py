"""The actions of all incidents, what is overdue first."""

import csv
import io
import json
from collections.abc import Callable

from tests.unit.incidents.stories import NOW, at, shop_down

from runbook_engine.incidents import acting, afterwards
from runbook_engine.incidents import events as e
from runbook_engine.incidents.action_list import HEADINGS, as_csv, as_json, listed
from runbook_engine.incidents.incident import Incident

Lived = Callable[..., Incident]


def test_actions_of_closed_incidents_are_listed_the_longest_overdue_first(lived: Lived) -> None:
    other = lived(
        "P2", acting.resolve(at(60), "b"), afterwards.add_action(at(61), "b", "Now", "kim", horizon=e.Horizon.IMMEDIATE)
    )
    found = listed([shop_down(), other], NOW)
    assert [(each.incident, each.action.action, each.state, each.overdue_days) for each in found] == [
        (1, 1, "overdue", 23), (7, 3, "overdue", 2), (7, 4, "overdue", 2), (7, 5, "overdue", 2), (7, 6, "overdue", 2),
        (7, 2, "open", 0),
    ]  # fmt: skip
    assert [each.state for each in listed([shop_down()], NOW, every=True)][-2:] == ["open", "done"]


def test_an_action_is_overdue_when_its_day_is_over(lived: Lived) -> None:
    incident = lived("P2", acting.resolve(at(60), "b"), afterwards.add_action(at(61), "b", "Now", "kim"))
    (action,) = incident.actions.values()
    assert action.due == "2026-12-16"
    last_minute, next_day = at(28 * 24 * 60 + 13 * 60 - 7), at(28 * 24 * 60 + 13 * 60)
    assert [listed([incident], each)[0].state for each in (last_minute, next_day)] == ["open", "overdue"]


def test_no_cell_is_a_formula(lived: Lived) -> None:
    titles = ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0", 'a "b", c', "two\nlines"]
    added = [afterwards.add_action(at(61), "b", each, "=kim", link="@x") for each in titles]
    incident = lived("P2", *added)
    rows = list(csv.reader(io.StringIO(as_csv(listed([incident], at(62))), newline="")))
    assert tuple(rows[0]) == HEADINGS
    assert [row[2] for row in rows[1:]] == [
        "'=1+1", "'+1", "'-1", "'@SUM(A1)", "'=cmd|' /C calc'!A0", 'a "b", c', "two lines"
    ]  # fmt: skip
    assert {row[3] for row in rows[1:]} == {"'=kim"}
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


def test_programs_read_the_state_and_the_incident() -> None:
    (first, *_) = json.loads(as_json(listed([shop_down()], NOW)))
    assert (first["incident"], first["incident_title"], first["overdue_days"]) == (7, "Nobody can pay in the shop", 2)
    assert (first["action"]["title"], first["action"]["overdue"]) == ("Update troubleshooting guides", True)
