"""Labels of alerts that would choose who gets a secret: what the checker says, and what is refused before a run."""

from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import runbook_engine as rb
from runbook_engine.document import hosts, load
from runbook_engine.graph.compile import Compiler
from runbook_engine.graph.label_hosts import refused
from runbook_engine.graph.plan import Plan

HEAD = """
runbook: example
title: An example
triggers:
  - {{alert: Down, with: {{{filled}}}{allowed}}}
inputs:
  api: {{type: url, optional: true}}
  host: {{optional: true}}
  path: {{optional: true}}
  site: {{type: enum, values: [a.example.com, b.example.com], default: a.example.com}}
  port: {{type: int, default: 443}}
  token: {{type: secret, env: API_TOKEN}}
  database: {{type: secret, env: DATABASE_URL}}
start: first
steps:
"""
ALLOWED = ', allowed_hosts: ["api-*.example.com", 10.2.0.0/16]'
LIBRARY = rb.Library(())


def http(url: str, header: str = "Bearer {{ inputs.token }}") -> str:
    return f"""  first:
    probe: http.get
    with: {{url: '{url}', headers: {{Authorization: '{header}'}}}}
    branches: [{{else: end}}]
    on_error: [{{else: end}}]
"""


def postgres(dsn: str) -> str:
    return f"  first:\n    probe: postgres.ping\n    with: {{dsn: '{dsn}'}}\n    branches: [{{else: end}}]\n"


AWS = """  first:
    probe: aws.ecs_service
    with: {cluster: c, service: s, endpoint_url: "https://{{ inputs.host }}/"}
    branches: [{else: end}]
"""


def text(steps: str, filled: str = "host: instance_host", allowed: str = "") -> str:
    return HEAD.format(filled=filled, allowed=allowed) + steps


def told(written: str, library: rb.Library = LIBRARY) -> list[str]:
    found = Compiler(rb.Registry(), library, thorough=True).loaded(load(written, "example.yaml"))
    return [f"{each.level}: {each.message}" for each in found.diagnostics if each.code == "RB233"]


def plan_of(written: str, library: rb.Library = LIBRARY) -> Plan:
    found = Compiler(rb.Registry(), library).loaded(load(written, "example.yaml"))
    assert found.plan is not None, found.diagnostics
    return found.plan


def problems(plan: Plan, **known: str | None) -> list[str]:
    (trigger,) = plan.runbook.triggers
    nothing: Mapping[str, str | None] = {
        "api": None,
        "host": None,
        "path": None,
        "site": "a.example.com",
        "port": "443",
    }
    return list(refused(plan, trigger, set(trigger.inputs), {**nothing, **known}))


@pytest.mark.parametrize(
    ("steps", "filled", "label", "what"),
    [
        (http("https://{{ inputs.host }}/x"), "host: instance_host", "instance_host", "the secret inputs.token"),
        (http("https://{{ inputs.host | urlencode }}/x"), "host: where", "where", "the secret inputs.token"),
        (http("{{ inputs.api }}/x"), "api: url", "url", "the secret inputs.token"),
        (http("{{ inputs.api }}{{ inputs.path }}"), "path: path", "path", "the secret inputs.token"),
        (http('{{ inputs.path | default("https://a.example.com") }}/x'), "path: x", "x", "the secret inputs.token"),
        (postgres("postgresql://u:{{ inputs.token }}@{{ inputs.host }}/d"), "host: h", "h", "the secret inputs.token"),
        (postgres("{{ inputs.database }}?host={{ inputs.host }}"), "host: h", "h", "the secret inputs.database"),
        (postgres("postgresql://app@{{ inputs.host }}/d"), "host: h", "h", "the password of PGPASSWORD or ~/.pgpass"),
        (AWS, "host: h", "h", "the credentials of AWS"),
    ],
)  # fmt: skip
def test_a_label_that_chooses_who_gets_a_secret_is_an_error_unless_hosts_are_allowed(
    steps: str, filled: str, label: str, what: str
) -> None:
    message = f'error: the label "{label}" chooses the host that gets {what} of step "first"'
    assert message in told(text(steps, filled))
    assert told(text(steps, filled, ALLOWED)) == []


@pytest.mark.parametrize(
    ("steps", "filled"),
    [
        (http("https://{{ inputs.host }}/x", "none"), "host: instance_host"),
        (http("{{ inputs.api }}/{{ inputs.path }}"), "path: path"),
        (http("https://{{ inputs.site }}/x"), "site: site"),
        (http("https://a.example.com:{{ inputs.port }}/x"), "port: port"),
        (http("{{ inputs.api }}/x"), "host: instance_host"),
        (http("{{ inputs.api }}/x"), ""),
    ],
)
def test_a_label_that_cannot_choose_who_gets_a_secret_may_be_used(steps: str, filled: str) -> None:
    assert told(text(steps, filled)) == []


@pytest.fixture
def called(tmp_path: Path) -> rb.Library:
    (tmp_path / "child.yaml").write_text(
        "runbook: child\ntitle: A child\ninputs:\n  where: {type: url}\n  token: {type: secret, env: API_TOKEN}\n"
        "  tail: {default: '', env: TAIL}\nstart: look\nsteps:\n  look:\n    probe: http.get\n"
        "    with: {url: '{{ inputs.where }}{{ inputs.tail }}', headers: {X-Key: '{{ inputs.token }}'}}\n"
        "    branches: [{else: end}]\n"
    )
    return rb.Library((tmp_path,))


