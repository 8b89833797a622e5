"""What people do to objects with kubectl, through koproxy to a real API server."""

import json
import uuid
from collections.abc import Iterator

import pytest
from e2e.running import running
from localcluster.cluster import Cluster
from localcluster.kubectl import Kubectl


@pytest.fixture
def name(anna: Kubectl) -> Iterator[str]:
    """The name of a ConfigMap for one test."""
    name = f"prices-{uuid.uuid4().hex[:8]}"
    yield name
    anna("delete", "configmap", name, "--namespace=shop", "--ignore-not-found")


def configmap(name: str, **data: str) -> bytes:
    metadata = {"name": name, "namespace": "shop"}
    return json.dumps(
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
    ).encode()


def data(kubectl: Kubectl, name: str) -> object:
    return json.loads(kubectl("get", "configmap", name, "--namespace=shop", "-o", "json"))["data"]


def test_create_and_delete(anna: Kubectl, name: str) -> None:
    anna("create", "configmap", name, "--namespace=shop", "--from-literal=tea=3")
    assert data(anna, name) == {"tea": "3"}
    assert anna("delete", "configmap", name, "--namespace=shop") == (
        f'configmap "{name}" deleted from shop namespace\n'
    )
    gone = anna.run("get", "configmap", name, "--namespace=shop")
    assert "NotFound" in gone.stderr.decode()


@pytest.mark.parametrize("flags", [[], ["--server-side"]], ids=["client-side", "server-side"])
def test_apply(anna: Kubectl, name: str, flags: list[str]) -> None:
    anna("apply", *flags, "-f", "-", stdin=configmap(name, tea="3", milk="1"))
    assert data(anna, name) == {"tea": "3", "milk": "1"}
    anna("apply", *flags, "-f", "-", stdin=configmap(name, tea="4"))
    assert data(anna, name) == {"tea": "4"}


def test_server_side_apply_knows_its_field_managers(anna: Kubectl, name: str) -> None:
    def apply(manager: str, *flags: str, **prices: str) -> str:
        done = anna.run(
            *("apply", "--server-side", f"--field-manager={manager}", *flags, "-f", "-"),
            stdin=configmap(name, **prices),
        )
        return done.stderr.decode()

    assert apply("till", tea="3") == ""
    assert apply("office", milk="1") == ""
    assert 'conflict with "till": .data.tea' in apply("office", tea="4", milk="1")
    assert apply("office", "--force-conflicts", tea="4", milk="1") == ""
    assert data(anna, name) == {"tea": "4", "milk": "1"}
    found = json.loads(
        anna(*("get", "configmap", name, "--namespace=shop", "-o", "json"), "--show-managed-fields")
    )
    managers = {
        (entry["manager"], entry["operation"]): set(entry["fieldsV1"]["f:data"]) - {"."}
        for entry in found["metadata"]["managedFields"]
    }
    assert managers == {("office", "Apply"): {"f:tea", "f:milk"}}


def test_discovery(anna: Kubectl, cluster: Cluster) -> None:
    listed = anna("api-resources", "-o", "name")
    assert "configmaps\n" in listed
    assert listed == cluster.admin("api-resources", "-o", "name")
    assert "FIELD: data" in anna("explain", "configmap.data")


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        ("merge", '{"data": {"tea": "5"}}'),
        ("strategic", '{"data": {"tea": "5"}}'),
        ("json", '[{"op": "replace", "path": "/data/tea", "value": "5"}]'),
    ],
)
def test_patch(anna: Kubectl, name: str, kind: str, patch: str) -> None:
    anna("apply", "-f", "-", stdin=configmap(name, tea="3", milk="1"))
    anna("patch", "configmap", name, "--namespace=shop", f"--type={kind}", f"--patch={patch}")
    assert data(anna, name) == {"tea": "5", "milk": "1"}


def test_an_object_of_nearly_a_megabyte(anna: Kubectl, name: str) -> None:
    long = "x" * 900_000
    anna("create", "-f", "-", stdin=configmap(name, long=long))
    assert data(anna, name) == {"long": long}


def test_watch_tells_what_happens_as_it_happens(anna: Kubectl, bert: Kubectl, name: str) -> None:
    with running(
        bert,
        *("get", "configmaps", "--namespace=shop", "--watch", "--output-watch-events"),
        *("-o", r'jsonpath={.type} {.object.metadata.name} {.object.data.tea}{"\n"}'),
    ) as watch:
        anna("apply", "-f", "-", stdin=configmap(name, tea="3"))
        assert watch.line_with(name).split() == ["ADDED", name, "3"]
        anna("apply", "-f", "-", stdin=configmap(name, tea="4"))
        assert watch.line_with(name).split() == ["MODIFIED", name, "4"]
        anna("delete", "configmap", name, "--namespace=shop")
        assert watch.line_with(name).split() == ["DELETED", name, "4"]
