r"""What the one group of a pattern captures: ``lag: (\d+)`` in ``lag: 17`` captures ``17``.

Patterns are those of ``matches``. All ways through a pattern are followed side by side, character by character, the one that
Python's ``re`` would take first in front (Pike's construction, https://swtch.com/~rsc/regexp/regexp2.html): a text from
anywhere cannot hang the search.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from runbook_engine.conditions.automaton import (
    MOST_STATES,
    Either,
    Group,
    Node,
    Repeat,
    Sequence,
    Single,
    TooLargeError,
    Where,
    place_in,
)
from runbook_engine.conditions.patterns import PatternError, read_tree
from runbook_engine.probe.effort import TEXT_SHIFT, Effort

_MATCH = 0
_Thread = tuple[int, int, int]
"""A state, and where the group began and ended; -1 where it did not yet."""
_NEVER = -1
_BEGIN, _END = 1, 2


class Capture:
    """States are numbered, state 0 is the end. A state takes a character, leads on to others, or marks the group's edge."""

    __slots__ = ("_after", "_checks", "_first", "_jumps", "_marks", "_next", "_start", "_takers", "_wheres", "source")

    def __init__(self, source: str) -> None:
        self.source = source
        tree, ignore_case = read_tree(source)
        _check_group(tree, source)
        self._jumps: list[tuple[tuple[int, int], ...]] = [()]
        self._next: dict[int, int] = {}
        self._marks: dict[int, int] = {}
        self._wheres = 0
        self._after: dict[tuple[int, int], tuple[tuple[int, int], ...]] = {}
        self._takers: dict[str, frozenset[int]] = {}
        takes: dict[str, set[int]] = {}
        self._start = self._build(tree, _MATCH, takes)
        flags = re.IGNORECASE if ignore_case else 0
        self._checks = [(re.compile(each, flags), frozenset(states)) for each, states in takes.items()]
        begins = [state for state, _ in self._reached(self._start, 0)]
        self._first: re.Pattern[str] | None = None
        if not self._wheres and _MATCH not in begins:
            wanted = [each for each, states in takes.items() if states.intersection(begins)]
            self._first = re.compile("|".join(f"(?:{each})" for each in wanted), flags)

    def found_in(self, text: str, effort: Effort | None = None) -> str | None:
        """What the group captures where the pattern is found first; None where it is not, or without its group.

        A character costs a step, or a few. Raises TooMuchWorkError.
        """
        effort = effort or Effort()
        effort.spend(len(text) >> TEXT_SHIFT)
        threads: list[_Thread] = []
        best: _Thread | None = None
        index = 0
        size = len(text)
        while index <= size:
            if not threads:
                if best is not None:
                    break
                if self._first is not None:
                    begin = self._first.search(text, index)
                    if begin is None:
                        return None
                    index = begin.start()
                elif index and self._wheres == Where.START:
                    break
            place = place_in(text, index, self._wheres) if self._wheres else 0
            active, ended = self._advance(threads, place, index, searching=best is None)
            best = ended or best
            effort.spend(1 + len(active))
            if index == size:
                break
            takers = self._taking(text[index])
            threads = [(self._next[state], begin, end) for state, begin, end in active if state in takers]
            index += 1
        if best is None or _NEVER in best[1:]:
            return None
        return text[best[1] : best[2]]

    def _advance(
        self, threads: list[_Thread], place: int, index: int, *, searching: bool
    ) -> tuple[list[_Thread], _Thread | None]:
        """The states that want a character next, in order, and the first way that has come to the end, if one has.

        What would come behind that way is given up.
        """
        active: list[_Thread] = []
        seen: set[int] = set()
        begun = [*threads, (self._start, _NEVER, _NEVER)] if searching else threads
        for state, begin, end in begun:
            for reached, marks in self._reached(state, place):
                if reached in seen:
                    continue
                seen.add(reached)
                thread = (reached, index if marks & _BEGIN else begin, index if marks & _END else end)
                if reached == _MATCH:
                    return active, thread
                active.append(thread)
        return active, None

    def _reached(self, state: int, place: int) -> tuple[tuple[int, int], ...]:
        """What is reached without a character, in order, and which edges of the group are passed on the way."""
        known = self._after.get((state, place))
        if known is not None:
            return known
        found: dict[int, int] = {}
        seen: set[int] = set()
        rest = [(state, 0)]
        while rest:
            each, marks = rest.pop()
            if each in seen:
                continue
            seen.add(each)
            if each == _MATCH or each in self._next:
                found[each] = marks
                continue
            marks |= self._marks.get(each, 0)
            for where, target in reversed(self._jumps[each]):
                if not where or where & place:
                    rest.append((target, marks))
        self._after[state, place] = tuple(found.items())
        return self._after[state, place]

    def _taking(self, character: str) -> frozenset[int]:
        known = self._takers.get(character)
        if known is None:
            taken = (states for check, states in self._checks if check.fullmatch(character))
            known = frozenset().union(*taken)
            if len(self._takers) < MOST_STATES * 4:
                self._takers[character] = known
        return known

    def _build(self, node: Node, target: int, takes: dict[str, set[int]]) -> int:
        """Add states from whose first, which is returned, ``target`` is reached by way of ``node``."""
        match node:
            case Single(expression=expression):
                state = self._state()
                self._next[state] = target
                takes.setdefault(expression, set()).add(state)
                return state
            case Where():
                self._wheres |= node.value
                return self._state((node.value, target))
            case Sequence(parts=parts):
                for part in reversed(parts):
                    target = self._build(part, target, takes)
                return target
            case Either(arms=arms):
                return self._state(*((0, self._build(arm, target, takes)) for arm in arms))
            case Group(node=inner):
                after = self._state((0, target))
                self._marks[after] = _END
                before = self._state((0, self._build(inner, after, takes)))
                self._marks[before] = _BEGIN
                return before
            case Repeat():
                return self._build_repeat(node, target, takes)

    def _build_repeat(self, node: Repeat, target: int, takes: dict[str, set[int]]) -> int:
        def choice(again: int, on: int) -> tuple[tuple[int, int], ...]:
            return ((0, on), (0, again)) if node.lazy else ((0, again), (0, on))

        end = target
        if node.most is None:
            loop = self._state()
            self._jumps[loop] = choice(self._build(node.node, loop, takes), end)
            target = loop
        else:
            for _ in range(node.most - node.least):
                target = self._state(*choice(self._build(node.node, target, takes), end))
        for _ in range(node.least):
            target = self._build(node.node, target, takes)
        return target

    def _state(self, *jumps: tuple[int, int]) -> int:
        if len(self._jumps) > 2 * MOST_STATES:
            raise TooLargeError
        self._jumps.append(jumps)
        return len(self._jumps) - 1


@lru_cache(maxsize=256)
def read_capture(source: str) -> Capture:
    """Raises PatternError, also where the pattern has not exactly one group."""
    try:
        return Capture(source)
    except TooLargeError:
        raise PatternError("this pattern is too large", 0, len(source), "repeat less often") from None


def _check_group(tree: Node, source: str) -> None:
    hint = "put parentheses around what is wanted: lag: (\\d+); other groups are written (?:…)"
    found = list(_groups(tree, often=False))
    if not found:
        raise PatternError("this pattern has no group, so that nothing is taken out", 0, len(source), hint)
    if len(found) > 1:
        start = found[1][0].start
        raise PatternError("this pattern has more than one group", start, start + 1, hint)
    group, often = found[0]
    if often:
        raise PatternError("the group is repeated, and would be many", group.start, group.start + 1, hint)


def _groups(node: Node, *, often: bool) -> Iterator[tuple[Group, bool]]:
    match node:
        case Group(node=inner):
            yield node, often
            yield from _groups(inner, often=often)
        case Sequence(parts=nodes) | Either(arms=nodes):
            for each in nodes:
                yield from _groups(each, often=often)
        case Repeat():
            yield from _groups(node.node, often=often or node.most is None or node.most > 1)
