"""The mock prints objects as a real kube-apiserver does, and as clients ask for it.

The same objects, as the real server has them, are printed by both.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from e2e.mock.patch_sides import Object, Real
from e2e.mock.table_accepts import ACCEPTS, OTHERWISE, REFUSED
from e2e.mock.table_custom import BARE, BARE_THINGS, DEFINITION, THINGS
from e2e.mock.table_examples import HELD, examples
from koproxy_harness import KubeAPI
from koproxy_harness.kube.kinds import Kind, Kinds
from koproxy_harness.kube.schema import builtin
from koproxy_harness.kube.schema.definitions import read
from koproxy_harness.kube.tables import rendering
from localcluster.apiserver import ApiServer, start_api_server, start_etcd
from localcluster.pki import Authority
from localcluster.processes import Processes, wait_until

TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"
KINDS = Kinds(builtin.kinds())
LISTED = {f"{kind.qualified}/{kind.version}": kind for kind in KINDS if "list" in kind.verbs}
NOT_SERVED = {"apiregistration.k8s.io", "flowcontrol.apiserver.k8s.io", "resource.k8s.io"}
"""Groups of a real server that the mock doesn't have."""
_MANY = "PartialObjectMetadataList"
_COLUMN = ("name", "type", "format", "priority")


@pytest.fixture(scope="module")
def api(parts: Processes, authority: Authority) -> ApiServer:
    """A kube-apiserver without controllers, as the mock has none."""
    return start_api_server(parts, authority, start_etcd(parts), name="tables")


@pytest.fixture(scope="module")
def real(api: ApiServer) -> Iterator[Real]:
    """It, with the examples."""
    real = Real(api.url, str(api.ca), api.admin_token)
    for example in examples():
        _put(real, example)
    for definition, things in ((DEFINITION, THINGS), (BARE, BARE_THINGS)):
        _put(real, definition)
        _wait_for(real, definition)
        for thing in things:
            _put(real, thing, read(definition).kinds[0])
    yield real
    real.close()


def _wait_for(real: Real, definition: Object) -> None:
    place = _all(read(definition).kinds[0])
    wait_until(lambda: real.ask("GET", place)[0] == 200, "the custom kind is served")


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    """A mock, asked over HTTPS like the real one, with one of each custom kind."""
    with KubeAPI() as api:
        api.apply([{"kind": "Node", "apiVersion": "v1", "metadata": {"name": "one"}}])
        api.apply([DEFINITION, THINGS[0], BARE, BARE_THINGS[0]])
        ca = tmp_path_factory.mktemp("tables") / "ca.pem"
        ca.write_text(api.ca_pem)
        mock = Real(api.url, str(ca), api.admin_token)
        yield mock
        mock.close()


def _all(kind: Kind, namespace: str = "default") -> str:
    """Give where the objects of a kind are."""
    prefix = f"/apis/{kind.group}" if kind.group else "/api"
    within = f"/namespaces/{namespace}" if kind.namespaced and namespace else ""
    return f"{prefix}/{kind.version}{within}/{kind.plural}"


def _put(real: Real, example: Object, kind: Kind | None = None) -> None:
    """Put an object into the real server, with its status; delete it where it is held."""
    kind = kind or KINDS.named(example["apiVersion"], example["kind"])
    assert kind is not None
    code, made = real.ask("POST", _all(kind), json.dumps(example).encode())
    assert code == 201, made
    place = f"{_all(kind)}/{made['metadata']['name']}"
    if "status" in example:
        made["status"] = {**made.get("status", {}), **example["status"]}
        types = {each["type"] for each in example["status"].get("conditions", ())}
        decided = kind.plural == "certificatesigningrequests" and types <= {"Approved", "Denied"}
        part = "approval" if decided else "status"
        code, said = real.ask("PUT", f"{place}/{part}", json.dumps(made).encode())
        assert code == 200, (example, said)
    if HELD in made["metadata"].get("finalizers", ()):
        code, said = real.ask("DELETE", place)
        assert code in (200, 202), said


