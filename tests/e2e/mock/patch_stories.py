"""What is particular of patches: changes of one object, one after the other.

Left out is what only validation and admission would refuse: the mock has none of built-in kinds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from e2e.mock.patch_sides import APPLY, JSON, MERGE, STRATEGIC, Change, Object

C = Change


def _operations(*operations: Mapping[str, Any], **how: Any) -> Change:
    return C(JSON, list(operations), **how)


def _in_pods(spec: Object) -> Object:
    return {"spec": {"template": {"spec": spec}}}


_MAP: Object = {"data": {"a": "1", "b": "2"}}
_MAPS = [
    C("create", _MAP),
    C("update", {"data": {"a": "3", "c": "4"}}, "two"),
    C(APPLY, {"data": {"a": "9"}}, "three"),
    C(APPLY, {"data": {"a": "9", "d": "1"}}, "three", force=True),
    C(APPLY, {"data": {"d": "1"}}, "three"),
    C(MERGE, {"data": {"d": "2"}}, "four"),
    C(APPLY, {"data": {"d": "1", "b": "7", "c": "5"}}, "three"),
    C(STRATEGIC, {"metadata": {"labels": {"x": "y"}}}, "five"),
    _operations(
        {"op": "add", "path": "/data/z", "value": "1"},
        {"op": "test", "path": "/data/a", "value": "9"},
    ),
    _operations({"op": "remove", "path": "/data/nope"}),
    _operations({"op": "test", "path": "/data/a", "value": "nope"}),
    _operations({"op": "jump", "path": "/data/a", "value": "nope"}),
    C(APPLY, {"data": None, "metadata": {"labels": None}}, "three", force=True),
    C(APPLY, {"data": {}}, "six"),
    C(APPLY, {"data": {"q": None}}, "six"),
    C(APPLY, {}, "six"),
    C("update", {"metadata": {"managedFields": []}}),
    C(APPLY, {"data": {"k": "v"}}, "seven"),
    C("update", {"metadata": {"managedFields": [{}]}}),
    C("update", {"data": {"k": "w"}}),
    C(APPLY, {"data": {"k": "w"}}, "eight"),
    C(MERGE, {"metadata": {"managedFields": [{}]}}),
    C(MERGE, {"data": {"k": "x"}}),
    C(APPLY, {"data": {"k": "y"}}, "eight"),
    C(APPLY, {"data": {"k": "y"}}, "eight", force=True),
    _operations({"op": "replace", "path": "/metadata/managedFields", "value": []}),
    C(STRATEGIC, {"$patch": "jump"}),
    C(STRATEGIC, {"data": {"$patch": "replace", "n": "1"}}),
    C(STRATEGIC, {"data": {"$patch": "delete"}}),
    C(STRATEGIC, {"data": None}),
]

_UNREADABLE = [
    C("create", _MAP),
    C(JSON, {"a": 1}),
    *(
        C(how, body)
        for how in (JSON, MERGE, STRATEGIC)
        for body in (
            *(b"", b"{", b"[]", b'"a"', b"1", b"true", b"null", b"\xff", b"[1]"),
            *(b'{"a":}', b'{"a" 1}', b"[1,]", b"[1 2]", b'{"a":1}x', b'"a', b'{"a":1', b"1.5"),
            *(b'{"a":"\n"}', b"{'a':1}", b'[{"op":1}]', b'[{"op":"add"}]', b"[{}]", b"[null]"),
        )
    ),
    C(APPLY, b"{"),
    C(APPLY, b"[]"),
    C(APPLY, b"a: b: c"),
    C(APPLY, b""),
    C(APPLY, {"apiVersion": "apps/v1"}),
    C(APPLY, {"kind": "Secret"}),
    C(APPLY, {"metadata": {"managedFields": [{"manager": "x"}]}}),
    C(APPLY, {"metadata": {"managedFields": []}}),
    C(APPLY, {"data": {"a": 1}}),
    C(APPLY, {"nope": {"a": 1}}),
    C(APPLY, {"data": ["a"]}),
    C(APPLY, {"data": "x"}),
    C(APPLY, {"immutable": "x"}),
    C(APPLY, {"immutable": 1.5, "data": {"b": True, "c": 2.5}}),
    C(APPLY, {"data": {"a": ["x"], "b": {"c": 1}}}),
    C(APPLY, {"metadata": {"labels": {"a": None, "b": 3}}}),
]

_MANY_MANAGERS = [
    C("create", _MAP, "m0"),
    *(C(MERGE, {"data": {f"k{number}": "1"}}, f"m{number}") for number in range(1, 14)),
]

_CONTAINER = {
    "name": "w",
    "image": "i:1",
    "ports": [{"containerPort": 80}],
    "env": [{"name": "A", "value": "1"}],
}


def _deployment(replicas: int = 2, image: str = "i:1") -> Object:
    pods = {"containers": [{**_CONTAINER, "image": image}]}
    return {
        "metadata": {"labels": {"app": "w"}},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": "w"}},
            "template": {"metadata": {"labels": {"app": "w"}}, "spec": pods},
        },
    }


_STATUS = "status"
_DEPLOYMENTS = [
    C("create", _deployment(), "kubectl-create"),
    C(APPLY, {"spec": {"replicas": 3}}, "scaler"),
    C(APPLY, {"spec": {"replicas": 3}}, "scaler", force=True),
    C(APPLY, _deployment(5), "kubectl"),
    C(APPLY, _deployment(), "kubectl", force=True),
    C(STRATEGIC, _in_pods({"containers": [{"name": "x", "image": "j"}]})),
    C(
        STRATEGIC,
        _in_pods(
            {
                "containers": [
                    {
                        "name": "w",
                        "env": [{"name": "B", "value": "2"}, {"name": "A", "$patch": "delete"}],
                    }
                ]
            }
        ),
        "two",
    ),
    *(
        C(STRATEGIC, _in_pods(spec))
        for spec in (
            {
                "$setElementOrder/containers": [{"name": "x"}, {"name": "w"}],
                "containers": [{"name": "x", "image": "k"}],
            },
            {
                "$setElementOrder/containers": [{"name": "w"}, {"name": "y"}, {"name": "x"}],
                "containers": [{"name": "y", "image": "k"}],
            },
            {"containers": [{"name": "y", "$patch": "delete"}]},
            {"containers": [{"image": "nokey"}]},
            {"containers": [{"$patch": "replace"}, {"name": "w", "image": "only"}]},
        )
    ),
    *(
        C(STRATEGIC, {"spec": {"strategy": strategy}})
        for strategy in (
            {"$retainKeys": ["type"], "type": "Recreate"},
            {"$retainKeys": ["type"], "type": "RollingUpdate", "rollingUpdate": {}},
            {"$retainKeys": ["rollingUpdate"], "type": "RollingUpdate"},
        )
    ),
    *(
        C(STRATEGIC, {"metadata": metadata})
        for metadata in (
            {"finalizers": ["a.b/c", "a.b/d"]},
            {"$deleteFromPrimitiveList/finalizers": ["a.b/c"]},
            {"$setElementOrder/finalizers": ["a.b/e", "a.b/d"], "finalizers": ["a.b/e"]},
            {"$patch": "replace", "name": "a", "finalizers": []},
        )
    ),
    C(MERGE, {"metadata": {"finalizers": None}}),
    _operations({"op": "replace", "path": "/spec/replicas", "value": 7}, manager="three"),
    C(APPLY, _in_pods({"containers": [{"name": "w", "image": "mine"}]}), "img", force=True),
    C(MERGE, {"status": {"replicas": 3}}, "ctl", subresource=_STATUS),
    C("update", {"status": {"replicas": 4}}, "ctl", subresource=_STATUS),
    C(APPLY, {"status": {"replicas": 1}}, "app", subresource=_STATUS),
    C(APPLY, {"status": {"replicas": 1}}, "app", force=True, subresource=_STATUS),
    C(APPLY, {"status": {"replicas": 1}, "spec": {"replicas": 9}}, "both", force=True),
    C(
        APPLY,
        {
            "status": {"replicas": 1},
            "spec": {"replicas": 9},
            "metadata": {"labels": {"q": "r"}},
        },
        "both",
        force=True,
        subresource=_STATUS,
    ),
    C(APPLY, {"spec": {"replicas": None}}, "nul", force=True),
    C(MERGE, {"spec": {"replicas": None}}, "nul2"),
    # One at a time: a real server looks at them in no order, and stops at what isn't declared.
    C(APPLY, {"spec": {"bogus": 1}}, "bog"),
    C(APPLY, {"spec": {"replicas": "x"}}, "bog"),
    *(
        C(APPLY, _in_pods({"containers": containers}), "wrong")
        for containers in (
            [{"name": "w"}, {"name": "w"}],
            ["w", None, {"name": "a", "nope": 1}],
            {},
            [{"name": "w", "ports": [{"containerPort": "x"}], "command": "x"}],
        )
    ),
    C(APPLY, {"spec": []}),
    C(APPLY, {"spec": {"paused": 1}}),
    C(APPLY, {"spec": {"selector": {"matchLabels": {"a": 1}}}}),
    C(APPLY, {"metadata": {"finalizers": ["a", "a"]}}),
    C(APPLY, {"metadata": {"finalizers": [{}]}}),
    C(APPLY, _deployment(), "kubectl", force=True),
    C(
        STRATEGIC,
        _in_pods(
            {
                "containers": [
                    {
                        "name": "w",
                        "$setElementOrder/ports": [{"containerPort": 81}, {"containerPort": 80}],
                        "ports": [{"containerPort": 81}, {"containerPort": 80, "$patch": "delete"}],
                    }
                ]
            }
        ),
    ),
]


def _kept() -> Object:
    """A deployment as kubectl's client-side apply has made it."""
    made = _deployment()
    whole = {"apiVersion": "apps/v1", "kind": "Deployment", **made}
    whole["metadata"] = {"name": "a", **made["metadata"], "annotations": {}}
    said = json.dumps(whole, separators=(",", ":")) + "\n"
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": said}
    return {**made, "metadata": {**made["metadata"], "annotations": annotations}}


