"""Thresholds that lie beyond what a step reads."""

import pytest

import runbook_engine as rb
from runbook_engine.document import Diagnostic, load
from runbook_engine.graph.compile import Compiler
from runbook_engine.probe.cutting import cut_at, first, greatest
from runbook_engine.probe.fake import AnyParams
from runbook_probes.aws.logs import LogsFilterParams
from runbook_probes.http import GetParams
from runbook_probes.postgres import QueryParams

TEXT = """
runbook: example
title: An example
inputs:
  dsn: {{type: secret, env: DATABASE_URL}}
  many: {{type: int, default: {many}}}
start: look
steps:
  look:
    probe: postgres.query
    with: {{dsn: "{{{{ inputs.dsn }}}}", sql: SELECT 1 AS one{more}}}
    branches: [{{when: '{condition}', goto: then}}, {{else: end}}]
  then:
    probe: postgres.ping
    with: {{dsn: "{{{{ inputs.dsn }}}}"}}
    branches: [{{when: '{later}', goto: end}}, {{else: end}}]
"""


def told(
    condition: str = "rows > 5", *, later: str = "latency > 1s", more: str = "", many: int = 5
) -> list[Diagnostic]:
    text = TEXT.format(condition=condition, later=later, more=more, many=many)
    found = Compiler(rb.Registry(), rb.Library(())).loaded(load(text, "example.yaml"))
    assert {each.code for each in found.diagnostics} <= {"RB208", "RB311"}, [str(each) for each in found.diagnostics]
    return [each for each in found.diagnostics if each.code == "RB311"]


@pytest.mark.parametrize(
    "condition",
    [
        "rows > 500", "rows > 100", "rows >= 101", "500 < rows", "rows <= 100", "rows < 500", "rows == 101", "rows in [1, 200]",
        "not (rows < 500)", "time > 1s or rows > 500", "rows > inputs.many", "inputs.many < rows",
    ],
)  # fmt: skip
def test_a_threshold_that_is_never_known_to_be_passed_is_refused(condition: str) -> None:
    (found,) = told(condition, many=500)
    assert "rows is known up to 100 (max_rows of step " in found.message


@pytest.mark.parametrize(
    "condition",
    ["rows > 99", "rows >= 100", "rows == 100", "rows < 100", "rows in [1, 100]", "time > 1000s", "rows > inputs.many"],
)
def test_a_threshold_up_to_the_limit_is_not(condition: str) -> None:
    assert told(condition, many=99) == []


def test_what_the_step_writes_is_the_limit_and_what_is_filled_in_later_is_not_known() -> None:
    assert told("rows > 500", more=", max_rows: 1000") == []
    assert told("rows > 500", more=', max_rows: "{{ inputs.many }}"') == []
    (found,) = told("rows > 50", more=', max_rows: "50"')
    assert found.help == 'raise max_rows of step "look" above 50'
    (found,) = told("rows > 1000", more=", max_rows: 1000")
    assert found.help == "max_rows may be 1000 at most: let what is asked count by itself, or ask for less"


def test_a_threshold_in_a_later_step_is_held_against_the_step_that_reads() -> None:
    (found,) = told(later="look.rows > 500")
    assert found.message == (
        'look.rows is known up to 100 (max_rows of step "look") and missing beyond, so that it is never known to pass 500'
    )
    assert (found.span.line, found.span.column) == (16, 36)


def test_a_size_is_compared_in_its_unit() -> None:
    text = """
runbook: example
title: An example
start: look
steps:
  look:
    probe: http.get
    with: {url: "http://localhost/", max_body: 64KiB}
    branches: [{when: body_size > 1MiB, goto: end}, {else: end}]
"""
    (found,) = Compiler(rb.Registry(), rb.Library(())).loaded(load(text, "example.yaml")).diagnostics
    assert found.message.startswith("body_size is known up to 64 KiB (max_body of step ")
    assert found.help == 'raise max_body of step "look" above 1 MiB'


class TestWords:
    PARAMS = QueryParams.model_validate({"dsn": "postgresql://localhost/x", "sql": "SELECT 1", "max_rows": 3})

    def test_the_first_items_are_taken_and_the_parameter_that_widens_is_named(self) -> None:
        asked: list[int] = []

        def endless() -> object:
            number = 0
            while True:
                asked.append(number)
                yield number
                number += 1

        items, cut = first(endless(), self.PARAMS, "max_rows", "rows")  # type: ignore[var-annotated, arg-type]
        assert items == [0, 1, 2]
        assert cut == "there are more than the 3 rows that were read; raise max_rows up to 1000"
        assert asked == [0, 1, 2, 3]

    def test_all_of_them_are_not_cut(self) -> None:
        assert first(iter("abc"), self.PARAMS, "max_rows", "rows") == (["a", "b", "c"], "")

    def test_a_parameter_that_is_as_large_as_it_may_be_is_not_to_be_raised(self) -> None:
        params = self.PARAMS.model_copy(update={"max_rows": 1000})
        assert cut_at(params, "max_rows", "there are more", instead="count") == "there are more; count"
        assert cut_at(params, "max_rows", "there are more") == "there are more"

    def test_the_greatest_value_is_read_off_the_declaration(self) -> None:
        assert greatest(QueryParams, "max_rows") == 1000
        assert greatest(GetParams, "max_body") == 16 * 1024 * 1024
        assert greatest(LogsFilterParams, "most") == 1_000_000
        assert greatest(LogsFilterParams, "pattern") is None
        assert AnyParams.model_fields == {}
