"""A YAML file as fields that know where they stand, so that an error can say where it is.

Pure but for reading the file. What the fields mean is the configuration's business.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from koproxy_harness.command.names import unknown
from koproxy_harness.yaml_values import Loader


class ConfigurationError(Exception):
    """The configuration is wrong; the message says where, and what to write."""


class Field:
    """A value in a YAML file: `node`, at `path` (as in `users[0].claims`) of `file`."""

    def __init__(self, loader: Loader, node: yaml.Node, file: str, path: str) -> None:
        self._loader = loader
        self._node = node
        self._file = file
        self._path = path

    def wrong(self, text: str) -> ConfigurationError:
        """Give the error that this value is wrong: `text` goes on behind its path."""
        where = f"{self._file}, line {self._node.start_mark.line + 1}"
        return ConfigurationError(f"{where}: {self._path or 'the file'} {text}")

    def fields(self, *known: str) -> dict[str, Field]:
        """Give the fields of a mapping, which may have no others than `known`."""
        node = self._node
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(f"must have fields: {', '.join(known)}")
        self._loader.flatten_mapping(node)
        found: dict[str, Field] = {}
        for key, value in node.value:
            name = str(key.value)
            path = f"{self._path}.{name}" if self._path else name
            field = Field(self._loader, value, self._file, path)
            if name not in known:
                at = f"{self._file}, line {key.start_mark.line + 1}"
                raise ConfigurationError(f"{at}: {unknown(path, name, known)}")
            if name in found:
                raise field.wrong("is there twice; leave one")
            found[name] = field
        return found

    def items(self) -> list[Field]:
        """Give the items of a list; an empty value is an empty list."""
        if self.value() is None:
            return []
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.wrong("must be a list: begin each item with a dash")
        return [
            Field(self._loader, node, self._file, f"{self._path}[{number}]")
            for number, node in enumerate(self._node.value)
        ]

    def value(self) -> Any:
        """Give it as plain data."""
        try:
            return self._loader.construct_object(self._node, deep=True)
        except yaml.YAMLError as error:
            raise self.wrong(f"can't be read: {said(error)}") from None

    def text(self) -> str:
        """Give a text that is not empty."""
        return str(self._checked(lambda value: isinstance(value, str) and value, "text"))

    def flag(self) -> bool:
        """Give true or false."""
        return bool(self._checked(lambda value: isinstance(value, bool), "true or false"))

    def number(self) -> float:
        """Give a number above zero."""

        def positive(value: Any) -> bool:
            return isinstance(value, int | float) and not isinstance(value, bool) and value > 0

        return float(self._checked(positive, "a number above zero"))

    def mapping(self) -> dict[str, Any]:
        """Give a mapping whose names are texts and may be any."""

        def mapping(value: Any) -> bool:
            return isinstance(value, dict) and all(isinstance(name, str) for name in value)

        value: dict[str, Any] = self._checked(mapping, "fields with names")
        return value

    def texts(self) -> list[str]:
        """Give a list of texts."""
        return [item.text() for item in self.items()]

    def _checked(self, right: Callable[[Any], object], kind: str) -> Any:
        value = self.value()
        if not right(value):
            raise self.wrong(f"must be {kind}, not {value!r}")
        return value


def read(file: Path) -> Field | None:
    """Give the one document of a YAML file, None for an empty one.

    Raises `ConfigurationError`.
    """
    try:
        loader = Loader(file.read_text(encoding="utf-8"))
        node = loader.get_single_node()
    except OSError as error:
        raise ConfigurationError(f"{file} can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file} can't be read: it is not UTF-8 text") from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{file} is not YAML: {said(error)}") from None
    return None if node is None else Field(loader, node, str(file), "")


def said(error: yaml.YAMLError) -> str:
    """Give what is wrong with a YAML text, with its line, on one line."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        problem = error.problem or error.context
        return f"{problem}, in line {mark.line + 1}" if mark else str(problem)
    return " ".join(str(error).split())
