"""Commands of a shell, recognised as the probes that measure the same."""

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from urllib.parse import urlsplit

from msgspec import Struct

from runbook_engine.authoring.building import Variable

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))\Z", re.ASCII)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
_NAMED_SECRETLY = r"[\w-]*(?:password|passwd|pass|token|secret|api[_-]?key|auth)"
_SECRETS = re.compile(
    r"(?i)(?P<kept>"
    r"://[^/\s:@]*:(?=[^@\s/]+@)"  # a URL with a password
    rf"|--?{_NAMED_SECRETLY}\s+"  # an option
    rf"|\b{_NAMED_SECRETLY}[\"']?\s*[=:]\s*[\"']?(?:(?:Bearer|Basic|Token)\s+)?"  # an assignment, a field of JSON
    r"|\bAuthorization[\"']?\s*:\s*[\"']?(?:\w+\s+)?"
    r"|\bredis-cli\b(?:\s+-[^a\s]\S*\s+[^-\s]\S*)*\s+-a\s+"
    r"|\b(?:mysql\w*|mariadb\w*|sshpass)\b[^|;&]*?\s-p\s?(?=\S)"
    r"|\s(?:-u|--user|--proxy-user)[ =]?[^\s:/]+:(?!/)"
    r")(?!\$)[^\s'\"@]+"
)
_SCRIPTS = frozenset({"for", "while", "until", "if", "case", "function", "{", "("})
_PROMPT = re.compile(r"\s*(?:\$|#>|>|%)\s+")


class Command(Struct, frozen=True):
    """A command as it was written, and the comment above it."""

    text: str
    comment: str = ""

    @property
    def shown(self) -> str:
        """In one line, without passwords."""
        return _SECRETS.sub(lambda found: f"{found['kept']}***", " ".join(self.text.split()))


class Measurement(Struct, frozen=True):
    """The probe that measures what a command shows; ``given`` are its parameters, values or Variables."""

    probe: str
    given: Mapping[str, object]


def commands(block: str) -> Sequence[Command]:
    """The commands of a block of shell, each with the comment right above it."""
    found: list[Command] = []
    comment = ""
    pending: list[str] = []
    for line in block.splitlines():
        stripped = line.strip()
        if not pending and stripped.startswith("#") and not _PROMPT.match(line):
            comment = stripped.lstrip("# ").strip()
        elif not pending and not stripped:
            comment = ""
        else:
            pending.append(_PROMPT.sub("", line, count=1) if not pending else line)
            text = "\n".join(pending)
            if not _is_whole(text):
                continue
            found.extend(Command(each, comment) for each in _one_by_one(text))
            pending, comment = [], ""
    if pending:
        found.append(Command("\n".join(pending), comment))
    return found


def _one_by_one(text: str) -> Sequence[str]:
    """The commands of a line that come one after the other: ``a && b; c``. What is piped belongs to one."""
    parts, start, quote, index = list[str](), 0, "", 0
    while index < len(text):
        character = text[index]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"`":
            quote = character
        elif text.startswith(("$(", "<<", ";;"), index):
            # Not worth taking apart: a script of its own.
            return (text.strip(),)
        elif character == ";" or text.startswith(("&&", "||"), index):
            parts.append(text[start:index])
            index += character != ";"
            start = index + 1
        index += 1
    parts.append(text[start:])
    first = parts[0].split(maxsplit=1)
    if first and first[0] in _SCRIPTS:
        return (text.strip(),)
    return [each.strip() for each in parts if each.strip()]


def recognise(text: str) -> Measurement | None:
    """The probe that measures what this command shows, or None. Only reading is recognised."""
    words = _words(text)
    if not words:
        return None
    name = words[0].rpartition("/")[2]
    reader = _READERS.get(name)
    return reader(_Arguments(words[1:])) if reader is not None else None


def _is_whole(text: str) -> bool:
    """Whether the line ends here: no quote is open, and no backslash asks for more."""
    if text.rstrip().endswith(("\\", "|", "&&")):
        return False
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True


def _words(text: str) -> Sequence[str]:
    """The words of the first command of a line: what it is piped into only looks at what it says."""
    lexer = shlex.shlex(text.replace("\\\n", " "), posix=True, punctuation_chars="|;&")
    lexer.whitespace_split = True
    words: list[str] = []
    try:
        for word in lexer:
            if word and set(word) <= set("|;&"):
                break
            words.append(word)
    except ValueError:
        return ()
    while words and (_ASSIGNMENT.match(words[0]) or words[0] in ("sudo", "time", "watch")):
        words.pop(0)
    return words


class _Arguments:
    """Options and operands of a command. An option that is not known to stand alone takes the word after it."""

    def __init__(self, words: Sequence[str], alone: frozenset[str] = frozenset()) -> None:
        self.words = tuple(words)
        self.options: dict[str, str] = {}
        self.operands: list[str] = []
        rest = list(words)
        while rest:
            word = rest.pop(0)
            name, sign, value = word.partition("=")
            if word.startswith("-") and len(word) > 1:
                if sign:
                    self.options[name] = value
                elif word not in alone and rest and not (rest[0].startswith("-") and len(rest[0]) > 1):
                    self.options[word] = rest.pop(0)
                else:
                    self.options[word] = ""
            else:
                self.operands.append(word)

    def get(self, *names: str) -> object | None:
        """The value of an option: a text, or the variable that it is."""
        for name in names:
            if self.options.get(name):
                return _value(self.options[name])
        return None

    def alone(self, *names: str) -> "_Arguments":
        return _Arguments(self.words, frozenset(names))


