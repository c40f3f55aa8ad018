"""What the models cannot say of one field alone: defaults and their types, the order of branches, reserved names."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from runbook_engine.document.draft import Mistake
from runbook_engine.document.fitting import misfit
from runbook_engine.document.models import (
    AnswerType,
    AnyStep,
    AskStep,
    Else,
    Extract,
    Input,
    InputType,
    ProbeStep,
    Runbook,
)
from runbook_engine.document.nodes import Raw
from runbook_engine.document.source import Path
from runbook_engine.ids import END

CONDITION_WORDS = frozenset({"and", "or", "not", "in", "is", "matches", "contains", "missing", "true", "false"})
"""The words of conditions, which cannot be names in them."""
STEP_WORDS = CONDITION_WORDS | {END, "inputs", "error"}
"""What no step can be called: ``goto: end``, ``inputs.slow`` and ``error.kind`` mean something else."""

Describe = Callable[[Path], str]


def check(runbook: Runbook, document: dict[str, Raw], describe: Describe) -> Iterator[Mistake]:
    """Mistakes in a runbook that is sound field by field. ``document`` is what it was made from."""
    yield from check_inputs(runbook.inputs, describe)
    raw = document.get("steps")
    for step_id, step in runbook.steps.items():
        yield from _step(step_id, step, raw[step_id] if isinstance(raw, dict) else None, describe)


def check_inputs(inputs: Mapping[str, Input], describe: Describe) -> Iterator[Mistake]:
    """Inputs whose names are reserved, or whose defaults do not fit."""
    for name, spec in inputs.items():
        at: Path = ("inputs", name)
        if name in CONDITION_WORDS:
            yield reserved(at, CONDITION_WORDS, describe)
        yield from _typed(spec, at, describe)


def _step(step_id: str, step: AnyStep, raw: Raw, describe: Describe) -> Iterator[Mistake]:
    at: Path = ("steps", step_id)
    if step_id in STEP_WORDS:
        yield reserved(at, STEP_WORDS, describe)
    # pydantic takes a field by its own name too, which is no key of the format.
    if isinstance(raw, dict) and "params" in raw:
        message = f'{describe(at)} has no key "params"'
        yield Mistake("RB111", message, (*at, "params"), 'write "with"', at_key=True, rename="with")
    for place, ways in (("branches", step.branches), ("on_error", step.on_error)):
        if any(isinstance(way, Else) for way in ways[:-1]):
            yield from _else_last((*at, place), ways, describe)
    if isinstance(step, ProbeStep):
        for metric in CONDITION_WORDS.intersection(step.extract):
            yield reserved((*at, "extract", metric), CONDITION_WORDS, describe)
        yield from check_extracts(step.extract, (*at, "extract"), describe)
    elif isinstance(step, AskStep):
        yield from _typed(step, at, describe)


def check_extracts(extracts: Mapping[str, Extract], at: Path, describe: Describe) -> Iterator[Mistake]:
    """Extracts that do not say what to take."""
    for name, each in extracts.items():
        if not each.path and each.match is None:
            here: Path = (*at, name)
            yield Mistake(
                "RB112",
                f'{describe(here)} has neither "path" nor "match"',
                here,
                '"path" is missing',
                "path leads to a value in the document, match takes it out of a text",
                at_key=True,
                drop=here,
            )


def reserved(at: Path, words: frozenset[str], describe: Describe) -> Mistake:
    return Mistake(
        "RB124",
        f"{describe(at)} has a name that means something else where it is used",
        at,
        "choose another name",
        f"reserved names: {', '.join(sorted(words))}",
        at_key=True,
    )


def _else_last(at: Path, ways: Sequence[object], describe: Describe) -> Iterator[Mistake]:
    """An ``else`` above other branches hides them. It is read as if it stood last."""
    first, *others = (index for index, way in enumerate(ways) if isinstance(way, Else))
    for other in others:
        message = f'{describe((*at, other))} is a second "else"; {describe((*at, first))} is taken before it'
        yield Mistake("RB120", message, (*at, other, "else"), "delete one of them", at_key=True, drop=(*at, other))
    rest = [index for index in range(len(ways)) if index != first and index not in others]
    if any(index > first for index in rest):
        yield Mistake(
            "RB120",
            f'{describe((*at, first))} is "else" and not the last, so that those after it are never tried',
            (*at, first, "else"),
            "move it to the end",
            at_key=True,
            drop=at,
            order=(*rest, first),
        )


def _typed(spec: Input | AskStep, at: Path, describe: Describe) -> Iterator[Mistake]:
    """The type of an input or an answer, with its values and its default."""
    is_enum = spec.type in (InputType.ENUM, AnswerType.ENUM)
    if is_enum and not spec.values:
        yield Mistake(
            "RB122",
            f"{describe(at)} is an enum without values",
            (*at, "type"),
            "say which values are legal",
            "for example values: [production, staging]",
            drop=at,
        )
    elif spec.values and not is_enum:
        yield Mistake(
            "RB122",
            f"{describe(at)} has values, and its type is {spec.type}",
            (*at, "values"),
            "write type: enum, or remove the values",
            at_key=True,
        )
    elif spec.default is None:
        return
    elif spec.type is InputType.SECRET:
        yield Mistake(
            "RB123",
            f"{describe(at)} is a secret, and a default would write it into the document",
            (*at, "default"),
            "remove it",
            f"name the environment variable that holds it, for example env: {str(at[-1]).upper()}",
        )
    else:
        problem = misfit(spec.default, spec.type, spec.values)
        if problem is not None:
            message = f"the default of {describe(at)} {problem.sentence}"
            yield Mistake("RB121", message, (*at, "default"), problem.label, problem.help, remedy=problem.remedy)
