"""Error messages found by words: what a person types who remembers half of one."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from runbook_engine.engine.knowledge import Entry, Recognised, recognise

MOST_QUERY = 20_000
_WORD = re.compile(r"[a-z0-9_]+")
_COMMON = frozenset(
    _WORD.findall(
        """a an and are as at be by do does for from has have i if in is it its my no not of on or our so that the their there
        this to was we what when which why with you your error fatal"""
    )
)
_SHARE = 0.5
_LEAST_TYPO = 4
_MOST_WORDS = 50


def search(query: str, entries: Sequence[Entry], most: int) -> Sequence[Recognised]:
    """First the entries whose messages stand in the query, then those that share its words, the rarest of all counting most.

    A word that no entry has counts as the one that it resembles. What shares less than half of what the best one does is
    left out, and so is what shares less than half of the words: one word in common explains nothing.
    """
    text = query[:MOST_QUERY]
    found = recognise(text, entries)
    known = {each.entry.name for each in found}
    return [*found, *(each for each in _by_words(text, entries) if each.entry.name not in known)][:most]


def _by_words(query: str, entries: Sequence[Entry]) -> list[Recognised]:
    bags = {entry.name: _bag(entry) for entry in entries}
    spread = Counter(word for bag in bags.values() for word in bag)
    wanted = list(dict.fromkeys(_meant(word, spread) for word in _words(query)))[:_MOST_WORDS]
    rarity = {word: math.log(1 + len(entries) / spread[word]) for word in wanted if word in spread}
    scored = [
        (sum(rarity[word] * bag[word] for word in rarity if word in bag), name)
        for name, bag in bags.items()
        if sum(word in bag for word in wanted) >= _SHARE * len(wanted)
    ]
    best = max((score for score, _ in scored), default=0.0)
    if best <= 0:
        return []
    near = {name: score for score, name in scored if score >= _SHARE * best}
    found = [
        (near[each.name], Recognised(each, each.error.name, "", round(100 * near[each.name])))
        for each in entries
        if each.name in near
    ]
    return [each for _, each in sorted(found, key=lambda pair: (-pair[0], pair[1].entry.distance))]


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower()) if word not in _COMMON]


def _bag(entry: Entry) -> Mapping[str, float]:
    """What a word of the entry counts: most where the message has it."""
    error = entry.error
    weighed: Iterable[tuple[str, float]] = (
        (" ".join((error.title, *error.messages, entry.name.replace("-", " "))), 3.0),
        (error.subject, 2.0),
        (f"{error.cause} {error.solution}", 1.0),
    )
    bag: dict[str, float] = {}
    for text, weight in weighed:
        for word in _words(text):
            bag[word] = max(bag.get(word, 0.0), weight)
    return bag


def _meant(word: str, known: Mapping[str, int]) -> str:
    if word in known or len(word) < _LEAST_TYPO:
        return word
    return next(iter(get_close_matches(word, known, n=1, cutoff=0.84)), word)
