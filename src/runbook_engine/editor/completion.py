"""What may be written at a place of a document."""

import re
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from pathlib import Path as FilePath

from msgspec import Struct

from runbook_engine.document import load_file
from runbook_engine.document.models import InputType
from runbook_engine.document.nodes import MappingNode, Raw
from runbook_engine.document.source import Path
from runbook_engine.editor.cursor import Cursor, cursors, hole_at, section_of, word_at
from runbook_engine.editor.index import Index, NameKind
from runbook_engine.editor.schemas import Option, Schemas, schema_of
from runbook_engine.errors import RunbookError
from runbook_engine.graph.scope import ERROR_TYPES, INPUTS
from runbook_engine.ids import END
from runbook_engine.kinds import ErrorKind
from runbook_engine.library import Library
from runbook_engine.probe.registry import Registry
from runbook_engine.quantity import UNITS, Dimension, MetricType
from runbook_engine.templates import FILTERS


class ItemKind(StrEnum):
    """What a choice is, as editors draw it."""

    KEY = "key"
    VALUE = "value"
    REFERENCE = "reference"
    METRIC = "metric"
    INPUT = "input"
    UNIT = "unit"
    OPERATOR = "operator"
    FUNCTION = "function"


class Item(Struct, frozen=True):
    """A choice: ``written`` takes the place of ``text[start:end]``. Choices are in the order in which they are offered."""

    label: str
    kind: ItemKind
    start: int
    end: int
    detail: str = ""
    told: str = ""
    written: str = ""


class Surroundings(Struct, frozen=True):
    """What a document stands among."""

    registry: Registry
    library: Library
    path: FilePath


def complete(index: Index, offset: int, around: Surroundings) -> Sequence[Item]:
    """All choices at a character of the document. ``index`` may be that of an earlier text."""
    text = index.text
    if _in_comment(text, offset):
        return ()
    inside = hole_at(text, offset)
    if inside is not None:
        return _in_template(index, text, offset, inside, around)
    found: dict[str, Item] = {}
    for each in cursors(text, offset):
        for item in _choices(index, each, around):
            found.setdefault(item.label, item)
        if found:
            break
    return tuple(found.values())


_COMMENT = re.compile(r"(?:^|\s)#")


def _in_comment(text: str, offset: int) -> bool:
    line = text[max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1 : offset]
    return any(line[: found.end()].count('"') % 2 == 0 for found in _COMMENT.finditer(line))


def _choices(index: Index, cursor: Cursor, around: Surroundings) -> Iterable[Item]:
    kind = index.kind
    schema = schema_of(kind, around.registry) if kind is not None else None
    if cursor.is_key:
        if kind == "runbook" and len(cursor.path) > 2 and cursor.path[0] == "steps" and cursor.path[2] == "with":
            called = _called(index, str(cursor.path[1]), around)
            if called is not None:
                return _items(cursor, ItemKind.KEY, (each for each in called if each.name not in cursor.keys), ": ")
        if schema is None:
            return _kinds(cursor) if kind is None and not cursor.path else ()
        options = Schemas(schema).keys(cursor.path, _document(index, cursor))
        keys = cursor.keys if cursor.path else {each for each in _top(index) if each != _typed_word(index, cursor)}
        return _items(cursor, ItemKind.KEY, (each for each in options if each.name not in keys), ": ")
    if kind == "runbook":
        condition = _condition_step(cursor.path)
        if condition is not None:
            return _in_condition(index, cursor, condition, around.registry)
        references = _references(index, cursor.path, around)
        if references is not None:
            return _items(cursor, ItemKind.REFERENCE, references)
    elif cursor.path == ("tests",) or (len(cursor.path) > 1 and cursor.path[-1] == "runbook"):
        return _items(cursor, ItemKind.REFERENCE, _runbooks(around))
    if schema is None:
        return ()
    options = Schemas(schema).values(cursor.path, _document(index, cursor))
    return _items(cursor, ItemKind.VALUE, [_with_meaning(each, cursor.path) for each in options])


def _top(index: Index) -> Iterable[str]:
    return index.root.entries if isinstance(index.root, MappingNode) else ()


def _typed_word(index: Index, cursor: Cursor) -> str:
    return index.text[cursor.start : cursor.end]


def _with_meaning(option: Option, path: Path) -> Option:
    """A kind of error says what it means."""
    names = [each for each in path if isinstance(each, str)]
    meaning = kind_meaning(option.name) if names and names[-1] in ("kind", "on") else ""
    return Option(option.name, meaning) if meaning else option


def kind_meaning(name: str) -> str:
    """What a kind of error means; an empty text for what is none."""
    return ErrorKind(name).meaning if name in tuple(ErrorKind) else ""


