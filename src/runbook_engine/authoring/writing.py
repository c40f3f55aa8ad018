"""A runbook written as text, in the layout that the shipped ones have."""

import re
from collections.abc import Iterator, Mapping, Sequence

from runbook_engine.document.nodes import Raw
from runbook_engine.document.yaml_writing import flow

_WIDE = 118
"""Columns that a line may have before what stands in it is put below."""
_PRINTED = r"\x21-\x7e\xa1-\u2027\u2030-\ud7ff"
_BLOCK = re.compile(rf"[{_PRINTED}](?:[{_PRINTED} \n]*[{_PRINTED}])?")
"""Texts of several lines that are read back as they are where they stand below their key."""
_APART = frozenset({"symptoms", "references", "inputs", "start", "steps", "findings", "resolutions", "prevention"})
"""The sections that an empty line stands before."""


def write(document: Mapping[str, Raw], comments: Mapping[tuple[str, ...], str]) -> str:
    """The text of a document. ``comments`` stand above the value at their path, ``()`` above everything."""
    lines = [*_comment(comments.get((), ""), ""), *_mapping(document, (), comments)]
    return "".join(f"{line}\n" for line in lines)


def _mapping(value: Mapping[str, Raw], path: tuple[str, ...], comments: Mapping[tuple[str, ...], str]) -> Iterator[str]:
    indent = "  " * len(path)
    for number, (key, each) in enumerate(value.items()):
        below = (*path, key)
        if (not path and key in _APART) or (path == ("steps",) and number):
            yield ""
        yield from _comment(comments.get(below, ""), indent)
        yield from _entry(f"{indent}{flow(key)}:", each, below, comments)


def _entry(head: str, value: Raw, path: tuple[str, ...], comments: Mapping[tuple[str, ...], str]) -> Iterator[str]:
    """What stands after a key: in its line where it is small, else below it."""
    if isinstance(value, str) and _is_block(value):
        yield f"{head} |-"
        yield from (f"{'  ' * len(path)}{line}" if line else "" for line in value.split("\n"))
        return
    line = f"{head} {flow(value)}"
    if isinstance(value, dict) and value and not (_in_one_line(path) and len(line) <= _WIDE):
        yield head
        yield from _mapping(value, path, comments)
    elif isinstance(value, list | tuple) and value and not (_is_plain(value) and len(line) <= _WIDE and len(path) > 1):
        yield head
        yield from _items(value, "  " * len(path))
    else:
        yield line


def _items(values: Sequence[Raw], indent: str) -> Iterator[str]:
    yield from (f"{indent}- {flow(each)}" for each in values)


def _is_block(text: str) -> bool:
    """Whether a text of several lines is read back as the same where it stands below its key as it is."""
    return "\n" in text and _BLOCK.fullmatch(text) is not None


def _in_one_line(path: tuple[str, ...]) -> bool:
    """Whether a mapping there reads well in braces: an input, parameters, whatever lies deep."""
    return (len(path) > 1 and path[0] == "inputs") or len(path) > 2 or (path[:1] == ("findings",) and len(path) > 1)


def _is_plain(values: Sequence[Raw]) -> bool:
    return not any(isinstance(each, dict | list | tuple) for each in values)


def _comment(text: str, indent: str) -> Iterator[str]:
    yield from (f"{indent}# {line}".rstrip() for line in text.splitlines())
