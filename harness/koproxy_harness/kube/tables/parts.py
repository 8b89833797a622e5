"""What several kinds' cells are made of: selectors, labels, containers, long lists. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Object = Mapping[str, Any]
Cells = list[Any]
Printer = Callable[[Object, str, float], Cells]
"""Makes what stands behind the name, of an object, its age and the time."""

NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"


def part(made: Object, name: str) -> Any:
    """Give a part of an object, an empty one where there is none."""
    return made.get(name) or {}


def count(made: Object, *names: str) -> Cells:
    """Give numbers of an object, 0 where there are none."""
    return [made.get(name, 0) for name in names]


def phase(made: Object) -> Any:
    """Give how far an object is by its status, or that it goes."""
    if "deletionTimestamp" in made["metadata"]:
        return "Terminating"
    return part(made, "status").get("phase", "")


def labels_shown(labels: Mapping[str, str] | None) -> str:
    """Give labels as a selector on them is written."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def selector_shown(selector: Object | None) -> str:
    """Give a selector as it is written in a query."""
    found = selector or {}
    said = [(key, f"{key}={value}") for key, value in (found.get("matchLabels") or {}).items()]
    for each in found.get("matchExpressions") or ():
        key, values = each.get("key", ""), ",".join(sorted(each.get("values") or ()))
        forms = {
            "Exists": key,
            "DoesNotExist": f"!{key}",
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
        }
        said.append((key, forms.get(each.get("operator", ""), key)))
    return ",".join(word for _, word in sorted(said, key=lambda pair: pair[0])) or NONE


def containers(template: Object) -> Cells:
    """Give the names and the images of a template's containers."""
    found = part(part(template, "spec"), "containers") or ()
    return [",".join(each.get(name, "") for each in found) for name in ("name", "image")]


def balanced(status: Object) -> list[str]:
    """Give where a load balancer is reached, in order."""
    given = part(status, "loadBalancer").get("ingress") or ()
    return sorted({each.get("ip") or each.get("hostname") or "" for each in given} - {""})


def shortened(words: Sequence[str], most: int = 3, between: str = ",") -> str:
    """Give the first of many words, and how many more there are."""
    more = f" + {len(words) - most} more..." if len(words) > most else ""
    return between.join(words[:most]) + more
