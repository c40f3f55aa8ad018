"""What a case of a test gives to a run, held against the runbook: its own steps above a recording above what all share."""

from collections.abc import Mapping, Sequence
from typing import cast

from msgspec import Struct

from runbook_engine.document.cases import Case, Cases
from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.models import CallStep, ProbeStep, Scalar
from runbook_engine.document.source import Path
from runbook_engine.engine.events import Failure
from runbook_engine.engine.given_values import NOT_GIVEN, Brought, Reader, Whole, read_inputs
from runbook_engine.engine.judgement import Reading
from runbook_engine.engine.trace import child_scope
from runbook_engine.errors import closest
from runbook_engine.graph.mistakes import Mistakes
from runbook_engine.graph.plan import Plan, PlannedStep
from runbook_engine.ids import StepId

Key = tuple[str, StepId]
"""The scope of a step, and the step."""


class GivenStep(Struct, frozen=True):
    """What a step brings, by attempt; the last is brought again and again. ``own``: the case itself says so."""

    attempts: tuple[Brought, ...]
    own: bool = True


class Given(Struct, frozen=True):
    """All that a case gives."""

    inputs: Mapping[str, Scalar]
    steps: Mapping[Key, GivenStep]

    def under(self, scope: str) -> bool:
        """Whether steps of the runbook that is called in a scope are given anything."""
        return any(each == scope or each.startswith(f"{scope}/") for each, _ in self.steps)


def given_by(case: Case, name: str, cases: Cases, plan: Plan, recorded: Given | None, found: Mistakes) -> Given:
    """What a case gives: its own steps, above a recording, above what all cases have in common. Mistakes go to ``found``."""
    inputs = {
        **read_inputs(cases.inputs, ("inputs",), plan, found),
        **(recorded.inputs if recorded else {}),
        **read_inputs(case.inputs, ("cases", name, "inputs"), plan, found),
    }
    shared = _steps(cases.steps, ("steps",), plan, inputs, found, own=False)
    own = _steps(case.steps, ("cases", name, "steps"), plan, inputs, found, own=True)
    steps: dict[Key, GivenStep] = {}
    for level in (shared, recorded.steps if recorded else {}, own):
        steps = _over(steps, level)
    return Given(inputs, steps)


def locate(plan: Plan, path: str) -> tuple[str, Plan, PlannedStep] | str:
    """The step at ``call_step/step``, with its scope and its plan; or the sentence that says why there is none."""
    scope = ""
    *calls, last = path.split("/")
    for name in calls:
        step = plan.steps.get(StepId(name))
        if step is None:
            return f"the runbook {plan.runbook.runbook} has no step {quoted(name)}"
        if step.child is None:
            return f"step {quoted(name)} of the runbook {plan.runbook.runbook} calls no runbook"
        scope, plan = child_scope(scope, name), step.child
    found = plan.steps.get(StepId(last))
    if found is None:
        return f"the runbook {plan.runbook.runbook} has no step {quoted(last)}"
    return scope, plan, found


def unknown_step(
    plan: Plan, path: str, at: Path, found: Mistakes, *, key: bool
) -> tuple[str, Plan, PlannedStep] | None:
    """The step of that path; where there is none, that is a mistake."""
    step = locate(plan, path)
    if not isinstance(step, str):
        return step
    known = all_steps(plan)
    guess = closest(path, known)
    label = f'did you mean "{guess}"?' if guess else ""
    found.add("RB802", step, at, label=label, help=f"steps: {', '.join(known)}", key=key)
    return None


def all_steps(plan: Plan) -> list[str]:
    """The steps as tests name them; those of called runbooks after them."""
    called = ((name, step.child) for name, step in plan.steps.items() if step.child is not None)
    return [*plan.steps, *(f"{name}/{each}" for name, child in called for each in all_steps(child))]


def _over(below: Mapping[Key, GivenStep], above: Mapping[Key, GivenStep]) -> dict[Key, GivenStep]:
    """What is above counts; single metrics are changed in a reading. A call is either given as a whole or walked."""
    steps = dict(below)
    for (scope, step), given in above.items():
        inside = child_scope(scope, step)
        if isinstance(given.attempts[0], Whole):
            steps = {
                key: each for key, each in steps.items() if not (key[0] == inside or key[0].startswith(f"{inside}/"))
            }
        parts = scope.split("/") if scope else []
        for depth in range(len(parts)):
            steps.pop(("/".join(parts[:depth]), StepId(parts[depth])), None)
        before = steps.get((scope, step))
        steps[scope, step] = given if before is None else _merged(before, given)
    return steps


