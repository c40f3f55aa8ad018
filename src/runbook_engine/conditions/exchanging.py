"""A condition with one part of it in place of another."""

from msgspec.structs import replace

from runbook_engine.conditions.tree import (
    And,
    Arithmetic,
    Comparison,
    Contains,
    Expression,
    Matches,
    Membership,
    Minus,
    Not,
    Or,
)


def exchanged(node: Expression, old: Expression, new: Expression) -> Expression:
    """The same with another node in place of one, of that very one: an equal one elsewhere stays."""
    if node is old:
        return new
    match node:
        case Not() | Minus():
            return replace(node, operand=exchanged(node.operand, old, new))
        case And() | Or():
            return replace(node, parts=tuple(exchanged(each, old, new) for each in node.parts))
        case Comparison() | Arithmetic():
            return replace(node, left=exchanged(node.left, old, new), right=exchanged(node.right, old, new))
        case Membership():
            items = tuple(exchanged(each, old, new) for each in node.items)
            return replace(node, subject=exchanged(node.subject, old, new), items=items)
        case Matches() | Contains():
            return replace(node, subject=exchanged(node.subject, old, new))
    return node
