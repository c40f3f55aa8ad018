"""Which runbooks are for an alert, and what is run for several."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runbook_engine.alerting.alerts import Alert, Status
from runbook_engine.alerting.jobs import jobs
from runbook_engine.alerting.matching import Candidates, candidates
from runbook_engine.document.triggers import AlertSource
from runbook_engine.library import Library

REST = "start: a\nsteps: {a: {probe: tcp.connect, with: {host: 127.0.0.1, port: 1}}}\n"
Write = Callable[..., Candidates]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(**triggers: str) -> Candidates:
        for name, each in triggers.items():
            text = f"runbook: {name}\ntitle: T\ntriggers: {each}\ninputs: {{host: {{default: a}}}}\n{REST}"
            (tmp_path / f"{name}.yaml").write_text(text)
        return candidates(Library((tmp_path,)))

    return written


def alert(name: str = "Slow", source: str = "alertmanager", **labels: str) -> Alert:
    return Alert(
        source=AlertSource(source),
        name=name,
        status=Status.FIRING,
        starts_at=0.0,
        labels={"alertname": name, **labels},
        fingerprint=str(labels),
    )


@pytest.mark.parametrize(
    ("trigger", "matching", "others"),
    [
        ("{alert: Slow}", [alert()], [alert("slow"), alert("Slower"), alert("")]),
        ("{alert: 'Red*'}", [alert("RedisDown"), alert("Red")], [alert("InfraRed")]),
        ("{alert: '*', labels: {severity: 'crit*'}}", [alert(severity="critical")], [alert(), alert(severity="warning")]),
        ("{alert: '*', labels: {a: x, b: '?'}}", [alert(a="x", b="y")], [alert(a="x"), alert(a="x", b="")]),
        ("{alert: Slow, source: grafana}", [alert(source="grafana")], [alert()]),
    ],
)  # fmt: skip
def test_name_labels_and_source_must_all_be_as_the_trigger_says(
    trigger: str, matching: list[Alert], others: list[Alert], write: Write
) -> None:
    found = write(shop=f"[{trigger}]")
    assert [len(found.matching(each)) for each in matching] == [1] * len(matching)
    assert [len(found.matching(each)) for each in others] == [0] * len(others)


def test_the_first_trigger_that_matches_decides_what_is_filled(write: Write) -> None:
    found = write(shop="[{alert: Slow, labels: {pod: '*'}, with: {host: pod}}, {alert: Slow}]")
    (one,) = found.matching(alert(pod="b"))
    (other,) = found.matching(alert())
    assert (one.number, one.inputs) == (1, (("host", "b"),))
    assert (other.number, other.inputs) == (2, ())
    assert one.because == 'trigger 1: alert "Slow", pod "*"'


def test_a_label_that_is_not_there_fills_nothing(write: Write) -> None:
    (found,) = write(shop="[{alert: Slow, with: {host: pod}}]").matching(alert())
    assert found.inputs == ()


def test_a_runbook_is_run_once_for_each_set_of_inputs(write: Write) -> None:
    found = write(pods="[{alert: Slow, with: {host: pod}}]", shop="[{alert: '*'}]")
    alerts = [alert(pod=pod, number=str(number)) for number, pod in enumerate("abab")] + [alert("Other")]
    made = jobs((each, found.matching(each)) for each in alerts)
    shown: Mapping[str, int] = {
        each.id.partition(":")[0] + str(dict(each.match.inputs)): len(each.alerts) for each in made
    }
    assert shown == {"pods{'host': 'a'}": 2, "pods{'host': 'b'}": 2, "shop{}": 5}
    assert len({each.id for each in made}) == 3


def test_runbooks_with_mistakes_are_for_their_alerts_and_files_that_are_none_are_told(
    write: Write, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("runbook: broken\ntitle: T\nstrat: a\ntriggers: [{alert: Slow}]\n" + REST)
    (tmp_path / "none.yaml").write_text("triggers: [\n")
    (tmp_path / "bytes.yaml").write_bytes(b"\xff")
    found = write(shop="[{alert: Slow}]")
    assert [each.runbook for each in found.matching(alert())] == ["broken", "shop"]
    assert [each.name for each in found.unread] == ["bytes.yaml", "none.yaml"]
