"""A document being salvaged: what is broken is taken out until what remains is sound."""

from collections.abc import Iterable, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from runbook_engine.document.fixes import Fix
from runbook_engine.document.nodes import Raw
from runbook_engine.document.places import describe
from runbook_engine.document.source import Key, Path, Source
from runbook_engine.document.wording import How, Remedy

_NO_STEPS = "nothing"


class Mistake(Struct, frozen=True):
    """A mistake of shape at ``path``; of its key, if ``at_key``.

    ``drop`` is what must go so that the rest can be read; ``rename`` is instead the key that was meant at ``path``, and
    ``order`` the items that stay of the list at ``drop``, in their right order. ``absent`` is a key that
    is missing at ``path``. One that is ``silent`` follows from another. ``remedy`` is what to write at ``path`` instead,
    where that is certain enough; a key that is renamed needs none.
    """

    code: str
    message: str
    path: Path
    label: str = ""
    help: str = ""
    at_key: bool = False
    drop: Path | None = None
    rename: str | None = None
    order: tuple[int, ...] | None = None
    silent: bool = False
    absent: str | None = None
    remedy: Remedy | None = None

    @property
    def about(self) -> Path:
        """What is wrong; below ``path`` where a key is absent."""
        return self.path if self.absent is None else (*self.path, self.absent)

    def fix(self, source: Source) -> Fix | None:
        """What to write in the text, where that is certain."""
        if self.rename is not None:
            return source.rewritten(self.path, self.rename, key=True)
        if self.remedy is None:
            return None
        match self.remedy.how:
            case How.TEXT:
                return source.rewritten(self.path, self.remedy.written, key=self.at_key)
            case How.VALUE:
                return source.replaced(self.path, self.remedy.written)
            case How.QUOTES:
                return source.in_quotes(self.path, key=self.at_key)


class Draft(Struct):
    """``broken`` has the paths that were taken out; ``touched`` those and every path on the way to something changed."""

    raw: dict[str, Raw]
    broken: set[Path] = field(default_factory=set)
    touched: set[Path] = field(default_factory=set)
    hollow: bool = False
    _renamed: dict[Path, str] = {}
    _order: dict[Path, tuple[int, ...]] = {}

    def apply(self, mistakes: Iterable[Mistake]) -> bool:
        """Take out what is wrong; whether anything is left. What was taken out in vain before goes with all around it."""
        before = frozenset(self.broken)
        for mistake in mistakes:
            target = mistake.path if mistake.drop is None else mistake.drop
            if mistake.rename is not None:
                target = mistake.path
                self._renamed[target] = mistake.rename
            elif mistake.order is not None:
                self._order[target] = mistake.order
            else:
                while target in before and target:
                    target = target[:-1]
                self.broken.add(target)
            self._touch(target)
        return () not in self.broken

    def build(self) -> "tuple[dict[str, Raw], dict[Path, Mapping[Key, Key]]]":
        """The document without what is broken, and where its items and keys were before, as ``Source`` takes it."""
        moved: dict[Path, Mapping[Key, Key]] = {}
        value = self._copy(self.raw, (), (), moved)
        if not isinstance(value, dict):
            return {}, moved
        if ("steps",) in self.broken:
            self.hollow = True
            value["steps"] = {_NO_STEPS: {"ask": _NO_STEPS}}
        steps = value.get("steps")
        start = list(steps) if isinstance(steps, dict) else []
        for key, stand_in in (("runbook", "unnamed"), ("title", "untitled"), ("start", start)):
            if (key,) in self.broken:
                value[key] = stand_in
        return value, moved

    def names(self, section: str) -> frozenset[str]:
        """The keys of a section as they stand in the text, broken or not."""
        found = self.raw.get(section)
        for path, name in self._renamed.items():
            if name == section and len(path) == 1:
                found = self.raw[str(path[0])]
        return frozenset(found) if isinstance(found, dict) else frozenset()

    def _touch(self, path: Path) -> None:
        if path in self._renamed:
            self.touched.add((*path[:-1], self._renamed[path]))
        for length in range(len(path) + 1):
            self.touched.add(path[:length])

    def _copy(self, raw: Raw, old: Path, new: Path, moved: dict[Path, Mapping[Key, Key]]) -> Raw:
        if old not in self.touched:
            return raw
        if isinstance(raw, dict):
            kept = {}
            renamed: dict[Key, Key] = {}
            for key, value in raw.items():
                name = str(self._renamed.get((*old, key), key))
                if (*old, key) in self.broken or name in kept or (name != key and name in raw):
                    continue
                kept[name] = self._copy(value, (*old, key), (*new, name), moved)
                if name != key:
                    renamed[name] = key
            if renamed:
                moved[new] = renamed
            return kept
        if isinstance(raw, list):
            order = [index for index in self._order.get(old, range(len(raw))) if (*old, index) not in self.broken]
            if order != list(range(len(raw))):
                moved[new] = dict(enumerate(order))
            return [self._copy(raw[at], (*old, at), (*new, index), moved) for index, at in enumerate(order)]
        return raw


class ToText(Struct, frozen=True):
    """From a document that was salvaged back to its text."""

    moved: Mapping[Path, Mapping[Key, Key]]

    def path(self, path: Path) -> Path:
        return tuple(self.moved.get(path[:depth], {}).get(key, key) for depth, key in enumerate(path))

    def describe(self, path: Path) -> str:
        """With the names that were meant, and the numbers of the text."""
        pairs = zip(path, self.path(path), strict=True)
        return describe(tuple(old if isinstance(old, int) else new for new, old in pairs))

    def mistake(self, found: Mistake) -> Mistake:
        """The same mistake at its place in the text."""
        if not self.moved:
            return found
        drop = found.path if found.drop is None else found.drop
        order = found.order and tuple(int(self.path((*drop, index))[-1]) for index in found.order)
        return replace(found, path=self.path(found.path), drop=self.path(drop), order=order)
