"""The table: how a server misbehaves, how a runbook asks it, and what may come of that."""

from typing import NamedTuple

from tests.soak import http_servers as http
from tests.soak import other_servers as other
from tests.soak.place import Begin, closed, full_queue, over_tls, plain, pours, resets, says, silent

HEALTHY = "healthy"
"""The runbook found nothing wrong."""
FOUND = "found"
"""It found what is wrong there."""
NO_VALUE = "no value"
"""Something was measured, and what the runbook asks about is missing."""
TIMEOUT = "timeout"


class Misbehaviour(NamedTuple):
    """``right``: what may come of a step that has the time it needs; besides HEALTHY, FOUND and NO_VALUE that is the kind of
    an error. A server with ``endless`` holds whoever does not leave by himself.
    """

    name: str
    begin: Begin
    step: str
    right: frozenset[str]
    endless: bool = False


def ends(name: str, begin: Begin, step: str, *right: str) -> Misbehaviour:
    return Misbehaviour(name, begin, step, frozenset(right))


def endless(name: str, begin: Begin, step: str, *right: str) -> Misbehaviour:
    return Misbehaviour(name, begin, step, frozenset(right or [TIMEOUT]), endless=True)


GET = """
    probe: http.get
    with: {url: "http://{{ inputs.at }}/health"}
    extract: {up: {path: up, type: bool}}
    branches: [{when: up, goto: end}, {else: end, finding: bad}]
"""
GET_VALUE = GET.replace("{path: up, type: bool}", "{path: value}").replace("when: up", "when: up < 5")
GET_STATE = GET.replace("{path: up, type: bool}", "{path: state, type: string}").replace("up,", """'up == "up"',""")
GET_TLS = GET.replace('"http://{{ inputs.at }}/health"', '"https://{{ inputs.at }}/health", ca_file: "{{ inputs.ca }}"')
FOLLOW = GET.replace("/health", '/health", follow_redirects: true, ca_file: "{{ inputs.ca }}').replace(
    'ca }}"}', 'ca }}"}'
)
LATENCY = """
    probe: http.latency
    with: {url: "http://{{ inputs.at }}/health", samples: 20}
    branches: [{when: p95 < 1min, goto: end}, {else: end, finding: bad}]
"""
CONNECT = """
    probe: tcp.connect
    with: {host: 127.0.0.1, port: "{{ inputs.port }}"}
    branches: [{when: connect < 1min, goto: end}, {else: end, finding: bad}]
"""
CERTIFICATE = """
    probe: tls.certificate
    with: {host: 127.0.0.1, port: "{{ inputs.port }}", ca_file: "{{ inputs.ca }}"}
    branches: [{when: trusted and name_matches and not expired, goto: end}, {else: end, finding: bad}]
"""
RESOLVE = """
    probe: dns.resolve
    with: {name: api.test, resolvers: "{{ inputs.at }}"}
    branches: [{when: records > 0, goto: end}, {else: end, finding: bad}]
"""
PING_REDIS = """
    probe: redis.ping
    with: {url: "redis://{{ inputs.at }}/0"}
    branches: [{when: latency < 1min, goto: end}, {else: end, finding: bad}]
"""
INFO_REDIS = """
    probe: redis.info
    with: {url: "redis://{{ inputs.at }}/0"}
    branches: [{when: evicted_keys < 5, goto: end}, {else: end, finding: bad}]
"""
PING_POSTGRES = """
    probe: postgres.ping
    with: {dsn: "postgresql://app@{{ inputs.at }}/app?sslmode=disable"}
    branches: [{when: latency < 1min, goto: end}, {else: end, finding: bad}]
"""
PROMETHEUS = """
    probe: prometheus.query
    with: {url: "http://{{ inputs.at }}", query: up}
    branches: [{when: maximum < 5, goto: end}, {else: end, finding: bad}]
"""
SHELL = """
    probe: shell.run
    with: {argv: [python3, -c, "PROGRAM"]}
    extract: {up: {path: up, type: bool}}
    branches: [{when: up, goto: end}, {else: end, finding: bad}]
"""

LONG = http.HEAD + b"Content-Length: 400\r\n\r\n"
CHUNKS = http.HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GOOD = says(http.answer(http.UP))
ADDRESS = "api.test. 60 IN A 10.0.0.1"
ONE_ROW = other.COLUMN + other.ROW + other.message(b"C", b"SELECT 1\0") + other.READY


def program(text: str) -> str:
    return SHELL.replace("PROGRAM", text)


