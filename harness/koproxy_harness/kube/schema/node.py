"""One type of the Kubernetes API, as far as merging and checking objects goes by it.

Pure. A node says what OpenAPI says with Kubernetes' extensions:
https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class Node:
    """A type; nodes of types that contain themselves are cycles.

    `type` is `object`, `array`, `string`, `integer`, `number`, `boolean`, or "" for anything.
    """

    type: str = ""
    fields: dict[str, Node] = field(default_factory=dict)  # of an object
    values: Node | None = None  # of an object that is a map: the type of each value
    items: Node | None = None  # of an array
    required: tuple[str, ...] = ()
    default: object = None  # None: without one
    keeps_unknown: bool = False  # fields that are not named are kept (a map keeps all anyway)
    int_or_string: bool = False
    # Server-side apply: x-kubernetes-list-type, -list-map-keys and -map-type
    list_type: str = "atomic"  # or "set" or "map"
    list_keys: tuple[str, ...] = ()
    atomic: bool = False  # an object that has one owner for all of it
    # Strategic merge patch: x-kubernetes-patch-strategy and -patch-merge-key
    strategies: tuple[str, ...] = ()  # of "merge", "replace" and "retainKeys"
    merge_key: str = ""
