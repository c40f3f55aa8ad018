"""Mistakes that cosmic-ray does not make by itself, in the shape of its operators.

An operator says where it can change a node of a parso tree (once for each way to change it), and changes it there.
"""

import re
from collections.abc import Iterator
from typing import Any, Protocol

Place = tuple[tuple[int, int], tuple[int, int]]
Node = Any  # parso has no types

_AUGMENTED = re.compile(r"(\+|-|\*|//?|%|&|\||\^|<<|>>|\*\*)=")
_SQL = re.compile(r"\s*(begin|commit|create|delete|insert|pragma|rollback|select|update)\b", re.IGNORECASE)
_TEXT = re.compile(r"(?P<prefix>[rRbBuU]*)(?P<quote>\"\"\"|'''|\"|')(?P<text>.*)(?P=quote)\Z", re.DOTALL)


class Operator(Protocol):
    """What ``cosmic_ray.mutating.mutate_code`` asks of an operator."""

    def mutation_positions(self, node: Node) -> Iterator[Place]: ...

    def mutate(self, node: Node, index: int) -> Node: ...


class OtherText:
    """A name, a code or a pattern gets other letters, and a setting in SQL another value.

    Texts with a space in them are for people, unless it is SQL.
    """

    def mutation_positions(self, node: Node) -> Iterator[Place]:
        if node.type == "string" and not is_wording(node.value):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        found = _parts(node.value)
        changed = re.sub(r"= \w+\Z", "= off", found["text"]) if _SQL.match(found["text"]) else f"XX{found['text']}"
        changed = changed if changed != found["text"] else f"XX{changed}"
        node.value = f"{found['prefix']}{found['quote']}{changed}{found['quote']}"
        return node


class OneAlternativeLess:
    """A pattern ``a|b`` becomes ``a``, and ``b``."""

    def mutation_positions(self, node: Node) -> Iterator[Place]:
        for _ in _alternatives(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        found, alternatives = _parts(node.value), _alternatives(node)
        rest = "|".join(each for place, each in enumerate(alternatives) if place != index)
        node.value = f"{found['prefix']}{found['quote']}{rest}{found['quote']}"
        return node


class OtherMembership:
    """``in`` becomes ``not in``, and the other way round."""

    def mutation_positions(self, node: Node) -> Iterator[Place]:
        if node.type == "comparison" and node.children[1].get_code(include_prefix=False).split() in (
            ["in"],
            ["not", "in"],
        ):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        operator = node.children[1]
        if operator.type == "keyword":
            operator.value = "not in"
        else:
            operator.children[0].value = "in"
            del operator.children[1]
        return node


class NoStatement:
    """A call whose result nobody takes, an addition, a deletion or a raise is left out."""

    def mutation_positions(self, node: Node) -> Iterator[Place]:
        if _is_effect(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        from parso.grammar import load_grammar

        nothing: Node = load_grammar().parse("pass")
        leaf = nothing.get_first_leaf()
        leaf.prefix = node.get_first_leaf().prefix
        return leaf


class OtherException:
    """An exception handler does not catch what it names; where it names several, one of them."""

    def mutation_positions(self, node: Node) -> Iterator[Place]:
        for each in _caught(node):
            yield each.start_pos, each.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        caught = _caught(node)[index]
        leaf, siblings = caught.get_first_leaf(), caught.parent.children
        leaf.value = "ZeroDivisionError"
        siblings[next(place for place, each in enumerate(siblings) if each is caught)] = leaf
        return node


class OtherKind:
    """An error of another kind."""

    def mutation_positions(self, node: Node) -> Iterator[Place]:
        if node.type in {"atom_expr", "power"} and _is_kind(node):
            yield node.start_pos, node.end_pos

    def mutate(self, node: Node, index: int) -> Node:
        name = node.children[1].children[1]
        name.value = "MISSING" if name.value == "OTHER" else "OTHER"
        return node


OWN: dict[str, type[Operator]] = {
    each.__name__: each
    for each in (OtherText, OneAlternativeLess, OtherMembership, NoStatement, OtherException, OtherKind)
}


def is_wording(literal: str) -> bool:
    """Whether a literal is a text for people: it has a space and is neither a pattern nor SQL."""
    found = _parts(literal)
    pattern = "r" in found["prefix"].lower()
    return not pattern and any(each.isspace() for each in found["text"].strip()) and not _SQL.match(found["text"])


def _parts(literal: str) -> re.Match[str]:
    found = _TEXT.match(literal)
    if found is None:
        raise ValueError(f"{literal} is not a text")
    return found


def _alternatives(node: Node) -> list[str]:
    if node.type != "string":
        return []
    found = _parts(node.value)
    if "r" not in found["prefix"].lower() or "|" not in found["text"] or re.search(r"[(\[\\]", found["text"]):
        return []
    return found["text"].split("|")


def _is_effect(node: Node) -> bool:
    if node.parent is None or node.parent.type != "simple_stmt":
        return False
    if node.type in {"raise_stmt", "del_stmt"}:
        return True
    if node.type == "keyword":
        return bool(node.value == "raise")
    if node.type == "expr_stmt":
        operator = node.children[1]
        return operator.type == "operator" and bool(_AUGMENTED.fullmatch(operator.value))
    if node.type in {"atom_expr", "power"}:
        last = node.children[-1]
        return last.type == "trailer" and bool(last.children[0].value == "(")
    return False


def _caught(node: Node) -> list[Node]:
    if node.type != "except_clause":
        return []
    exceptions = node.children[1]
    if exceptions.type != "atom":
        return [exceptions]
    several = exceptions.children[1]
    return list(several.children[::2]) if several.type in {"testlist_comp", "exprlist"} else [several]


def _is_kind(node: Node) -> bool:
    first, second = node.children[0], node.children[1]
    return (
        len(node.children) == 2
        and first.type == "name"
        and first.value == "ErrorKind"
        and second.type == "trailer"
        and second.children[0].value == "."
    )
