"""Tests of runbooks: what is given, and what is to come of it. They lie beside runbooks as ``NAME.test.yaml``."""

import re
from collections.abc import Container, Iterator, Mapping
from enum import StrEnum
from itertools import islice
from pathlib import Path as FilePath
from typing import Any

from msgspec import Struct
from pydantic import Field, ValidationError

from runbook_engine.document import shape
from runbook_engine.document.diagnostics import Diagnostic, quoted
from runbook_engine.document.draft import Draft, Mistake, ToText
from runbook_engine.document.load import MOST_MISTAKES, MOST_ROUNDS, ReadText, Report, read_text
from runbook_engine.document.models import Model, Name, Scalar, Text
from runbook_engine.document.nodes import Raw
from runbook_engine.document.places import describe
from runbook_engine.document.source import Path, Source
from runbook_engine.document.wording import shown
from runbook_engine.document.yaml_text import compose
from runbook_engine.errors import closest
from runbook_engine.kinds import ErrorKind

SUFFIXES = (".test.yaml", ".test.yml")
"""How the names of files with tests end."""

ERROR = "error"
"""The key under which a step is given an error instead of a reading."""

STEP_PATTERN = r"^[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)*$"
"""A step is named as in its runbook, one of a called runbook as call_step/step."""

_STEP = re.compile(STEP_PATTERN)
_ERROR_KEYS = ("kind", "message", "remedy")


class ExpectedOutcome(StrEnum):
    HEALTHY = "healthy"
    WARNING = "warning"
    CRITICAL = "critical"
    INCONCLUSIVE = "inconclusive"


class Expect(Model):
    """What is to come of a case. What is not named may not occur."""

    outcome: ExpectedOutcome = Field(description="What the run comes to")
    findings: tuple[Text, ...] = Field((), description="Exactly these, in any order; step/finding for called runbooks")
    path: tuple[Text, ...] | None = Field(
        None,
        description="Exactly the steps that run, in an order in which they may be decided; not held where left out",
    )
    blind_spots: tuple[Text, ...] = Field((), description="Exactly the steps that cannot see, in any order")
    not_asked: tuple[Text, ...] | None = Field(
        None,
        description="Exactly the steps that are not asked because an optional input has no value; not held where left out",
    )


class Case(Model):
    """One walk through a runbook."""

    title: str = Field("", description="What the case is about, in one line")
    description: str = Field("", description="More about it")
    inputs: dict[Name, Scalar] = Field(default_factory=dict, description="Values of the runbook's inputs, by name")
    recording: str | None = Field(
        None, min_length=1, description="A recorded run that gives the readings, as a path from this file"
    )
    steps: dict[str, Any] = Field(
        default_factory=dict,
        description="What each step brings: metrics, {error: kind}, {answer: value}, or for a call {outcome: ...}",
    )
    expect: Expect = Field(description="What is to come of it")


class Cases(Model):
    """The tests of one runbook."""

    tests: Text = Field(description="The runbook: its name, or its file from here, such as ./disk-full.yaml")
    title: str = Field("", description="What is tested, in one line")
    description: str = Field("", description="More about it")
    inputs: dict[Name, Scalar] = Field(
        default_factory=dict, description="Inputs that every case has, unless it has its own"
    )
    steps: dict[str, Any] = Field(
        default_factory=dict, description="What steps bring in every case, unless it says something else"
    )
    cases: dict[Name, Case] = Field(min_length=1, description="The cases, by name")


class LoadedCases(Struct, frozen=True):
    """Tests that were read. ``cases`` is None where any diagnostic is an error; ``partial`` is what remains without the
    broken parts, for further checks.
    """

    cases: Cases | None
    partial: Cases | None
    diagnostics: tuple[Diagnostic, ...]
    source: Source

    @property
    def sources(self) -> Mapping[str, str]:
        return {self.source.file: self.source.text}


def is_cases_file(file: FilePath | str) -> bool:
    """Whether a file by its name has tests."""
    return str(file).endswith(SUFFIXES)


