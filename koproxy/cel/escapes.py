"""The names that Kubernetes gives to fields which CEL couldn't select: ``__dot__`` and its like.

Pure. https://kubernetes.io/docs/reference/using-api/cel/#escaping
"""

import re

_ESCAPED = re.compile("__([^_]+)__")
_PLAIN = {"underscores": "__", "dot": ".", "dash": "-", "slash": "/"}
_RESERVED = frozenset(
    [
        *("true", "false", "null", "in", "as", "break", "const", "continue", "else", "for"),
        *("function", "if", "import", "let", "loop", "package", "namespace", "return", "var"),
        *("void", "while"),
    ]
)


def unescaped(name: str) -> str | None:
    """Give the field that a name stands for, itself if nothing is escaped in it.

    None for a name with an escape that there isn't.
    """
    if "__" not in name:
        return name
    parts, end = [], 0
    for match in _ESCAPED.finditer(name):
        word = match[1]
        if word in _RESERVED and match[0] != name:  # such a word is escaped as a whole
            return None
        if word not in _PLAIN and word not in _RESERVED:
            return None
        parts += [name[end : match.start()], _PLAIN.get(word, word)]
        end = match.end()
    return "".join([*parts, name[end:]])
