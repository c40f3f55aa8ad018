"""What a JMESPath comes to in any document of a shape: nothing is looked up, each part of the path is followed."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from runbook_engine.errors import did_you_mean
from runbook_engine.jmespaths import Node, functions
from runbook_engine.probe.shape import ANY, NOTHING, Shape, union


class NowhereError(ValueError):
    """The path comes to nothing in every document of the shape, or cannot be applied to any."""


def follow(tree: Node, shape: Shape) -> Shape:
    """What stands at the end of a parsed path. Raises NowhereError with the part that leads nowhere."""
    found = _follow(tree, shape)
    if found.is_nothing:
        raise NowhereError("it gives nothing, whatever the document holds")
    return found


def _follow(node: Node, shape: Shape) -> Shape:
    return _STEPS.get(node["type"], _anything)(node, shape)


def _anything(node: Node, shape: Shape) -> Shape:  # noqa: ARG001 - as the others
    return ANY


def _same(node: Node, shape: Shape) -> Shape:  # noqa: ARG001 - as the others
    return shape


def _field(node: Node, shape: Shape) -> Shape:
    key: str = node["value"]
    if shape.is_nothing:
        return NOTHING
    if "object" not in shape.kinds:
        first = f"; write [0].{key} for that of the first item" if "array" in shape.kinds else ""
        raise NowhereError(f'"{key}" is asked of {shape.describe()}{first}')
    found = shape.at(key)
    if found.is_nothing and key not in shape.keys:
        raise NowhereError(f'"{key}" is asked of {shape.describe()}{did_you_mean(key, shape.keys)}')
    return found


def _index(node: Node, shape: Shape) -> Shape:
    if shape.is_nothing:
        return NOTHING
    if "array" not in shape.kinds:
        raise NowhereError(f"[{node['value']}] is asked of {shape.describe()}, and only a list has items")
    return shape.item


def _slice(node: Node, shape: Shape) -> Shape:  # noqa: ARG001 - as the others
    return _as_list(shape, "a slice")


def _in_turn(node: Node, shape: Shape) -> Shape:
    for child in node["children"]:
        shape = _follow(child, shape)
    return shape


def _as_list(shape: Shape, what: str) -> Shape:
    if shape.is_nothing:
        return NOTHING
    if "array" not in shape.kinds:
        raise NowhereError(f"{what} is asked of {shape.describe()}, and only a list has items")
    return Shape(frozenset({"array"}), items=shape.item)


def _each(found: Shape, node: Node) -> Shape:
    """A list of what a path comes to in each item."""
    if found.is_nothing:
        return NOTHING
    item = _follow(node, found.item)
    if item.is_nothing:
        raise NowhereError("no item of a list has what is asked of it")
    return Shape(frozenset({"array"}), items=item)


def _projection(node: Node, shape: Shape) -> Shape:
    return _each(_as_list(_follow(node["children"][0], shape), "[*]"), node["children"][1])


def _flatten(node: Node, shape: Shape) -> Shape:
    found = _as_list(_follow(node["children"][0], shape), "[]")
    if found.is_nothing or "array" not in found.item.kinds:
        return found
    flat = [found.item.item, *([found.item] if found.item.kinds - {"array"} else [])]
    return Shape(frozenset({"array"}), items=ANY if found.item.is_anything else union(flat))


def _values(node: Node, shape: Shape) -> Shape:
    found = _follow(node["children"][0], shape)
    if found.is_nothing:
        return NOTHING
    if "object" not in found.kinds:
        raise NowhereError(f"* is asked of {found.describe()}, and only an object has values; [*] goes through a list")
    values = [*found.keys.values(), *([found.others] if found.others else [])]
    inside = ANY if found.is_anything or not values else union(values)
    return _each(Shape(frozenset({"array"}), items=inside), node["children"][1])


def _filter(node: Node, shape: Shape) -> Shape:
    left, right, condition = node["children"]
    found = _as_list(_follow(left, shape), "a filter")
    if not found.is_nothing:
        _follow(condition, found.item)
    return _each(found, right)


def _truth(node: Node, shape: Shape) -> Shape:
    for child in node["children"]:
        _follow(child, shape)
    return Shape(frozenset({"boolean"}))


def _comparison(node: Node, shape: Shape) -> Shape:
    _truth(node, shape)
    return Shape(frozenset({"boolean", "null"}))


def _or(node: Node, shape: Shape) -> Shape:
    left, right = node["children"]
    try:
        first = _follow(left, shape)
    except NowhereError:
        return _follow(right, shape)
    return union([first, _follow(right, shape)])


def _and(node: Node, shape: Shape) -> Shape:
    return union([_follow(each, shape) for each in node["children"]])


def _select_list(node: Node, shape: Shape) -> Shape:
    if shape.is_nothing:
        return NOTHING
    return Shape(frozenset({"array"}), items=union([_follow(each, shape) for each in node["children"]]))


def _select_dict(node: Node, shape: Shape) -> Shape:
    if shape.is_nothing:
        return NOTHING
    keys = {each["value"]: _follow(each["children"][0], shape) for each in node["children"]}
    return Shape(frozenset({"object"}), keys=keys)


_RESULTS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("abs", "avg", "ceil", "floor", "length", "sum", "to_number"), "number"),
        **dict.fromkeys(("contains", "ends_with", "starts_with"), "boolean"),
        **dict.fromkeys(("join", "to_string", "type"), "string"),
        **dict.fromkeys(("keys", "map", "reverse", "sort", "sort_by", "to_array", "values"), "array"),
        "merge": "object",
    }
)
_MAY_BE_NOTHING = frozenset({"avg", "to_number", "max", "min", "max_by", "min_by", "not_null"})


def _call(node: Node, shape: Shape) -> Shape:
    name: str = node["value"]
    signature = functions().get(name, ())
    for index, child in enumerate(node["children"]):
        if child["type"] == "expref":
            continue
        if name == "not_null":
            _or({"children": [child, {"type": "current", "children": []}]}, shape)
            continue
        given = _follow(child, shape)
        wanted = signature[min(index, len(signature) - 1)].get("types", ()) if signature else ()
        if wanted and not given.is_anything and not given.kinds & {each.partition("-")[0] for each in wanted}:
            raise NowhereError(f"{name}() is asked of {given.describe()}, and takes {' or '.join(wanted)}")
    result = _RESULTS.get(name)
    if result is None:
        return ANY
    if name == "reverse":
        return ANY
    return Shape(frozenset({result, "null"} if name in _MAY_BE_NOTHING else {result}), others=ANY)


def _literal(node: Node, shape: Shape) -> Shape:  # noqa: ARG001 - as the others
    from runbook_engine.probe.shape import kind_of

    kind = kind_of(node["value"])
    return Shape(frozenset({kind}), others=ANY)


_STEPS: Mapping[str, Callable[[Node, Shape], Shape]] = MappingProxyType(
    {
        "field": _field,
        "index": _index,
        "slice": _slice,
        "subexpression": _in_turn,
        "index_expression": _in_turn,
        "pipe": _in_turn,
        "identity": _same,
        "current": _same,
        "projection": _projection,
        "flatten": _flatten,
        "value_projection": _values,
        "filter_projection": _filter,
        "comparator": _comparison,
        "not_expression": _truth,
        "or_expression": _or,
        "and_expression": _and,
        "multi_select_list": _select_list,
        "multi_select_dict": _select_dict,
        "function_expression": _call,
        "literal": _literal,
    }
)
