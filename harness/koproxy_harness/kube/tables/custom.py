"""A definition's own columns: `additionalPrinterColumns` and their JSONPaths. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from koproxy_harness.kube.tables.ages import age

_STEP = re.compile(r"\.([^.\[\]]+)|\['([^']+)'\]|\[(\d+|\*)\]")


def custom_definitions(columns: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Give these columns behind the name."""
    name = {"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}
    return [
        name,
        *(
            {
                "name": column["name"],
                "type": column["type"],
                "format": column.get("format", ""),
                "description": column.get("description", ""),
                "priority": column.get("priority", 0),
            }
            for column in columns
        ),
    ]


def custom_cells(
    columns: Sequence[Mapping[str, Any]], made: Mapping[str, Any], now: float
) -> list[Any]:
    """Give the cells of an object; None for what it doesn't have."""
    return [made["metadata"]["name"], *(_cell(column, made, now) for column in columns)]


def _cell(column: Mapping[str, Any], made: Mapping[str, Any], now: float) -> Any:
    found = _found(made, column["jsonPath"])
    if not found:
        return None
    value, type_ = found[0], column["type"]
    if type_ == "date":
        return age(value, now) if isinstance(value, str) else "<invalid>"
    if type_ == "string":
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    fits: Any = {"integer": int, "number": (int, float), "boolean": bool}[type_]
    return value if isinstance(value, fits) else None


def _found(made: Any, path: str) -> list[Any]:
    values = [made]
    for key, quoted, index in _STEP.findall(path.replace("\\.", "\0")):
        name = (key or quoted).replace("\0", ".")
        after: list[Any] = []
        for value in values:
            if name and isinstance(value, dict) and name in value:
                after.append(value[name])
            elif index == "*" and isinstance(value, list):
                after.extend(value)
            elif index.isdigit() and isinstance(value, list) and int(index) < len(value):
                after.append(value[int(index)])
        values = after
    return values
