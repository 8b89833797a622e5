"""Patches and server-side apply do in the mock what they do in a real kube-apiserver.

Some changes are written down; the others are made by chance, from seeds, so that a run can be had
again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from e2e.mock.patch_sides import (
    APPLY,
    DEFINITION,
    MERGE,
    Change,
    Object,
    Real,
    Sides,
    differences,
)
from e2e.mock.patch_stories import STORIES
from localcluster.apiserver import ApiServer, start_api_server, start_etcd
from localcluster.pki import Authority
from localcluster.processes import Processes, wait_until

SEEDS = range(60)


@pytest.fixture(scope="module")
def api(parts: Processes, authority: Authority) -> ApiServer:
    """A kube-apiserver without controllers, as the mock has none."""
    return start_api_server(parts, authority, start_etcd(parts), name="patches")


@pytest.fixture(scope="module")
def real(api: ApiServer) -> Iterator[Real]:
    """It, with a kind of our own."""
    real = Real(api.url, str(api.ca), api.admin_token)
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    assert real.ask("POST", definitions, json.dumps(DEFINITION).encode())[0] == 201
    things = "/apis/patches.example/v1/namespaces/default/things"
    wait_until(lambda: real.ask("GET", things)[0] == 200, "the custom kind is served")
    yield real
    real.close()


@pytest.mark.parametrize("name", STORIES)
def test_what_is_particular(real: Real, name: str) -> None:
    kind, changes = STORIES[name]
    assert_alike(real, kind, changes)


@pytest.mark.parametrize("seed", SEEDS)
def test_changes_by_chance(real: Real, seed: int) -> None:
    assert_alike(real, "Thing", list(_changes(random.Random(seed))))


def assert_alike(real: Real, kind: str, changes: list[Change]) -> None:
    """See that each change does the same in both."""
    sides = Sides(real, kind)
    sides.change(Change("delete"))
    found = [said for change in changes for said in differences(sides, change)]
    assert not found, "\n" + "\n".join(found)


def _changes(chance: random.Random) -> Iterator[Change]:
    for number in range(10):
        how = chance.choice([APPLY, APPLY, APPLY, "update", MERGE]) if number else "create"
        body: Object = {"metadata": _metadata(chance), "spec": _spec(chance)}
        if chance.random() < 0.1:
            del body["spec"]
        elif how in ("update", MERGE) and chance.random() < 0.3:
            gone = chance.sample(["size", "set", "map", "labels", "whole", "any"], 2)
            body = {"spec": dict.fromkeys(gone)}
        manager = chance.choice(["m1", "m2", "m3"])
        yield Change(how, body, manager, force=how == APPLY and chance.random() < 0.4)


def _metadata(chance: random.Random) -> Object:
    if chance.random() < 0.7:
        return {}
    return {"labels": dict.fromkeys(chance.sample("ab", chance.randint(0, 2)), "v")}


def _spec(chance: random.Random) -> Object:
    def some(of: str, value: Callable[[], Any]) -> Object:
        return {name: value() for name in chance.sample(of, chance.randint(0, len(of)))}

    fields: dict[str, Callable[[], Any]] = {
        "size": lambda: chance.randint(0, 2),
        "whole": lambda: some("xy", lambda: chance.randint(0, 1)),
        "list": lambda: [chance.choice("ab") for _ in range(chance.randint(0, 2))],
        "set": lambda: chance.sample("abcd", chance.randint(0, 3)),
        "map": lambda: _items(chance),
        "labels": lambda: some("abc", lambda: chance.choice("xy")),
        "any": lambda: some("pqr", lambda: _anything(chance)),
    }
    return {name: made() for name, made in fields.items() if chance.random() < 0.45}


def _items(chance: random.Random) -> list[Object]:
    keys = [(name, port) for name in "ab" for port in (80, 81)]
    items: list[Object] = []
    for name, port in chance.sample(keys, chance.randint(0, 3)):
        item: Object = {"name": name}
        if port != 80 or chance.random() < 0.5:  # 80 is what it is when nobody says it
            item["port"] = port
        if chance.random() < 0.5:
            item["size"] = chance.randint(0, 1)
        items.append(item)
    return items


def _anything(chance: random.Random, depth: int = 0) -> Any:
    if depth > 2 or chance.random() < 0.4:
        return chance.choice([1, 2, "x", None, True, [], [1], {}])
    names = chance.sample("pqr", chance.randint(0, 2))
    return {name: _anything(chance, depth + 1) for name in names}