def _kinds(cursor: Cursor) -> Iterable[Item]:
    options = (
        Option("runbook", "A decision graph of steps"),
        Option("tests", "Tests of a runbook"),
        Option("policy", "Metrics with their thresholds"),
        Option("knowledge", "Error messages that are known"),
        Option("environment", "Values of inputs for a place"),
    )
    return _items(cursor, ItemKind.KEY, options, ": ")


def _items(cursor: Cursor, kind: ItemKind, options: Iterable[Option], after: str = "") -> list[Item]:
    return [
        Item(
            each.name,
            kind,
            cursor.start,
            cursor.end,
            f"{each.detail} (required)".strip() if each.required else each.detail,
            each.told,
            f"{each.name}{after}",
        )
        for each in options
    ]


def _document(index: Index, cursor: Cursor) -> Raw:
    """The document as far as a schema looks at it: the way to the cursor, with what stands beside it."""
    made: Raw = cursor.beside
    beside = cursor.path if cursor.is_key else cursor.path[:-1]
    for depth in range(len(beside) - 1, -1, -1):
        key = beside[depth]
        if isinstance(key, int):
            made = [None] * key + [made]
        else:
            above = index.step(str(beside[1])) if depth == 2 and beside[0] == "steps" else {}
            made = {**(above if isinstance(above, dict) else {}), key: made}
    return made


def _condition_step(path: Path) -> str | None:
    """The step whose condition stands at a path."""
    is_condition = len(path) == 5 and path[0] == "steps" and path[2] == "branches" and path[4] == "when"
    return str(path[1]) if is_condition else None


def _references(index: Index, path: Path, around: Surroundings) -> Iterable[Option] | None:
    """What may be named at a path; None where no name is wanted."""
    names = [each for each in path if isinstance(each, str)]
    last = names[-1] if names else ""
    if path[:1] == ("start",) or (len(names) > 3 and names[0] == "steps" and last in ("goto", "else")):
        own = names[1] if len(names) > 1 else ""
        return [each for each in _named(index, NameKind.STEP) if each.name != own] + (
            [Option(END, "Nothing follows")] if path[0] != "start" else []
        )
    if last == "finding" and len(names) > 3 and names[0] == "steps":
        return _named(index, NameKind.FINDING)
    if last == "resolution" and names[0] == "findings":
        return _named(index, NameKind.RESOLUTION)
    if last == "call" and len(path) == 3 and path[0] == "steps":
        return _runbooks(around)
    return None


def _named(index: Index, kind: NameKind) -> list[Option]:
    return [Option(each.name, each.title) for each in index.names(kind)]


def _runbooks(around: Surroundings) -> Iterable[Option]:
    return [Option(name, str(file)) for name, file in sorted(around.library.files().items())]


def _called(index: Index, step: str, around: Surroundings) -> Sequence[Option] | None:
    """The inputs of the runbook that a step calls; None for another step, or where it cannot be read."""
    value = index.step(step)
    if not isinstance(value, dict) or not isinstance(value.get("call"), str):
        return None
    try:
        runbook = load_file(around.library.find(value["call"], near=around.path)).partial
    except RunbookError:
        return None
    if runbook is None:
        return None
    return [Option(name, each.help, str(each.type)) for name, each in runbook.inputs.items()]


_KEYWORDS = ("and", "or", "not", "in", "is missing", "is not missing", "contains", "matches")
_COMPARED = re.compile(r"(?P<name>[A-Za-z_][\w.]*)\s*(?P<sign>==|!=|<=|>=|<|>)\s*(?P<typed>[\w.\"'%]*)\Z", re.ASCII)
_AFTER_NAME = re.compile(r"(?P<name>[A-Za-z_][\w.]*)\s+\Z", re.ASCII)
_NUMBER = re.compile(r"(?<![\w.])(?P<number>\d+(?:\.\d+)?)(?P<unit>[A-Za-z%/]*)\Z", re.ASCII)
_BOOLS = ("true", "false")
_SIGNS = (">", ">=", "<", "<=", "==", "!=")


