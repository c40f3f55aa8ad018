"""Triggers of runbooks: what is read of them, and what is said of those that cannot be meant."""

from collections.abc import Sequence

import pytest

from runbook_engine.document import load
from runbook_engine.document.triggers import AlertSource
from runbook_engine.graph.compile import Compiler, as_json
from runbook_engine.graph.plan import Plan
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry

TEXT = """runbook: cache-down
title: The cache is down
{triggers}
inputs:
  host: {{type: string, default: 127.0.0.1}}
  password: {{type: secret, env: CACHE_PASSWORD, optional: true}}
start: port
steps:
  port:
    probe: tcp.connect
    with: {{host: "{{{{ inputs.host }}}}", port: 6379}}
"""


def compiled(triggers: str) -> tuple[Plan | None, Sequence[tuple[str, str]]]:
    loaded = load(TEXT.format(triggers=f"triggers: {triggers}" if triggers else ""), "cache-down.yaml")
    found = Compiler(Registry(), Library(())).loaded(loaded)
    return found.plan, [(each.code, each.message) for each in found.diagnostics if each.code != "RB208"]


def test_a_trigger_has_a_pattern_labels_a_source_and_inputs() -> None:
    plan, found = compiled("[{alert: 'Redis*', labels: {severity: critical}, source: grafana, with: {host: instance}}]")
    assert found == []
    assert plan is not None
    (trigger,) = plan.runbook.triggers
    assert trigger.alert == "Redis*"
    assert trigger.labels == {"severity": "critical"}
    assert trigger.source is AlertSource.GRAFANA
    assert trigger.inputs == {"host": "instance"}


def test_by_what_a_runbook_is_triggered_changes_nothing_of_what_it_does() -> None:
    with_trigger, _ = compiled("[{alert: Redis*}]")
    without, _ = compiled("")
    assert with_trigger is not None
    assert without is not None
    assert with_trigger.digest == without.digest
    assert as_json(with_trigger.runbook) == as_json(without.runbook)


@pytest.mark.parametrize(
    ("triggers", "code", "says"),
    [
        ("[{alert: ''}]", "RB116", "alert"),
        ("[{}]", "RB112", 'trigger 1 has no "alert"'),
        ("[{alert: A, source: nagios}]", "RB114", "nagios"),
        ("[{alert: A, inputs: {host: instance}}]", "RB111", "inputs"),
        ("[{alert: A, with: {hots: instance}}]", "RB751", 'no input "hots"; did you mean "host"?'),
        ("[{alert: A, with: {password: token}}]", "RB751", 'the input "password" is a secret'),
        ("[{alert: 'A*'}, {alert: AB}]", "RB752", "trigger 2 can never decide: trigger 1 matches"),
        ("[{alert: A}, {alert: A, source: grafana}]", "RB752", "trigger 2 can never decide"),
        ("[{alert: '*', labels: {a: 'x*'}}, {alert: A, labels: {a: xy, b: z}}]", "RB752", "trigger 2"),
        ("[{alert: 'A['}]", "RB753", 'a "[" that no "]" closes'),
        ("[{alert: A, allowed_hosts: ['*']}]", "RB753", '"*" is for any host'),
        ("[{alert: A, allowed_hosts: ['https://a.example']}]", "RB753", "neither the name of a host nor an address"),
        ("[{alert: A, labels: {a: 'x '}}]", "RB753", "begins or ends with a space"),
    ],
)
def test_what_cannot_be_meant_is_said(triggers: str, code: str, says: str) -> None:
    _, found = compiled(triggers)
    assert [each for each in found if each[0] == code and says in each[1]], found


@pytest.mark.parametrize(
    "triggers",
    [
        "[{alert: AB}, {alert: 'A*'}]",
        "[{alert: A, source: grafana}, {alert: A}]",
        "[{alert: A, labels: {severity: critical}}, {alert: A}]",
        "[{alert: A, labels: {a: x}}, {alert: A, labels: {b: x}}]",
    ],
)
def test_a_wider_trigger_below_a_narrower_one_is_meant(triggers: str) -> None:
    assert compiled(triggers)[1] == []
