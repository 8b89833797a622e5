"""How Go prints JSON's values, as it does in what API servers say of wrong ones. Pure."""

from __future__ import annotations

import json
import re
from typing import Any


def go_type(value: Any) -> str:
    """Give what Go's JSON calls a value's type."""
    match value:
        case bool():
            return "bool"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def go(value: Any, *, deep: bool = False) -> str:
    """Give a value as Go's `%v` prints it; `deep`: as the `%#v` of what holds it."""
    if deep:
        return f"&value.valueUnstructured{{Value:{_deep(value)}}}"
    match value:
        case None:
            return "<nil>"
        case bool():
            return str(value).lower()
        case list():
            return f"[{' '.join(map(go, value))}]"
        case dict():
            return f"map[{' '.join(f'{key}:{go(value[key])}' for key in sorted(value))}]"
    return str(value)


def _deep(value: Any) -> str:
    match value:
        case None:
            return "interface {}(nil)"
        case list():
            return f"[]interface {{}}{{{', '.join(map(_deep, value))}}}"
        case dict():
            members = (f"{json.dumps(key)}:{_deep(value[key])}" for key in sorted(value))
            return f"map[string]interface {{}}{{{', '.join(members)}}}"
        case str():
            return json.dumps(value, ensure_ascii=False)
    return go(value)


def syntax_error(body: bytes, error: ValueError) -> str:
    """Give what Go's JSON says of a body that Python can't read for this reason."""
    if not isinstance(error, json.JSONDecodeError):
        return f"invalid character {_quoted(chr(body[0]))} looking for beginning of value"
    text, at = error.doc, error.pos
    if at >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
        return "unexpected end of JSON input"
    return f"invalid character {_quoted(text[at])} {_where(error, text[:at])}"


_WHERE = {
    "Expecting property name enclosed in double quotes": "looking for beginning of object key "
    "string",
    "Expecting ':' delimiter": "after object key",
    "Extra data": "after top-level value",
    "Invalid control character at": "in string literal",
}


def _where(error: json.JSONDecodeError, before: str) -> str:
    if error.msg == "Expecting ',' delimiter":
        open_brackets: list[str] = []
        for each in re.sub(r'"(?:[^"\\]|\\.)*"', "", before):
            if each in "[{":
                open_brackets.append(each)
            elif each in "]}":
                open_brackets.pop()
        in_list = open_brackets[-1] == "["
        return "after array element" if in_list else "after object key:value pair"
    return _WHERE.get(error.msg, "looking for beginning of value")


def _quoted(character: str) -> str:
    escaped = {"'": r"\'", '"': '"', "\\": r"\\"}.get(character, repr(character)[1:-1])
    return f"'{escaped}'"
