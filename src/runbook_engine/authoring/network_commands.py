"""curl, wget, openssl s_client, dig, host, nslookup, nc and telnet, as the probes that measure the same."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from runbook_engine.authoring.measurement import Measurement, Variable
from runbook_engine.authoring.options import Options, UnlikeError, given, here, text, value
from runbook_engine.authoring.shell import Word

_CURL = (
    "fsSivLIgN#X:H:o:w:m:",
    ["fail", "fail-with-body", "silent", "show-error", "include", "verbose", "location", "head", "globoff", "no-buffer",
     "progress-bar", "no-progress-meter", "compressed", "request=", "header=", "output=", "write-out=", "max-time=",
     "connect-timeout=", "url=", "retry=", "retry-delay="],
)  # fmt: skip
_HEADERS = frozenset(
    {"accept", "accept-encoding", "accept-language", "cache-control", "pragma", "user-agent", "origin"}
)
"""Headers that hold nothing secret and do not say which server is meant."""
_WGET = (
    "qSO:T:t:",
    ["quiet", "spider", "server-response", "output-document=", "timeout=", "tries=", "no-verbose", "method="],
)
_NOWHERE = ("-", "/dev/null")
_TYPES = ("A", "AAAA", "CNAME", "MX", "NS", "TXT", "SOA", "SRV", "CAA", "PTR")
_SHORTENED = re.compile(r"\+(?:(?:no)?(?:short|all|answer|stats|comments|question|cmd)|time=\d+|tries=\d+|timeout=\d+)")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:]+")


def curl(words: Sequence[Word]) -> Measurement:
    options = Options(words, *_CURL)
    method = text(options.one("-X", "--request") or Word("GET", "GET")).upper()
    if "-I" in options or "--head" in options:
        method = "HEAD"
    if method not in ("GET", "HEAD") or any(text(each) not in _NOWHERE for each in options.all("-o", "--output")):
        raise UnlikeError("curl")
    headers = dict(map(_header, options.all("-H", "--header")))
    url = _url([*options.operands, *options.all("--url")])
    follows = "-L" in options or "--location" in options
    return Measurement(
        "http.get",
        given(
            url=url,
            method=method if method != "GET" else None,
            headers=headers or None,
            follow_redirects=True if follows else None,
        ),
    )


def _header(word: Word) -> tuple[str, str]:
    name, sign, content = text(word).partition(":")
    if not sign or name.strip().lower() not in _HEADERS:
        raise UnlikeError(name)
    return name.strip(), content.strip()


def wget(words: Sequence[Word]) -> Measurement:
    spelled = [Word("--no-verbose", "--no-verbose") if each.value == "-nv" else each for each in words]
    options = Options(spelled, *_WGET)
    written = options.all("-O", "--output-document")
    heads = "--spider" in options
    if options.one("--method") is not None or any(text(each) not in _NOWHERE for each in written):
        raise UnlikeError("wget")
    if not written and not heads:
        raise UnlikeError("it keeps a file")
    url = _url(options.operands)
    return Measurement("http.get", given(url=url, method="HEAD" if heads else None, follow_redirects=True))


def _url(words: Sequence[Word]) -> str | Variable:
    if len(words) != 1:
        raise UnlikeError("several addresses")
    url = value(words[0])
    if isinstance(url, Variable):
        return url
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        _ = parts.port
    except ValueError:
        raise UnlikeError(url) from None
    readable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None
    if not readable or here(parts.hostname or "") or not url.isascii() or re.search(r"[$`{}<>\s\\^|\"\[\]]", url):
        raise UnlikeError(url)
    return parts.geturl()


def openssl(words: Sequence[Word]) -> Measurement:
    values = list(words)
    if not values or values.pop(0).value != "s_client":
        raise UnlikeError("openssl")
    found: dict[str, Word] = {}
    while values:
        option = text(values.pop(0))
        if option in ("-connect", "-servername") and values and option not in found:
            found[option] = values.pop(0)
        elif option not in ("-showcerts", "-brief", "-status", "-quiet", "-prexit", "-tlsextdebug"):
            raise UnlikeError(option)
    source = found["-connect"].source.strip("\"'") if "-connect" in found else ""
    split = re.fullmatch(r"(?P<host>[A-Za-z0-9.-]+|\$\{?(?P<variable>[A-Za-z_]\w*)\}?):(?P<port>\d{1,5})", source)
    if split is None or not 0 < int(split["port"]) < 65536 or here(split["host"]) or split["host"].isupper():
        # Without a port openssl would take 4433.
        raise UnlikeError("openssl")
    host = Variable(split["variable"]) if split["variable"] else split["host"]
    # openssl asks for the name that it connects to, unless told otherwise.
    name = value(found["-servername"]) if "-servername" in found else host
    return Measurement("tls.certificate", given(host=host, port=int(split["port"]), server_name=name))


def dig(words: Sequence[Word]) -> Measurement:
    names: list[Word] = []
    kind = server = None
    rest = list(words)
    while rest:
        word = rest.pop(0)
        shown = word.value or ""
        if shown == "-t" and rest:
            kind = text(rest.pop(0)).upper()
        elif shown.upper() in _TYPES and kind is None:
            kind = shown.upper()
        elif shown.startswith("@") and server is None:
            server = shown[1:]
        elif shown.startswith(("+", "-", "@")):
            if _SHORTENED.fullmatch(shown) is None:
                raise UnlikeError(shown)
        elif shown.upper() != "IN":
            names.append(word)
    return _looked_up(names, kind, server)


def host(words: Sequence[Word]) -> Measurement:
    options = Options(words, "t:")
    kind = options.one("-t")
    names, servers = options.operands[:1], options.operands[1:]
    if len(servers) > 1:
        raise UnlikeError("host")
    return _looked_up(names, text(kind).upper() if kind else None, text(servers[0]) if servers else None)


def nslookup(words: Sequence[Word]) -> Measurement:
    kind = None
    plain: list[Word] = []
    for word in words:
        found = re.fullmatch(r"-(?:type|q|query|querytype)=(\w+)", word.value or "")
        if found is not None:
            kind = found[1].upper()
        elif (word.value or "").startswith("-"):
            raise UnlikeError(word.source)
        else:
            plain.append(word)
    if len(plain) > 2:
        raise UnlikeError("nslookup")
    return _looked_up(plain[:1], kind, text(plain[1]) if len(plain) > 1 else None)


def _looked_up(names: Sequence[Word], kind: str | None, server: str | None) -> Measurement:
    if len(names) != 1 or (kind is not None and kind not in _TYPES):
        raise UnlikeError("names")
    name = value(names[0])
    if isinstance(name, str) and (not re.fullmatch(r"[A-Za-z0-9_.-]+", name) or _ADDRESS.fullmatch(name)):
        raise UnlikeError(name)
    if server is not None and (_ADDRESS.fullmatch(server) is None or here(server)):
        # The probe asks resolvers by their addresses.
        raise UnlikeError(server)
    return Measurement("dns.resolve", given(name=name, type=kind, resolvers=server))


def nc(words: Sequence[Word]) -> Measurement:
    return _port(Options(words, "zvnw:").operands)


def telnet(words: Sequence[Word]) -> Measurement:
    return _port(Options(words, "").operands)


def _port(words: Sequence[Word]) -> Measurement:
    if len(words) != 2:
        raise UnlikeError("a host and a port")
    name, port = value(words[0]), text(words[1])
    if not port.isdecimal() or not 0 < int(port) < 65536 or here(name):
        raise UnlikeError(port)
    return Measurement("tcp.connect", given(host=name, port=int(port)))
