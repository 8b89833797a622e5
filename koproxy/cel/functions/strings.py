"""What strings can do: cel-go's strings, in the version that Kubernetes has. Pure.

Characters are code points. https://kubernetes.io/docs/reference/using-api/cel/#cel-community-libraries
"""

from typing import Any

from koproxy.cel.overloads import Overload
from koproxy.cel.values import CelError, GoStrings

_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_TO_LOWER = str.maketrans(_UPPER, _UPPER.lower())
_TO_UPPER = str.maketrans(_UPPER.lower(), _UPPER)
ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}
"""How expressions write what can't stand in quotes."""
_QUOTED = str.maketrans(ESCAPES)
_IN_A_STEP = 100  # characters that are written in a step
_COMPARED_IN_A_STEP = 4000  # characters, each with one of what is looked for
_LONG = 400  # characters of what is looked for
_PARTED_IN_A_STEP = 5  # characters, each of which may become a text of its own


def quoted(text: str) -> str:
    """Write a text in quotes as Go does, with escapes for all that can't be seen."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    if character.isprintable():
        return character
    number = ord(character)
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _out_of_range(index: int) -> CelError:
    return CelError(f"index out of range: {index}")


def _char_at(text: str, index: int) -> str:
    if not 0 <= index <= len(text):
        raise _out_of_range(index)
    return text[index : index + 1]


def _index_of(text: str, wanted: str, offset: int = 0) -> int:
    if not wanted:
        return offset
    if offset < 0:
        raise _out_of_range(offset)
    return text.find(wanted, offset)


def _last_index_of(text: str, wanted: str) -> int:
    return text.rfind(wanted)


def _last_index_from(text: str, wanted: str, offset: int) -> int:
    if not wanted:
        return offset
    if offset < 0:
        raise _out_of_range(offset)
    return text.rfind(wanted, 0, offset + len(wanted)) if offset < len(text) else -1


def _replace(text: str, old: str, new: str, most: int = -1) -> str:
    return text.replace(old, new, most)


def _replaced(text: str, old: str, new: str, most: int = -1) -> int:
    """How much is written, in steps."""
    count = text.count(old) if old else len(text) + 1
    if most >= 0:
        count = min(count, most)
    return count * len(new) // _IN_A_STEP + _searched(text, old)


def _searched(text: str, wanted: str, *_: Any) -> int:
    """The steps of looking for a text: Python's search is linear for what is long."""
    return len(text) * min(len(wanted), _LONG) // _COMPARED_IN_A_STEP


def _searched_from_end(text: str, wanted: str, *_: Any) -> int:
    """The steps of looking from the end, which may compare all of both."""
    return len(text) * len(wanted) // _COMPARED_IN_A_STEP


def _parted(text: str, separator: str, *_: Any) -> int:
    return len(text) // _PARTED_IN_A_STEP + _searched(text, separator)


def _split(text: str, separator: str, most: int = -1) -> GoStrings:
    if most == 0:
        return GoStrings()
    if separator:
        return GoStrings(text.split(separator, most - 1 if most > 0 else -1))
    if 0 < most < len(text):
        return GoStrings([*text[: most - 1], text[most - 1 :]])
    return GoStrings(text)


def _substring(text: str, start: int) -> str:
    if not 0 <= start <= len(text):
        raise _out_of_range(start)
    return text[start:]


def _substring_to(text: str, start: int, end: int) -> str:
    if start > end:
        raise CelError(f"invalid substring range. start: {start}, end: {end}")
    for each in (start, end):
        if not 0 <= each <= len(text):
            raise _out_of_range(each)
    return text[start:end]


def _join(texts: list[Any], separator: str = "") -> str:
    for each in texts:
        if not isinstance(each, str):
            raise CelError("join: invalid input: there is something that is no string")
    return separator.join(texts)


def _joined(texts: list[Any], separator: str = "") -> int:
    """How much is written, in steps."""
    written = sum([len(each) for each in texts if isinstance(each, str)])
    return (written + len(texts) * len(separator)) // _IN_A_STEP


OVERLOADS = (
    Overload(
        "string.contains(string) -> bool",
        lambda text, wanted: wanted in text,
        known=True,
        cost=_searched,
    ),
    Overload("string.startsWith(string) -> bool", str.startswith, known=True),
    Overload("string.endsWith(string) -> bool", str.endswith, known=True),
    Overload("string.charAt(int) -> string", _char_at),
    Overload("string.indexOf(string) -> int", _index_of, cost=_searched),
    Overload("string.indexOf(string, int) -> int", _index_of, cost=_searched),
    Overload("string.lastIndexOf(string) -> int", _last_index_of, cost=_searched_from_end),
    Overload("string.lastIndexOf(string, int) -> int", _last_index_from, cost=_searched_from_end),
    Overload("string.lowerAscii() -> string", lambda text: text.translate(_TO_LOWER)),
    Overload("string.upperAscii() -> string", lambda text: text.translate(_TO_UPPER)),
    Overload("string.replace(string, string) -> string", _replace, cost=_replaced),
    Overload("string.replace(string, string, int) -> string", _replace, cost=_replaced),
    Overload("string.split(string) -> list<string>", _split, cost=_parted),
    Overload("string.split(string, int) -> list<string>", _split, cost=_parted),
    Overload("string.substring(int) -> string", _substring),
    Overload("string.substring(int, int) -> string", _substring_to),
    Overload("string.trim() -> string", lambda text: text.strip(_SPACE)),
    Overload("list<string>.join() -> string", _join, cost=_joined),
    Overload("list<string>.join(string) -> string", _join, cost=_joined),
    Overload("strings.quote(string) -> string", lambda text: f'"{text.translate(_QUOTED)}"'),
)