def _value(text: str) -> object | None:
    found = _VARIABLE.match(text)
    if found is not None:
        return Variable(found[1] or found[2])
    return None if "$" in text or "`" in text else text


def _given(**values: object | None) -> Mapping[str, object]:
    return {key: value for key, value in values.items() if value is not None}


def _psql(arguments: _Arguments) -> Measurement | None:
    sql = " ".join(str(arguments.options.get("-c") or arguments.options.get("--command") or "").split())
    low = sql.lower().rstrip("; ")
    if "pg_stat_statements" in low:
        return Measurement("postgres.slow_queries", {})
    if "pg_stat_activity" in low or "max_connections" in low:
        return Measurement("postgres.activity", {})
    if re.fullmatch(r"(select (1|now\(\)|version\(\)))?", low):
        return Measurement("postgres.ping", {})
    if low.startswith(("select ", "show ", "with ")) and "$" not in sql:
        return Measurement("postgres.query", {"sql": sql.rstrip("; ")})
    return None


def _pg_isready(_: _Arguments) -> Measurement:
    return Measurement("postgres.ready", {})


def _redis_cli(arguments: _Arguments) -> Measurement | None:
    operands = [each.lower() for each in arguments.alone("--tls", "--raw", "--no-raw", "-c").operands]
    if operands[:1] == ["ping"]:
        return Measurement("redis.ping", {})
    return Measurement("redis.info", {}) if operands[:1] == ["info"] else None


_CURL_ALONE = (
    "-f", "--fail", "-s", "--silent", "-S", "-sS", "-fsS", "-sf", "-fs", "-i", "-I", "--head", "-v", "--verbose",
    "-L", "--location", "-k", "--insecure", "-fsSL", "-sL", "-sSf", "-sSL", "-4", "-6",
)  # fmt: skip
_CURL_WRITES = ("-X", "--request", "-d", "--data", "--data-raw", "--data-binary", "-F", "--form", "-T", "--upload-file")


def _curl(arguments: _Arguments) -> Measurement | None:
    arguments = arguments.alone(*_CURL_ALONE)
    if any(arguments.options.get(each, "GET").upper() not in ("GET", "HEAD") for each in _CURL_WRITES):
        return None
    return _http([*arguments.operands, *filter(None, [arguments.options.get("--url")])])


def _wget(arguments: _Arguments) -> Measurement | None:
    return _http(arguments.alone("-q", "--spider", "-S", "--quiet", "-qO-", "-O-", "-nv").operands)


def _http(urls: Sequence[str]) -> Measurement | None:
    if len(urls) != 1:
        return None
    if _VARIABLE.match(urls[0]):
        return Measurement("http.get", _given(url=_value(urls[0])))
    try:
        parts = urlsplit(urls[0] if "://" in urls[0] else f"http://{urls[0]}")
        readable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
        _ = parts.port
    except ValueError:
        return None
    if not readable or re.search(r"[$`{}<>\s\\^|\"\[\]]", urls[0]) or not urls[0].isascii():
        return None
    return Measurement("http.get", {"url": parts.geturl()})


def _openssl(arguments: _Arguments) -> Measurement | None:
    if arguments.operands[:1] != ["s_client"]:
        return None
    found = arguments.alone("-showcerts", "-brief", "-status", "-quiet")
    host, _, port = str(found.options.get("-connect", "")).partition(":")
    name = found.get("-servername")
    if not host or not (port or "443").isdecimal():
        return None
    given = _given(host=_value(host), server_name=name)
    if port and not 0 < int(port) < 65536:
        return None
    return Measurement("tls.certificate", {**given, "port": int(port)} if port else given)


def _look_up(arguments: _Arguments) -> Measurement | None:
    types = ("A", "AAAA", "CNAME", "MX", "NS", "TXT", "SOA", "SRV", "CAA", "PTR")
    asked = [each for each in arguments.operands if not each.startswith(("@", "+"))]
    kind = next(
        (each.upper() for each in (*asked, str(arguments.options.get("-t", ""))) if each.upper() in types), None
    )
    names = [each for each in asked if each.upper() not in types and each.upper() != "IN"]
    if not names or not re.fullmatch(r"[A-Za-z0-9_.-]+|\$\{?\w+\}?", names[0]):
        return None
    servers = [each.removeprefix("@") for each in arguments.operands if each.startswith("@")] or names[1:2]
    asked_of = servers[0] if servers and re.fullmatch(r"[0-9.]+|[0-9a-fA-F:]+", servers[0]) else None
    return Measurement("dns.resolve", _given(name=_value(names[0]), type=kind, resolvers=asked_of))