TABLE = (
    # http: the answer
    ends("cut answer", plain(says(LONG + http.UP)), GET, "malformed"),
    ends("too short a Content-Length", http.answers(http.UP, Content_Length="12"), GET, NO_VALUE),
    ends("senseless Content-Length", http.answers(http.UP, Content_Length="some"), GET, "malformed"),
    ends("two Content-Lengths", plain(says(LONG[:-2] + b"Content-Length: 3\r\n\r\n" + http.UP)), GET, "malformed"),
    endless("drip of a byte a second", plain(pours(LONG, b" ", every=1.0)), GET),
    endless("drip of headers", plain(pours(http.HEAD, b"X-More: 1\r\n", every=0.1)), GET),
    ends("garbage", plain(says(http.noise(2000))), GET, "malformed"),
    ends("binary body", http.answers(http.noise(2000)), GET, NO_VALUE),
    ends("flood of headers", plain(says(http.HEAD + http.headers(50_000) + b"\r\n")), GET, "malformed"),
    endless("endless headers", plain(pours(http.HEAD, http.headers(500))), GET, "malformed"),
    endless("endless body", plain(pours(http.HEAD + b"\r\n" + http.UP, b" " * 65536)), GET, NO_VALUE),
    endless("endless chunks", plain(pours(CHUNKS, b"1\r\n \r\n" * 10)), GET, NO_VALUE, TIMEOUT),
    ends("senseless chunk", plain(says(CHUNKS + b"-1\r\n" + http.UP)), GET, "malformed"),
    endless("endless interim answers", plain(pours(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n" * 50)), GET),
    ends(
        "gzip bomb", lambda place: place.listen(says(http.answer(http.bomb(), Content_Encoding="gzip"))), GET, NO_VALUE
    ),
    ends(
        "small gzip of many values",
        lambda place: place.listen(says(http.answer(http.folded_numbers(), Content_Encoding="gzip"))),
        GET,
        FOUND,
        NO_VALUE,
    ),
    ends("gzip that is none", http.answers(http.UP, Content_Encoding="gzip"), GET, NO_VALUE),
    # http: the connection
    ends("redirect loop", http.answers(b"", "302 Found", Location="/health"), FOLLOW, "other"),
    ends("redirect to a file", http.answers(http.UP, "302 Found", Location="file:///etc/hosts"), FOLLOW, "malformed"),
    ends("reset after accept", plain(resets()), GET, "other", "refused"),
    ends("reset in the middle", plain(resets(LONG + b'{"up": true')), GET, "malformed"),
    endless("silence after accept", plain(silent), GET),
    ends("half-open connection", plain(other.half_open), GET, "refused"),
    endless("full queue of connections", full_queue, CONNECT),
    ends("closed port", closed, CONNECT, "refused"),
    ends("fast 503", http.answers(b"", "503 Service Unavailable"), LATENCY, NO_VALUE),
    ends("19 of 20 connections closed", http.one_of(20, http.answer(http.UP)), LATENCY, NO_VALUE),
    # http: the JSON
    ends("integer of 400 digits", http.answers(b'{"value": -%s}' % (b"9" * 400)), GET_VALUE, NO_VALUE),
    ends("deep nesting", http.answers(b'{"up": true, "more": ' + b"[" * 50_000 + b"]" * 50_000 + b"}"), GET, NO_VALUE),
    ends("300,000 values", lambda place: place.listen(says(http.answer(http.many_values()))), GET, FOUND, NO_VALUE),
    ends("duplicate keys", http.answers(b'{"up": true, "up": false}'), GET, NO_VALUE),
    ends("not a number", http.answers(b'{"value": NaN}'), GET_VALUE, NO_VALUE),
    ends("line separators", http.answers('{"state": "up\u2028\u0085"}'.encode()), GET_STATE, FOUND),
    ends("UTF-16", http.answers(http.UP.decode().encode("utf-16")), GET, NO_VALUE),
    ends("half a surrogate", http.answers(b'{"state": "up\\ud800"}'), GET_STATE, FOUND, NO_VALUE),
    # tls
    ends("garbage for a handshake", plain(says(http.noise(500), heard=b"\x16")), CERTIFICATE, "tls"),
    ends(
        "plain HTTP on the port of TLS", plain(says(http.answer(b"", "400 Bad Request"), heard=b"\x16")), GET_TLS, "tls"
    ),
    ends("TLS on the port of plain HTTP", over_tls(GOOD), GET, "refused"),
    ends("expired certificate", over_tls(GOOD, expired=True), GET_TLS, "tls"),
    ends("expired certificate, looked at", over_tls(GOOD, expired=True), CERTIFICATE, FOUND),
    ends("certificate of another name", over_tls(GOOD, "other.test"), GET_TLS, "tls"),
    endless("silence in the handshake", plain(silent), CERTIFICATE),
    endless(
        "drip in the handshake",
        plain(pours(b"\x16\x03\x03\x40\x00\x02\x00\x3f\xf0", b"\0", every=0.1, heard=b"\x16")),
        CERTIFICATE,
    ),
    # dns
    endless("cut answer of a name server", other.name_server(other.cut(other.records(ADDRESS), 6)), RESOLVE),
    ends(
        "aliases in a circle",
        other.name_server(other.records("api.test. 60 IN CNAME b.test.", "b.test. 60 IN CNAME api.test.")),
        RESOLVE,
        "dns",
    ),
    endless("answer to another question", other.name_server(other.to_somebody_else), RESOLVE),
    endless("silent name server", other.name_server(other.no_answer), RESOLVE),
    endless("silent name server over TCP", other.name_server(other.too_long, silent), RESOLVE, "refused"),
    ends("failing name server", other.name_server(other.failing), RESOLVE, "dns"),
    # redis
    endless("drip of Redis", plain(pours(b"+PO", b"N", every=0.1, heard=b"\r\n")), PING_REDIS),
    endless("endless line of Redis", plain(pours(b"+PO", b"N" * 65536, heard=b"\r\n")), PING_REDIS, "malformed"),
    endless(
        "endless bulk of Redis",
        plain(pours(b"$90000000000\r\n", b"evicted_keys:0\r\n" * 4096, heard=b"\r\n")),
        INFO_REDIS,
        "malformed",
    ),
    endless(
        "endless array of Redis",
        plain(pours(b"*90000000000\r\n", b":1\r\n" * 4096, heard=b"\r\n")),
        INFO_REDIS,
        "malformed",
    ),
    ends("garbage of Redis", plain(says(http.noise(2000), heard=b"\r\n")), PING_REDIS, "malformed"),
    ends(
        "HTTP on the port of Redis",
        plain(says(http.answer(http.UP, "400 Bad Request"), heard=b"\r\n")),
        PING_REDIS,
        "malformed",
    ),
    # postgres
    ends(
        "garbage at the start of PostgreSQL", plain(says(http.noise(2000), heard=b"\0\0")), PING_POSTGRES, "malformed"
    ),
    endless(
        "endless notices of PostgreSQL", plain(other.postgres(pours(b"", other.NOTICE * 50, heard=b""))), PING_POSTGRES
    ),
    endless(
        "endless notices before the log-in to PostgreSQL",
        plain(pours(b"", other.NOTICE * 50, heard=b"\0\0")),
        PING_POSTGRES,
        "malformed",
    ),
    endless(
        "endless message of PostgreSQL",
        plain(other.postgres(pours(b"D\x7f\xff\xff\xff", b"\0" * 65536, heard=b"SELECT"))),
        PING_POSTGRES,
    ),
    ends(
        "cut row of PostgreSQL",
        plain(other.postgres(other.statements(other.COLUMN + other.ROW[:-1], close=True))),
        PING_POSTGRES,
        "other",
    ),
    endless(
        "row of PostgreSQL that never ends",
        plain(other.postgres(other.statements(other.COLUMN + other.ROW[:-1], close=False))),
        PING_POSTGRES,
    ),
    # prometheus
    ends(
        "partial answer of Prometheus",
        http.answers(
            http.prometheus([{"metric": {}, "value": [1.0, "1"]}], isPartial=True, warnings=["one store is not there"])
        ),
        PROMETHEUS,
        NO_VALUE,
    ),
    ends(
        "oversized answer of Prometheus",
        lambda place: place.listen(says(http.answer(http.partial_series()))),
        PROMETHEUS,
        FOUND,
        NO_VALUE,
        "malformed",
    ),
    ends(
        "cut answer of Prometheus",
        http.answers(http.prometheus([{"metric": {}, "value": [1.0, "1"]}])[:-5]),
        PROMETHEUS,
        "malformed",
    ),
    ends(
        "Prometheus divides by nothing",
        http.answers(http.prometheus([{"metric": {}, "value": [1.0, "NaN"]}])),
        PROMETHEUS,
        NO_VALUE,
    ),
    # shell
    endless("endless output of a program", closed, program("while True: print('up' * 9999)")),
    endless(
        "program that stays, with a child",
        closed,
        program("import os, signal, time; signal.signal(15, signal.SIG_IGN); os.fork(); time.sleep(600)"),
    ),
    ends(
        "program that kills itself",
        closed,
        program("import os; print('{}', flush=True); os.kill(os.getpid(), 9)"),
        NO_VALUE,
    ),
)
