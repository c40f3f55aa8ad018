"""What is proven of a runbook's triggers: each can fire, and fills inputs that there are."""

from collections.abc import Collection, Iterator

from runbook_engine.document import globs, hosts
from runbook_engine.document.diagnostics import quoted
from runbook_engine.document.models import InputType, Runbook
from runbook_engine.document.triggers import Trigger
from runbook_engine.errors import closest, did_you_mean
from runbook_engine.graph.mistakes import Mistakes, Path


def check_triggers(runbook: Runbook, inputs: Collection[str], found: Mistakes) -> None:
    """``inputs`` are those that the text defines, also where they are broken."""
    for index, trigger in enumerate(runbook.triggers):
        for path, pattern in _patterns(trigger):
            _pattern(pattern, ("triggers", index, *path), found)
        for number, pattern in enumerate(trigger.allowed_hosts):
            if wrong := hosts.misread(pattern):
                hint = "allowed_hosts has names such as api-*.example.com, addresses, and networks such as 10.2.0.0/16"
                found.add(
                    "RB753", f"{quoted(pattern)} {wrong}", ("triggers", index, "allowed_hosts", number), help=hint
                )
        for name in trigger.inputs:
            _filled(runbook, inputs, name, ("triggers", index, "with", name), found)
        hiding = next((place for place in range(index) if _hides(runbook.triggers[place], trigger)), None)
        if hiding is not None:
            message = f"trigger {index + 1} can never decide: trigger {hiding + 1} matches whatever it matches"
            hint = "the first that matches decides; take one of them out, or move the narrower one up"
            found.warn("RB752", message, ("triggers", index, "alert"), help=hint)


def _patterns(trigger: Trigger) -> Iterator[tuple[Path, str]]:
    yield ("alert",), trigger.alert
    for name, pattern in trigger.labels.items():
        yield ("labels", name), pattern


def _pattern(pattern: str, at: Path, found: Mistakes) -> None:
    try:
        globs.check(pattern)
    except globs.GlobError as error:
        hint = "* stands for any text, ? for one character, [a-z] for one of those"
        found.add("RB753", str(error), at, help=hint, within=(error.at, len(pattern)))
    else:
        if pattern != pattern.strip():
            message = f"the pattern {quoted(pattern)} begins or ends with a space, and no name does"
            found.add("RB753", message, at, help="take the space out")


def _filled(runbook: Runbook, inputs: Collection[str], name: str, at: Path, found: Mistakes) -> None:
    spec = runbook.inputs.get(name)
    if spec is None and name not in inputs:
        message = f"the runbook has no input {quoted(name)}{did_you_mean(name, runbook.inputs)}"
        hint = f"inputs: {', '.join(runbook.inputs) or 'none'}"
        found.add("RB751", message, at, help=hint, key=True, write=closest(name, runbook.inputs))
    elif spec is not None and spec.type is InputType.SECRET:
        message = f"the input {quoted(name)} is a secret, and labels of alerts are seen by many"
        found.add("RB751", message, at, help="name the variable that holds it: env:", key=True)


def _hides(earlier: Trigger, later: Trigger) -> bool:
    """Whether the earlier one matches every alert that the later one does."""
    return (
        earlier.source in (None, later.source)
        and globs.covers(earlier.alert, later.alert)
        and all(
            name in later.labels and globs.covers(pattern, later.labels[name])
            for name, pattern in earlier.labels.items()
        )
    )
