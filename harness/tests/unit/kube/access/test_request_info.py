"""What a request is about, as Kubernetes reads its path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from koproxy_harness.kube.request_info import RequestInfo


@pytest.mark.parametrize(
    ("method", "path", "query", "said"),
    [
        ("GET", "/api/v1/pods", {}, "list pods"),
        ("GET", "/api/v1/pods", {"watch": "true"}, "watch pods"),
        ("GET", "/api/v1/pods", {"watch": "1"}, "watch pods"),
        ("GET", "/api/v1/pods", {"watch": ""}, "watch pods"),
        ("GET", "/api/v1/pods", {"watch": "False"}, "list pods"),
        ("GET", "/api/v1/pods/a", {"watch": "true"}, "get pods a"),
        ("HEAD", "/api/v1/pods/a", {}, "get pods a"),
        ("OPTIONS", "/api/v1/pods/a", {}, " pods a"),
        ("GET", "/api/v1/pods", {"fieldSelector": "metadata.name=a"}, "list pods a"),
        ("GET", "/api/v1/pods", {"fieldSelector": "x=y,metadata.name==a"}, "list pods a"),
        ("GET", "/api/v1/pods", {"fieldSelector": "metadata.name=a\\,b"}, "list pods a,b"),
        ("GET", "/api/v1/pods", {"fieldSelector": "metadata.name!=a"}, "list pods"),
        ("GET", "/api/v1/pods", {"fieldSelector": "metadata.name=a/b"}, "list pods"),
        ("GET", "/api/v1/pods", {"fieldSelector": "metadata.name=a=b"}, "list pods"),
        ("GET", "/api/v1/pods", {"fieldSelector": "metadata.name=a", "limit": "x"}, "list pods"),
        ("DELETE", "/api/v1/namespaces/demo/pods", {}, "deletecollection demo pods"),
        ("DELETE", "/api/v1/namespaces/demo/pods/a", {}, "delete demo pods a"),
        ("POST", "/api/v1/namespaces/demo/pods/a/exec", {}, "create demo pods/exec a"),
        ("GET", "/apis/apps/v1/namespaces/demo/deployments/a", {}, "get demo apps deployments a"),
        ("GET", "/api/v1/namespaces", {}, "list namespaces"),
        ("GET", "/api/v1/namespaces/demo", {}, "get demo namespaces demo"),
        ("PUT", "/api/v1/namespaces/demo/finalize", {}, "update demo namespaces/finalize demo"),
        ("GET", "/api/v1/watch/namespaces/demo/pods/a", {}, "watch demo pods a"),
        ("PUT", "/api/v1/proxy/nodes/a/b/c", {}, "proxy nodes a"),
        ("GET", "/api/v1", {}, "get /api/v1"),
        ("GET", "/apis/apps/v1/", {}, "get /apis/apps/v1/"),
        ("HEAD", "/healthz", {}, "head /healthz"),
        ("POST", "/", {}, "post /"),
    ],
)
def test_what_a_request_is_about(method: str, path: str, query: dict[str, str], said: str) -> None:
    info = RequestInfo.of(method, path, query)
    if not info.is_resource:
        assert said == f"{info.verb} {info.path}"
        return
    resource = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    words = [info.namespace, info.group, resource, info.name]
    assert said == " ".join([info.verb, *filter(None, words)])


def test_what_follows_a_subresource() -> None:
    info = RequestInfo.of("GET", "/api/v1/namespaces/demo/services/web/proxy/a/b", {})
    assert (info.name, info.subresource, info.rest) == ("web", "proxy", ("a", "b"))


PARTS = st.sampled_from(("api", "apis", "v1", "namespaces", "watch", "proxy", "pods", "status", ""))


@given(
    st.sampled_from(("GET", "POST", "DELETE", "PATCH", "BREW")),
    st.lists(PARTS, max_size=8).map("/".join),
    st.dictionaries(st.sampled_from(("watch", "fieldSelector", "limit")), st.text(max_size=20)),
)
def test_every_path_is_about_something(method: str, path: str, query: dict[str, str]) -> None:
    info = RequestInfo.of(method, f"/{path}", query)
    assert info.path == f"/{path}"
    if not info.is_resource:
        assert info == RequestInfo(method.lower(), f"/{path}")
