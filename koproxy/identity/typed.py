"""Claims taken as the types that are wanted, by the rules of Go's ``encoding/json``.

The rules that aren't obvious: null is the empty value of every type, and what has another type than
the wanted one refuses the whole token.
"""

from typing import Any


class Refused(Exception):
    """The token is not good; its text is a clause for people, without anything of the token."""


def string(claim: str, value: Any, before: str = "") -> str:
    """Take ``value`` as a string; null leaves what stood there ``before``.

    Raises Refused, naming ``claim``, for any other type.
    """
    if value is None:
        return before
    if not isinstance(value, str):
        raise Refused(f"its {claim} claim is no string")
    return value


def strings(claim: str, value: Any) -> tuple[str, ...]:
    """Take ``value`` as a list of strings; raises Refused, naming ``claim``, for another type."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise Refused(f"its {claim} claim is neither a string nor a list of strings")
    return tuple([string(claim, entry) for entry in value])
