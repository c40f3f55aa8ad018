"""What a test expects, held against what came."""

from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Literal

from msgspec import Struct

from runbook_engine.document.cases import Case, Expect
from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.source import Path
from runbook_engine.engine.given import locate, unknown_step
from runbook_engine.engine.trace import Trace, child_scope
from runbook_engine.errors import closest
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.graph.plan import Plan
from runbook_engine.graph.structure import ancestors
from runbook_engine.ids import StepId

About = Literal["outcome", "findings", "path", "blind_spots", "not_asked"]


class Difference(Struct, frozen=True):
    """Something that came otherwise. ``lines`` tell it: ``- `` before what was expected, ``+ `` before what came."""

    about: About
    message: str
    lines: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        return f"{self.about.replace('_', ' ')}: {self.message}"

    @property
    def key(self) -> Path:
        """Where the expectation stands, below its case."""
        return ("expect", self.about)


def differences(trace: Trace, expect: Expect, plan: Plan) -> tuple[Difference, ...]:
    """All of them; none where the case passes."""
    return tuple(_differences(trace, expect, plan))


def findings_of(trace: Trace) -> tuple[str, ...]:
    """What was found, as tests name it, each once."""
    return tuple(dict.fromkeys(child_scope(each.scope, each.finding) for each in trace.findings))


def blind_spots_of(trace: Trace) -> tuple[str, ...]:
    """The steps that could not see, as tests name them."""
    return tuple(dict.fromkeys(child_scope(each.scope, each.step) for each in trace.blind_spots))


def not_asked_of(trace: Trace) -> tuple[str, ...]:
    """The steps that were not configured, as tests name them; a call as a whole where all below it was not."""
    return tuple(child_scope(each.scope, each.id) for each in trace.not_asked)


def path_of(trace: Trace) -> tuple[str, ...]:
    """The steps that ran, in order of decision, as tests name them."""
    return tuple(child_scope(scope, step) for scope, step in trace.path)


def check_names(case: Case, name: str, plan: Plan, found: Mistakes) -> None:
    """Whether there is all that a case expects."""
    at: Path = ("cases", name, "expect")
    for index, each in enumerate(case.expect.findings):
        known = _all_findings(plan)
        if each in known or any(full.endswith(f"/{each}") for full in known):
            continue
        guess = closest(each, known)
        found.add(
            "RB807",
            f"neither the runbook {plan.runbook.runbook} nor one that it calls has a finding {quoted(each)}",
            (*at, "findings", index),
            label=f'did you mean "{guess}"?' if guess else "",
            help=f"findings: {', '.join(known) or 'none'}",
        )
    for key in ("path", "blind_spots", "not_asked"):
        for index, each in enumerate(getattr(case.expect, key) or ()):
            unknown_step(plan, each, (*at, key, index), found, key=False)


def _all_findings(plan: Plan) -> list[str]:
    called = ((name, step.child) for name, step in plan.steps.items() if step.child is not None)
    return [*plan.runbook.findings, *(f"{name}/{each}" for name, child in called for each in _all_findings(child))]


def _differences(trace: Trace, expect: Expect, plan: Plan) -> Iterator[Difference]:
    if trace.outcome != expect.outcome.value:
        yield Difference("outcome", f"expected {expect.outcome}, came {trace.outcome}")
    yield from _named("findings", expect.findings, findings_of(trace), "not found")
    yield from _named("blind_spots", expect.blind_spots, blind_spots_of(trace), "not blind")
    if expect.not_asked is not None:
        yield from _named("not_asked", expect.not_asked, not_asked_of(trace), "asked")
    if expect.path is not None:
        yield from _path(expect.path, path_of(trace), plan)


def _named(about: About, expected: Sequence[str], came: Sequence[str], absent: str) -> Iterator[Difference]:
    """The same names, whichever their order. A bare name stands for that of a called runbook, too."""
    matched = {each: {full for full in came if full == each or full.endswith(f"/{each}")} for each in expected}
    lacking = [f"- {each} (expected, and {absent})" for each, found in matched.items() if not found]
    known = {full for found in matched.values() for full in found}
    beyond = [f"+ {each} (not expected)" for each in came if each not in known]
    if lacking or beyond:
        yield Difference(about, f"expected {_listed(expected)}, came {_listed(came)}", (*lacking, *beyond))


def _path(expected: Sequence[str], path: Sequence[str], plan: Plan) -> Iterator[Difference]:
    """The same steps, in an order in which they may be decided: steps side by side have none.

    Steps of a called runbook count where the test names one of that call.
    """
    opened = {each.rpartition("/")[0] for each in expected}
    opened |= {scope.rsplit("/", depth)[0] for scope in opened for depth in range(scope.count("/") + 1)}
    came = [each for each in path if each.rpartition("/")[0] in opened | {""}]
    if sorted(expected) != sorted(came):
        yield Difference("path", "other steps ran", tuple(_aligned(expected, came)))
        return
    for index, later in enumerate(expected):
        earlier = next((each for each in expected[:index] if _is_before(plan, later, each)), None)
        if earlier is not None:
            message = f"{later} is decided before {earlier}; the order was {', '.join(came)}"
            yield Difference("path", message)
            return


def _aligned(expected: Sequence[str], came: Sequence[str]) -> Iterator[str]:
    for tag, first, last, start, stop in SequenceMatcher(None, expected, came, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (f"  {each}" for each in came[start:stop])
            continue
        yield from (f"- {each} (expected, and did not run)" for each in expected[first:last])
        yield from (f"+ {each} (ran, and was not expected)" for each in came[start:stop])


def _is_before(plan: Plan, first: str, second: str) -> bool:
    """Whether a step is always decided before another one."""
    one, other = first.split("/"), second.split("/")
    while one and other and one[0] == other[0]:
        step = plan.steps[StepId(one[0])]
        one, other = one[1:], other[1:]
        if step.child is not None:
            plan = step.child
    if not one or not other:
        return bool(one)  # what is called is decided before the call
    bit, before = ancestors(plan.order, plan.successors)
    return bool(before[StepId(other[0])] & bit[StepId(one[0])])


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


__all__ = ["Difference", "blind_spots_of", "check_names", "differences", "findings_of", "locate", "path_of"]
