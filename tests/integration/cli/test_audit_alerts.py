"""``runbook audit-alerts``: rules of alerts and runbooks held against each other."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.servers import PROMTOOL

from runbook_engine.alerting.audit import audit
from runbook_engine.alerting.rules import load_rules, load_rules_file
from runbook_engine.document import DiagnosticLevel
from runbook_engine.document.diagnostics import CODES
from runbook_engine.library import Library, shipped_directory

RULES = Path(__file__).parents[3] / "examples" / "alerts" / "rules.yaml"
GUIDE = """
| Metric | Threshold | Alert Level | Action |
|--------|-----------|-------------|--------|
| Response Time (P95) | >500ms | Warning | Investigate performance |
| Response Time (P95) | >1000ms | Critical | Immediate action |
| Error Rate | >1% | Warning | Check error patterns |
| Error Rate | >5% | Critical | Incident response |
| CPU Utilization | >80% | Warning | Consider scaling |
| Memory Utilization | >90% | Critical | Scale immediately |
| Database Connections | >80% of max | Warning | Monitor closely |
| Disk Usage | >85% | Warning | Plan cleanup |
| SSL Certificate | <30 days | Warning | Renew certificate |
"""
RUNBOOK = "runbook: {name}\ntitle: T\n{more}start: a\nsteps:\n  a: {{probe: tcp.connect, with: {{host: h, port: 1}}}}\n"


@pytest.fixture
def shop(shell: Any) -> Any:
    (shell.folder / "runbooks").mkdir()
    shell.write("runbooks/cache.yaml", RUNBOOK.format(name="cache", more="triggers: [{alert: Cache*}]\n"))
    return shell


def rules(*alerts: str, **rest: str) -> str:
    lines = [f"      - alert: {name}\n        expr: up == 0\n" for name in alerts]
    for name, more in rest.items():
        lines.append(f"      - alert: {name}\n        expr: up == 0\n        {more}\n")
    return "groups:\n  - name: g\n    rules:\n" + "".join(lines)


def url(address: str) -> str:
    return f"annotations: {{runbook_url: '{address}'}}"


def told(shell: Any, text: str, *options: str) -> list[tuple[str, str]]:
    shell.write("rules.yaml", text)
    done = shell("audit-alerts", "rules.yaml", "--format", "json", *options)
    assert done.returncode in (0, 78), done.stderr
    found = [(each["code"], each["message"]) for each in json.loads(done.stdout)]
    assert done.returncode == (78 if {code for code, _ in found} & {"RB102", "RB761", "RB762"} else 0)
    return found


def test_the_shipped_rules_and_runbooks_lead_to_each_other(shell: Any) -> None:
    done = shell("audit-alerts", str(RULES), "--notes")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"\d+ documents: no mistakes in \d+ files \(1 suppressed\)\n", done.stdout)


def test_the_shipped_rules_have_each_threshold_of_the_guide_and_what_to_do() -> None:
    rows = re.findall(r"^\| ([^|]+?) \| ([<>])([^|]+?) \| (Warning|Critical) \| ([^|]+?) \|$", GUIDE, re.MULTILINE)
    assert len(rows) == 9
    text = RULES.read_text("utf-8")
    written = re.findall(
        r"expr:(?: >-\n)?(.*?)\n {8}(?:for|labels).*?severity: (\w+).*?action: (.*?)\n", text, re.DOTALL
    )
    alerts = {(level, action): " ".join(expr.split()) for expr, level, action in written}
    limits = {"500ms": "0.5", "1000ms": "1", "1%": "0.01", "5%": "0.05", "80%": "80", "90%": "90", "80% of max": "0.8", "85%": "0.85", "30 days": "30 * 86400"}  # fmt: skip
    for _, sign, limit, level, action in rows:
        assert alerts[level.lower(), action].endswith(f" {sign} {limits[limit]}"), (limit, action)


def test_each_row_of_the_guide_leads_to_the_runbook_that_the_policy_of_metrics_names() -> None:
    policy = (shipped_directory() / "policy" / "metrics.yaml").read_text("utf-8")
    named = re.findall(r"action: ([^}]+)\}|^    runbook: (\S+)", policy, re.MULTILINE)
    wanted: dict[str, str] = {}
    waiting: list[str] = []
    for action, runbook in named:
        waiting.append(action)
        if runbook:
            wanted |= dict.fromkeys([each for each in waiting if each], runbook)
            waiting = []
    found = {
        action: address.rpartition("/")[2]
        for action, address in re.findall(r"action: (.*)\n +runbook_url: (\S+)", RULES.read_text("utf-8"))
    }
    of_guide = {each: wanted[each] for each in wanted if f"| {each} |" in GUIDE}
    assert len(of_guide) == 9
    assert {action: found[action] for action in of_guide} == of_guide


@pytest.mark.needs(PROMTOOL)
def test_prometheus_takes_the_shipped_rules() -> None:
    subprocess.run(["promtool", "check", "rules", str(RULES)], check=True, timeout=60)


@pytest.mark.parametrize(
    "address",
    [
        "https://runbooks.example.com/cache",
        "https://runbooks.example.com/cache/",
        "https://github.com/shop/runbooks/blob/main/runbooks/cache.yaml?plain=1",
        "https://wiki.example.com/runbooks.html#cache",
        "cache",
        "runbooks/cache.yaml",
    ],
)
def test_a_runbook_url_leads_to_the_runbook_whose_name_it_ends_in(shop: Any, address: str) -> None:
    assert told(shop, rules(CacheDown=url(address))) == []


@pytest.mark.parametrize(
    ("text", "options", "codes"),
    [
        (rules("Cache", "Other"), (), ["RB763"]),
        (rules("Other"), (), ["RB765", "RB764", "RB763"]),
        (rules(CacheDown=url("https://x/cash")), (), ["RB762"]),
        (rules(CacheDown=url("https://[x/cash")), (), ["RB762"]),
        (rules(CacheDown=url("https://x/cash")), ("--url", "https://runbooks."), []),
        (rules(CacheDown=url("https://x/cash")), ("--url", "https://runbooks.", "--notes"), ["RB767"]),
        (rules(CacheDown=url("https://x/{{ $labels.job }}")), (), ["RB767"]),
        (rules(Other=url("https://x/cache")), (), ["RB765"]),
        (rules(Other=url("https://x/cache")), ("--notes",), ["RB765", "RB766"]),
        (rules(Cache="labels: {a: b}").replace("alert: Cache", "record: Cache"), (), ["RB764", "RB765"]),
        ("groups: []\n", (), ["RB764", "RB765"]),
        ("{}\n", (), ["RB761", "RB764", "RB765"]),
        ("groups: 5\n", (), ["RB761", "RB764", "RB765"]),
        ("groups: [5, {name: g, rules: 6}, {rules: [{}, 5, {alert: A, record: B}]}]\n", (), ["RB761", "RB764", "RB765"]),
        ("groups: [{name: g, rules: [{alert: CacheA, expr: x, labels: [a], annotations: {a: [b]}}]}]\n", (), ["RB761"]),
        ("groups: [{name: g, rules: [{alert: CacheA, expr: x, labels: {a: 1}}]}]\n", (), []),
        ("kind: PrometheusRule\nspec:\n  groups: [{name: g, rules: [{alert: CacheA, expr: x}]}]\n", (), []),
        ("groups: [\n", (), ["RB102", "RB764", "RB765"]),
    ],
)  # fmt: skip
def test_what_is_not_as_it_should_be_is_told(shop: Any, text: str, options: tuple[str, ...], codes: list[str]) -> None:
    assert {code for code, _ in told(shop, text, *options)} == set(codes)


# https://prometheus-operator.dev/docs/developer/alerting/ and https://kubernetes.io/docs/concepts/overview/working-with-objects/
PROMETHEUS_RULE = """apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata: {name: shop, labels: {release: prometheus, 1: x}}
spec:
  groups:
    - name: g
      rules:
        - {alert: CacheDown, expr: up == 0}
