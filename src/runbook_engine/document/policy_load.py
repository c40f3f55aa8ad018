"""From a file to a policy of metrics and a list of everything that is wrong with it."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path as FilePath

from msgspec import Struct
from pydantic import ValidationError

from runbook_engine.document import shape
from runbook_engine.document.checks import STEP_WORDS, check_extracts, check_inputs, reserved
from runbook_engine.document.diagnostics import Diagnostic, quoted
from runbook_engine.document.draft import Draft, Mistake, ToText
from runbook_engine.document.load import MOST_MISTAKES, MOST_ROUNDS, SAVED, ReadText, Report, Unsaved, read_text
from runbook_engine.document.models import Level
from runbook_engine.document.nodes import Raw
from runbook_engine.document.places import describe
from runbook_engine.document.policy import METRICS, Policy, PolicyMetric, Threshold
from runbook_engine.document.source import Path, Source
from runbook_engine.document.wording import shown
from runbook_engine.document.yaml_text import compose


class LoadedPolicy(Struct, frozen=True):
    """A policy that was read. ``policy`` is None where any diagnostic is an error; ``partial`` is what remains without the
    broken parts, for further checks. ``broken`` are the paths of those.
    """

    policy: Policy | None
    partial: Policy | None
    diagnostics: tuple[Diagnostic, ...]
    source: Source
    broken: frozenset[Path] = frozenset()


def load_policy_file(file: FilePath | str, unsaved: Unsaved = SAVED) -> LoadedPolicy:
    """Read a file in UTF-8. Raises nothing: a file that cannot be read is a diagnostic too."""
    read = read_text(file, unsaved)
    if isinstance(read, ReadText):
        return load_policy(read.text, read.file)
    return LoadedPolicy(None, None, read.diagnostics, read.source)


def load_policy(text: str, file: str) -> LoadedPolicy:
    """Read the text of ``file``. Raises nothing: all that is wrong is in ``diagnostics``, in the order of the text."""
    text = text.removeprefix("\ufeff")
    composed = compose(text, file)
    report = Report(Source(file, text, composed.root), composed.diagnostics)
    if not (composed.diagnostics and composed.root is None):
        foreign = _foreign(composed.value)
        if foreign is None and isinstance(composed.value, dict):
            return _salvage(composed.value, report)
        report.add([foreign] if foreign is not None else [])
    return _loaded(report, None)


def _foreign(raw: Raw) -> Mistake | None:
    """Why the document is no policy of metrics, or None where it is one."""
    if not isinstance(raw, dict) or "policy" not in raw:
        found = "the document is empty" if raw is None else "this is not a policy"
        hint = "a policy of metrics begins with policy: metrics, as the shipped policy/metrics.yaml does"
        return Mistake("RB110", found, (), f"begin with policy: {METRICS}", hint, at_key=True)
    kind = raw["policy"]
    if kind != METRICS:
        message = f"this is a policy of {shown(kind)}, and only one of {quoted(METRICS)} can be read here"
        return Mistake("RB110", message, ("policy",))
    return None


def _salvage(raw: dict[str, Raw], report: Report) -> LoadedPolicy:
    """Validate, take out what is wrong, and validate again until nothing is."""
    draft = Draft(raw)
    for _ in range(MOST_ROUNDS):
        document, moved = draft.build()
        policy, mistakes = _judge(document, ToText(moved))
        if policy is not None and not mistakes:
            report.source = report.source.salvaged(moved)
            return _loaded(report, policy, frozenset(draft.broken))
        # What follows from an earlier mistake lies on the way to it.
        fresh = [each for each in mistakes if not each.silent and each.about not in draft.touched]
        if not report.add(fresh) or not draft.apply(mistakes):
            break
    return _loaded(report, None, frozenset(draft.broken))


def _loaded(report: Report, partial: Policy | None, broken: frozenset[Path] = frozenset()) -> LoadedPolicy:
    return LoadedPolicy(None if report.failed else partial, partial, report.diagnostics, report.source, broken)


def _judge(document: dict[str, Raw], to_text: ToText) -> tuple[Policy | None, list[Mistake]]:
    """The policy, if it is sound field by field, and the mistakes in it, at their places in the text."""

    def name(path: Path) -> str:
        return to_text.describe(path) if path else "the policy"

    policy = None
    try:
        policy = Policy.model_validate(document)
        found = _check(policy, document)
    except ValidationError as error:
        found = shape.mistakes(error, document, name)
    return policy, [to_text.mistake(each) for each in islice(found, MOST_MISTAKES + 1)]


def _check(policy: Policy, document: dict[str, Raw]) -> Iterator[Mistake]:
    """What the models cannot say of one field alone."""
    yield from check_inputs(policy.inputs, describe)
    raw = document.get("metrics")
    for metric_id, metric in policy.metrics.items():
        at: Path = ("metrics", metric_id)
        if metric_id in STEP_WORDS:
            yield reserved(at, STEP_WORDS, describe)
        written = raw[metric_id] if isinstance(raw, dict) else None
        # pydantic takes a field by its own name too, which is no key of the format.
        if isinstance(written, dict) and "params" in written:
            message = f'{describe(at)} has no key "params"'
            yield Mistake("RB111", message, (*at, "params"), 'write "with"', at_key=True, rename="with")
        yield from check_extracts(metric.extract, (*at, "extract"), describe)
        yield from _thresholds(metric, at)
        for index, each in enumerate(metric.faults):
            if bool(each.when) == bool(each.errors):
                example = "for example when: not name_matches, or errors: [refused, tls]"
                yield _not_one("when", "errors", (*at, "faults", index), example, both=bool(each.when))


def _thresholds(metric: PolicyMetric, at: Path) -> Iterator[Mistake]:
    for index, each in enumerate(metric.thresholds):
        yield from _one_side(each, (*at, "thresholds", index))
    levels = [each.level for each in metric.thresholds]
    sides = {each.side for each in metric.thresholds}
    if levels not in ([Level.WARNING], [Level.CRITICAL], [Level.WARNING, Level.CRITICAL]):
        yield Mistake(
            "RB503",
            f"the thresholds of {describe(at)} are not in the order of their levels, one for each",
            (*at, "thresholds", len(levels) - 1),
            "write the warning first, then the critical one",
            drop=(*at, "thresholds", len(levels) - 1),
        )
    elif len(sides) > 1:
        message = f"the thresholds of {describe(at)} look to both sides: one above, one below"
        yield Mistake(
            "RB503", message, (*at, "thresholds", 1), "make a metric of its own of it", drop=(*at, "thresholds", 1)
        )


def _one_side(each: Threshold, at: Path) -> Iterator[Mistake]:
    if (each.above is None) == (each.below is None):
        yield _not_one("above", "below", at, "for example above: 500ms", both=each.above is not None)


def _not_one(first: str, second: str, at: Path, example: str, *, both: bool) -> Mistake:
    how = f'both "{first}" and "{second}"' if both else f'neither "{first}" nor "{second}"'
    return Mistake("RB505", f"{describe(at)} has {how}", at, "give it exactly one of them", example, drop=at)
