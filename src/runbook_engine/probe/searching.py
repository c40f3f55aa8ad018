"""JMESPath with a bound: what a path asks of a document is counted while it is done.

A path of a few hundred characters can ask for more than a machine has: ``[*].[*]`` goes through a document once for each of
its values, and ``[@, @] | [@, @]`` doubles it with each part. https://jmespath.org/specification.html sets no bound.
"""

from typing import Any

from jmespath.functions import Functions
from jmespath.parser import ParsedResult
from jmespath.visitor import Options, TreeInterpreter

from runbook_engine.probe.effort import TEXT_SHIFT, Effort, weigh


def search(path: ParsedResult, document: object, effort: Effort) -> Any:
    """What stands at the path. Raises TooMuchWorkError, and what JMESPath raises."""
    return _Interpreter(effort).visit(path.parsed, document)


class _Interpreter(TreeInterpreter):
    """A step for each node of the path that is applied to a value, and what is copied, compared or handed to a function."""

    def __init__(self, effort: Effort) -> None:
        super().__init__(Options())
        self._effort = effort
        self._library = Functions()

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        self._effort.spend()
        return super().visit(node, *args, **kwargs)

    def visit_flatten(self, node: Any, value: Any) -> Any:
        found = super().visit_flatten(node, value)
        self._effort.spend(len(found or ()))
        return found

    def visit_slice(self, node: Any, value: Any) -> Any:
        if isinstance(value, list):
            self._effort.spend(len(value))
        return super().visit_slice(node, value)

    def visit_comparator(self, node: Any, value: Any) -> Any:
        left, right = (self.visit(child, value) for child in node["children"])
        weigh(left, self._effort)
        weigh(right, self._effort)
        literals: list[Any] = [{"type": "literal", "value": each, "children": []} for each in (left, right)]
        compared: Any = {**node, "children": literals}
        return super().visit_comparator(compared, value)

    def visit_function_expression(self, node: Any, value: Any) -> Any:
        name, given = node["value"], [self.visit(child, value) for child in node["children"]]
        for each in given:
            if name in _GO_DEEP or isinstance(each, str):
                weigh(each, self._effort)
            elif isinstance(each, list | dict) and name not in _AT_ONCE:
                self._effort.spend(len(each))
        if name == "join" and len(given) == 2 and isinstance(given[0], str) and isinstance(given[1], list):
            self._effort.spend((len(given[0]) >> TEXT_SHIFT) * len(given[1]))
        return self._library.call_function(name, given)


_GO_DEEP = frozenset({"contains", "join", "max", "min", "sort", "to_string"})
"""Functions that read or copy all that is in what they are given."""
_AT_ONCE = frozenset({"length", "not_null", "to_array", "type"})
"""Functions whose work does not grow with what they are given."""
