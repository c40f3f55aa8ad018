"""Rules of alerts in Prometheus' format, with the place of each.

https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/#rule. A ``PrometheusRule`` of Kubernetes holds the
same below ``spec``; it may stand among other manifests, in one of several documents of a file, and in a ``List``.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from runbook_engine.document.diagnostics import DiagnosticLevel, quoted
from runbook_engine.document.load import ReadText, read_text
from runbook_engine.document.nodes import Raw
from runbook_engine.document.source import Path, Source
from runbook_engine.document.wording import shown
from runbook_engine.document.yaml_stream import compose_stream
from runbook_engine.graph.mistakes import Mistakes

URL = "runbook_url"
_FORMAT = "a file of rules has groups, each with a name and rules"


class Rule(Struct, frozen=True):
    """A rule that alerts, at ``path`` of its file. Values of ``labels`` may be templates, which nobody knows beforehand."""

    alert: str
    labels: Mapping[str, str]
    url: str | None
    path: Path


class Rules(Struct, frozen=True):
    """The alerts of a file, and all that is wrong with its shape."""

    rules: tuple[Rule, ...]
    found: Mistakes


def load_rules_file(file: str) -> Rules:
    """Raises nothing: a file that cannot be read is a diagnostic too."""
    read = read_text(file)
    if isinstance(read, ReadText):
        return load_rules(read.text, read.file)
    return Rules((), Mistakes(read.source, list(read.diagnostics)))


def load_rules(text: str, file: str) -> Rules:
    """Read the text of ``file``. Recording rules, and keys that Prometheus has and nobody needs here, are left out.

    Manifests of other kinds are left out, too. Of a file of Prometheus' own only the first document counts, as there.
    """
    text = text.removeprefix("\ufeff")
    composed = compose_stream(text, file)
    found = Mistakes(Source(file, text, composed.root), list(composed.diagnostics))
    if not isinstance(composed.value, list):
        return Rules((), found)
    documents = [(index, each) for index, each in enumerate(composed.value) if each is not None]
    if not documents:
        found.add("RB761", "this is no file of rules: it is empty", (), help=_FORMAT, key=True)
    rules: list[Rule] = []
    of_prometheus = False
    others: list[str] = []
    for index, document in documents:
        for root, at in _roots(document, (index,), others):
            if not isinstance(root, dict) or "groups" not in root:
                found.add("RB761", "this is no file of rules: it has no groups", at, help=_FORMAT, key=True)
            elif of_prometheus and len(at) == 1:
                message = "Prometheus reads only the first document of a file, and not this one"
                found.warn(
                    "RB761", message, (*at, "groups"), key=True, help="write one file for each, or one list of groups"
                )
            else:
                of_prometheus = of_prometheus or len(at) == 1
                rules += _groups(root, at, found)
    if others and not rules:
        message = f"there are no rules of alerts in this file, but {', '.join(dict.fromkeys(others))}"
        found.add("RB761", message, (), key=True, help=_FORMAT, level=DiagnosticLevel.NOTE)
    return Rules(tuple(rules), found)


def _roots(document: Raw, at: Path, others: list[str]) -> Iterator[tuple[Raw, Path]]:
    """What has groups, or should have them, with its place; the kinds of other manifests go to ``others``."""
    if not isinstance(document, dict) or "groups" in document:
        yield document, at
        return
    kind, items = document.get("kind"), document.get("items")
    if isinstance(kind, str) and kind.endswith("List") and isinstance(items, list):
        for index, each in enumerate(items):
            yield from _roots(each, (*at, "items", index), others)
    elif kind == "PrometheusRule" or (kind is None and isinstance(document.get("spec"), dict)):
        spec = document.get("spec")
        yield ({"groups": None} if spec is None else spec), (*at, "spec")
    elif isinstance(kind, str) and "apiVersion" in document:
        others.append(kind)
    else:
        yield document, at


def _groups(root: Mapping[str, Raw], at: Path, found: Mistakes) -> Iterator[Rule]:
    for path, group in _items(root, "groups", at, found):
        if not isinstance(group.get("name"), str):
            found.add("RB761", "a group has no name", path, help=_FORMAT)
        for place, rule in _items(group, "rules", path, found):
            if _is_alert(rule, place, found):
                labels, notes = _texts(rule, "labels", place, found), _texts(rule, "annotations", place, found)
                yield Rule(str(rule["alert"]), labels, notes.get(URL), place)


def _items(owner: Mapping[str, Raw], key: str, at: Path, found: Mistakes) -> Iterator[tuple[Path, Mapping[str, Raw]]]:
    """The mappings of a list; an empty one where there is nothing, as Prometheus reads it."""
    value = owner.get(key)
    if value is None:
        return
    if not isinstance(value, list):
        found.add("RB761", f"{quoted(key)} is {shown(value)}, not a list", (*at, key), help=_FORMAT)
        return
    for index, each in enumerate(value):
        path = (*at, key, index)
        if isinstance(each, dict):
            yield path, each
        else:
            found.add("RB761", f"item {index + 1} of {quoted(key)} is {shown(each)}, not a mapping", path, help=_FORMAT)


def _is_alert(rule: Mapping[str, Raw], at: Path, found: Mistakes) -> bool:
    kinds = [each for each in ("alert", "record") if each in rule]
    if len(kinds) != 1:
        message = "a rule is both an alert and a record" if kinds else "a rule is neither an alert nor a record"
        found.add("RB761", message, at, help="a rule has alert: with its name, or record:")
        return False
    name = rule[kinds[0]]
    if not isinstance(name, str) or not name.strip():
        found.add("RB761", f"the name of the {kinds[0]} is {shown(name)}, not a text", (*at, kinds[0]))
        return False
    if rule.get("expr") in (None, ""):
        found.add(
            "RB761", f"the {kinds[0]} {quoted(name)} has no expr", (*at, kinds[0]), help="expr says when it fires"
        )
    return kinds == ["alert"]


def _texts(rule: Mapping[str, Raw], key: str, at: Path, found: Mistakes) -> Mapping[str, str]:
    """Labels or annotations; numbers and truth values are texts to Prometheus."""
    value = rule.get(key)
    if value is None:
        return {}
    if not isinstance(value, dict):
        found.add("RB761", f"{quoted(key)} is {shown(value)}, not a mapping", (*at, key))
        return {}
    for name, each in value.items():
        if isinstance(each, dict | list):
            found.add("RB761", f"{quoted(name)} is {shown(each)}, not a text", (*at, key, name))
    return {name: str(each) for name, each in value.items() if not isinstance(each, dict | list)}
