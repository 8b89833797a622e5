"""``has(user.extra)``, which is always true, answered before an expression is checked. Pure.

A map of protocol buffers holds no lists. So ``user.extra`` is declared as a variable of its own,
which has its exact type; but then nobody could ask whether ``user`` has it.
"""

import re

_ASKED = re.compile(
    # What stands in quotes or behind // asks nothing.
    r"(?P<other>[rR](?:'{3}.*?'{3}|\"{3}.*?\"{3}|'[^'\n]*'|\"[^\"\n]*\")"
    r"|'{3}.*?'{3}|\"{3}.*?\"{3}|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|//[^\n]*)"
    r"|(?<!\.)\bhas\s*\(\s*user\s*\.\s*extra\s*\)",
    re.DOTALL,
)
_ANOTHER_USER = re.compile(r"[(,]\s*user\s*,")
"""A macro's variable that has the name, and is somebody or something else."""


def answered(text: str) -> str:
    """Write ``true`` for each such question; all else stays where it is."""
    return text if _ANOTHER_USER.search(text) else _ASKED.sub(_answer, text)


def _answer(found: re.Match[str]) -> str:
    if found["other"] is not None:
        return found[0]
    blanks = "".join([each if each == "\n" else " " for each in found[0][4:]])
    return f"true{blanks}"
