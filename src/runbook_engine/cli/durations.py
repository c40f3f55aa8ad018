"""Durations as people type them."""

import click


class Duration(click.ParamType[float]):
    """``20min``, ``1h 30min``: in seconds."""

    name = "duration"

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        if not isinstance(value, str):
            return float(value)
        from runbook_engine.quantity import Dimension, parse

        try:
            seconds, dimension = parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        if dimension is not Dimension.DURATION:
            self.fail(f"{value!r} is not a duration; write for example 20min", param, ctx)
        return seconds
