"""Commands of the AWS CLI, as the probes that measure the same."""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from runbook_engine.authoring.measurement import Measurement
from runbook_engine.authoring.options import UnlikeError, given, text, value
from runbook_engine.authoring.shell import Word

_HOW = frozenset({"--output", "--query", "--no-cli-pager", "--no-paginate", "--color"})
"""How the answer is shown, or a part of it."""
_EVERYWHERE = frozenset({"--region", "--profile"})
_AGO = re.compile(r"(?P<count>\d+) ?(?P<unit>minute|min|hour|day|week)s? ago|-v ?-(?P<bsd>\d+)(?P<letter>[MHdw])\b")
_SECONDS = {
    "minute": 60,
    "min": 60,
    "hour": 3600,
    "day": 86400,
    "week": 604800,
    "M": 60,
    "H": 3600,
    "d": 86400,
    "w": 604800,
}
_HOUR = 3600


class _Found:
    """The options of a command of the AWS CLI; each may have several words."""

    def __init__(self, words: Sequence[Word]) -> None:
        self.options: dict[str, list[Word]] = {}
        current: list[Word] | None = None
        for word in words:
            if (word.value or "").startswith("--"):
                name, sign, rest = (word.value or "").partition("=")
                current = self.options.setdefault(name, [])
                if sign:
                    current.append(Word(rest, rest))
            elif current is None:
                raise UnlikeError(word.source)
            else:
                current.append(word)

    def one(self, *names: str) -> Word | None:
        found = [each for name in names for each in self.options.get(name, ())]
        if len(found) > 1:
            raise UnlikeError(names[0])
        return found[0] if found else None

    def optional(self, *names: str) -> object | None:
        word = self.one(*names)
        return None if word is None else value(word)

    def window(self) -> str | None:
        """How far back is looked, where that is not an hour. Raises UnlikeError where it does not reach until now."""
        end = self.one("--end-time")
        if end is not None and (_AGO.search(end.source) or "date" not in end.source):
            raise UnlikeError("--end-time")
        start = self.one("--start-time")
        if start is None:
            return None
        found = _AGO.search(start.source)
        if found is None or "date" not in start.source:
            raise UnlikeError("--start-time")
        seconds = int(found["count"] or found["bsd"]) * _SECONDS[found["unit"] or found["letter"]]
        return f"{seconds}s" if seconds != _HOUR else None


def aws(words: Sequence[Word]) -> Measurement:
    values = [each.value for each in words]
    while values[:1] and str(values[0]).startswith("--"):
        raise UnlikeError("an option before the service")
    length = 3 if values[:2] == ["logs", "insights"] else 2
    known = _READERS.get(" ".join(str(each) for each in values[:length]))
    if known is None:
        raise UnlikeError("aws")
    read, options = known
    found = _Found(words[length:])
    if not set(found.options) <= options | _HOW | _EVERYWHERE:
        raise UnlikeError("aws")
    made = read(found)
    where = given(region=found.optional("--region"), profile=found.optional("--profile"))
    return Measurement(made.probe, {**made.given, **where})


def _cloudwatch(found: _Found) -> Measurement:
    period = text(found.one("--period"))
    statistic = text(found.one("--statistics"))
    if not period.isdecimal() or int(period) % 60 or not 0 < int(period) <= _HOUR:
        raise UnlikeError("--period")
    dimensions = {}
    for word in found.options.get("--dimensions", ()):
        pair = re.fullmatch(r"Name=([^,\s]+),Value=([^,\s]+)", text(word))
        if pair is None:
            raise UnlikeError(word.source)
        dimensions[pair[1]] = pair[2]
    return Measurement(
        "aws.cloudwatch",
        given(
            namespace=text(found.one("--namespace")),
            metric=text(found.one("--metric-name")),
            dimensions=dimensions or None,
            statistic=statistic,
            period=f"{int(period)}s" if period != "300" else None,
            window=found.window(),
        ),
    )


def _insights(found: _Found) -> Measurement:
    query = " ".join(text(found.one("--query-string")).split())
    group = value(found.one("--log-group-name"))
    return Measurement("aws.logs_insights", given(log_group=group, query=query, window=found.window()))


def _logs_filter(found: _Found) -> Measurement:
    group, pattern = value(found.one("--log-group-name")), text(found.one("--filter-pattern"))
    return Measurement("aws.logs_filter", given(log_group=group, pattern=pattern, window=found.window()))


def _certificate(found: _Found) -> Measurement:
    return Measurement("aws.acm_certificate", given(certificate_arn=value(found.one("--certificate-arn"))))


def _targets(found: _Found) -> Measurement:
    return Measurement("aws.target_health", given(target_group_arn=value(found.one("--target-group-arn"))))


def _service(found: _Found) -> Measurement:
    cluster, service = value(found.one("--cluster")), value(found.one("--services"))
    return Measurement("aws.ecs_service", given(cluster=cluster, service=service))


def _groups(found: _Found) -> Measurement:
    return Measurement("aws.log_groups", given(prefix=value(found.one("--log-group-name-prefix"))))


def _rds(found: _Found) -> Measurement:
    return Measurement("aws.rds_instance", given(db_instance_id=value(found.one("--db-instance-identifier"))))


def _maintenance(_: _Found) -> Measurement:
    return Measurement("aws.rds_maintenance", {})


def _scaling(found: _Found) -> Measurement:
    namespace, resource = found.optional("--service-namespace"), found.optional("--resource-ids")
    return Measurement("aws.autoscaling", given(service_namespace=namespace, resource_id=resource))


_WHEN = frozenset({"--start-time", "--end-time"})
_Read = tuple[Callable[[_Found], Measurement], frozenset[str]]
_INSIGHTS: _Read = (_insights, _WHEN | {"--log-group-name", "--query-string"})
_READERS: Mapping[str, _Read] = MappingProxyType(
    {
        "cloudwatch get-metric-statistics": (
            _cloudwatch,
            _WHEN | {"--namespace", "--metric-name", "--dimensions", "--statistics", "--period"},
        ),
        "logs filter-log-events": (_logs_filter, _WHEN | {"--log-group-name", "--filter-pattern"}),
        "logs start-query": _INSIGHTS,
        # Guides write it so, although there is no such command.
        "logs insights start-query": _INSIGHTS,
        "logs describe-log-groups": (_groups, frozenset({"--log-group-name-prefix"})),
        "elbv2 describe-target-health": (_targets, frozenset({"--target-group-arn"})),
        "ecs describe-services": (_service, frozenset({"--cluster", "--services"})),
        "rds describe-db-instances": (_rds, frozenset({"--db-instance-identifier"})),
        "rds describe-pending-maintenance-actions": (_maintenance, frozenset()),
        "acm describe-certificate": (_certificate, frozenset({"--certificate-arn"})),
        "application-autoscaling describe-scalable-targets": (
            _scaling,
            frozenset({"--service-namespace", "--resource-ids"}),
        ),
    }
)