CALLING = "  first:\n    call: child\n    with: {where: 'https://{{ inputs.host }}/'}\n    branches: [{else: end}]\n"


def test_a_label_is_followed_into_called_runbooks(called: rb.Library) -> None:
    expected = [
        'error: the label "instance_host" chooses the host that gets the secret inputs.token of step "first/look"'
    ]
    assert told(text(CALLING), called) == expected


def test_what_a_called_runbook_adds_to_a_host_is_not_known_before_it_is_called(called: rb.Library) -> None:
    ending = CALLING.replace("/'}", "'}")
    (problem,) = problems(plan_of(text(ending, allowed=ALLOWED), called), host="api-1.example.com")
    assert "would choose, with what is not known yet, who gets the secret inputs.token" in problem
    assert problems(plan_of(text(CALLING, allowed=ALLOWED), called), host="api-1.example.com") == []


@pytest.mark.parametrize(
    ("steps", "filled", "known"),
    [
        (http("https://{{ inputs.host }}/x"), "host: h", {"host": "api-1.example.com"}),
        (http("https://{{ inputs.host }}/x"), "host: h", {"host": "10.2.3.4:9100"}),
        (http("https://api-{{ inputs.host }}.example.com/x"), "host: h", {"host": "7"}),
        (http("{{ inputs.api }}/x"), "api: url", {"api": "https://API-1.example.com:8443/v1"}),
        (http("https://api-1.example.com{{ inputs.path }}"), "path: p", {"path": "/health"}),
        (postgres("postgresql://u:{{ inputs.token }}@{{ inputs.host }}/d"), "host: h", {"host": "api-1.example.com"}),
        (postgres("host={{ inputs.host }} password={{ inputs.token }}"), "host: h", {"host": "10.2.0.9"}),
        (postgres("{{ inputs.database }}?host={{ inputs.host }}"), "host: h", {"host": "api-1.example.com"}),
        (AWS, "host: h", {"host": "api-1.example.com"}),
    ],
)
def test_a_host_that_the_trigger_allows_gets_the_secret(steps: str, filled: str, known: Mapping[str, str]) -> None:
    assert problems(plan_of(text(steps, filled, ALLOWED)), **known) == []


@pytest.mark.parametrize(
    ("steps", "filled", "known", "says"),
    [
        (http("https://{{ inputs.host }}/x"), "host: h", {"host": "evil.example"}, '"evil.example", which allowed_hosts'),
        (http("https://{{ inputs.host }}.example.com/x"), "host: h", {"host": "api-1.example.com@evil.example/"}, "is no name of a host"),
        (http("https://{{ inputs.host }}.example.com/x"), "host: h", {"host": "evil.example/"}, '"evil.example"'),
        (http("https://{{ inputs.host }}/x"), "host: h", {"host": "evil.example\\@api-1.example.com"}, "is no name of a host"),
        (http("https://{{ inputs.host }}/x"), "host: h", {"host": ""}, "is no name of a host"),
        (http("https://api-1.example.com{{ inputs.path }}"), "path: p", {"path": ".evil.example/"}, '"api-1.example.com.evil.example"'),
        (http("{{ inputs.api }}/x"), "api: url", {"api": "https://api-1.example.com?@evil.example"}, "is no name of a host"),
        (postgres("host={{ inputs.host }} password={{ inputs.token }}"), "host: h", {"host": "10.2.0.9 host=evil.example"}, "is no name of a host"),
        (postgres("postgresql://u:{{ inputs.token }}@{{ inputs.host }}/d"), "host: h", {"host": "10.2.0.9/d?host=evil.example"}, "is no name of a host"),
        (postgres("postgresql://u:{{ inputs.token }}@{{ inputs.host }}/d"), "host: h", {"host": "10.2.0.9,evil.example"}, "is no name of a host"),
        (AWS, "host: h", {"host": "evil.example"}, "the credentials of AWS"),
    ],
)  # fmt: skip
def test_any_other_host_is_refused(steps: str, filled: str, known: Mapping[str, str], says: str) -> None:
    found = problems(plan_of(text(steps, filled, ALLOWED)), **known)
    assert found
    assert all(says in each for each in found)


def test_without_a_list_every_host_is_refused() -> None:
    plan = plan_of(text(http("https://{{ inputs.host }}/x")))
    assert "which allowed_hosts of the trigger does not list" in problems(plan, host="api-1.example.com")[0]


PLAN = plan_of(text(http("https://{{ inputs.host }}.example.com{{ inputs.path }}"), "host: h, path: p", ALLOWED))
_LETTERS = st.text(st.sampled_from("ab1.-_/@:?#\\[]%&= \n\t\0\u2024\uff0e\u3002"), max_size=12)


@given(_LETTERS, _LETTERS)
@example("api-1", "@evil.example")
@example("api-1", ":x@evil.example")
@example("api-1.example.com/", "")
@example("api-1\uff0eevil\uff0f", "")
def test_whatever_labels_say_a_secret_that_is_not_refused_goes_to_an_allowed_host(host: str, path: str) -> None:
    if problems(PLAN, host=host, path=path):
        return
    reached = httpx.URL(f"https://{host}.example.com{path}").host
    assert any(hosts.matches(each, reached) for each in PLAN.runbook.triggers[0].allowed_hosts)
