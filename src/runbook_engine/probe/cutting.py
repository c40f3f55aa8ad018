"""What was read of a thing that has more: the first of its items, and why the rest is not there.

A probe that reads no more than so much says so in ``Reading.cut``, in the words of these functions. The engine then takes
nothing out of the document, and makes missing what ``Reading.PARTIAL`` names.
"""

from collections.abc import Iterable
from itertools import islice
from typing import TypeVar

from runbook_engine.probe.contract import Params
from runbook_engine.quantity import Dimension, show

T = TypeVar("T")


def first(items: Iterable[T], params: Params, parameter: str, what: str, *, instead: str = "") -> tuple[list[T], str]:
    """The first items, as many as that parameter of the step lets through, and what to say in ``cut``.

    ``what`` they are, such as ``rows``. ``instead`` is what else helps: ``count in the statement``. No more than one item
    beyond the last is asked for.
    """
    most: int = getattr(params, parameter)
    found = list(islice(items, most + 1))
    if len(found) <= most:
        return found, ""
    return found[:most], cut_at(
        params, parameter, f"there are more than the {most} {what} that were read", instead=instead
    )


def cut_at(params: Params, parameter: str, why: str, *, shown: str = "", instead: str = "") -> str:
    """``why``, and how to get the rest: ``raise max_rows, which may be up to 1000, or count in the statement``.

    ``shown`` is the greatest value of the parameter as people write it, where a bare number is not.
    """
    most = greatest(type(params), parameter)
    cures = [instead] if instead else []
    if most is None or getattr(params, parameter) < most:
        bound = shown or ("" if most is None else show(most, Dimension.NUMBER))
        cures.insert(0, f"raise {parameter} up to {bound}" if bound else f"raise {parameter}")
    return f"{why}; {', or '.join(cures)}" if cures else why


def greatest(params: type[Params], parameter: str) -> float | None:
    """The greatest value that a parameter takes; None where none is declared."""
    bounds = (getattr(note, "le", None) for note in params.model_fields[parameter].metadata)
    return next((bound for bound in bounds if isinstance(bound, int | float)), None)