def load_cases_file(file: FilePath | str) -> LoadedCases:
    """Read a file in UTF-8. Raises nothing: a file that cannot be read is a diagnostic too."""
    read = read_text(file)
    if isinstance(read, ReadText):
        return load_cases(read.text, read.file)
    return LoadedCases(None, None, read.diagnostics, read.source)


def load_cases(text: str, file: str) -> LoadedCases:
    """Read the text of ``file``. Raises nothing: all that is wrong is in ``diagnostics``, in the order of the text."""
    text = text.removeprefix("\ufeff")
    composed = compose(text, file)
    report = Report(Source(file, text, composed.root), composed.diagnostics)
    if not (composed.diagnostics and composed.root is None):
        if isinstance(composed.value, dict) and "tests" in composed.value:
            return _salvage(composed.value, report)
        found = "the document is empty" if composed.value is None else "these are no tests"
        hint = "tests begin with tests: and the name of the runbook, and have cases:"
        report.add([Mistake("RB110", found, (), "begin with tests: name-of-the-runbook", hint, at_key=True)])
    return LoadedCases(None, None, report.diagnostics, report.source)


def _salvage(raw: dict[str, Raw], report: Report) -> LoadedCases:
    """Validate, take out what is wrong, and validate again until nothing is."""
    draft = Draft(raw)
    for _ in range(MOST_ROUNDS):
        document, moved = draft.build()
        # A runbook in need of them is given stand-ins for what is broken; tests do without.
        document = {key: value for key, value in document.items() if (key,) not in draft.broken}
        _stand_in(document, draft.broken)
        cases, mistakes = _judge(document, ToText(moved))
        if cases is not None and not mistakes:
            report.source = report.source.salvaged(moved)
            return LoadedCases(None if report.failed else cases, cases, report.diagnostics, report.source)
        # What follows from an earlier mistake lies on the way to it.
        fresh = [each for each in mistakes if each.about not in draft.touched]
        if not report.add(fresh) or not draft.apply(mistakes):
            break
    return LoadedCases(None, None, report.diagnostics, report.source)


def _stand_in(document: Mapping[str, Raw], broken: Container[Path]) -> None:
    """An outcome where it is broken, so that all else of the case is looked at, too. Such a case is never carried out."""
    cases = document.get("cases")
    for name, case in cases.items() if isinstance(cases, dict) else ():
        at: Path = ("cases", name, "expect")
        if isinstance(case, dict) and at in broken:
            case["expect"] = {"outcome": ExpectedOutcome.HEALTHY.value}
        elif isinstance(case, dict) and (*at, "outcome") in broken and isinstance(case.get("expect"), dict):
            case["expect"]["outcome"] = ExpectedOutcome.HEALTHY.value


def _judge(document: dict[str, Raw], to_text: ToText) -> tuple[Cases | None, list[Mistake]]:
    """The tests, if they are sound in shape, and the mistakes in them, at their places in the text."""

    def name(path: Path) -> str:
        return to_text.describe(path) if path else "the document"

    found = list(_given(document))
    sound = _without(document, [each.drop or each.path for each in found])
    cases = None
    try:
        cases = Cases.model_validate(sound)
    except ValidationError as error:
        found.extend(shape.mistakes(error, sound, name))
    return cases, [to_text.mistake(each) for each in islice(found, MOST_MISTAKES + 1)]


def _given(document: Mapping[str, Raw]) -> Iterator[Mistake]:
    """What is wrong with the inputs and the steps, in sentences about them and not about types."""
    yield from _inputs(document.get("inputs"), ("inputs",))
    yield from _steps(document.get("steps"), ("steps",))
    cases = document.get("cases")
    for name, case in cases.items() if isinstance(cases, dict) else ():
        if isinstance(case, dict):
            yield from _inputs(case.get("inputs"), ("cases", name, "inputs"))
            yield from _steps(case.get("steps"), ("cases", name, "steps"))


def _inputs(inputs: Raw, at: Path) -> Iterator[Mistake]:
    for name, value in inputs.items() if isinstance(inputs, dict) else ():
        here = (*at, name)
        if value is None:
            label = "give it a value, or remove it"
            yield Mistake("RB113", f"{describe(here)} is empty", here, label, at_key=True)
        elif isinstance(value, dict | list):
            hint = "a value is a text, a number, true or false"
            yield Mistake("RB113", f"{describe(here)} is {shown(value)}, not a value", here, "", hint)