def _port(arguments: _Arguments) -> Measurement | None:
    alone = arguments.alone("-z", "-v", "-zv", "-vz", "-n", "-u")
    if "-u" in alone.options or len(alone.operands) != 2:
        return None
    host, port = alone.operands
    if not port.isdecimal() or not 0 < int(port) < 65536:
        return None
    return Measurement("tcp.connect", _given(host=_value(host), port=int(port)))


def _df(arguments: _Arguments) -> Measurement:
    alone = arguments.alone("-h", "-H", "-k", "-m", "-i", "-T", "-P", "-hT", "-Th", "-hi", "-ih", "-kP", "-Pk")
    paths = [each for each in alone.operands if each.startswith("/")]
    return Measurement("host.disk", {"path": paths[0]} if paths else {})


def _free(_: _Arguments) -> Measurement:
    return Measurement("host.memory", {})


def _aws(arguments: _Arguments) -> Measurement | None:
    found = arguments.alone("--no-cli-pager", "--no-paginate", "--debug")
    name = " ".join(found.operands[: 3 if found.operands[:2] == ["logs", "insights"] else 2])
    reader = _AWS.get(name)
    if reader is None:
        return None
    region = found.get("--region")
    made = reader(found)
    return Measurement(made.probe, {**made.given, **_given(region=region)}) if made is not None else None


def _cloudwatch(found: _Arguments) -> Measurement | None:
    metric, namespace = found.get("--metric-name"), found.get("--namespace")
    if not isinstance(metric, str) or not isinstance(namespace, str):
        return None
    statistics = found.get("--statistics")
    given: dict[str, object] = {"namespace": namespace, "metric": metric}
    if statistics in ("Average", "Maximum", "Minimum", "Sum", "SampleCount"):
        given["statistic"] = statistics
    pairs = re.findall(r"Name=([^,\s]+),Value=([^,\s]+)", " ".join(found.words))
    dimensions = {key: value for key, value in pairs if "$" not in key + value}
    period = found.get("--period")
    if isinstance(period, str) and period.isdecimal() and int(period) % 60 == 0 and 0 < int(period) <= 3600:
        given["period"] = f"{int(period)}s"
    if dimensions and not (namespace == "AWS/ECS" and set(dimensions) <= {"ServiceName", "ClusterName"}):
        given["dimensions"] = dimensions
    return Measurement("aws.cloudwatch", given)


def _insights(found: _Arguments) -> Measurement | None:
    query = found.get("--query-string")
    group = found.get("--log-group-name")
    if not isinstance(query, str) or group is None:
        return None
    return Measurement("aws.logs_insights", _given(log_group=group, query=" ".join(query.split())))


def _logs_filter(found: _Arguments) -> Measurement | None:
    group = found.get("--log-group-name")
    if group is None:
        return None
    return Measurement("aws.logs_filter", _given(log_group=group, pattern=found.get("--filter-pattern") or "?ERROR"))


def _certificates(found: _Arguments) -> Measurement:
    return Measurement("aws.acm_certificate", _given(certificate_arn=found.get("--certificate-arn")))


def _targets(found: _Arguments) -> Measurement:
    return Measurement("aws.target_health", _given(target_group_arn=found.get("--target-group-arn")))


def _service(found: _Arguments) -> Measurement:
    given = _given(cluster=found.get("--cluster"), service=found.get("--services", "--service"))
    return Measurement("aws.ecs_service", given)


def _groups(found: _Arguments) -> Measurement:
    return Measurement("aws.log_groups", _given(prefix=found.get("--log-group-name-prefix")))


def _rds(found: _Arguments) -> Measurement:
    return Measurement("aws.rds_instance", _given(db_instance_id=found.get("--db-instance-identifier")))


def _maintenance(_: _Arguments) -> Measurement:
    return Measurement("aws.rds_maintenance", {})


def _scaling(found: _Arguments) -> Measurement:
    return Measurement("aws.autoscaling", _given(service_namespace=found.get("--service-namespace")))


_AWS: Mapping[str, Callable[[_Arguments], Measurement | None]] = MappingProxyType(
    {
        "cloudwatch get-metric-statistics": _cloudwatch,
        "logs filter-log-events": _logs_filter,
        "logs start-query": _insights,
        # The guides of this world write it so, although there is no such command.
        "logs insights start-query": _insights,
        "logs describe-log-groups": _groups,
        "elbv2 describe-target-health": _targets,
        "ecs describe-services": _service,
        "rds describe-db-instances": _rds,
        "rds describe-pending-maintenance-actions": _maintenance,
        "acm list-certificates": _certificates,
        "acm describe-certificate": _certificates,
        "application-autoscaling describe-scalable-targets": _scaling,
    }
)

_READERS: Mapping[str, Callable[[_Arguments], Measurement | None]] = MappingProxyType(
    {
        "psql": _psql,
        "pg_isready": _pg_isready,
        "redis-cli": _redis_cli,
        "curl": _curl,
        "wget": _wget,
        "openssl": _openssl,
        "dig": _look_up,
        "host": _look_up,
        "nslookup": _look_up,
        "nc": _port,
        "telnet": _port,
        "df": _df,
        "free": _free,
        "aws": _aws,
    }
)
