"""Custom kinds are served by the mock as by a real kube-apiserver: the same is asked of both."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from e2e.mock.patch_sides import MERGE, Real
from koproxy_harness import KubeAPI
from localcluster.apiserver import ApiServer, start_api_server, start_etcd
from localcluster.pki import Authority
from localcluster.processes import Processes, wait_until

Object = dict[str, Any]
Pair = tuple[Real, Real]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SHIPS = "/apis/sea.example/v1/namespaces/default/ships"
_WORDS = {"type": "array", "items": {"type": "string"}}
SPEC = {
    "type": "object",
    "required": ["name", "size"],
    "properties": {
        "name": {"type": "string", "minLength": 2, "maxLength": 5, "pattern": "^[a-z]+$"},
        "size": {"type": "integer", "minimum": 1, "maximum": 9, "multipleOf": 3, "default": 3},
        "weight": {"type": "number", "minimum": 0.5},
        "flag": {"type": "string", "enum": ["red", "blue"]},
        "level": {"type": "integer", "enum": [1, 2]},
        "decks": {**_WORDS, "minItems": 1, "maxItems": 2},
        "crew": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 2,
            "additionalProperties": {"type": "integer", "maximum": 3},
        },
        "port": {"x-kubernetes-int-or-string": True},
        "sails": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["area"],
                "properties": {
                    "area": {"type": "integer", "minimum": 1},
                    "colour": {"type": "string", "default": "white"},
                },
            },
        },
        "maybe": {"type": "string", "nullable": True, "default": "x"},
        "armed": {"type": "boolean"},
        "count": {"type": "integer", "maximum": 8},
        "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "wide": {"type": "integer", "format": "int64"},
        "narrow": {"type": "integer", "format": "int32"},
    },
}
DEFINITION: Object = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "ships.sea.example"},
    "spec": {
        "group": "sea.example",
        "scope": "Namespaced",
        "names": {
            "plural": "ships",
            "singular": "ship",
            "kind": "Ship",
            "shortNames": ["sh"],
            "categories": ["all"],
        },
        "versions": [
            {
                "name": name,
                "served": True,
                "storage": name == "v1",
                "subresources": {
                    "status": {},
                    "scale": {
                        "specReplicasPath": ".spec.count",
                        "statusReplicasPath": ".status.size",
                        "labelSelectorPath": ".status.selector",
                    },
                },
                "selectableFields": [{"jsonPath": ".spec.name"}],
                "schema": {
                    "openAPIV3Schema": {
                        "type": "object",
                        "properties": {
                            "spec": SPEC,
                            "status": {
                                "type": "object",
                                "properties": {
                                    "size": {"type": "integer"},
                                    "selector": {"type": "string"},
                                },
                            },
                        },
                    }
                },
            }
            for name in ("v1", "v1beta1")
        ],
    },
}
GOOD: Object = {"name": "abc", "size": 6}


@pytest.fixture(scope="module")
def api(parts: Processes, authority: Authority) -> ApiServer:
    """A kube-apiserver without controllers, as the mock has none."""
    return start_api_server(parts, authority, start_etcd(parts), name="custom")


@pytest.fixture(scope="module")
def both(api: ApiServer) -> Iterator[Pair]:
    """The mock and the real one, with the same definition."""
    with KubeAPI() as mock:
        sides = (
            Real(mock.url, str(mock.ca_file), mock.admin_token),
            Real(api.url, str(api.ca), api.admin_token),
        )
        for side in sides:
            assert side.ask("POST", DEFINITIONS, json.dumps(DEFINITION).encode())[0] == 201
            wait_until(lambda side=side: side.ask("GET", SHIPS)[0] == 200, "ships are served")  # type: ignore[misc]
        yield sides
        for side in sides:
            side.close()


def ship(spec: Any, name: str = "a", **more: Any) -> Object:
    version = more.pop("version", "v1")
    whole = {"apiVersion": f"sea.example/{version}", "kind": "Ship", "metadata": {"name": name}}
    return {**whole, "spec": spec, **more}


def ask(
    both: Pair, method: str, path: str, body: Any = None, kind: str = "application/json"
) -> tuple[Any, Any]:
    """Give what both answer, without what no two servers have in common."""
    data = None if body is None else json.dumps(body).encode()
    mock, real = (side.ask(method, path, data, kind) for side in both)
    return (mock[0], _alike(mock[1])), (real[0], _alike(real[1]))


def _alike(answer: Object) -> Object:
    found = copy.deepcopy(answer)
    for made in (found, *found.get("items", ())):
        for name in ("uid", "resourceVersion", "creationTimestamp", "managedFields"):
            made.get("metadata", {}).pop(name, None)
    causes = found.get("details", {}).get("causes")
    if causes:  # which come in any order there
        causes.sort(key=lambda cause: (cause.get("field", ""), cause["message"]))
        if len(causes) > 1:
            del found["message"]
    found.get("details", {}).pop("uid", None)
    if not found.get("metadata", {}).get("continue", "x"):
        del found["metadata"]["continue"]  # nothing to go on with
    return found


@pytest.mark.parametrize(
    "spec",
    [
        *(GOOD, {"name": "abc"}, {}, None, {"size": 6}, {"name": None}),
        *({**GOOD, "name": each} for each in ("a", "abcdef", "AB", "", 1, None, "äb", "a\nb")),
        *({**GOOD, "size": each} for each in (0, 10, 4, 3.0, "3", None, True, 2**40)),
        *({**GOOD, "weight": each} for each in (0.5, 0.4, 1, -1, "1", 1e300)),
        *({**GOOD, "flag": each} for each in ("red", "green", "", 1, None)),
        *({**GOOD, "level": each} for each in (1, 3, "1")),
        *({**GOOD, "decks": each} for each in ([], ["a"], ["a", "b", "c"], [1], "a", {}, [None])),
        *({**GOOD, "crew": each} for each in ({}, {"a": 1}, {"a": 4}, {"a": "x"}, [], {"a": None})),
        {**GOOD, "crew": {"a": 1, "b": 2, "c": 3}},
        *({**GOOD, "port": each} for each in (80, "http", True, 1.5, None, [])),
        *({**GOOD, "sails": each} for each in ([{"area": 1}], [{}], [{"area": 0}], [1], [None])),
        *({**GOOD, "maybe": each} for each in (None, "y", 1)),
        *({**GOOD, "armed": each} for each in (True, "true", 0)),
        {**GOOD, "any": {"deep": [{"x": None}], "n": 1.5}},
        {**GOOD, "unknown": 1},
        *({**GOOD, "wide": each} for each in (2**62, -(2**63))),
        *({**GOOD, "narrow": each} for each in (2**31 - 1, 2**31, -(2**31) - 1)),
        {"name": "A", "size": 100, "flag": "green", "decks": [], "armed": 1},
    ],
    ids=repr,
)
def test_what_a_schema_lets_through(both: Pair, spec: Any) -> None:
    mock, real = ask(both, "POST", SHIPS, ship(spec))
    assert mock == real
    if mock[0] == 201:
        assert len(set(map(repr, ask(both, "DELETE", f"{SHIPS}/a")))) == 1


@pytest.mark.parametrize("how", ["Strict", "Warn", "Ignore"])
def test_unknown_fields(both: Pair, how: str) -> None:
    unknown = {**GOOD, "unknown": 1, "sails": [{"area": 1, "unknown": 2}]}
    mock, real = ask(both, "POST", f"{SHIPS}?fieldValidation={how}", ship(unknown, unknown=1))
    assert mock == real
    ask(both, "DELETE", f"{SHIPS}/a")


@pytest.fixture
def one(both: Pair) -> Iterator[Object]:
    """A ship called "one" in both."""
    mock, real = ask(both, "POST", SHIPS, ship(GOOD, "one"))
    assert mock == real
    yield mock[1]
    ask(both, "DELETE", f"{SHIPS}/one")


@pytest.mark.usefixtures("one")
def test_the_life_of_an_object(both: Pair) -> None:
    for method, path, body in (
        ("GET", f"{SHIPS}/one", None),
        ("PATCH", f"{SHIPS}/one", {"spec": {"flag": "red"}, "status": {"size": 5}}),
        ("PATCH", f"{SHIPS}/one", {"spec": {"flag": "green"}}),
        ("PATCH", f"{SHIPS}/one", {"spec": {"size": None}}),
        ("PATCH", f"{SHIPS}/one/status", {"spec": {"flag": "blue"}, "status": {"size": 4}}),
        ("PATCH", f"{SHIPS}/one/status", {"status": {"selector": "a=b"}}),
        ("PATCH", f"{SHIPS}/one", {"spec": {"count": 2}}),
        ("GET", f"{SHIPS}/one/scale", None),
        ("PATCH", f"{SHIPS}/one/scale", {"spec": {"replicas": 9}}),
        ("PATCH", f"{SHIPS}/one/scale", {"spec": {"replicas": 5}}),
        ("GET", f"{SHIPS}/one", None),
        ("GET", f"{SHIPS}/two", None),
        ("GET", f"{SHIPS}/one/nothing", None),
        ("POST", SHIPS, ship(GOOD, "one")),
        ("POST", SHIPS, ship(GOOD, "One")),
        ("POST", SHIPS, ship(GOOD, "x", version="v1beta1")),
        ("PUT", f"{SHIPS}/one", ship(GOOD, "one")),
        ("GET", f"{SHIPS.replace('v1', 'v1beta1')}/one", None),
        ("GET", f"{SHIPS}?fieldSelector=spec.name%3Dabc", None),
        ("GET", f"{SHIPS}?fieldSelector=spec.name%3Dabd", None),
        ("GET", f"{SHIPS}?fieldSelector=spec.size%3D9", None),
        ("GET", "/apis/sea.example/v1/ships", None),
        ("POST", SHIPS.replace("default", "nowhere"), ship(GOOD, "two")),
    ):
        kind = MERGE if method == "PATCH" else "application/json"
        mock, real = ask(both, method, path, body, kind)
        assert mock == real, (method, path, body)


def test_what_discovery_says(both: Pair) -> None:
    for path in ("/apis/sea.example", "/apis/sea.example/v1", "/apis/sea.example/v1beta1"):
        mock, real = ask(both, "GET", path)
        for resource in real[1].get("resources", ()):
            resource.pop("storageVersionHash", None)
        assert mock == real


@pytest.mark.parametrize(
    "wrong",
    [
        {"metadata": {"name": "boats.sea.example"}},
        {"spec": {"group": ""}},
        {"spec": {"scope": "Everywhere"}},
        {"spec": {"scope": None}},
        {"spec": {"names": {"kind": ""}}},
        {"spec": {"versions": []}},
        {"spec": {"versions": None}},
    ],
    ids=repr,
)
def test_wrong_definitions(both: Pair, wrong: Object) -> None:
    mock, real = ask(both, "POST", DEFINITIONS, _with(DEFINITION, wrong))
    assert mock[0] == 422
    assert mock == real


def _with(made: Any, change: Any) -> Any:
    if isinstance(made, dict) and isinstance(change, dict):
        merged = {**made, **{name: _with(made.get(name), each) for name, each in change.items()}}
        return {name: each for name, each in merged.items() if each is not None}
    return change
