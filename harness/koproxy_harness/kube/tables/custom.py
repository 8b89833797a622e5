"""A definition's own columns, `additionalPrinterColumns`, and their cells. Pure.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from koproxy_harness.kube.tables.ages import age
from koproxy_harness.kube.tables.jsonpaths import found

USUAL: Sequence[Mapping[str, Any]] = (
    {
        "name": "Age",
        "type": "date",
        "jsonPath": ".metadata.creationTimestamp",
        "description": "When it was made, as the server has it.",
    },
)
"""What a definition without columns has."""
_SAID_OF_ALL = "Custom resource definition column (in JSONPath format): "


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
                "description": column.get("description") or _SAID_OF_ALL + column["jsonPath"],
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
    values = found(made, column["jsonPath"])
    if not values:
        return None
    value = values[0]
    match column["type"]:
        case "string":
            return _text(value)
        case "date" if isinstance(value, str):
            try:
                return age(value if value != "null" else None, now)
            except ValueError:
                return "<invalid>"
        case "boolean" if isinstance(value, bool):
            return value
        case "integer" | "number" if isinstance(value, bool):
            return None
        case "integer" if isinstance(value, int | float):
            return int(value)
        case "number" if isinstance(value, int | float):
            return value
    return None


def _text(value: Any) -> str:
    """What isn't a text is written as a server in Go does it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<no value>"
    if isinstance(value, float):
        return _float(value)
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def _float(value: float) -> str:
    exact = Decimal(repr(value)).normalize()
    if -4 <= exact.adjusted() < 6 or not exact:
        return f"{exact:f}"
    digits, _, power = f"{exact:e}".partition("e")
    return f"{digits}e{power[0]}{power[1:]:0>2}"
