"""What the http probes are told: a URL, headers, what to trust; and the curl command that asks the same."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from runbook_engine.pasteable import pasteable
from runbook_engine.probe import Params, Secret
from runbook_engine.quantity import Dimension, parse
from runbook_probes.network import AS_ASCII, ascii_name, is_address, where
from runbook_probes.trust import CA_FILE

DEFAULT_PORTS = {"http": 80, "https": 443}
EXAMPLE = "write for example https://api.example.com/health"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")  # RFC 9110, section 5.6.2
_NOT_IN_URL = re.compile(r"[\x00-\x20\x7f\\]")
_NOT_IN_VALUE = re.compile(r"[\x00\r\n]")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart, ready to be sent. ``account`` is ``user:password`` where the URL has one."""

    scheme: str
    host: str
    port: int
    path: str
    account: str | None

    @property
    def where(self) -> str:
        return where(self.host, self.port)

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def has_name(self) -> bool:
        """Whether the host is a name that has to be looked up, and not an address."""
        return not is_address(self.host)


def read_url(url: str) -> Target:
    """Raises ValueError with a sentence that does not repeat the URL, which may hold a password."""
    if _NOT_IN_URL.search(url):
        raise ValueError(f"a URL has no spaces, control characters or backslashes; {EXAMPLE}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"this is not a URL: its host or port cannot be read; {EXAMPLE}") from None
    if parts.scheme not in DEFAULT_PORTS:
        given = f"its scheme is {parts.scheme!r}" if "://" in url else "it does not begin with http:// or https://"
        raise ValueError(f"this is not an http or https URL: {given}; {EXAMPLE}")
    if not host or port == 0:
        raise ValueError(f"this URL has no {'port' if host else 'host'} that can be connected to; {EXAMPLE}")
    try:
        host = ascii_name(host)
    except UnicodeError:
        raise ValueError(f"the host of this URL has letters that no host name has; {AS_ASCII}") from None
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._[]|")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._[]|?") if parts.query else ""
    account = unquote(parts.netloc.rpartition("@")[0]) if "@" in parts.netloc else None
    return Target(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], path + query, account)


def _url(secret: Secret) -> Secret:
    read_url(secret.reveal())
    return secret


def _headers(headers: dict[str, Secret]) -> dict[str, Secret]:
    for name, value in headers.items():
        if not _TOKEN.match(name):
            raise ValueError(f"{name!r} is not the name of a header; write for example X-Api-Key")
        if _NOT_IN_VALUE.search(value.reveal()):
            raise ValueError(f"the value of the header {name} has a line break or a NUL in it, which none may have")
    return headers


def _listed(value: object) -> object:
    return [value] if isinstance(value, int | str) else value


def _of(dimension: Dimension, example: str) -> BeforeValidator:
    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        number, found = parse(value)
        if found not in (dimension, Dimension.NUMBER):
            raise ValueError(f"{value!r} is not a {dimension}; write for example {example}")
        return number

    return BeforeValidator(read, json_schema_input_type=float | str)


Seconds = Annotated[float, _of(Dimension.DURATION, "500ms or 5s")]
Size = Annotated[int, _of(Dimension.BYTES, "64KiB or 1MiB")]


class HttpParams(Params):
    """What every http probe takes. Validation errors do not repeat what was given, as it may be secret."""

    CONNECTS_TO = ("url",)

    model_config = ConfigDict(hide_input_in_errors=True)

    url: Annotated[Secret, AfterValidator(_url)] = Field(description="An http or https URL; it may hold a password")
    method: Literal["GET", "HEAD"] = "GET"
    headers: Annotated[dict[str, Secret], AfterValidator(_headers)] = Field(
        default_factory=dict, description="Sent to this URL's server alone, not to others that it redirects to"
    )
    expect_status: Annotated[
        tuple[Annotated[int, Field(ge=100, le=999)], ...],
        BeforeValidator(_listed, json_schema_input_type=int | list[int]),
    ] = Field((), description="One status or several that count as good; without it, 200 to 299")
    ca_file: str = Field("", description=CA_FILE)
    follow_redirects: bool = Field(
        False, description="Follow redirects, up to ten, as browsers do: with the cookies that they set"
    )

    @property
    def target(self) -> Target:
        return read_url(self.url.reveal())

    def expects(self, status: int) -> bool:
        return status in self.expect_status if self.expect_status else 200 <= status <= 299


def curl(params: HttpParams, *, write: str, discard: bool) -> str:
    """The command that asks the same; ``write`` is curl's --write-out."""
    words: list[str | Secret] = ["curl", "-sS", "-g"]
    words += ["-o", "/dev/null"] if discard else []
    words += ["-I"] if params.method == "HEAD" else []
    words += ["-L", "-b", ""] if params.follow_redirects else []  # an empty -b keeps the cookies that redirects set
    words += ["--cacert", params.ca_file] if params.ca_file else []
    for name, value in params.headers.items():
        words += ["-H", Secret(f"{name}: {value.reveal()}", f"{name}: {value.display}")]
    return pasteable(*words, "-w", write, params.url)
