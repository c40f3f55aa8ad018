"""Where the secrets of a runbook go: which input reaches which server, as far as the document tells.

A host counts as chosen by every name whose value can change it: of ``{{ inputs.api }}{{ inputs.path }}`` the path, too, which
may begin with ``@other.example.com``. A name behind the first slash cannot, and neither can a number.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from ipaddress import ip_address
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from runbook_engine.conditions import Name
from runbook_engine.document.models import AskStep, Input, InputType
from runbook_engine.document.source import Path
from runbook_engine.graph.plan import Filling, Plan, PlannedStep
from runbook_engine.graph.scope import INPUTS
from runbook_engine.ids import StepId
from runbook_engine.masking.names import Sense, names_secret
from runbook_engine.quantity import Dimension, MetricType
from runbook_engine.templates import FILTERS, Applied, Filled, Hole, Template

_BOUNDING = "urlencode"
"""A filter whose text can neither end a URL's host nor begin one."""
_NUMBER = "port"
_UNKNOWN = "\0"
_FIRST_MARK = 0xE000
"""Names stand as one letter each of the private use area while a URL is taken apart."""
_MARK = re.compile("[\ue000-\uf8ff]")
_KEYWORD = re.compile(r"(?:\A|\s)host(?:addr)?\s*=\s*('[^']*'|\S+)")
_QUERY_HOST = re.compile(r"[?&]host(?:addr)?=([^&#]*)")


class Host(Struct, frozen=True):
    """A server that a step connects to. ``text`` is for people: ``api.example.com``, ``the host of inputs.api_url``.

    ``chosen_by`` are the names that can change it, such as ``inputs.api_url`` and ``lookup.address``; of a called runbook's
    own inputs with the step before it, ``check_api/inputs.url``. ``measured`` are those of them that a probe measures.
    ``default`` is the host where every input has its default (or the value that is known of it), or empty.
    """

    text: str
    is_written: bool = False
    """Whether it stands in the document as it is."""
    chosen_by: tuple[str, ...] = ()
    measured: tuple[str, ...] = ()
    default: str = ""


class Flow(Struct, frozen=True):
    """One input that is secret, or read from the environment, that a step hands to its probe.

    ``host`` is None where the probe does not say where it connects.
    """

    name: str
    """``inputs.token``."""
    variable: str
    """``$TOKEN``."""
    is_secret: bool
    """By its type, or by the name of its variable: ``AWS_SECRET_ACCESS_KEY``."""
    step: str
    """Its path: ``health``, or ``check_api/health`` of a runbook that the step ``check_api`` calls."""
    probe: str
    place: Path
    """Where it stands in this document; of a called runbook's step, where that is called."""
    host: Host | None
    names_host: bool = False
    """Whether the secret itself says where it goes, as a connection string does."""
    in_url: bool = False
    """Whether it stands in a URL's path or query, which servers and proxies write into their logs."""
    is_own: bool = False
    """Whether the probe itself brings it: ``name`` says what, ``the credentials of AWS``."""


class _Stand(Struct, frozen=True):
    """What stands in a text for a value: by which names, and whether it may be any text.

    One that is bounded may be any, too, and only where a host stands does it choose one.
    """

    names: tuple[str, ...]
    taken: tuple[tuple[str, str, bool], ...] = ()
    """The secrets and variables in it: by which name, from which variable, and whether it is a secret."""
    measured: tuple[str, ...] = ()
    is_free: bool = True
    is_bounded: bool = False
    default: str | None = None


_Parts = tuple["str | _Stand", ...]
_HIDDEN = "secret"
"""Stands for a secret's text where it is known that the secret has one. It cannot end a URL's account."""


def flows(plan: Plan) -> tuple[Flow, ...]:
    """Each secret and each variable of the environment that a runbook or one that it calls takes, with where it goes.

    In the order of the steps.
    """
    return tuple(each for each in _flows(plan, {}, "") if not each.is_own)


def handed_over(plan: Plan, known: Mapping[str, str | None] | None = None) -> tuple[Flow, ...]:
    """The secrets among ``flows``, and what probes bring themselves.

    With ``known``, the values of the runbook's inputs by their names (None where one has none; of secrets, nothing), each
    host's ``default`` is the one of a run with these; empty where that is not known.
    """
    given = {} if known is None else {name: (_known(plan, name, known),) for name in plan.runbook.inputs}
    return tuple(each for each in _flows(plan, given, "", resolved=known is not None) if each.is_secret)


def _known(plan: Plan, name: str, known: Mapping[str, str | None]) -> "_Stand":
    stand = _stand(Name(INPUTS, name, 0, 0), plan, "")
    is_secret = plan.runbook.inputs[name].type is InputType.SECRET
    return replace(stand, default=_HIDDEN if is_secret else known.get(name))


