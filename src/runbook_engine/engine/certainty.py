"""What it would take to decide a condition that was sampled too little."""

from collections.abc import Iterable, Iterator

from runbook_engine.conditions import Comparison, Expression, Lookup, Name, children, compile  # noqa: A004 - as in re.compile
from runbook_engine.engine.events import Failure
from runbook_engine.kinds import ErrorKind
from runbook_engine.sampled import Sampled, enough

MOST_ADVISED = 100_000
"""Nobody takes more samples than that for one decision."""


def uncertain(when: str, told: str, left_open: Iterable[Expression], look_up: Lookup) -> Failure:
    """The blind spot of the condition ``when``: why it is undecided, as ``told``, and how many samples would decide it."""
    cures = dict.fromkeys(
        _cure(node, name, value, look_up) for node in left_open for name, value in _sampled(node, look_up)
    )
    return Failure(ErrorKind.UNCERTAIN, f'"{when}" cannot be decided: {told}', "; ".join(cures))


def _cure(node: Expression, name: Name, value: Sampled, look_up: Lookup) -> str:
    many, sample = _many(node, name, value, look_up), value.sample
    if many is None or many > MOST_ADVISED:
        return f"{name} is too near to the threshold for any number of samples: judge by what counts all, or look again later"
    told = f"about {many:,} samples would decide"
    if sample.most is not None and many > sample.most:
        return f"{told}, and {sample.parameter} is {sample.most:,} at most: judge by what counts all"
    return f"{told} (with: {{{sample.parameter}: {many}}})" if sample.parameter else told


def _many(node: Expression, name: Name, value: Sampled, look_up: Lookup) -> int | None:
    if isinstance(node, Comparison) and name in (node.left, node.right):
        other = compile(node.right if node.left == name else node.left).run(look_up)
        if isinstance(other, int | float) and not isinstance(other, Sampled):
            return enough(value, other)
    return 4 * value.sample.n  # halves the bounds


def _sampled(node: Expression, look_up: Lookup) -> Iterator[tuple[Name, Sampled]]:
    if isinstance(node, Name):
        value = look_up(node)
        if isinstance(value, Sampled):
            yield node, value
        return
    for child in children(node):
        yield from _sampled(child, look_up)
