"""YAML as Kubernetes reads it: which plain words are numbers, booleans and nulls; and JSON as YAML.

Nothing is read here; a date is a text.
"""

import json
import re
from typing import NoReturn

import yaml

# What JSON may have in it as it is, and YAML not, or not in the same sense.
_ESCAPED_IN_YAML = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


class Loader(yaml.SafeLoader):
    """Takes plain words for what Kubernetes takes them, which is not always YAML 1.1."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - the base class has it so


def json_as_yaml(content: bytes) -> str:
    """Write JSON so that it is the same in YAML, its lines included.

    Raises ValueError (json.JSONDecodeError where its line is known) for what is no JSON.
    """
    text = content.decode()
    try:
        json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    # A tab can only stand between its parts: within a string it would be escaped.
    return _ESCAPED_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\t", " "))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _decimal(digits: str) -> bool:
    return digits[:1] != "0" or not set(digits) <= set("01234567")


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    digits = node.value.replace("_", "").lstrip("+-")
    sign = -1 if node.value.startswith("-") else 1
    if digits[1:2] in ("b", "x", "o"):
        return sign * int(digits, 0)
    return sign * int(digits, 10 if _decimal(digits) else 8)


def _boolean(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> bool:
    return node.value.lower() in ("y", "yes", "true", "on")


for _tag, _words, _first in (
    ("bool", "y|yes|true|on|n|no|false|off", "yYtToOnNfF"),
    ("null", "~|null|", "~nN\0"),
    ("merge", "<<", "<"),
):
    _known = "|".join(
        sorted({form for word in _words.split("|") for form in (word, word.title(), word.upper())})
    )
    Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}",
        re.compile(f"^(?:{_known})$"),
        ["" if each == "\0" else each for each in _first],
    )
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int",
    re.compile(r"^[-+]?(?:0b[01_]+|0o[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*)$"),
    list("-+0123456789"),
)
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+0123456789."),
)
Loader.add_constructor("tag:yaml.org,2002:int", _integer)
Loader.add_constructor("tag:yaml.org,2002:bool", _boolean)