def _flows(plan: Plan, given: Mapping[str, _Parts], path: str, *, resolved: bool = False) -> Iterator[Flow]:
    for step_id, step in plan.steps.items():
        place: Path = ("steps", step_id)
        if step.child is not None:
            handed = {name: _handed(name, step, plan, given, path) for name in step.child.runbook.inputs}
            bound = {name: parts for name, parts in handed.items() if parts is not None}
            inner = f"{path}{step_id}/"
            if resolved:  # what a called runbook's own inputs are is known when it is called
                own = {
                    name: _stand(Name(INPUTS, name, 0, 0), step.child, inner) for name in handed.keys() - bound.keys()
                }
                bound |= {name: (replace(stand, default=None),) for name, stand in own.items()}
            for each in _flows(step.child, bound, inner, resolved=resolved):
                yield replace(each, place=(*place, "call"))
        elif step.probe is not None:
            yield from _of_step(step, plan, given, path)


def _handed(name: str, step: PlannedStep, plan: Plan, given: Mapping[str, _Parts], path: str) -> _Parts | None:
    """What a called runbook's input is: as the step gives it, else the caller's input of that name."""
    if name in step.filling:
        found = tuple(_texts(step.filling[name], ()))
        return tuple(part for _, each in found for part in _parts(each, plan, given, path))
    if name in plan.runbook.inputs:
        return _parts(Template((Hole(Name(INPUTS, name, 0, 0)),)), plan, given, path)
    return None


def _of_step(step: PlannedStep, plan: Plan, given: Mapping[str, _Parts], path: str) -> Iterator[Flow]:
    assert step.probe is not None  # noqa: S101 - asked for by the caller
    key = next((each for each in step.probe.params.CONNECTS_TO if each in step.filling), None)
    target = [
        part for _, each in _texts(step.filling[key], ()) for part in _parts(each, plan, given, path)
    ] if key else []  # fmt: skip
    host, end = _host(target, connection_string=key == "dsn") if target else (None, 0)
    path_of_step, own = f"{path}{step.id}", step.probe.params.OWN_CREDENTIALS
    if own and host is not None:
        at: Path = ("steps", step.id, "with", str(key))
        yield Flow(own, "", True, path_of_step, step.probe.name, at, host, is_own=True)
    for place, template in _texts(step.filling, ("steps", step.id, "with")):
        is_target = place[3:4] == (key,)
        for index, part in enumerate(_parts(template, plan, given, path)):
            for name, variable, is_secret in part.taken if isinstance(part, _Stand) else ():
                yield Flow(
                    name,
                    variable,
                    is_secret,
                    path_of_step,
                    step.probe.name,
                    place,
                    host,
                    names_host=is_target and index == 0,
                    in_url=is_target and index >= max(end, 1),
                )


def _texts(filling: Filling | Mapping[str, Filling], place: Path) -> Iterator[tuple[Path, Template]]:
    match filling:
        case Template():
            yield place, filling
        case dict():
            for key, each in filling.items():
                yield from _texts(each, (*place, key))
        case list():
            for index, each in enumerate(filling):
                yield from _texts(each, (*place, index))


def _parts(template: Template, plan: Plan, given: Mapping[str, _Parts], path: str) -> _Parts:
    found: list[str | _Stand] = []
    for part in template.parts:
        found += [part] if isinstance(part, str) else _of_hole(part, plan, given, path)
    return tuple(found)


def _of_hole(hole: Hole, plan: Plan, given: Mapping[str, _Parts], path: str) -> Sequence["str | _Stand"]:
    bound = given.get(hole.name.name) if hole.name.scope == INPUTS else None
    parts = bound if bound is not None else (_stand(hole.name, plan, path),)
    if hole.filters:
        parts = (_filtered(parts, hole.filters),)
    if hole.default is None:
        return parts
    other: Sequence[str | _Stand] = (
        (hole.default,) if isinstance(hole.default, str) else _of_hole(hole.default, plan, given, path)
    )
    return (_either(parts, other),)


def _filtered(parts: Sequence["str | _Stand"], filters: Sequence[Applied]) -> _Stand:
    """One that stands for a value that goes through filters; what they make of the default is known."""
    whole, default = _either(parts, ()), _with_defaults(parts)
    for each in filters if default is not None else ():
        default = str(FILTERS[each.name](Filled(default), *each.arguments).value)
    used = [each.name for each in filters]
    free = whole.is_free and _NUMBER not in used
    return replace(whole, is_free=free, is_bounded=_BOUNDING in used, default=default)


def _either(first: Sequence["str | _Stand"], second: Sequence["str | _Stand"]) -> _Stand:
    """One that stands for two, the second where the first has no value."""
    stands = [each for each in (*first, *second) if isinstance(each, _Stand)]
    default = _with_defaults(first)
    return _Stand(
        tuple(name for each in stands for name in each.names),
        tuple(taken for each in stands for taken in each.taken),
        tuple(name for each in stands for name in each.measured),
        is_free=any(each.is_free for each in stands),
        is_bounded=all(each.is_bounded for each in stands if each.is_free),
        default=_with_defaults(second) if default is None else default,
    )


