"""Answers that come in pages, read in a thread and given up in order."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from runbook_engine.probe import ErrorKind, ProbeContext, ProbeError
from runbook_probes.aws.client import AwsParams, Client, ask
from runbook_probes.aws.failure import Aim

T = TypeVar("T")


class Pages:
    """All pages of one answer, and how far their reading has got.

    A page may be empty and still be followed by others: only an answer without a token is the last.
    ``found`` is counted by whoever reads. When nobody waits for the answer any more, no further page is asked for.
    """

    def __init__(self, aim: Aim, what: str) -> None:
        self.aim = aim
        self.what = what
        self.read = 0
        self.found = 0
        self.abandoned = False

    def of(
        self, operation: Callable[..., Mapping[str, Any]], token: str, arguments: Callable[[], Mapping[str, object]]
    ) -> Iterator[Mapping[str, Any]]:
        """``token`` is its name in request and answer; ``arguments`` are asked for anew for each page."""
        following: str | None = None
        while not self.abandoned:
            page = operation(**arguments(), **({token: following} if following else {}))
            self.read += 1
            yield page
            before, following = following, page.get(token) or None
            if following is None:
                return
            if following == before:
                raise ProbeError(
                    ErrorKind.MALFORMED,
                    f"{self.aim.place} gives the same page of {self.aim.service} {self.aim.operation} again and again",
                )

    def so_far(self, error: ProbeError) -> ProbeError:
        """The error, and how much had been read before it. A part is no reading of the whole."""
        if not self.read:
            return error
        pages = "1 page" if self.read == 1 else f"{self.read} pages"
        remedy = error.remedy
        if error.kind is ErrorKind.TIMEOUT:
            remedy = "give the step a longer timeout, or ask for less: a shorter window, a narrower pattern or prefix"
        told = f"{error.message}; {pages} with {self.found} {self.what} had been read, and more were to come"
        return ProbeError(error.kind, told, remedy=remedy)


async def ask_pages(params: AwsParams, ctx: ProbeContext, pages: Pages, work: Callable[[Client], T], *, asks: str) -> T:
    """As ``ask``, for ``work`` that reads ``pages``."""
    try:
        return await ask(pages.aim.service, params, ctx, pages.aim, work, asks=asks)
    except ProbeError as error:
        raise pages.so_far(error) from error.__cause__
    finally:
        pages.abandoned = True