def test_every_kind_of_the_real_server_is_looked_at(real: Real) -> None:
    found = set()
    groups = [each["versions"] for each in real.ask("GET", "/apis")[1]["groups"]]
    served = ["v1", *(version["groupVersion"] for versions in groups for version in versions)]
    for version in served:
        group, _, number = version.rpartition("/")
        if group in NOT_SERVED or group == "tables.example":
            continue
        at = f"/apis/{version}" if group else f"/api/{version}"
        for each in real.ask("GET", at)[1]["resources"]:
            if "/" not in each["name"] and "list" in each["verbs"]:
                found.add(f"{each['name']}{'.' if group else ''}{group}/{number}")
    assert found == set(LISTED)


@pytest.mark.parametrize("name", LISTED)
def test_a_kind_is_printed_alike(real: Real, name: str) -> None:
    assert_alike(real, LISTED[name])


def test_a_custom_kind_is_printed_alike(real: Real) -> None:
    columns = DEFINITION["spec"]["versions"][0]["additionalPrinterColumns"]
    assert_alike(real, read(DEFINITION).kinds[0], columns)


def test_a_custom_kind_without_columns_is_printed_alike(real: Real) -> None:
    assert_alike(real, read(BARE).kinds[0], ())


PLACES = {
    "many": "/api/v1/namespaces",
    "one": "/api/v1/namespaces/default",
    "many custom ones": "/apis/tables.example/v1/bares",
    "a custom one": "/apis/tables.example/v1/namespaces/default/bares/one",
}


@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize("place", PLACES)
def test_an_accept_field_is_read_alike(real: Real, mock: Real, place: str, accept: str) -> None:
    if place == "a custom one" and "List;" in accept:
        pytest.skip("a real server fails here, and means nothing by it")
    expected = _gist(*real.ask("GET", PLACES[place], accept=accept))
    assert _gist(*mock.ask("GET", PLACES[place], accept=accept)) == expected


@pytest.mark.parametrize("accept", OTHERWISE)
def test_the_mock_gives_json_where_a_real_server_does_not(
    real: Real, mock: Real, accept: str
) -> None:
    code, body = real.ask("GET", "/api/v1/namespaces", accept=accept)
    assert code == 406 or body == {}
    code, body = mock.ask("GET", "/api/v1/namespaces", accept=accept)
    assert code == 200
    assert body["kind"] in ("NamespaceList", "Table")


@pytest.mark.parametrize("accept", REFUSED)
@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("GET", "/api/v1/namespaces/default/configmaps?watch=1&timeoutSeconds=1", None),
        ("GET", "/apis/tables.example/v1/bares", None),
        ("PUT", "/apis/tables.example/v1/namespaces/default/bares/one", {"spec": 1}),
        ("GET", "/api/v1/namespaces/nowhere", None),
        ("DELETE", "/api/v1/namespaces/nowhere", None),
        ("GET", "/apis/apps/v1/namespaces/default/deployments/web/scale", None),
        ("POST", "/api/v1/namespaces", {"metadata": {"name": "refused"}}),
        ("GET", "/api/v1/nothing", None),
    ],
)
def test_what_can_not_be_shown_is_refused_before_anything_is_done(
    real: Real, mock: Real, method: str, target: str, body: Object | None, accept: str
) -> None:
    given = None if body is None else json.dumps(body).encode()
    answers = [side.ask(method, target, given, accept=accept) for side in (real, mock)]
    expected, said = (
        {**body, "details": body.get("details", {}), "code": code} for code, body in answers
    )
    assert expected["code"] in (404, 406)
    assert said == expected
    for side in (real, mock):
        assert side.ask("GET", "/api/v1/namespaces/refused")[0] == 404


