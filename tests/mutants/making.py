"""Mutants: copies of a module with one small mistake each."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tests.mutants.operators import OWN, Operator, Place

OPERATORS = (
    *(
        f"core/ReplaceComparisonOperator_{pair}"
        for pair in (
            *("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
            *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"),
        )
    ),
    *(
        f"core/ReplaceBinaryOperator_{pair}"
        for pair in (
            "Add_Sub",
            "Sub_Add",
            "Mul_Div",
            "Div_Mul",
            "FloorDiv_Mul",
            "Mod_Mul",
            "BitAnd_BitOr",
            "BitOr_BitAnd",
        )
    ),
    "core/ReplaceUnaryOperator_Delete_Not",
    "core/ReplaceUnaryOperator_Delete_USub",
    *("core/AddNot", "core/ReplaceAndWithOr", "core/ReplaceOrWithAnd"),
    *("core/ReplaceTrueWithFalse", "core/ReplaceFalseWithTrue", "core/NumberReplacer"),
    *("core/ReplaceBreakWithContinue", "core/ReplaceContinueWithBreak", "core/ZeroIterationForLoop"),
    *OWN,
)
"""Of the operators of cosmic-ray, one for each kind of mistake: it would replace every operator by every other one."""


class Mutant(NamedTuple):
    """One mistake. ``function`` is the outermost function that it is made in, or the class, or "" at the top of the module.

    ``running`` says that only a call of that function meets the mistake, and not the import of the module. ``was`` and
    ``now`` are the changed lines. ``source`` is the whole module with the mistake, which has the lines that it had.
    """

    function: str
    running: bool
    line: int
    was: str
    now: str
    source: str


def mutants(path: Path) -> list[Mutant]:
    """All mutants of a module that mean something, from its top to its end."""
    source = path.read_text(encoding="utf-8")
    places = _Places(source)
    found: dict[str, Mutant] = {}
    for name in OPERATORS:
        for changed, (start, end) in _changed(source, name):
            if places.mean_nothing(start, end, name) or changed in found or not _compiles(changed):
                continue
            was, now = _lines(source, changed)
            function, running = places.function(start)
            found[changed] = Mutant(function, running, start[0], was, now, changed)
    return sorted(found.values(), key=lambda each: (each.line, each.now))


def _changed(source: str, name: str) -> Iterator[tuple[str, Place]]:
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code

    operator = _operator(name)
    places = [each for node in ast_nodes(get_ast(source)) for each in operator.mutation_positions(node)]
    for occurrence, place in enumerate(places):
        if name == "core/NumberReplacer" and occurrence % 2:
            continue  # one less, after one more
        changed = mutate_code(source, _operator(name), occurrence)
        if changed is not None and changed != source:
            yield _spread(source, changed), place


def _operator(name: str) -> Operator:
    from cosmic_ray.plugins import get_operator

    made: Operator = OWN[name]() if name in OWN else get_operator(name)()
    return made


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def _spread(source: str, changed: str) -> str:
    """The mutant over as many lines as its module: empty ones stand where it has fewer, so that all else keeps its place."""
    before, after = source.splitlines(keepends=True), changed.splitlines(keepends=True)
    first = next(place for place, (one, other) in enumerate(zip(before, after, strict=False)) if one != other)
    return "".join([*after[: first + 1], *["\n"] * (len(before) - len(after)), *after[first + 1 :]])


def _lines(source: str, changed: str) -> tuple[str, str]:
    """The changed lines, as they were and as they are."""
    pairs = zip(source.splitlines(), changed.splitlines(), strict=True)
    differ = [(one.strip(), other.strip()) for one, other in pairs if one != other]
    return " ".join(one for one, _ in differ), " ".join(other for _, other in differ).rstrip()


@dataclass(frozen=True, slots=True)
class _Span:
    start: tuple[int, int]
    end: tuple[int, int]

    def holds(self, start: tuple[int, int], end: tuple[int, int]) -> bool:
        return self.start <= start and end <= self.end


class _Places:
    """What stands where in a module, in lines from 1 and characters from 0."""

    def __init__(self, source: str) -> None:
        self._lines = source.splitlines()
        self._nothing: list[_Span] = []
        self._wording: list[_Span] = []
        self._types: list[_Span] = []
        self._compared: list[_Span] = []
        self._calculated: list[_Span] = []
        self._functions: list[tuple[str, bool, _Span]] = []
        self._read(ast.parse(source), "")

    def mean_nothing(self, start: tuple[int, int], end: tuple[int, int], operator: str) -> bool:
        """Annotations, docstrings, imports, decorators, how a class is declared; of texts, those that are raised or formatted;
        a "not" before a comparison, whose operators are replaced anyhow; the stars of parameters.
        """
        if any(each.holds(start, end) for each in self._nothing):
            return True
        if "BitOr_" in operator and any(each.start <= start <= each.end for each in self._types):
            return True
        if "Binary" in operator and not any(each.holds(start, end) for each in self._calculated):
            return True
        if operator == "core/AddNot" and any(each == _Span(start, end) for each in self._compared):
            return True
        return operator in {"OtherText", "OneAlternativeLess"} and any(each.holds(start, end) for each in self._wording)

    def function(self, start: tuple[int, int]) -> tuple[str, bool]:
        within = [(name, running) for name, running, span in self._functions if span.start <= start <= span.end]
        return within[-1] if within else ("", False)

    def _read(self, node: ast.AST, name: str) -> None:
        for child in ast.iter_child_nodes(node):
            inner = name
            if isinstance(child, ast.ClassDef):
                inner = f"{name}{child.name}."
                self._functions.append((inner[:-1], False, self._span(child)))
                self._nothing += [self._span(each) for each in child.decorator_list]
            elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                self._function(child, name)
                continue
            self._note(child)
            self._read(child, inner)

    def _function(self, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> None:
        whole, body = self._span(function), function.body
        self._functions.append((f"{name}{function.name}", False, whole))
        begin = self._span(body[0]).start
        self._functions.append((f"{name}{function.name}", True, _Span(begin, whole.end)))
        for child in ast.walk(function):
            self._note(child)

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.keyword(arg="frozen" | "slots" | "init" | "repr" | "compare" | "kw_only"):
                self._nothing.append(self._span(node))
            case (
                ast.Import()
                | ast.ImportFrom()
                | ast.Expr(value=ast.Constant(value=str()))
                | ast.If(test=ast.Name(id="TYPE_CHECKING"))
                | ast.Call(func=ast.Name(id="NewType" | "TypeVar" | "cast"))
                | ast.Assign(targets=[ast.Name(id="__all__" | "__slots__")])
            ):
                self._nothing.append(self._span(node))
            case ast.AnnAssign(annotation=annotation) | ast.arg(annotation=ast.expr() as annotation):
                self._nothing.append(self._span(annotation))
            case ast.Raise() | ast.JoinedStr():
                self._wording.append(self._span(node))
            case ast.Compare():
                self._compared.append(self._span(node))
            case ast.BinOp(op=ast.BitOr()) if _is_type(node.left) or _is_type(node.right):
                self._types.append(self._span(node))
            case ast.BinOp() | ast.AugAssign():
                self._calculated.append(self._span(node))
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._nothing += [self._span(each) for each in node.decorator_list]
                if node.returns is not None:
                    self._nothing.append(self._span(node.returns))
            case _:
                pass

    def _span(self, node: Any) -> _Span:
        return _Span(self._place(node.lineno, node.col_offset), self._place(node.end_lineno, node.end_col_offset))

    def _place(self, line: int, octets: int) -> tuple[int, int]:
        return line, len(self._lines[line - 1].encode()[:octets].decode())


def _is_type(node: ast.expr) -> bool:
    """Whether it reads like a type: None, or a name with a capital and small letters."""
    match node:
        case ast.Constant(value=None):
            return True
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in {"int", "float", "str", "bool", "bytes", "dict", "list"} or (
                name[:1].isupper() and not name.isupper()
            )
        case ast.BinOp(op=ast.BitOr()):
            return _is_type(node.left) or _is_type(node.right)
        case ast.Subscript():
            return _is_type(node.value)
    return False