def _stand(name: Name, plan: Plan, path: str) -> _Stand:
    if name.scope != INPUTS:
        owner = plan.steps.get(StepId(name.scope or ""))
        known = owner.types.get(name.name) if owner is not None else None
        asked = owner is not None and isinstance(owner.model, AskStep)
        shown = f"{path}{name}"
        return _Stand((shown,), measured=() if asked else (shown,), is_free=_is_free(known))
    spec: Input | None = plan.runbook.inputs.get(name.name)
    shown = f"{path}inputs.{name.name}"
    if spec is None:
        return _Stand((shown,))
    is_secret = spec.type is InputType.SECRET or (spec.env is not None and names_secret(spec.env) is Sense.YES)
    taken = ((shown, f"${spec.env or name.name.upper()}", is_secret),) if is_secret or spec.env else ()
    default = None if spec.default is None else str(spec.default)
    return _Stand((shown,), taken, is_free=_is_free(plan.input_types.get(name.name)), default=default)


def _is_free(known: MetricType | None) -> bool:
    return known is None or (known.dimension is Dimension.TEXT and not known.members)


def _with_defaults(parts: Sequence["str | _Stand"]) -> str | None:
    texts = [each if isinstance(each, str) else each.default for each in parts]
    return None if any(each is None for each in texts) else "".join(map(str, texts))


def _host(parts: Sequence["str | _Stand"], *, connection_string: bool) -> tuple[Host | None, int]:
    """The host that a URL, a connection string or the name of a host means, and the first of the parts behind it.

    A connection string may also say it in keywords, and in a parameter of its URL, which counts before what stands in its
    usual place: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING
    """
    stands = [each for each in parts if isinstance(each, _Stand)]
    marks = iter(range(_FIRST_MARK, _FIRST_MARK + len(stands)))
    text = "".join(_MARK.sub("?", each) if isinstance(each, str) else chr(next(marks)) for each in parts)
    start, end = _authority(text)
    written = text[start:end].rpartition("@")[2]
    moving = text[:end]
    elsewhere = None
    if connection_string:
        elsewhere = _QUERY_HOST.search(text) or (None if "://" in text else _KEYWORD.search(text))
        if elsewhere is not None:
            written, moving = elsewhere[1].strip("'"), text
        elif "://" not in text and not _MARK.match(text):
            return None, len(parts)  # without a host: the client decides
    marks_of_host = set(_MARK.findall(written))
    free = [
        stand
        for mark in _MARK.findall(moving)
        if (stand := stands[ord(mark) - _FIRST_MARK]).is_free and (mark in marks_of_host or not stand.is_bounded)
    ]
    host = Host(
        _shown(written, start, stands),
        is_written=not marks_of_host,
        chosen_by=tuple(dict.fromkeys(name for each in free for name in each.names)),
        measured=tuple(dict.fromkeys(name for each in free for name in each.measured)),
        default=_named(written, stands) if elsewhere is not None else _default(parts),
    )
    return host, 1 if start == 0 and _MARK.match(text) else _parts_before(text[:end], parts)


def _authority(text: str) -> tuple[int, int]:
    """Where user, host and port stand. A text that begins with a name is a URL in that name."""
    scheme = re.match(r"[^/?#@]*://", text)
    start = scheme.end() if scheme else 0
    slash = re.compile("[/?#]").search(text, start)
    return start, slash.start() if slash else len(text)


def _parts_before(text: str, parts: Sequence["str | _Stand"]) -> int:
    """How many parts begin in the text."""
    length = 0
    for index, each in enumerate(parts):
        if length >= len(text):
            return index
        length += len(each) if isinstance(each, str) else 1
    return len(parts)


def _shown(written: str, start: int, stands: Sequence[_Stand]) -> str:
    if start == 0 and _MARK.match(written):
        return f"the host of {' or '.join(stands[ord(written[0]) - _FIRST_MARK].names)}"
    named = _MARK.sub(lambda mark: f"<{' or '.join(stands[ord(mark[0]) - _FIRST_MARK].names)}>", written)
    return re.sub(r":[^:\]]*\Z", "", named) if named.count(":") == 1 or "]" in named else named


def _default(parts: Sequence["str | _Stand"]) -> str:
    """The host, where every name in front of it has a default."""
    return _host_of("".join(_text_of(each) for each in parts))


def _named(written: str, stands: Sequence[_Stand]) -> str:
    """The host that a connection string names in a keyword or a parameter of its own."""
    return _host_of(_MARK.sub(lambda mark: _text_of(stands[ord(mark[0]) - _FIRST_MARK]), written))


def _text_of(part: "str | _Stand") -> str:
    known = part if isinstance(part, str) else part.default
    return _UNKNOWN if known is None else known


def _host_of(text: str) -> str:
    """Of a URL, of ``host:port`` or of an address; empty where it is not known or cannot be read."""
    with suppress(ValueError):
        return str(ip_address(text))
    try:
        host = urlsplit(text if "://" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    return "" if _UNKNOWN in host else host
