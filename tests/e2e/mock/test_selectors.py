"""Selectors choose in the mock what they choose in a real kube-apiserver, and the same are refused.

Some are written down; the others are put together by chance, from seeds, so that a run can be had
again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from e2e.mock.patch_sides import Real
from koproxy_harness import KubeAPI
from localcluster.apiserver import ApiServer, start_api_server, start_etcd
from localcluster.pki import Authority
from localcluster.processes import Processes

_LABELS: list[dict[str, str]] = [
    {},
    {"a": ""},
    {"a": "b"},
    {"a": "c", "in": "notin"},
    {"a": "5", "x.io/b": "b"},
    {"a": "1_0", "b": "-5"[1:]},
    {"b": "c", "x.io/b": "c"},
]
_LABEL_SELECTORS = [
    *("", " ", "a", "!a", "a=b", "a==b", "a!=b", "a=", "a!=", "a in (b,c)", "a notin (b,c)"),
    *("a in (b)", "a in()", "a in ()", "a notin ()", "a in (,b)", "a in (b,)", "a in (,)"),
    *("a in (,,)", "a in (b,,c)", "a in (b c)", "a in (b", "a in (", "a in", "a in b", "a in (=)"),
    *("a notin", "a notin (b", "a>4", "a<6", "a>5", "a > 4", "a>x", "a<x", "a>", "a>1_0", "a>+4"),
    *("a>9223372036854775808", "a>-1", "a>4.5", "a>=4", "a<=4", "a=b=c", "a=b,c", "a=b,,c", "a,"),
    *(",a", ",", "=b", "!", "!!a", "!a=b", "! a", "a!b", "a b", "(a)", "a(b)", "a=(b)", "a=!", ")"),
    *("in", "in in (notin)", "notin", "!in", "a=in", "in=notin", "x.io/b", "x.io/b in (b, c)"),
    *("/a", "/a=1", "x/y/z", "x/y/z=1", "A_/a=1", "x.io/", "x.io/=1", "-a", "a-", "a=-b", "a=b-"),
    *(
        "a in (b,-c)",
        "a in (-b,-c)",
        "a" * 63,
        "a" * 64,
        "a=" + "b" * 64,
        "a in (" + "b" * 64 + ")",
    ),
    *(
        f"{'a.' * 130}io/b",
        "a=b\tc",
        "a\t=\nb",
        "a\u00a0=b",
        "ä=1",
        "a=ä",
        "a===b",
        "a!==b",
        "a\0b",
    ),
    *("a=b,!in", "a,a", "a=b,a=c", "a\\=b", "a='b'", 'a="b"', "a=b;c", "a&b", "a=b/c", "a/b=c/d"),
]
_FIELD_SELECTORS = [
    *("", ",", "metadata.name=a1", "metadata.name!=a1", "metadata.name==a1", "metadata.name="),
    *("metadata.name=a1,metadata.namespace=default", "metadata.name=a1,,", "metadata.namespace=x"),
    *("metadata.name", "=", "=a1", "foo=1", "data=1", "metadata.labels=1", "metadata.name=a=b"),
    *("metadata.name=a\\=b", "metadata.name=a\\,b", "metadata.name=a\\x", "metadata.name=a\\"),
    *("metadata.name=a\\\\", "metadata\\.name=a1", " metadata.name=a1", "metadata.name= a1"),
    *("metadata.name!==a1", "metadata.name=!a1", "b,a", "foo=1,metadata.name=a=b", "foo=a\\x,b=1"),
    *("foo!=1", "foo", ",,foo==1", "metadata.name=ä", "status.phase=Running", "spec.nodeName="),
    *("spec.nodeName=n", "type=Opaque", "type!=Opaque", "status.successful=0", "status.replicas=0"),
    *("spec.clusterIP=None", "spec.type=ClusterIP", "spec.unschedulable=false", "reason=x"),
    *("involvedObject.name=x", "spec.signerName=x", "spec.hostNetwork=false", "status.podIPs="),
]
_RESOURCES = [
    *("api/v1/namespaces/default/configmaps", "api/v1/namespaces/default/secrets", "api/v1/pods"),
    *("api/v1/namespaces", "api/v1/nodes", "api/v1/namespaces/default/events", "api/v1/services"),
    *("api/v1/replicationcontrollers", "api/v1/persistentvolumes", "api/v1/endpoints"),
    *("api/v1/serviceaccounts", "apis/apps/v1/deployments", "apis/apps/v1/replicasets"),
    *("apis/apps/v1/statefulsets", "apis/apps/v1/daemonsets", "apis/batch/v1/jobs"),
    *("apis/batch/v1/cronjobs", "apis/certificates.k8s.io/v1/certificatesigningrequests"),
    *("apis/events.k8s.io/v1/namespaces/default/events", "apis/policy/v1/poddisruptionbudgets"),
    *("apis/rbac.authorization.k8s.io/v1/roles", "apis/networking.k8s.io/v1/ingresses"),
    *("apis/apiextensions.k8s.io/v1/customresourcedefinitions", "apis/storage.k8s.io/v1/csinodes"),
    *("apis/coordination.k8s.io/v1/leases", "apis/discovery.k8s.io/v1/endpointslices"),
    *("apis/autoscaling/v2/horizontalpodautoscalers",),
]
# Of these a real server has its own.
_OWN = ("namespaces", "events", "services", "endpoints", "endpointslices", "roles", "leases")
_SEEDS = range(8)
_PARTS = (
    *("a", "b", "x.io/b", "in", "notin", "c", "5", "-5", "", "/", "a.b/c"),
    *("=", "==", "!=", "!", "(", ")", ",", "<", ">", " ", " in ", " notin ", "(b,c)"),
)
Pair = tuple[Real, Real]


@pytest.fixture(scope="module")
def api(parts: Processes, authority: Authority) -> ApiServer:
    """A kube-apiserver without controllers, as the mock has none."""
    return start_api_server(parts, authority, start_etcd(parts), name="selectors")


@pytest.fixture(scope="module")
def both(api: ApiServer) -> Iterator[Pair]:
    """The mock and the real one, with the same objects."""
    with KubeAPI() as mock:
        sides = (
            Real(mock.url, str(mock.ca_file), mock.admin_token),
            Real(api.url, str(api.ca), api.admin_token),
        )
        for side in sides:
            for path, made in _objects():
                status, said = side.ask("POST", f"/{path}", json.dumps(made).encode())
                assert status == 201, said
        yield sides
        for side in sides:
            side.close()


def _objects() -> Iterator[tuple[str, dict[str, Any]]]:
    space = "api/v1/namespaces/default"
    for number, labels in enumerate(_LABELS):
        yield f"{space}/configmaps", {"metadata": {"name": f"a{number}", "labels": labels}}
    yield f"{space}/secrets", {"metadata": {"name": "a1"}, "type": "Opaque"}
    yield f"{space}/secrets", {"metadata": {"name": "a2"}, "type": "x.io/other"}
    yield "api/v1/nodes", {"metadata": {"name": "a1"}}
    yield "api/v1/nodes", {"metadata": {"name": "n"}, "spec": {"unschedulable": True}}
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]},
    }
    yield (
        "apis/batch/v1/namespaces/default/jobs",
        {
            "metadata": {"name": "a1"},
            "spec": {"template": template},
        },
    )


@pytest.mark.parametrize("selector", _LABEL_SELECTORS, ids=ascii)
def test_label_selectors(both: Pair, selector: str) -> None:
    mock, real = _ask(both, _RESOURCES[0], labelSelector=selector)
    assert mock == real


@pytest.mark.parametrize("seed", _SEEDS)
def test_label_selectors_by_chance(both: Pair, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(250):
        selector = "".join(chance.choices(_PARTS, k=chance.randint(1, 9)))
        mock, real = _ask(both, _RESOURCES[0], labelSelector=selector)
        assert mock == real, selector


@pytest.mark.parametrize("resource", _RESOURCES)
def test_field_selectors(both: Pair, resource: str) -> None:
    names = resource.rpartition("/")[2] not in _OWN
    for selector in _FIELD_SELECTORS:
        mock, real = _ask(both, resource, names=names, fieldSelector=selector)
        assert mock == real, selector


def _ask(both: Pair, resource: str, *, names: bool = True, **query: str) -> list[Any]:
    """Give the names that both have found, or how they refuse."""
    asked = "&".join(f"{name}={quote(each, safe='')}" for name, each in query.items())
    found = []
    for side in both:
        status, said = side.ask("GET", f"/{resource}?{asked}")
        if status != 200:
            found.append((status, said))
        elif names:
            mine = [each["metadata"]["name"] for each in said["items"]]
            found.append((200, [name for name in mine if name != "kube-root-ca.crt"]))
        else:
            found.append((200, []))
    return found
