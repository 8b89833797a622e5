"""YAML as Kubernetes takes it: every document is one that JSON could say. Pure.

What looks like a date is text, as in JSON; keys are texts; there are no sets and no bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import yaml


class Loader(yaml.SafeLoader):
    """Takes plain words for what Kubernetes takes them, which is not always YAML 1.1."""

    yaml_implicit_resolvers = {}  # noqa: RUF012 - the base class has it so


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


class NotJson(ValueError):
    """A value that JSON has not; the message names it and where it stands."""


def documents(text: str | bytes) -> Iterator[Any]:
    """Read YAML of any number of documents; raises `yaml.YAMLError` or `NotJson`."""
    for document in yaml.load_all(text, Loader):
        yield as_json(document)


def document(text: str | bytes) -> Any:
    """Read one YAML document; raises `yaml.YAMLError` or `NotJson`."""
    return as_json(yaml.load(text, Loader))


def as_json(value: Any, at: str = "") -> Any:
    """Give a value as JSON has it, with texts for keys; raises `NotJson`.

    `at` is where it stands, such as `spec.since`.
    """
    match value:
        case None | str() | bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case dict():
            return {
                _key(key, at): as_json(each, f"{at}.{key}" if at else str(key))
                for key, each in value.items()
            }
        case list() | tuple():
            return [as_json(each, f"{at}[{number}]") for number, each in enumerate(value)]
    what = type(value).__name__ if not isinstance(value, float) else repr(value)
    raise NotJson(f"{at or 'it'} is {what}, which JSON has not: write a text, or leave it out")


def _key(key: Any, at: str) -> str:
    match key:
        case str():
            return key
        case bool():
            return str(key).lower()
        case int() | float():
            return str(key)
    raise NotJson(f"{at or 'it'} has the key {key!r}, which is no text")
