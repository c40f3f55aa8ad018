"""A duration is read alike by every probe that takes one."""

import pytest
from pydantic import ValidationError

from runbook_engine.probe import Secret
from runbook_engine.probe.registry import Registry

TAKEN = [
    ("redis.info", {"url": Secret("redis://h")}, "sample"),
    ("postgres.slow_queries", {"dsn": Secret("postgresql://h")}, "sample"),
    ("aws.cloudwatch", {"namespace": "AWS/ECS", "metric": "CPUUtilization", "statistic": "Average"}, "window"),
    ("aws.logs_filter", {"log_group": "g", "pattern": "p"}, "window"),
    ("prometheus.query", {"url": Secret("http://p"), "query": "up"}, "window"),
]


@pytest.mark.parametrize(("probe", "others", "name"), TAKEN, ids=[f"{probe}.{name}" for probe, _, name in TAKEN])
def test_a_duration_is_a_text_with_a_unit_or_a_number_of_seconds(
    probe: str, others: dict[str, object], name: str
) -> None:
    params = Registry().get(probe).params

    for written in ("5min", "300s", 300, "300"):
        assert getattr(params.model_validate({**others, name: written}), name) == 300
    for wrong, told in (
        ("5%", "'5%' is not a duration; write for example 5s"),
        ("5MiB", "is not a duration"),
        ("-1s", "greater than"),
    ):
        with pytest.raises(ValidationError, match=told):
            params.model_validate({**others, name: wrong})
