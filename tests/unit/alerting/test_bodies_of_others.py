"""Bodies that other systems send, each written after the public page that it names; no such system is asked here."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from runbook_engine.alerting.alerts import Alert, AlertError, Body, Status
from runbook_engine.alerting.reading import read_body
from runbook_engine.document.triggers import AlertSource

ARN = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:shop-errors"
STATE = {"value": "ALARM", "reason": "Threshold Crossed", "timestamp": "2026-11-23T14:05:42.236+0000"}

# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
ALARM: Mapping[str, Any] = {
    "AlarmName": "shop-errors",
    "AlarmArn": ARN,
    "AlarmDescription": "The shop answers with errors",
    "AWSAccountId": "123456789012",
    "NewStateValue": "ALARM",
    "NewStateReason": "Threshold Crossed",
    "StateChangeTime": "2026-11-23T14:05:42.236+0000",
    "Region": "EU (Frankfurt)",
    "OldStateValue": "OK",
}
# Metric math, as the same page and the API's MetricDataQuery have it.
MATH = {
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 5.0,
    "Metrics": [
        {"Expression": "100 * m2 / m1", "Id": "e1", "Label": "errors", "ReturnData": True},
        *(
            {
                "Id": each,
                "MetricStat": {
                    "Metric": {
                        "Dimensions": [
                            {"value": "app/shop/50dc6c495c0c9188", "name": "LoadBalancer"},
                            {"value": zone, "name": "AvailabilityZone"},
                        ],
                        "MetricName": metric,
                        "Namespace": "AWS/ApplicationELB",
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
                "ReturnData": False,
            }
            for each, metric, zone in (("m1", "RequestCount", "a"), ("m2", "HTTPCode_Target_5XX_Count", "b"))
        ),
    ],
}
CONFIGURATION = {
    "description": "The shop answers with errors",
    "metrics": [
        {
            "id": "30b6c6b2-a864-43a2-4877-c09a1afc3b87",
            "metricStat": {
                "metric": {
                    "dimensions": {"InstanceId": "i-12345678901234567"},
                    "name": "CPUUtilization",
                    "namespace": "AWS/EC2",
                },
                "period": 300,
                "stat": "Average",
            },
            "returnData": True,
        }
    ],
}
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html
EVENT: Mapping[str, Any] = {
    "version": "0",
    "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
    "detail-type": "CloudWatch Alarm State Change",
    "source": "aws.cloudwatch",
    "account": "123456789012",
    "time": "2026-11-23T14:05:42Z",
    "region": "eu-central-1",
    "resources": [ARN],
    "detail": {
        "alarmName": "shop-errors",
        "configuration": CONFIGURATION,
        "previousState": {"value": "OK"},
        "state": STATE,
    },
}
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
ACTION: Mapping[str, Any] = {
    "source": "aws.cloudwatch",
    "alarmArn": ARN,
    "accountId": "123456789012",
    "time": "2026-11-23T14:05:42.236+0000",
    "region": "eu-central-1",
    "alarmData": {
        "alarmName": "shop-errors",
        "state": STATE,
        "previousState": {"value": "OK"},
        "configuration": CONFIGURATION,
    },
}
# https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
ALERTMANAGER: Mapping[str, Any] = {
    "version": "4",
    "groupKey": '{}:{alertname="DiskFull"}',
    "status": "firing",
    "receiver": "runbook",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "DiskFull", "instance": "db-1.example.com:9100", "severity": "critical"},
            "annotations": {"summary": "The disk is full"},
            "startsAt": "2026-11-23T14:05:31.123456789Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "http://prometheus.example.com:9090/graph",
            "fingerprint": "5a3f1c9be2a01d77",
        }
    ],
}
# https://grafana.com/docs/grafana/latest/alerting/fundamentals/alert-rule-evaluation/stale-alert-instances/
# https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/
NO_DATA: Mapping[str, Any] = {
    "receiver": "runbook",
    "status": "firing",
    "orgId": 1,
    "alerts": [
        {
            "status": "firing",
            "labels": {
                "alertname": "DatasourceNoData",
                "rulename": "DiskFull",
                "datasource_uid": "P8E80F9AEF21F6940",
                "ref_id": "A",
            },
            "annotations": {},
            "startsAt": "2026-11-23T14:05:31Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": "https://grafana.example.com/alerting/grafana/x/view",
            "fingerprint": "c6eadffa33fcdf37",
            "silenceURL": "https://grafana.example.com/alerting/silence/new",
            "dashboardURL": "",
            "panelURL": "",
            "values": None,
            "valueString": "",
        }
    ],
    "version": "1",
    "groupKey": '{}/{}:{alertname="DatasourceNoData"}',
    "truncatedAlerts": 0,
    "title": "[FIRING:1] DatasourceNoData",
    "state": "alerting",
    "message": "",
}


def sns(message: object, **more: Any) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html."""
    text = message if isinstance(message, str) else json.dumps(message)
    topic = "arn:aws:sns:eu-central-1:123456789012:alarms"
    return {"Type": "Notification", "TopicArn": topic, "Message": text, "Timestamp": "2026-11-23T14:06:00.000Z", **more}