def _merged(before: GivenStep, given: GivenStep) -> GivenStep:
    first, last = given.attempts[0], before.attempts[-1]
    if len(given.attempts) > 1 or not (isinstance(first, Reading) and isinstance(last, Reading)):
        return given
    known = {
        name: why for name, why in last.missing.items() if name not in first.metrics or first.metrics[name] is None
    }
    given_anew = {name: each for name, each in first.metrics.items() if first.missing.get(name) != NOT_GIVEN}
    metrics = {**last.metrics, **given_anew}
    missing = {**known, **{name: why for name, why in first.missing.items() if why != NOT_GIVEN}}
    missing = {name: why for name, why in missing.items() if metrics.get(name) is None}
    samples = {**{name: each for name, each in last.samples.items() if name not in given_anew}, **first.samples}
    return GivenStep((Reading(metrics, first.types, missing, samples=samples),), given.own)


def _inputs_at(plan: Plan, path: str, given: Mapping[str, Scalar]) -> Mapping[str, object]:
    """The inputs of the runbook that has the step at ``path``, as far as they are known before the run."""
    known = _with_defaults(plan, given)
    for call in path.split("/")[:-1]:
        step = plan.steps[StepId(call)]
        assert step.child is not None  # noqa: S101 - the step was located
        assert isinstance(step.model, CallStep)  # noqa: S101 - only these have a child
        params = step.model.params
        handed = {name: value for name, value in known.items() if name not in params}
        literal = {name: value for name, value in params.items() if not (isinstance(value, str) and "{{" in value)}
        known, plan = _with_defaults(step.child, {**handed, **literal}, params), step.child
    return known


def _with_defaults(plan: Plan, given: Mapping[str, object], set_: Mapping[str, object] = {}) -> Mapping[str, object]:
    """Values for the inputs of a runbook. Those in ``set_`` are set by its caller and have no other."""
    return {name: given.get(name, None if name in set_ else spec.default) for name, spec in plan.runbook.inputs.items()}


def _steps(
    steps: Mapping[str, object], at: Path, plan: Plan, inputs: Mapping[str, Scalar], found: Mistakes, *, own: bool
) -> Mapping[Key, GivenStep]:
    given: dict[Key, GivenStep] = {}
    for path, brought in steps.items():
        place = (*at, path)
        located = unknown_step(plan, path, place, found, key=True)
        if located is None:
            continue
        scope, _, step = located
        attempts = brought if isinstance(brought, list) else [brought]
        reader = Reader(step, path, found, _inputs_at(plan, path, inputs))
        read = [
            reader.read(cast("Mapping[str, object]", each), (*place, index) if isinstance(brought, list) else place)
            for index, each in enumerate(attempts)
        ]
        _check_attempts(step, path, read, place, found)
        known = tuple(each for each in read if each is not None)
        if known:
            given[scope, step.id] = GivenStep(known, own)
    for scope, step_id in given:
        inside = child_scope(scope, step_id)
        if isinstance(given[scope, step_id].attempts[0], Whole) and any(other == inside for other, _ in given):
            message = f"step {quoted(inside)} is given as a whole, and its own steps are given, too"
            found.add("RB805", message, (*at, inside), label="give one of them", key=True)
    return given


def _check_attempts(step: PlannedStep, path: str, read: Sequence[Brought | None], at: Path, found: Mistakes) -> None:
    model = step.model
    retry = model.retry if isinstance(model, ProbeStep) else None
    most = retry.attempts if retry else 1
    if len(read) > most:
        often = "once" if most == 1 else f"at most {most} times"
        message = f"step {quoted(path)} is tried {often}, and {len(read)} attempts are given"
        found.add("RB805", message, at, help="a step is tried again after an error where its runbook gives it a retry")
        return
    for index, each in enumerate(read[:-1]):
        if not isinstance(each, Failure):
            message = f"attempt {index + 1} of step {quoted(path)} has measured, and is not the last"
            found.add("RB805", message, (*at, index), help="a step is tried again only after an error")
        elif retry is not None and each.kind not in retry.on:
            message = f"after {each.kind} step {quoted(path)} is not tried again"
            found.add("RB805", message, (*at, index), help=f"it is tried again after {', '.join(retry.on)}")
