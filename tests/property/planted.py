"""Secrets as people have them, the forms in which programs write them, and how to see that one has leaked.

What looks for a leak knows nothing of how secrets are hidden: each secret has a core of letters and digits, which nothing
escapes, and whoever finds a good part of it, plain or encoded, has found a leak.
"""

import base64
import hashlib
import html
import json
import quopri
import re
import shlex
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from html.entities import codepoint2name
from urllib.parse import quote, quote_plus, unquote, urlsplit
from xml.sax.saxutils import escape

import ahocorasick_rs
from msgspec import Struct

Form = Callable[[str], str]


def _base64(secret: str) -> str:
    return base64.b64encode(secret.encode()).decode()


def _percent_partly(secret: str) -> str:
    return "".join(f"%{ord(each):02x}" if at % 3 == 1 and each.isascii() else each for at, each in enumerate(secret))


def _pieces(text: str, length: int) -> list[str]:
    return [text[at : at + length] for at in range(0, len(text), length)]


def _utf_16(text: str) -> Iterator[int]:
    data = text.encode("utf-16-be")
    return (int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2))


def _octal(found: re.Match[bytes]) -> bytes:
    return b"\\%03o" % found[0][0]


def _own_password(secret: str) -> str:
    """Of a connection string the password in it, which its parts have in any order."""
    return unquote(urlsplit(secret).password or secret) if "://" in secret else secret


def _quoted(text: str) -> str:
    return re.sub(r"(['\\])", r"\\\1", text)


_QUOTES = {'"': "&quot;", "'": "&apos;"}
_NAMES = {**codepoint2name, ord("/"): "sol", ord("+"): "plus", ord("="): "equals", ord("("): "lpar", ord("'"): "apos"}