_CLIENT = "kubectl-client-side-apply"
_NINE = {"spec": {"replicas": 9}}

_PORTS: Object = {
    "spec": {
        "selector": {"a": "b"},
        "ports": [
            {"name": "h", "port": 80, "targetPort": 8080},
            {"name": "s", "port": 443, "protocol": "TCP"},
        ],
    }
}
_OTHER = {"name": "t", "port": 80, "protocol": "UDP"}
_SERVICES = [
    C(APPLY, _PORTS, "one"),
    C(APPLY, {"spec": {"ports": [_OTHER]}}, "two"),
    C(APPLY, {"spec": {"ports": [_OTHER, {"port": 80, "targetPort": 9}]}}, "two"),
    C(APPLY, {"spec": {"ports": [_OTHER, {"port": 80, "targetPort": 9}]}}, "two", force=True),
    C(STRATEGIC, {"spec": {"ports": [{"port": 443, "targetPort": 1}]}}, "three"),
    C(
        STRATEGIC,
        {
            "spec": {
                "$setElementOrder/ports": [{"port": 443}, {"port": 80}],
                "ports": [{"port": 80, "$patch": "delete"}],
            }
        },
    ),
    C(APPLY, {"spec": {"selector": {"c": "d"}}}, "sel"),
    C(APPLY, {"spec": {"selector": {"c": "d"}}}, "sel", force=True),
    C(APPLY, {"spec": {}}, "sel"),
]


