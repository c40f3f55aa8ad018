"""What a command measures, in the words of a probe."""

from collections.abc import Mapping

from msgspec import Struct


class Variable(Struct, frozen=True):
    """A value that stands in an environment variable: ``$DB_HOST``."""

    name: str


class System(Struct, frozen=True):
    """The system that a command connects to, as far as it says: ``{"host": "$DB_HOST", "port": "5433"}``.

    It stands where a probe has a connection string, which no command has in the same form.
    """

    parts: Mapping[str, str] = {}
    variable: str | None = None
    """The variable that holds the whole connection string."""

    def may_be(self, other: "System") -> bool:
        """Whether nothing that is said of both tells them apart."""
        if self.variable is not None and other.variable is not None:
            return self.variable == other.variable
        if (self.variable is None) != (other.variable is None):
            return not (self.parts or other.parts)
        return all(other.parts.get(key, each) == each for key, each in self.parts.items())

    @property
    def shown(self) -> str:
        return ", ".join(f"{key} {each}" for key, each in self.parts.items()) or f"${self.variable}"


class Measurement(Struct, frozen=True):
    """The probe that measures what a command shows.

    ``given`` are all its parameters: values, Variables and Systems. ``remark`` is what one should know of it.
    """

    probe: str
    given: Mapping[str, object]
    remark: str = ""
