"""JSON read as Go's ``encoding/json`` reads it, since kube-apiserver's reading is the measure.

Names that appear twice, names that differ in case, numbers of any size and broken UTF-8 all have a
meaning there, and a token is a place where somebody tries them. Objects keep every member in the
order of the text; what a name then means is for the caller to ask.
"""

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn


class NotJSON(ValueError):
    """The bytes are not a JSON text (RFC 8259)."""


class TooDeep(NotJSON):
    """The text's objects and arrays lie deeper in each other than Python's stack allows.

    That is some hundreds of levels; Go stops at 10 000.
    """


class Number:
    """A number as it stands in the text; no digit is lost and no size refused."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        """Keep ``text``, a number by the grammar of RFC 8259."""
        self.text = text


class Members:
    """The members of an object in the order of the text, names that repeat included."""

    __slots__ = ("pairs",)

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        """Keep ``pairs`` of a name and a value."""
        self.pairs = pairs

    def last(self) -> dict[str, Any]:
        """Give the members as a Go map takes them: by the exact name, the last one wins."""
        return dict(self.pairs)

    def folded(self) -> Iterator[tuple[str, Any]]:
        """Give the members with names as Go matches them to a struct's fields.

        Case doesn't count there, and two letters outside ASCII count as ASCII ones: the long s
        and the Kelvin sign (the latter is one that ``lower`` knows).
        """
        for name, value in self.pairs:
            yield name.lower().replace("\u017f", "s"), value


def loads(text: bytes) -> Any:
    """Read one JSON text.

    An object is read as Members, a number as Number, all else as ``json`` does. A byte that is
    no UTF-8, and an escaped half of a surrogate pair, become U+FFFD each.

    Raises NotJSON, or TooDeep.
    """
    try:
        clean = text.decode("utf-8", _REPLACE)
        if _HALF.search(clean):
            clean = _ESCAPE.sub(_no_half, clean)
        return _read(clean)
    except ValueError:
        raise NotJSON from None
    except RecursionError:
        raise TooDeep from None


_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPE = re.compile(
    r"""\\(?:
        (?P<pair> u[dD][89abAB][0-9a-fA-F]{2} \\u[dD][c-fC-F][0-9a-fA-F]{2} )
      | (?P<half> u[dD][89a-fA-F][0-9a-fA-F]{2} )
      | . )""",
    re.VERBOSE | re.DOTALL,
)
_REPLACE = "koproxy.each-byte"


def _each_byte(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - the only kind that decode raises
    return "\ufffd" * (error.end - error.start), error.end


def _no_half(escape: re.Match[str]) -> str:
    return r"\ufffd" if escape["half"] else escape[0]


def _no_constant(name: str) -> NoReturn:
    raise NotJSON(name)


codecs.register_error(_REPLACE, _each_byte)
_read = json.JSONDecoder(
    object_pairs_hook=Members,
    parse_int=Number,
    parse_float=Number,
    parse_constant=_no_constant,
).decode