def _condition(kind: str, status: str) -> Object:
    return {"status": {"conditions": [{"type": kind, "status": status}]}}


_POD: Object = {
    "spec": {"containers": [{"name": "c", "image": "i", "resources": {"limits": {"cpu": "1"}}}]}
}


def _image(image: str) -> Object:
    return {"spec": {"containers": [{"name": "c", "image": image}]}}


_PODS = [
    C("create", _POD),
    C(APPLY, {"metadata": {"labels": {"a": "b"}}}, "lab"),
    C(APPLY, _image("i2"), "img"),
    C(APPLY, _image("i2"), "img", force=True),
    C(STRATEGIC, _image("i3"), "smp"),
    C(STRATEGIC, _condition("Ready", "True"), "kubelet", subresource=_STATUS),
    C(
        STRATEGIC,
        {
            "status": {
                "conditions": [
                    {"type": "Ready", "status": "False"},
                    {"type": "X", "status": "True"},
                ]
            }
        },
        "kubelet",
        subresource=_STATUS,
    ),
    C(APPLY, _condition("X", "False"), "k2", subresource=_STATUS),
]

_DEEP: Object = {"spec": {"any": {"n": {"p": 1, "o": [2]}}}}
_THINGS = [
    C(
        "create",
        {
            "spec": {
                "size": 1,
                "list": ["a"],
                "set": ["a", "b"],
                "map": [{"name": "a"}],
                "any": {"x": [1, {"y": None}], "z": {"q": 1}},
            }
        },
    ),
    C(STRATEGIC, {"spec": {"size": 2}}),
    C(MERGE, {"spec": {"any": {"n": {"m": None, "o": [None, 1]}, "x": None}}}),
    C(APPLY, _DEEP, "any"),
    C(APPLY, _DEEP, "any", force=True),
    *(
        C(APPLY, {"spec": spec}, manager)
        for manager, spec in (
            ("map", {"map": [{"name": "a", "port": 80, "size": 1}, {"name": "a", "port": 81}]}),
            ("map", {"map": [{"name": "a", "size": 2}]}),
            ("set", {"set": ["b", "c"]}),
            ("set", {"set": ["c", "a"]}),
            ("set", {"set": ["c", "c"]}),
            ("w1", {"whole": {"a": 1}}),
            ("w2", {"whole": {"a": 1}}),
            ("w2", {"whole": {"a": 2}}),
            ("w1", {}),
            ("w2", {}),
            ("wrong", {"nope": 1}),
            ("wrong", {"set": [None]}),
            ("wrong", {"size": "x", "list": [1]}),
            ("wrong", {"map": [{"port": 1}]}),
            ("wrong", {"map": [{"port": 1}, {"port": 1}]}),
            ("wrong", {"any": []}),
            ("wrong", {"whole": {"a": "b"}}),
        )
    ),
    C(APPLY, {"status": {"ready": {"size": 1}}}, "st"),
    C(
        APPLY,
        {
            "status": {"ready": {"size": 1}},
            "spec": {"size": 9},
            "metadata": {"labels": {"a": "b"}},
        },
        "st",
        subresource=_STATUS,
    ),
    C(
        MERGE,
        {"status": {"ready": {"size": 2}}, "metadata": {"annotations": {"a": "b"}}},
        "st2",
        subresource=_STATUS,
    ),
    C(MERGE, {"status": {"ready": {"size": 3}}}, "st3"),
    _operations({"op": "add", "path": "/spec/list/-1", "value": "neg"}),
    _operations({"op": "remove", "path": "/spec/list/-1"}),
    _operations(
        {"op": "add", "path": "/spec/any/arr", "value": [1, 2, 3]},
        {"op": "add", "path": "/spec/any/arr/-", "value": 4},
        {"op": "move", "from": "/spec/any/arr/0", "path": "/spec/any/arr/2"},
        {"op": "copy", "from": "/spec/any/arr", "path": "/spec/any/arr2"},
    ),
    _operations({"op": "test", "path": "/spec/any/none", "value": None}),
    _operations({"op": "add", "path": "/spec/any/new/deep", "value": 1}),
    _operations(
        {"op": "add", "path": "/spec/any/a~1b", "value": 1},
        {"op": "test", "path": "/spec/any/a~1b", "value": 1.0},
    ),
    _operations({"op": "remove", "path": "/spec/any/arr/9"}),
    _operations({"op": "replace", "path": "/spec/any/arr/-1", "value": 9}),
    _operations({"op": "add", "path": "/spec/any/arr/01", "value": 9}),
    _operations({"op": "test", "path": "/spec/any/arr", "value": [2, 3]}),
    _operations({"op": "add", "path": "/spec/any/x"}),
]