def _steps(steps: Raw, at: Path) -> Iterator[Mistake]:
    for name, given in steps.items() if isinstance(steps, dict) else ():
        here = (*at, name)
        if not _STEP.fullmatch(name):
            hint = "a step is named as in its runbook, one of a called runbook as call_step/step"
            message = f"{quoted(name)} cannot be the name of a step"
            yield Mistake("RB115", message, here, "", hint, at_key=True)
        elif isinstance(given, list):
            if not given:
                yield Mistake("RB116", f"step {quoted(name)} is given no attempt", here, "", _GIVEN_HINT)
            for index, each in enumerate(given):
                yield from _brought(each, (*here, index), name)
        else:
            yield from _brought(given, here, name)


_GIVEN_HINT = "a step is given metrics, {error: kind}, {answer: value}, or a list of these, one for each attempt"


def _brought(given: Raw, at: Path, name: str) -> Iterator[Mistake]:
    """What one attempt of a step brings."""
    drop = at if not isinstance(at[-1], int) else at[:-1]
    if not isinstance(given, dict):
        message = f"step {quoted(name)} is given {shown(given)}, and not what it brings"
        yield Mistake("RB113", message, at, "", _GIVEN_HINT, at_key=given is None, drop=drop)
        return
    if ERROR not in given:
        return
    for key in given:
        if key != ERROR:
            message = f"step {quoted(name)} is given an error and {quoted(key)}"
            hint = "a step that failed has measured nothing; give a list where another attempt succeeds"
            yield Mistake("RB111", message, (*at, key), "remove one of them", hint, at_key=True, drop=drop)
    error = given[ERROR]
    place = (*at, ERROR)
    if isinstance(error, dict):
        yield from _error(error, place, name, drop)
    else:
        yield from _kind(error, place, name, drop)


def _error(error: Mapping[str, Raw], at: Path, name: str, drop: Path) -> Iterator[Mistake]:
    for key, value in error.items():
        if key not in _ERROR_KEYS:
            guess = closest(str(key), _ERROR_KEYS)
            label = f'did you mean "{guess}"?' if guess else ""
            message = f"the error of step {quoted(name)} has no key {quoted(key)}"
            hint = f"its keys are {', '.join(_ERROR_KEYS)}"
            yield Mistake("RB111", message, (*at, key), label, hint, at_key=True, drop=drop)
        elif key != "kind" and not isinstance(value, str):
            message = f"{quoted(key)} of the error of step {quoted(name)} must be a text, not {shown(value)}"
            yield Mistake("RB113", message, (*at, key), "write it in quotes", drop=drop)
    if "kind" in error:
        yield from _kind(error["kind"], (*at, "kind"), name, drop)
    else:
        message = f'the error of step {quoted(name)} has no "kind"'
        yield Mistake("RB112", message, at, '"kind" is missing', _KINDS_HINT, drop=drop)


_KINDS_HINT = f"kinds of errors: {', '.join(ErrorKind)}"


def _kind(kind: Raw, at: Path, name: str, drop: Path) -> Iterator[Mistake]:
    if isinstance(kind, str) and kind in set(ErrorKind):
        return
    guess = closest(str(kind).lower(), list(ErrorKind))
    label = f'did you mean "{guess}"?' if guess else ""
    message = f"the error of step {quoted(name)} is {shown(kind)}, which is no kind of error"
    yield Mistake("RB114", message, at, label, _KINDS_HINT, at_key=kind is None, drop=drop)


def _without(value: Raw, paths: list[Path]) -> Any:
    """The same document, without what stands at the paths."""
    if not paths:
        return value
    below: dict[str | int, list[Path]] = {}
    for path in paths:
        below.setdefault(path[0], []).append(path[1:])
    if isinstance(value, dict):
        items = ((key, each, below.get(key, [])) for key, each in value.items())
        return {key: _without(each, rest) for key, each, rest in items if () not in rest}
    return value
