"""Where a redirect leads, and the cookies that it sets, as browsers have it."""

from collections.abc import Sequence
from email.message import Message
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit
from urllib.request import Request

from runbook_probes.http_params import Target
from runbook_probes.network import is_this_machine

_STRIPPED = bytes(range(0x21))
_LEFT_OUT = bytes.maketrans(b"", b""), b"\t\r\n"


def redirected(url: str, location: bytes) -> str:
    """The URL that ``location``, as it stands in the header, means in the answer of ``url``.

    Bytes beyond ASCII are UTF-8 where they can be, and are sent on as they are where not. Blanks are written as ``%20``, a
    backslash is a slash (https://url.spec.whatwg.org/#url-parsing). The result may be no URL.
    """
    stripped = location.strip(_STRIPPED).translate(*_LEFT_OUT)
    try:
        text = stripped.decode("utf-8")
    except UnicodeDecodeError:
        text = "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in stripped)
    before, mark, after = _query_apart(text)
    text = before.replace("\\", "/") + mark + after.replace("\\", "%5C")
    return urljoin(
        url, "".join(letter if letter > " " and letter != "\x7f" else f"%{ord(letter):02X}" for letter in text)
    )


def _query_apart(text: str) -> tuple[str, str, str]:
    at = min((text.find(mark) for mark in "?#" if mark in text), default=len(text))
    return text[:at], text[at : at + 1], text[at + 1 :]


class Cookies:
    """What answers set on the way through redirects. Each goes back where it came from and is forgotten at the end."""

    def __init__(self) -> None:
        self._jar = CookieJar(_Policy())

    def keep(self, target: Target, headers: Sequence[tuple[str, str]]) -> None:
        """``headers`` are those of an answer from ``target``."""
        self._jar.extract_cookies(_Answered(headers), _request(target))  # type: ignore[arg-type]  # info() is all it wants

    def header(self, target: Target) -> str:
        """The value of the header ``Cookie`` in a request to ``target``; empty where no cookie is for it."""
        request = _request(target)
        self._jar.add_cookie_header(request)
        given = request.get_header("Cookie", "") or ""
        return given if given.isprintable() else ""


class _Policy(DefaultCookiePolicy):
    """What is marked ``Secure`` goes over plain http to this machine alone, as browsers and curl have it."""

    def return_ok_secure(self, cookie: Cookie, request: Request) -> bool:
        return super().return_ok_secure(cookie, request) or is_this_machine(urlsplit(request.full_url).hostname or "")


class _Answered:
    def __init__(self, headers: Sequence[tuple[str, str]]) -> None:
        self._headers = Message()
        for name, value in headers:
            if name.lower() == "set-cookie":
                self._headers[name] = value

    def info(self) -> Message:
        return self._headers


def _request(target: Target) -> Request:
    return Request(f"{target.scheme}://{target.host_header}{target.path}")  # noqa: S310 - nothing is opened