# By name: the kind, and what is done to an object of it that isn't there at first.
STORIES: dict[str, tuple[str, list[Change]]] = {
    "config maps": ("ConfigMap", _MAPS),
    "unreadable": ("ConfigMap", _UNREADABLE),
    "many managers": ("ConfigMap", _MANY_MANAGERS),
    "deployments": ("Deployment", _DEPLOYMENTS),
    "from client-side apply": (
        "Deployment",
        [
            C("create", _kept(), _CLIENT),
            C(APPLY, _deployment(4), "other"),
            C(APPLY, _deployment(4), "kubectl"),
            C(APPLY, _deployment(image="i:3"), "kubectl"),
            C(MERGE, _NINE, "x"),
            C(APPLY, _deployment(image="i:3"), "kubectl"),
        ],
    ),
    "from client-side apply, changed by another": (
        "Deployment",
        [
            C("create", _kept(), _CLIENT),
            C(MERGE, _NINE, "x"),
            C(APPLY, _deployment(image="i:3"), "kubectl"),
            C(APPLY, _deployment(4), "kubectl"),
        ],
    ),
    "from client-side apply, changed by itself": (
        "Deployment",
        [
            C("create", _kept(), _CLIENT),
            C(MERGE, _NINE, _CLIENT),
            C(APPLY, _deployment(image="i:3"), "kubectl"),
            C(APPLY, _deployment(4), "kubectl"),
        ],
    ),
    "services": ("Service", _SERVICES),
    "pods": ("Pod", _PODS),
    "things": ("Thing", _THINGS),
}