"""
OTHER_MANIFEST = """apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
data:
  8080: !!str 1
  ? [a, b]
  : c
"""


def alerts(text: str) -> list[str]:
    found = load_rules(text, "rules.yaml")
    assert [each.message for each in found.found.diagnostics if each.level is DiagnosticLevel.ERROR] == []
    return [each.alert for each in found.rules]


def test_manifests_are_read_as_kubernetes_reads_them() -> None:
    listed = "apiVersion: v1\nkind: List\nitems:\n" + "".join(
        f"  - {each.strip().replace(chr(10), chr(10) + '    ')}\n" for each in (OTHER_MANIFEST, PROMETHEUS_RULE)
    )
    assert alerts(PROMETHEUS_RULE) == ["CacheDown"]
    assert alerts(listed) == ["CacheDown"]
    assert alerts(
        f"---\n{OTHER_MANIFEST}---\n{PROMETHEUS_RULE}---\n{PROMETHEUS_RULE.replace('CacheDown', 'Other')}---\n"
    ) == [
        "CacheDown",
        "Other",
    ]
    assert alerts("apiVersion: monitoring.coreos.com/v1\nkind: PrometheusRuleList\nitems: []\n") == []
    (note,) = load_rules(OTHER_MANIFEST, "rules.yaml").found.diagnostics
    assert (note.code, note.level) == ("RB761", DiagnosticLevel.NOTE)
    assert note.message == "there are no rules of alerts in this file, but ConfigMap"


def test_merge_keys_are_read_as_prometheus_reads_them() -> None:
    text = """x-common: &common
  labels: {severity: critical, team: shop}
  annotations: {runbook_url: cache}
