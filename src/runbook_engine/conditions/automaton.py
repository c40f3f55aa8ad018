"""A finite automaton that searches a text in one pass, without backtracking (Thompson's construction)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntFlag
from typing import TypeVar

MOST_STATES = 250
_MOST_REMEMBERED = 4096

K = TypeVar("K")


class TooLargeError(ValueError):
    """The automaton would have more states than it may."""


class Where(IntFlag):
    """A place in a text that consumes no character."""

    START = 1
    END = 2
    LAST_LINE_END = 4
    EDGE = 8


@dataclass(frozen=True, slots=True)
class Single:
    """One character: ``expression`` is one of ``re`` that matches exactly one."""

    expression: str


@dataclass(frozen=True, slots=True)
class Sequence:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Either:
    arms: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """``most`` None is without end. ``lazy`` is as few as possible, which matters only for what a group captures."""

    node: "Node"
    least: int
    most: int | None
    lazy: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What stands in parentheses: for a search the same as without them."""

    node: "Node"
    start: int
    """Where it begins in the pattern."""


Node = Single | Sequence | Either | Repeat | Group | Where


def either(arms: Iterable[Node]) -> Node:
    """The only arm, or a choice."""
    first, *rest = arms
    return Either((first, *rest)) if rest else first


_ACCEPT = 0
_ACCEPTED = 1


class Automaton:
    """States are numbered; a set of states is an integer with their bits. State 0 accepts.

    What was computed for a set is remembered, up to a bound, so that most characters cost two look-ups.
    """

    __slots__ = (
        "_after",
        "_checks",
        "_jumps",
        "_next",
        "_remembered",
        "_size",
        "_start",
        "_takers",
        "_takes",
        "_wheres",
    )

    def __init__(self, tree: Node, *, ignore_case: bool = False) -> None:
        self._jumps: list[list[tuple[int | None, int]]] = [[]]
        self._next: dict[int, int] = {}
        self._takes: dict[str, int] = {}
        self._size = 0
        self._wheres = 0
        self._start = self._build(tree, _ACCEPT)
        flags = re.IGNORECASE if ignore_case else 0
        self._checks = [(re.compile(each, flags), states) for each, states in self._takes.items()]
        self._takers: dict[str, int] = {}
        self._after: dict[tuple[int, int], int] = {}
        self._remembered: dict[tuple[int, int], int] = {}

    def search(self, text: str, most: int) -> bool | None:
        """Whether the pattern is found; None when it is not in the first ``most`` characters of a longer text."""
        stop = min(len(text), most)
        survivors = 0
        for index in range(stop + 1):
            place = place_in(text, index, self._wheres) if self._wheres else 0
            active = self._advance(survivors, place)
            if active & _ACCEPTED:
                return True
            if index < stop:
                survivors = active & self._taking(text[index])
        return False if stop == len(text) else None

    def _build(self, node: Node, target: int) -> int:
        """Add states from whose first, which is returned, ``target`` is reached by way of ``node``."""
        self._size += 1
        if self._size > 4 * MOST_STATES:
            raise TooLargeError
        match node:
            case Single(expression=expression):
                state = self._state()
                self._next[state] = target
                self._takes[expression] = self._takes.get(expression, 0) | 1 << state
                return state
            case Where():
                self._wheres |= node.value
                return self._state((node.value, target))
            case Sequence(parts=parts):
                for part in reversed(parts):
                    target = self._build(part, target)
                return target
            case Either(arms=arms):
                return self._state(*((None, self._build(arm, target)) for arm in arms))
            case Repeat():
                return self._build_repeat(node, target)
            case Group(node=inner):
                return self._build(inner, target)

    def _build_repeat(self, node: Repeat, target: int) -> int:
        if node.most is None:
            loop = self._state((None, target))
            self._jumps[loop].append((None, self._build(node.node, loop)))
            target = loop
        else:
            end = target
            for _ in range(node.most - node.least):
                target = self._state((None, end), (None, self._build(node.node, target)))
        for _ in range(node.least):
            target = self._build(node.node, target)
        return target

    def _state(self, *jumps: tuple[int | None, int]) -> int:
        if len(self._jumps) > MOST_STATES:
            raise TooLargeError
        self._jumps.append(list(jumps))
        return len(self._jumps) - 1

    def _taking(self, character: str) -> int:
        """The states that take the character."""
        found = self._takers.get(character)
        if found is None:
            found = 0
            for check, states in self._checks:
                if check.fullmatch(character):
                    found |= states
            _remember(self._takers, character, found)
        return found

    def _advance(self, survivors: int, place: int) -> int:
        """The states after ``survivors`` took a character, and those of a search that begins at this place."""
        found = self._remembered.get((survivors, place))
        if found is None:
            found = self._reached(self._start, place)
            rest = survivors
            while rest:
                bit = rest & -rest
                rest ^= bit
                found |= self._reached(self._next[bit.bit_length() - 1], place)
            _remember(self._remembered, (survivors, place), found)
        return found

    def _reached(self, state: int, place: int) -> int:
        """What can be reached from a state at this place without taking a character: states that take one, or accept."""
        found = self._after.get((state, place))
        if found is not None:
            return found
        found, seen, rest = 0, 1 << state, [state]
        while rest:
            each = rest.pop()
            if each == _ACCEPT or each in self._next:
                found |= 1 << each
            for where, target in self._jumps[each]:
                if (where is None or where & place) and not seen >> target & 1:
                    seen |= 1 << target
                    rest.append(target)
        _remember(self._after, (state, place), found)
        return found


def place_in(text: str, index: int, asked: int) -> int:
    """Which of the places that a pattern asks for this one is."""
    size = len(text)
    place = 0
    if index == 0:
        place |= Where.START.value
    if index == size:
        place |= Where.END.value | Where.LAST_LINE_END.value
    elif index == size - 1 and text[index] == "\n":
        place |= Where.LAST_LINE_END.value
    if asked & Where.EDGE.value:
        before = index > 0 and _is_word(text[index - 1])
        after = index < size and _is_word(text[index])
        if before != after:
            place |= Where.EDGE.value
    return place


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _remember(memory: dict[K, int], key: K, value: int) -> None:
    if len(memory) >= _MOST_REMEMBERED:
        memory.clear()
    memory[key] = value