def of_function(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html."""
    return {"EventVersion": "1.0", "EventSource": "aws:sns", "EventSubscriptionArn": "arn:x", "Sns": message}


def queued(body: object) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html."""
    return {
        "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
        "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
        "body": json.dumps(body),
        "eventSource": "aws:sqs",
        "awsRegion": "eu-central-1",
    }


def received(body: object) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html."""
    return {"MessageId": "059f36b4", "ReceiptHandle": "AQEB", "MD5OfBody": "x", "Body": json.dumps(body)}


def request(body: object) -> Mapping[str, Any]:
    """https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html."""
    text = base64.b64encode(json.dumps(body).encode()).decode()
    return {"version": "2.0", "requestContext": {"http": {"method": "POST"}}, "body": text, "isBase64Encoded": True}


def read(value: object) -> Body:
    return read_body(json.dumps(value).encode())


def only(value: object) -> Alert:
    (alert,) = read(value).alerts
    return alert


@pytest.mark.parametrize(
    "body",
    [
        ALARM,
        sns(ALARM),
        {"Records": [of_function(sns(ALARM))]},
        {"Records": [queued(sns(ALARM))]},
        {"Records": [queued(ALARM)]},
        {"Messages": [received(sns(ALARM))]},
        received(ALARM),
        EVENT,
        sns(EVENT),
        {"Records": [queued(EVENT)]},
        ACTION,
        {"Records": [queued(sns(EVENT))]},
    ],
)
def test_an_alarm_is_the_same_in_whatever_envelope_it_comes(body: Mapping[str, Any]) -> None:
    alert = only(body)
    assert (alert.source, alert.name, alert.status) == (AlertSource.CLOUDWATCH, "shop-errors", Status.FIRING)
    assert alert.summary == "The shop answers with errors"
    assert alert.starts_at == pytest.approx(1795442742.236)
    assert alert.key == only(ALARM).key
    assert alert.derived["region"] == "eu-central-1"
    assert alert.derived["account"] == alert.labels["AWSAccountId"] == "123456789012"


@pytest.mark.parametrize("body", [EVENT, ACTION])
def test_an_alarm_of_eventbridge_has_its_dimensions_for_labels(body: Mapping[str, Any]) -> None:
    assert only(body).labels == {
        "InstanceId": "i-12345678901234567",
        "Namespace": "AWS/EC2",
        "MetricName": "CPUUtilization",
        "AWSAccountId": "123456789012",
    }


def test_an_alarm_by_metric_math_keeps_the_dimensions_that_its_metrics_agree_on() -> None:
    found = read(sns({**ALARM, "Trigger": MATH}))
    labels = dict(found.alerts[0].labels)
    assert (labels["LoadBalancer"], labels["Namespace"]) == ("app/shop/50dc6c495c0c9188", "AWS/ApplicationELB")
    assert "AvailabilityZone" not in labels
    assert "MetricName" not in labels
    assert found.odd == (
        "the metrics of the alarm have several values of the dimension AvailabilityZone: a, b; it is no label",
    )


def test_an_event_of_which_the_alarm_has_no_data_is_told_and_counts_as_blind() -> None:
    detail = {**EVENT["detail"], "state": {**STATE, "value": "INSUFFICIENT_DATA", "reason": "no datapoints"}}
    found = read({**EVENT, "detail": detail})
    assert (found.alerts, found.blind) == ((), 1)
    assert found.notes == ("the alarm shop-errors has too few data, so that nothing is done: no datapoints",)


def test_alertmanager_may_send_to_a_function_and_a_topic_too() -> None:
    for body in (request(ALERTMANAGER), sns(ALERTMANAGER), {"Records": [queued(ALERTMANAGER)]}):
        assert only(body) == only(ALERTMANAGER)


def test_amazon_managed_prometheus_by_the_json_template_of_its_manual() -> None:
    # https://docs.aws.amazon.com/prometheus/latest/userguide/AMP-alertmanager-receiver-JSON.html: times as Go prints them,
    # texts unescaped, no version and no groupKey.
    message = (
        '{"receiver": "sns","status": "firing","alerts": [{"status": "firing","labels": {"alertname": "DiskFull", '
        '"instance": "db-1:9100"},"annotations": {"summary": "The disk\nis full"},"startsAt": '
        '"2026-11-23 14:05:31.123456789 +0000 UTC","endsAt": "0001-01-01 00:00:00 +0000 UTC","generatorURL": '
        '"/graph?g0.expr=up","fingerprint": "5a3f1c9be2a01d77"}],"groupLabels": {"alertname": "DiskFull"},"commonLabels": '
        '{"alertname": "DiskFull"},"commonAnnotations": {}}'
    )
    alert = only(sns(message))
    assert (alert.source, alert.name, alert.fingerprint) == (AlertSource.ALERTMANAGER, "DiskFull", "5a3f1c9be2a01d77")
    assert alert.starts_at == pytest.approx(1795442731.123456)
    assert alert.ends_at is None
    assert alert.summary == "The disk is full"
    assert alert.derived["instance_host"] == "db-1"


def test_amazon_managed_prometheus_by_the_default_template_of_alertmanager() -> None:
    # sns.default.message of https://github.com/prometheus/alertmanager/blob/main/template/default.tmpl
    message = """The disk is full
Alerts Firing:
Labels:
 - alertname = DiskFull
 - instance = db-1:9100
Annotations:
 - summary = The disk = full
Source: http://prometheus.example.com/graph

Alerts Resolved:
Labels:
 - alertname = DiskSlow
Annotations:
Source:
"""
    found = read(sns(message))
    assert [(each.name, each.status, each.starts_at) for each in found.alerts] == [
        ("DiskFull", Status.FIRING, 1795442760.0),
        ("DiskSlow", Status.RESOLVED, 1795442760.0),
    ]
    assert found.alerts[0].summary == "The disk = full"
    assert found.alerts[0].url == "http://prometheus.example.com/graph"
    assert "let Alertmanager write JSON" in found.notes[0]


def test_an_alert_without_data_of_grafana_has_the_name_of_its_rule() -> None:
    alert = only(NO_DATA)
    assert (alert.source, alert.name, alert.rule) == (AlertSource.GRAFANA, "DatasourceNoData", "DiskFull")
    assert alert.shown == "DiskFull (DatasourceNoData)"
    assert only(ALERTMANAGER).derived["rulename"] == only(ALERTMANAGER).shown == "DiskFull"


@pytest.mark.parametrize(
    ("instance", "host", "port"),
    [
        ("db-1.example.com:9100", "db-1.example.com", "9100"),
        ("10.0.0.7:9100", "10.0.0.7", "9100"),
        ("[2001:db8::1]:9100", "2001:db8::1", "9100"),
        ("[2001:db8::1]", "2001:db8::1", None),
        ("2001:db8::1", "2001:db8::1", None),
        ("db-1", "db-1", None),
        ("https://shop.example.com/health?a=1", "shop.example.com", None),
        ("http://user@shop.example.com:8080/x", "shop.example.com", "8080"),
        (" db-1:9100 ", "db-1", "9100"),
        ("", None, None),
    ],
)
def test_an_instance_is_a_host_and_a_port(instance: str, host: str | None, port: str | None) -> None:
    (first,) = ALERTMANAGER["alerts"]
    derived = only({**ALERTMANAGER, "alerts": [{**first, "labels": {"alertname": "A", "instance": instance}}]}).derived
    assert (derived.get("instance_host"), derived.get("instance_port")) == (host, port)


def test_a_label_that_was_sent_counts_before_one_that_follows_from_others() -> None:
    (first,) = ALERTMANAGER["alerts"]
    alert = only({**ALERTMANAGER, "alerts": [{**first, "labels": {"instance": "a:1", "instance_host": "b"}}]})
    assert alert.every_label == {"instance": "a:1", "instance_host": "b", "instance_port": "1"}


def test_of_a_batch_what_can_be_read_is_read() -> None:
    found = read({"Records": [queued(ALARM), queued({"x": 1}), of_function(sns("Hello")), queued(ALERTMANAGER)]})
    assert [each.name for each in found.alerts] == ["shop-errors", "DiskFull"]
    assert found.unread == 2
    assert found.odd[0].startswith("Records[1].body is nothing that is known here")
    assert found.odd[1].startswith("Message is no alarm of CloudWatch, but a text for people")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({**EVENT, "detail-type": "EC2 Instance State-change Notification"}, "the event is 'EC2 Instance State-change Notification'"),
        ({"Records": [{"eventSource": "aws:s3", "s3": {}}]}, "Records[0] is of 'aws:s3', which carries no alerts"),
        ({"Records": []}, "there is no message in the batch"),
        ({"Records": [queued([])]}, "Records[0].body is a list, where an object is expected"),
        ({"requestContext": {}, "body": "%", "isBase64Encoded": True}, "body is no text in base64"),
        (received(received(received(received(received(received(ALARM)))))), "more than 5 envelopes"),
        (sns(sns("", Type="SubscriptionConfirmation")), "aws sns confirm-subscription"),
    ],
)  # fmt: skip
def test_what_carries_no_alert_is_refused_with_the_reason(body: Mapping[str, Any], says: str) -> None:
    with pytest.raises(AlertError) as refused:
        read(body)
    assert says in str(refused.value)
