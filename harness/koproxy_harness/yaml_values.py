"""YAML as Kubernetes takes it: every document is one that JSON could say. Pure.

What looks like a date is text, as in JSON; keys are texts; there are no sets and no bytes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import yaml

_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class Loader(yaml.SafeLoader):
    """Reads YAML without dates."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the base class has it so
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _TIMESTAMP]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


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