FORMS: Mapping[str, Form] = {
    "as it is": lambda secret: secret,
    "percent-encoded": lambda secret: quote(secret, safe=""),
    "percent-encoded, lower case": lambda secret: re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
    "percent-encoded with plus signs": quote_plus,
    "percent-encoded partly": _percent_partly,
    "percent-encoded twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "JSON": json.dumps,
    "JSON with escapes in upper case": lambda secret: re.sub(
        r"\\u(....)", lambda found: rf"\u{found[1].upper()}", json.dumps(secret)
    ),
    "JSON as it is": lambda secret: json.dumps(secret, ensure_ascii=False),
    "JSON in JSON": lambda secret: json.dumps({"body": json.dumps({"said": secret})}),
    "JSON in JSON in JSON": lambda secret: json.dumps(json.dumps(json.dumps([secret]))),
    "JSON with escaped slashes": lambda secret: json.dumps(secret).replace("/", r"\/"),
    "HTML": html.escape,
    "HTML in numbers": lambda secret: "".join(f"&#{ord(each)};" for each in secret),
    "HTML in hexadecimal numbers": lambda secret: "".join(f"&#x{ord(each):X};" for each in secret),
    "XML": lambda secret: escape(secret, {'"': "&quot;", "'": "&apos;"}),
    "JSON in HTML": lambda secret: html.escape(json.dumps({"said": secret})),
    "a URL in JSON": lambda secret: json.dumps({"url": f"https://example.com/?q={quote(secret, safe='')}"}),
    "SQL": lambda secret: "'" + secret.replace("'", "''") + "'",
    "a shell": shlex.quote,
    "a shell with backslashes": lambda secret: re.sub(r"([^\w])", r"\\\1", secret, flags=re.ASCII),
    "Python": repr,
    "Python's bytes": lambda secret: repr(secret.encode()),
    "base64": _base64,
    "base64 for URLs": lambda secret: base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    "base64 of user and password": lambda secret: _base64(f"someone:{secret}"),
    "base64 one letter later": lambda secret: _base64(f"a{secret}b"),
    "base64 two letters later": lambda secret: _base64(f"ab{secret}cd"),
    "base64, folded": lambda secret: "\n".join(textwrap.wrap(_base64(f"{'head ' * 20}{secret}{' tail' * 20}"), 64)),
    "base64, folded in JSON": lambda secret: json.dumps("\n".join(textwrap.wrap(_base64("x" * 50 + secret), 76))),
    "base64, percent-encoded": lambda secret: quote(_base64(secret), safe=""),
    "base64 of user and password, for URLs": lambda secret: (
        base64.urlsafe_b64encode(f"someone:{secret}".encode()).decode().rstrip("=")
    ),
    "base64 of base64": lambda secret: _base64(_base64(secret)),
    "base64 of UTF-16": lambda secret: base64.b64encode(f"'{secret}'".encode("utf-16-le")).decode(),
    "hexadecimal": lambda secret: secret.encode().hex(),
    "hexadecimal, upper case": lambda secret: secret.encode().hex().upper(),
    "hexadecimal with colons": lambda secret: secret.encode().hex(":"),
    "hexadecimal, folded": lambda secret: "\n".join(_pieces(secret.encode().hex(), 60)),
    "bytea": lambda secret: rf"\x{secret.encode().hex()}",
    "folded": lambda secret: "\n".join(_pieces(secret, len(secret) // 2 + 1)),
    "folded with an indent": lambda secret: "\r\n    ".join(_pieces(secret, 15)),
    "folded by a shell": lambda secret: "\\\n".join(_pieces(secret, 9)),
    "folded in JSON": lambda secret: json.dumps("\n".join(_pieces(secret, 13))),
    "quoted-printable": lambda secret: quopri.encodestring(f"{'.' * 68}{secret}".encode(), quotetabs=True).decode(),
    "escapes of Unicode": lambda secret: "".join(f"\\u{each:04x}" for each in _utf_16(secret)),
    "escapes of Unicode in braces": lambda secret: "".join(f"\\u{{{ord(each):X}}}" for each in secret),
    "escapes of Unicode with percent signs": lambda secret: "".join(f"%u{each:04X}" for each in _utf_16(secret)),
    "C": lambda secret: re.sub(rb"[^ -~]|[\\\"']", _octal, secret.encode()).decode(),
    "C, all of it in octal digits": lambda secret: re.sub(rb"(?s).", _octal, secret.encode()).decode(),
    "C, all of it in hexadecimal digits": lambda secret: "".join(f"\\x{each:02x}" for each in secret.encode()),
    "a shell's $''": lambda secret: "$'" + re.sub(rb"[^ -~]|[\\']", _octal, secret.encode()).decode() + "'",
    "HTML in names": lambda secret: "".join(
        f"&{_NAMES[ord(each)]};" if ord(each) in _NAMES else each for each in secret
    ),
    "XML twice": lambda secret: escape(escape(secret, _QUOTES), _QUOTES),
    "SQL with backslashes": lambda secret: "E'" + re.sub(r"(['\\])", r"\\\1", secret) + "'",
    "a connection string": lambda secret: f"host=db user=app password='{_quoted(_own_password(secret))}' dbname=shop",
    "a connection string the other way round": lambda secret: f"Pwd={{{_own_password(secret)}}};Uid=app;Server=db",
    "a URL's password": lambda secret: f"mysql://app:{quote(_own_password(secret), safe='')}@db.example.com:3306/shop",
}


_KINDS = (
    "{core}", "/{core}+x/y", "{core}=", "it's-{core}", 'say "{core}"', "<{core}>&amp;", "{core}%41%zz", "\\{core}\\n",
    "$({core})", "{core} and more", "p\u00e4{core}\u00df", "{core}\U0001f600", "a;b|{core}", "(a+)+{core}[", "{core}\n",
    "sid={core}; theme=dark-blue", "postgresql://app:{core}%40@db.example.com/shop", "Bearer {core}",
    '{{"user": "app", "password": "{core}"}}', "-----BEGIN PRIVATE KEY-----\n{lines}\n-----END PRIVATE KEY-----\n",
)  # fmt: skip
_VARIABLES = (
    "GITHUB_PAT", "AWS_SECRET_ACCESS_KEY", "MYSQL_PWD", "PGPASSWORD", "REDIS_AUTH", "APP_TOKEN", "CLIENT_SECRET",
    "API_KEY", "DB_PASS", "SIGNING_KEY", "SMTP_PASSWORD", "npm_config__authToken", "SAS_SIGNATURE", "VAULT_PASSPHRASE",
    "TLS_PRIVATE_KEY", "COOKIE", "SHOP_DSN", "AUTHORIZATION", "SERVICE_CREDENTIALS", "SSH_PRIVATE_KEY",
)  # fmt: skip


class Planted(Struct, frozen=True):
    """A secret, the variable that holds it, and what cannot be mistaken in it."""

    variable: str
    text: str
    cores: tuple[str, ...]


def planted() -> Iterator[Planted]:
    """Sixty: each kind three times, once of it long."""
    for number in range(60):
        kind, round_ = number % len(_KINDS), number // len(_KINDS)
        cores = tuple(_core(f"{number} {line}") * (1, 2, 20)[round_] for line in range(8))
        text = _KINDS[kind].format(core=cores[0], lines="\n".join(f"{each:A<64}"[:64] for each in cores))
        known = cores if "PRIVATE KEY" in text else cores[:1]
        suffix = ("", "_2", "_OLD_PASSWORD")[round_]
        yield Planted(f"{_VARIABLES[kind]}{suffix}", text, tuple(each[:14] for each in known))


def _core(seed: str) -> str:
    return (
        "Q" + hashlib.sha256(seed.encode()).hexdigest()[:12].translate(str.maketrans("0123456789", "GHJKLMNPRS")) + "7"
    )


def leaked(text: str, secret: Planted) -> bool:
    """Whether the secret can be read in a text: as it is, escaped in any way, in base64 or in hexadecimal digits."""
    return Watch([secret]).leaked(text) != []


class Watch:
    """Looks for many secrets at once in a text. ``length``: how many letters of a core are enough to tell it by."""

    def __init__(self, secrets: Iterable[Planted], length: int = 14) -> None:
        self._secrets = tuple(secrets)
        found: dict[str, int] = {}
        for number, secret in enumerate(self._secrets):
            for core in (each[:length] for each in secret.cores):
                found |= {core: number, core.encode().hex(): number}
                once = [*_coded(core.encode()), *_coded(core.encode("utf-16-le"))]
                found |= dict.fromkeys([*once, *(twice for each in once for twice in _coded(each.encode()))], number)
        self._owners = list(found.values())
        self._search = ahocorasick_rs.AhoCorasick(list(found))

    def leaked(self, text: str) -> list[Planted]:
        """Those of which a good part can be read."""
        owners = {
            self._owners[index]
            for seen in _seen(text)
            for index, _, _ in self._search.find_matches_as_indexes(seen, overlapping=True)
        }
        return [self._secrets[each] for each in sorted(owners)]


def _seen(text: str) -> set[str]:
    """The text as those see it who know how to read escapes, who join what was folded, and who decode the rest."""
    undone = text
    for _ in range(4):
        undone = _ESCAPED.sub(_letter, html.unescape(unquote(undone)))
    found = set()
    for each in (text, undone):
        closed = re.sub(r"\\n|[\\\s]", "", each)
        found |= {closed, closed.replace("-", "+").replace("_", "/"), closed.replace(":", "").lower()}
        found |= {re.sub("=(?![0-9A-F]{2})", "", closed)}
    return found


_ESCAPED = re.compile(
    r"\\{1,8}(?:[uU]\{?0*(?P<unicode>[2-7][0-9A-Fa-f])\}?|x(?P<hex>[2-7][0-9A-Fa-f])|(?P<octal>[01][0-7]{2}))"
    r"|%u00(?P<percent>[2-7][0-9A-Fa-f])|=(?P<quoted>[2-7][0-9A-F])"
)


def _letter(found: re.Match[str]) -> str:
    kind = found.lastgroup or ""
    return chr(int(found[kind], 8 if kind == "octal" else 16))


def _coded(core: bytes) -> Iterator[str]:
    for before in range(3):
        whole = base64.b64encode(b"x" * before + core).decode()
        yield whole[-(-before * 8 // 6) : (before + len(core)) * 8 // 6]
