"""Several texts sought in one at once."""

from collections.abc import Callable, Iterator, Sequence

Search = Callable[[bytes], Iterator[tuple[int, int]]]


def search_for(wanted: Sequence[bytes]) -> Search:
    """A search that gives the index of what is found and where it begins, for each occurrence, in any order.

    It is Aho and Corasick's, or one search for each where its library cannot be loaded, as without a free file descriptor:
    a message about that has to be masked as well.
    """
    try:
        import ahocorasick_rs
    except (ImportError, OSError):
        return lambda text: _one_by_one(wanted, text)
    search = ahocorasick_rs.BytesAhoCorasick(list(wanted))
    return lambda text: ((index, at) for index, at, _ in search.find_matches_as_indexes(text, overlapping=True))


def _one_by_one(wanted: Sequence[bytes], text: bytes) -> Iterator[tuple[int, int]]:
    for index, each in enumerate(wanted):
        at = text.find(each)
        while at >= 0:
            yield index, at
            at = text.find(each, at + 1)
