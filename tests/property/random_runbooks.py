"""Random runbooks whose conditions make sense, and random readings inside the bounds of what they measure."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from hypothesis import strategies as st

from runbook_engine.document.models import AskStep, Input, InputType
from runbook_engine.graph.scope import CALL_TYPES, input_type, step_types
from runbook_engine.kinds import ErrorKind
from runbook_engine.probe import Dimension, MetricType
from runbook_engine.probe.contract import (
    Bytes,
    Count,
    Duration,
    Number,
    Percent,
    Probe,
    ProbeContext,
    Rate,
    Reading,
    bounded,
    metric_types,
)
from runbook_engine.probe.fake import AnyParams
from runbook_engine.quantity import Value

Share = Annotated[float, bounded(Dimension.PERCENT, lower=0)]
Degrees = Annotated[float, bounded(Dimension.NUMBER, lower=-40, upper=125)]
Stars = Annotated[int, bounded(Dimension.NUMBER, lower=1, upper=3)]
State = Literal["up", "down", "lost"]


class Whole(Reading):
    """Every type of metric, none of which may be missing."""

    latency: Duration
    errors: Percent
    share: Share
    memory: Bytes
    count: Count
    stars: Stars
    rate: Rate
    heat: Degrees
    delta: Number
    state: State
    version: str
    ready: bool


class Partly(Reading):
    """The same, each of which may be missing."""

    latency: Duration | None = None
    errors: Percent | None = None
    share: Share | None = None
    memory: Bytes | None = None
    count: Count | None = None
    stars: Stars | None = None
    rate: Rate | None = None
    heat: Degrees | None = None
    delta: Number | None = None
    state: State | None = None
    version: str | None = None
    ready: bool | None = None


async def _never(params: AnyParams, ctx: ProbeContext) -> Reading:
    raise AssertionError("a fake answers")


def like(reading: type[Reading]) -> Probe[AnyParams, Reading]:
    return Probe("fake.any", AnyParams, reading, _never, lambda params: "fake", frozenset(), "A fake.")


WHOLE, PARTLY = like(Whole), like(Partly)
ANY: Mapping[str, Value] = {
    "latency": 0.2, "errors": 1.0, "share": 1.0, "memory": 1, "count": 1, "stars": 1, "rate": 1.0, "heat": 1.0, "delta": 1.0,
    "state": "up", "version": "1", "ready": True,
}  # fmt: skip
"""Of metrics that nothing asks for."""

LITERALS: Mapping[Dimension, Mapping[str, float]] = {
    Dimension.NUMBER: {"0": 0.0, "1": 1.0, "2": 2.0, "2.5": 2.5, "100": 100.0},
    Dimension.DURATION: {"0s": 0.0, "300ms": 0.3, "1s": 1.0, "1min": 60.0},
    Dimension.PERCENT: {"0%": 0.0, "5%": 5.0, "80%": 80.0, "100%": 100.0},
    Dimension.BYTES: {"0B": 0.0, "1KiB": 1024.0, "512MiB": 2.0**29},
    Dimension.RATE: {"0/s": 0.0, "1/s": 1.0, "12/s": 12.0},
}
TEXTS = ("up", "down", "lost", "1.2", "")
SIGNS = ("<", "<=", ">", ">=", "==", "!=")
INPUTS: Mapping[str, tuple[InputType, object]] = {
    "slow": (InputType.DURATION, "1s"),
    "full": (InputType.PERCENT, "80%"),
    "many": (InputType.INT, 2),
    "much": (InputType.BYTES, "1KiB"),
    "often": (InputType.RATE, "1/s"),
    "ratio": (InputType.NUMBER, 2.5),
    "wanted": (InputType.ENUM, "up"),
    "label": (InputType.STRING, "1.2"),
    "strict": (InputType.BOOL, False),
}
MEMBERS = ("up", "down", "gone")
KINDS = ("refused", "timeout", "missing")
ERRORS = tuple(ErrorKind(each) for each in (*KINDS, "auth"))


INPUT_SPECS: Mapping[str, Mapping[str, object]] = {
    name: {"type": kind, "default": default, **({"values": MEMBERS} if kind is InputType.ENUM else {})}
    for name, (kind, default) in INPUTS.items()
}
Types = Mapping[str, MetricType]
INPUT_TYPES: Types = {f"inputs.{name}": input_type(Input.model_validate(spec)) for name, spec in INPUT_SPECS.items()}


@st.composite
def conditions(draw: st.DrawFn, own: Sequence[str], types: Types) -> str:
    """A condition that begins with one of ``own``, and may go on to any of ``types``."""
    text = draw(_atoms(draw(st.sampled_from(own)), types))
    match draw(st.integers(0, 9)):
        case 0:
            return f"not ({text})"
        case 1 | 2 | 3:
            other = draw(_atoms(draw(st.sampled_from((*own, *types))), types))
            return f"({text}) {draw(st.sampled_from(['and', 'or']))} ({other})"
    return text


@st.composite
def _atoms(draw: st.DrawFn, name: str, types: Types) -> str:
    known = types[name]
    if draw(st.integers(0, 11)) == 0:
        return f"{name} is {draw(st.sampled_from(['', 'not ']))}missing"
    if known.dimension is Dimension.BOOL:
        return draw(st.sampled_from([name, f"not {name}"]))
    alike = [each for each in types if each != name and types[each].dimension is known.dimension]
    if known.dimension is Dimension.TEXT:
        return _text_atom(draw, name, known, alike)
    literals = literals_of(known)
    literal = st.sampled_from(literals)
    other = st.sampled_from(alike or literals)
    divisor = st.sampled_from([*alike, literals[-1]])
    sign = draw(st.sampled_from(SIGNS))
    match draw(st.integers(0, 9)):
        case 0 | 1:
            return f"{name} {sign} {draw(other)}"
        case 2:
            return f"{name} {draw(st.sampled_from(['in', 'not in']))} [{draw(literal)}, {draw(other)}]"
        case 3:
            return f"{name} {draw(st.sampled_from('+-'))} {draw(other)} {sign} {draw(literal)}"
        case 4:
            return f"{name} {draw(st.sampled_from('*/'))} 2 {sign} {draw(literal)}"
        case 5:
            return f"{name} / {draw(divisor)} {sign} {draw(st.sampled_from(list(LITERALS[Dimension.NUMBER])))}"
    return f"{name} {sign} {draw(literal)}"


def _text_atom(draw: st.DrawFn, name: str, known: MetricType, alike: Sequence[str]) -> str:
    literals = st.sampled_from([f'"{each}"' for each in known.members or TEXTS])
    match draw(st.integers(0, 5)):
        case 0 if alike:
            return f"{name} {draw(st.sampled_from(['==', '!=']))} {draw(st.sampled_from(alike))}"
        case 1:
            return f"{name} {draw(st.sampled_from(['in', 'not in']))} [{draw(literals)}, {draw(literals)}]"
        case 2 if not known.members:
            return f'{name} {draw(st.sampled_from(["contains", "matches"]))} "{draw(st.sampled_from(["1", "up"]))}"'
    return f"{name} {draw(st.sampled_from(['==', '!=']))} {draw(literals)}"


def literals_of(known: MetricType) -> list[str]:
    """Those that it can reach."""
    return [
        text
        for text, value in LITERALS[known.dimension].items()
        if _inside(known, value) and (value.is_integer() or not known.integer)
    ]


def _inside(known: MetricType, value: float) -> bool:
    return (known.lower is None or value >= known.lower) and (known.upper is None or value <= known.upper)


class Drawn:
    """A random runbook as it is written, and what is known of its steps: metrics, whether some may be missing, what leads
    to them.
    """

    def __init__(self, document: dict[str, Any], steps: Sequence[str]) -> None:
        self.document = document
        self.name = str(document["runbook"])
        self.metrics: dict[str, Types] = {}
        self.partly: set[str] = set()
        self.before: dict[str, set[str]] = {step: set() for step in steps}

    def text(self) -> str:
        return json.dumps(self.document)

    def asks(self, step: str, metric: str) -> bool:
        """Whether a condition or a text may name a metric of a step."""
        own = json.dumps(self.document["steps"][step]["branches"])
        return re.search(rf"\b{metric}\b", own) is not None or f"{step}.{metric}" in self.text()

    def __repr__(self) -> str:
        return self.text()


@st.composite
def runbooks(draw: st.DrawFn, name: str = "random", *, calls: str | None = None) -> Drawn:
    """Several steps, each with branches about what it and those before it measured, and leading only to later ones."""
    steps = [f"{name[0]}{index}" for index in range(draw(st.integers(1, 5)))]
    drawn = Drawn(
        {
            "runbook": name,
            "title": "Random",
            "start": draw(st.lists(st.sampled_from(steps), min_size=1, max_size=2, unique=True).map(sorted)),
            "inputs": INPUT_SPECS,
            "steps": {},
            "findings": {"found": {"level": "warning", "title": "Found", "kind": "symptom"}},
        },
        steps,
    )
    for index, step in enumerate(steps):
        later = steps[index + 1 :]
        written = draw(_steps(drawn, step, calls))
        targets = st.lists(st.sampled_from(later), max_size=2, unique=True) if later else st.just([])
        for way in [*written["branches"], *written["on_error"]]:
            found = draw(targets)
            way["else" if "else" in way else "goto"] = found or "end"
            if draw(st.booleans()):
                way["finding"] = "found"
            for target in found:
                drawn.before[target] |= {step, *drawn.before[step]}
        drawn.document["steps"][step] = written
    return drawn


@st.composite
def _steps(draw: st.DrawFn, drawn: Drawn, step: str, calls: str | None) -> dict[str, Any]:
    written: dict[str, Any]
    chosen: Sequence[str]
    types: Types
    match draw(st.integers(0, 9)):
        case 0 if calls is not None:
            written, types = {"call": calls}, CALL_TYPES
        case 1:
            kind = draw(st.sampled_from(["bool", "percent", "enum", "int"]))
            written = {"ask": "How is it?", "type": kind, "values": list(MEMBERS) if kind == "enum" else []}
            types = _written_types(written)
        case _:
            partly = draw(st.booleans())
            written = {"probe": f"fake.{step}"}
            types = metric_types(Partly if partly else Whole)
            if partly:
                drawn.partly.add(step)
    chosen = draw(st.lists(st.sampled_from(sorted(types)), min_size=1, max_size=2, unique=True))
    drawn.metrics[step] = types
    earlier = {
        f"{other}.{metric}": known
        for other in sorted(drawn.before[step])
        for metric, known in drawn.metrics[other].items()
    }
    seen = {**{each: types[each] for each in chosen}, **INPUT_TYPES, **earlier}
    # About the step itself and what earlier conditions were about, so that conditions meet.
    met = [each for each in sorted(earlier) if drawn.asks(*each.split("."))]
    subjects = [*chosen, *(draw(st.lists(st.sampled_from(met), max_size=2)) if met else [])]
    written["branches"] = draw(_branches(subjects, seen))
    written["on_error"] = draw(
        st.sampled_from(
            [[], [{"else": "end"}], [{"kind": "refused"}], [{"kind": ["timeout", "missing"]}, {"else": "end"}]]
        )
    )
    written["on_error"] = [dict(each) for each in written["on_error"]]
    if "probe" in written and earlier and draw(st.integers(0, 5)) == 0:
        written["with"] = {"given": f"{{{{ {draw(st.sampled_from(sorted(earlier)))} }}}}"}
    return written


def _written_types(written: Mapping[str, Any]) -> Types:
    return step_types(AskStep.model_validate(written), None)


@st.composite
def _branches(draw: st.DrawFn, subjects: Sequence[str], types: Types) -> list[dict[str, str]]:
    condition = conditions(subjects, types)
    style = draw(st.sampled_from(["else", "else", "rest", "rest", "two sides", "open", "none"]))
    if style == "none":
        return []
    found = draw(st.lists(condition, min_size=1, max_size=3))
    match style:
        case "else":
            return [*({"when": each} for each in found), {"else": "end"}]
        case "rest":
            found.append(f"not ({' or '.join(f'({each})' for each in found)})")
        case "two sides":
            metric = draw(st.sampled_from(list(subjects)))
            if types[metric].dimension.is_numeric:
                bound = draw(st.sampled_from(literals_of(types[metric])))
                above, below = draw(st.sampled_from([(">", "<="), (">=", "<"), (">", "<"), ("==", "!=")]))
                found += [f"{metric} {above} {bound}", f"{metric} {below} {bound}"]
    return [{"when": each} for each in found]


def values_of(known: MetricType, *, optional: bool = False) -> st.SearchStrategy[Value | None]:
    """Inside the bounds: exactly at what conditions ask for and at the bounds, right beside, and somewhere."""
    found: st.SearchStrategy[Any]
    if known.dimension is Dimension.BOOL:
        found = st.booleans()
    elif known.dimension is Dimension.TEXT:
        found = st.sampled_from(known.members or (*TEXTS, "one up", "other"))
    else:
        bounds = [each for each in (known.lower, known.upper) if each is not None]
        points = [*LITERALS[known.dimension].values(), *bounds, 3.0, 1e9]
        if known.integer:
            whole = sorted({int(each) + step for each in points for step in (-1, 0, 1)})
            found = st.sampled_from([each for each in whole if _inside(known, each)])
        else:
            beside = [math.nextafter(each, way) for each in points for way in (-math.inf, math.inf)]
            inside = [each for each in (*points, *beside, 0.5, 1e300, -1e300) if _inside(known, each)]
            found = st.sampled_from(inside)
    return st.one_of(found, found, found, found, st.none()) if optional else found


def readings(types: Types) -> st.SearchStrategy[dict[str, Value | None]]:
    def metric(known: MetricType) -> st.SearchStrategy[Value | None]:
        found = values_of(known, optional=known.optional)
        is_float = known.dimension.is_numeric and not known.integer
        return st.one_of(*[found] * 6, st.just(math.nan)) if is_float else found

    return st.fixed_dictionaries({name: metric(known) for name, known in types.items()})


def visible(drawn: Drawn) -> Types:
    """What the second step sees."""
    earlier = {f"first.{name}": known for name, known in drawn.metrics["first"].items()}
    return {**drawn.metrics["second"], **INPUT_TYPES, **earlier}


@st.composite
def open_steps(draw: st.DrawFn) -> Drawn:
    """A step behind another one, whose branches may leave something open."""
    kinds = st.sampled_from((Whole, Partly))
    steps = {name: draw(kinds) for name in ("first", "second")}
    drawn = Drawn(
        {
            "runbook": "random",
            "title": "Random",
            "start": "first",
            "inputs": INPUT_SPECS,
            "steps": {
                "first": {
                    "probe": "fake.first",
                    "branches": [{"else": "second"}],
                    "on_error": [{"else": "second"}],
                },
                "second": {"probe": "fake.second"},
            },
        },
        list(steps),
    )
    drawn.metrics = {name: metric_types(reading) for name, reading in steps.items()}
    drawn.partly = {name for name, reading in steps.items() if reading is Partly}
    types = visible(drawn)
    subjects = draw(st.lists(st.sampled_from(sorted(types)), min_size=1, max_size=3, unique=True))
    sides = [f"not ({draw(conditions(subjects, types))})"] if draw(st.booleans()) else []
    written = [*draw(st.lists(conditions(subjects, types), min_size=1, max_size=4)), *sides]
    drawn.document["steps"]["second"]["branches"] = [{"when": each} for each in written]
    return drawn