def _in_condition(index: Index, cursor: Cursor, step: str, registry: Registry) -> Iterator[Item]:
    before, start, end = cursor.before, cursor.start, cursor.end
    number, compared, named = _NUMBER.search(before), _COMPARED.search(before), _AFTER_NAME.search(before)
    if number is not None:
        wanted = _type(index, compared["name"], step, registry) if compared is not None else None
        for unit, (dimension, _) in UNITS.items():
            if wanted is None or wanted.dimension is dimension:
                written = f"{number['number']}{unit}"
                yield Item(written, ItemKind.UNIT, cursor.at - len(number[0]), end, str(dimension), written=written)
        return
    if named is not None and (type_ := _type(index, named["name"], step, registry)) is not None:
        yield from _operators(type_, start, end)
        return
    if compared is not None and (type_ := _type(index, compared["name"], step, registry)) is not None:
        members = [*(f'"{each}"' for each in type_.members), *(_BOOLS if type_.dimension is Dimension.BOOL else ())]
        for member in members:
            yield Item(member, ItemKind.VALUE, start, end, written=member)
        for name, each in index.input_types().items():
            if each.dimension is type_.dimension:
                yield _typed(f"inputs.{name}", ItemKind.INPUT, each, start, end)
    yield from _in_scope(index, step, registry, start, end)
    for word in _KEYWORDS:
        yield Item(word, ItemKind.OPERATOR, start, end, written=word)


def _operators(type_: MetricType, start: int, end: int) -> Iterator[Item]:
    signs = _SIGNS if type_.dimension.is_numeric else ("==", "!=")
    words = ("contains", "matches") if type_.dimension is Dimension.TEXT else ()
    for sign in (*signs, "is missing", "in", *words):
        yield Item(sign, ItemKind.OPERATOR, start, end, written=f"{sign} ")


def _in_scope(index: Index, step: str | None, registry: Registry, start: int, end: int) -> Iterator[Item]:
    """Metrics of the step by their own names, inputs, and the metrics of other steps with where they belong."""
    if step is not None:
        for name, each in index.metrics(step, registry).items():
            yield _typed(name, ItemKind.METRIC, each, start, end)
    for name, each in index.input_types().items():
        yield _typed(f"inputs.{name}", ItemKind.INPUT, each, start, end)
    for other in index.names(NameKind.STEP):
        for name, each in index.metrics(other.name, registry).items() if other.name != step else ():
            yield _typed(f"{other.name}.{name}", ItemKind.METRIC, each, start, end)


def _in_template(index: Index, text: str, offset: int, inside: str, around: Surroundings) -> Sequence[Item]:
    start, end = word_at(text, offset)
    if "|" in inside:
        names = (*FILTERS, "default")
        return [Item(each, ItemKind.FUNCTION, start, end, "filter", written=each) for each in names]
    if index.kind not in ("runbook", "policy"):
        return ()
    path = next((each.path for each in cursors(text, offset) if not each.is_key), section_of(text, offset))
    return [each for each in _in_scope(index, None, around.registry, start, end) if _fits(index, each.label, path)] + (
        [_typed(f"error.{name}", ItemKind.METRIC, each, start, end) for name, each in ERROR_TYPES.items()]
        if path[:1] == ("findings",)
        else []
    )


_BEFORE_ANY_STEP = frozenset({"title", "description", "symptoms", "references"})
_READ_AS_WRITTEN = frozenset({"inputs", "triggers", "runbook", "version", "owner", "severity"})


def _fits(index: Index, name: str, path: Path) -> bool:
    """Whether ``check`` takes a name in a template at that place: what is filled before a step knows only the steps that
    come before it, and what is filled before all of them knows the inputs alone.
    """
    scope, _, last = name.rpartition(".")
    match path:
        case (str(top), *_) if top in _READ_AS_WRITTEN:
            return False
        case (str(top), *_) if top in _BEFORE_ANY_STEP:
            return scope == INPUTS
        case ("steps", _, "extract", _, str(key), *_):
            wanted = {"path": InputType.JMESPATH, "unit": InputType.ENUM}.get(key)
            return scope == INPUTS and index.inputs()[last].type is wanted
        case ("steps", str(step), *_):
            return scope == INPUTS or scope not in _from(index, step)
    return True


def _from(index: Index, step: str) -> set[str]:
    """The step, and all that it leads to."""
    found, rest = set[str](), [step]
    while rest:
        each = rest.pop()
        if each not in found:
            found.add(each)
            rest.extend(_targets(index.step(each)))
    return found


def _targets(step: Raw) -> Iterator[str]:
    for ways in (step.get("branches"), step.get("on_error")) if isinstance(step, dict) else ():
        for way in ways if isinstance(ways, list) else ():
            for key in ("goto", "else") if isinstance(way, dict) else ():
                named = way.get(key)
                yield from (str(each) for each in (named if isinstance(named, list) else [named]))


def _type(index: Index, name: str, step: str, registry: Registry) -> MetricType | None:
    scope, _, last = name.rpartition(".")
    if scope == "inputs":
        return index.input_types().get(last)
    return index.metrics(scope or step, registry).get(last)


def _typed(name: str, kind: ItemKind, type_: MetricType, start: int, end: int) -> Item:
    return Item(name, kind, start, end, type_.describe(), type_.doc, name)
