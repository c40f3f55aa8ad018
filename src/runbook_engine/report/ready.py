"""Text that is already fit for its format."""


class Ready(str):
    """Passes every template as it is: somebody has escaped it, or laid it out."""

    __slots__ = ()