@pytest.mark.parametrize(
    ("place", "name"),
    [
        *(("/api/v1/nodes", "PartialObjectMetadata"), ("/api/v1/nodes/one", _MANY)),
        ("/apis/events.k8s.io/v1/events", "PartialObjectMetadata"),
        ("/apis/rbac.authorization.k8s.io/v1/clusterroles/view", _MANY),
        ("/apis/tables.example/v1/bares", "PartialObjectMetadata"),
    ],
)
def test_a_list_is_not_one_object(real: Real, mock: Real, place: str, name: str) -> None:
    accept = TABLE.replace("Table", name)
    expected = real.ask("GET", place, accept=accept)
    assert expected[0] == 406
    assert mock.ask("GET", place, accept=accept) == expected


def _gist(code: int, body: Object) -> Object:
    """What is said, without who it is said of."""
    if code != 200:
        return {"code": code, "reason": body["reason"]}
    columns = [[each[part] for part in _COLUMN] for each in body.get("columnDefinitions", ())]
    shown = [
        *(row["object"]["apiVersion"] for row in body.get("rows", ())[:1]),
        *(each.get("apiVersion") for each in body.get("items", ())[:1] if body["kind"] == _MANY),
    ]
    what = {part: body.get(part) for part in ("kind", "apiVersion")}
    return {**what, "columns": columns, "shown": shown}


def assert_alike(real: Real, kind: Kind, columns: Sequence[Object] | None = None) -> None:
    """See that a kind's table is the same from both.

    The real server looked at its clock between the two times by which the mock prints.
    """
    before = time.time()
    code, expected = real.ask("GET", f"{_all(kind, '')}?includeObject=Object", accept=TABLE)
    after = time.time()
    assert code == 200
    rows = [row for row in expected["rows"] if not _is_more_than_its_version(row["object"])]
    assert rows, "there has to be an example"
    tables = [
        _printed(kind, columns, [row["object"] for row in rows], at) for at in (before, after)
    ]
    wanted = expected["columnDefinitions"]
    assert [[each[part] for part in _COLUMN] for each in tables[0]["columnDefinitions"]] == [
        [each[part] for part in _COLUMN] for each in wanted
    ]
    differences = []
    for first, last, real_one in zip(tables[0]["rows"], tables[1]["rows"], rows, strict=True):
        cells = zip(first["cells"], last["cells"], real_one["cells"], strict=True)
        for number, (one, other, real_cell) in enumerate(cells):
            if json.dumps(real_cell) not in (json.dumps(one), json.dumps(other)):
                where = f"{real_one['cells'][0]}, column {number}"
                differences.append(f"{where}: the mock has {one!r}, the real one {real_cell!r}")
    assert not differences, "\n" + "\n".join(differences)


def _printed(
    kind: Kind, columns: Sequence[Object] | None, objects: list[Object], now: float
) -> Object:
    shown = rendering(TABLE, kind, {}, columns, lambda: now)
    assert shown is not None
    return shown.list(objects, {})


def _is_more_than_its_version(made: Object) -> bool:
    """Whether a part of it is in an annotation, where a real server puts it in conversion."""
    return "autoscaling.alpha.kubernetes.io/metrics" in made["metadata"].get("annotations", ())


def test_no_part_of_an_object_has_to_be_there_for_it_to_be_printed() -> None:
    seen = 0
    for example in examples():
        kind = KINDS.named(example["apiVersion"], example["kind"])
        assert kind is not None
        for made in _less(example):
            if "name" in made.get("metadata", {}):
                assert _printed(kind, None, [made], 0.0)["rows"][0]["cells"]
                seen += 1
    assert seen > 1000


def _less(value: Any) -> Iterator[Any]:
    """Give a value as often as it has fields, each time without one of them."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield {name: each for name, each in value.items() if name != key}
            yield from ({**value, key: less} for less in _less(part))
    elif isinstance(value, list):
        for at, part in enumerate(value):
            yield from ([*value[:at], less, *value[at + 1 :]] for less in _less(part))
