"""Where chance in this world comes from. Invariant: the same words give the same numbers, on every machine."""

from random import Random


def chance_of(*words: str | int) -> Random:
    """Give a source of numbers of its own to whatever these words name."""
    return Random("/".join(str(word) for word in words))  # noqa: S311 - made-up worlds must be repeatable, nothing here is secret
