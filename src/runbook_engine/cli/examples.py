"""Examples at the end of a command's help."""


def examples(*commands: str) -> str:
    """Commands to type, each on a line of its own."""
    return "\n".join(("\b", "Examples:", *(f"  {each}" for each in commands)))
