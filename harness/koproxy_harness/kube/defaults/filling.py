"""Objects gone through, with the defaults of each type on the way. Pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from koproxy_harness.kube.defaults.rules import RULES
from koproxy_harness.kube.defaults.values import VALUES
from koproxy_harness.kube.schema.node import Node


def complete(node: Node, made: Mapping[str, Any]) -> dict[str, Any]:
    """Give an object of this built-in kind with what an API server fills in.

    That is the defaults of its types, and what Go writes of fields that are nothing.
    """
    zero = {name: each for name, each in (node.zero or {}).items() if name != "metadata"}
    whole: dict[str, Any] = filled(node, _with_zeros(zero, made))
    return whole


def _with_zeros(zero: Mapping[str, Any], made: Mapping[str, Any]) -> dict[str, Any]:
    whole = dict(made)
    for name, each in zero.items():
        if isinstance(each, Mapping) and isinstance(made.get(name, {}), Mapping):
            whole[name] = _with_zeros(each, made.get(name, {}))
        elif each is not None and name not in made:
            whole[name] = each
    return whole


def filled(node: Node, value: Any) -> Any:
    """Give a value of this built-in type with what an API server fills in."""
    if isinstance(value, Mapping):
        made = dict(value)
        _put(made, VALUES.get(node.name, {}))
        rule = RULES.get(node.name)
        if rule is not None:
            rule(made)
        for name, each in made.items():
            below = node.fields.get(name) or node.values
            if below is not None and each is not None:
                made[name] = filled(below, each)
        return made
    if isinstance(value, list) and node.items is not None:
        return [filled(node.items, each) for each in value]
    return value


def _put(made: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, each in values.items():
        if made.get(name) in (None, ""):  # which are one in Go
            made[name] = copy.deepcopy(each)