x-more: &more {for: 5m, labels: {severity: info}}
groups:
  - name: g
    rules:
      - <<: *common
        alert: CacheDown
        expr: up == 0
      - alert: Other
        expr: up == 0
        <<: [*more, *common]
      - {<<: {expr: up}, alert: Inline, labels: {a: b}}
"""
    found = load_rules(text, "rules.yaml")
    assert found.found.diagnostics == []
    assert [(each.alert, dict(each.labels), each.url) for each in found.rules] == [
        ("CacheDown", {"severity": "critical", "team": "shop"}, "cache"),
        ("Other", {"severity": "info"}, "cache"),
        ("Inline", {"a": "b"}, None),
    ]
    other = load_rules(f"{text}---\nkind: List\napiVersion: v1\nitems: [*common]\n", "rules.yaml").found.diagnostics
    assert [(each.code, "anchor" in each.message) for each in other] == [("RB102", True)]
    odd = load_rules("groups: [{name: g, <<: 5, rules: []}]\n", "rules.yaml").found.diagnostics
    assert [(each.code, each.message) for each in odd] == [("RB106", "what is merged (<<) is no mapping")]


def test_of_several_documents_of_prometheus_own_only_the_first_counts() -> None:
    text = f"{rules('CacheDown')}---\n{rules('Other')}"
    found = load_rules(text, "rules.yaml")
    assert [each.alert for each in found.rules] == ["CacheDown"]
    (warning,) = found.found.diagnostics
    assert (warning.level, warning.span.line) == (DiagnosticLevel.WARNING, 7)
    assert warning.message == "Prometheus reads only the first document of a file, and not this one"


def test_a_mistake_in_a_later_document_has_its_place(shop: Any) -> None:
    broken = PROMETHEUS_RULE.replace("{alert: CacheDown, expr: up == 0}", "{alert: CacheDown}")
    shop.write("rules.yaml", f"{OTHER_MANIFEST}---\n{broken}")
    done = shop("audit-alerts", "rules.yaml")
    assert done.returncode == 78
    assert 'the alert "CacheDown" has no expr' in done.stdout
    assert "--> rules.yaml:16:19" in done.stdout


def test_a_directory_of_manifests_is_no_mistake(shop: Any) -> None:
    (shop.folder / "deploy").mkdir()
    shop.write("deploy/config.yaml", OTHER_MANIFEST)
    shop.write("deploy/rules.yaml", PROMETHEUS_RULE)
    done = shop("audit-alerts", "deploy")
    assert done.returncode == 0, done.stdout
    assert "ConfigMap" not in done.stdout


def test_nothing_is_said_of_a_place_in_the_installation(shell: Any) -> None:
    shell.write("rules.yaml", rules("Other"))
    done = shell("audit-alerts", "rules.yaml", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {each["code"] for each in found if each["suppressed"] is None} >= {"RB763", "RB764", "RB765"}
    assert {each["file"] for each in found if each["suppressed"] is None} == {"rules.yaml"}
    assert any("it is of the shipped runbook" in each["message"] for each in found if each["code"] == "RB765")


def test_labels_that_come_from_the_measured_series_may_be_as_a_trigger_wants_them(shop: Any) -> None:
    more = "triggers: [{alert: Cache*, labels: {severity: critical, pod: 'a*'}}]\n"
    shop.write("runbooks/cache.yaml", RUNBOOK.format(name="cache", more=more))
    assert told(shop, rules(CacheDown="labels: {severity: critical}")) == []
    assert told(shop, rules(CacheDown="labels: {severity: '{{ $value }}'}")) == []
    assert {code for code, _ in told(shop, rules(CacheDown="labels: {severity: warning}"))} == {
        "RB763",
        "RB764",
        "RB765",
    }


def test_runbooks_that_are_called_or_led_to_from_elsewhere_need_no_alert(shop: Any) -> None:
    shop.write(
        "runbooks/alarm.yaml", RUNBOOK.format(name="alarm", more="triggers: [{alert: '*', source: cloudwatch}]\n")
    )
    shop.write("runbooks/beneath.yaml", RUNBOOK.format(name="beneath", more=""))
    text = RUNBOOK.format(name="cache", more="triggers: [{alert: Cache*}]\n")
    assert [code for code, _ in told(shop, rules("Cache"))] == ["RB764"]
    shop.write("runbooks/cache.yaml", text.replace("{probe: tcp.connect, with: {host: h, port: 1}}", "{call: beneath}"))
    assert told(shop, rules("Cache")) == []


def test_a_comment_with_a_reason_suppresses_what_is_told_of_rules_and_of_runbooks(shop: Any) -> None:
    comment = "# runbook: ignore[RB764] because people begin it\n"
    shop.write("runbooks/other.yaml", comment + RUNBOOK.format(name="other", more=""))
    found = shop(
        "audit-alerts",
        shop.write("rules.yaml", rules("Cache", "B").replace("B\n", "B # runbook: ignore[RB763] because new\n")),
    )
    assert found.returncode == 0
    assert "(2 suppressed)" in found.stdout
    assert "no mistakes" in shop("check", "runbooks/other.yaml").stdout


def test_directories_and_several_files_are_read_together(shop: Any) -> None:
    (shop.folder / "alerts").mkdir()
    shop.write("alerts/one.yml", rules("CacheDown"))
    shop.write("alerts/two.yaml", rules("Other"))
    done = shop("audit-alerts", "alerts")
    assert done.returncode == 0
    assert 'the alert "Other" has no runbook' in done.stdout
    assert "--> alerts/two.yaml:4:16" in done.stdout
    (shop.folder / "none").mkdir()
    assert "has no files that end in" in shop("audit-alerts", "none").stderr
    assert json.loads(shop("audit-alerts", "alerts", "--format", "sarif").stdout)["runs"][0]["results"]


def test_hostile_rules_reach_no_terminal(shop: Any) -> None:
    text = rules('"Evil\\e[2J\\u202e"', Cache=url("https://x/\\x1b[2Jcash").replace("'", '"'))
    done = shop("audit-alerts", shop.write("rules.yaml", text))
    assert done.returncode == 78
    assert not set("\x1b\u202e") & set(done.stdout)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    st.text()
    | st.lists(
        st.sampled_from(
            ["groups:", " - ", "name: g", "rules:", "alert: ", "{", "}", "[", "]", "\n", "  ", "&a", "*a", "expr: 1"]
        )
    ).map("".join)
)
def test_any_text_gives_rules_or_diagnostics(text: str) -> None:
    found = load_rules(text, "rules.yaml")
    assert {each.code for each in found.found.diagnostics} <= set(CODES)


def test_thousands_of_rules_are_held_against_the_runbooks_in_little_time(tmp_path: Path) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(rules(*(f"Api{number}" for number in range(5_000))))
    assert len(load_rules_file(str(file)).rules) == 5_000
    found = audit([file], Library((shipped_directory(),)))
    assert len(found[0].diagnostics) == 5_000
